"""Managed servers, against a real server of our own with a stubborn grandchild."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from suite.errors import EngineError
from suite.models.http import HttpClient
from suite.models.server import Launch, ManagedServer

# A server that says a secret, leaves a grandchild in a session of its own that ignores SIGTERM, and answers
# /health once the file `go` is there.
SERVER = """
import http.server, os, subprocess, sys, time
port, folder, go = int(sys.argv[1]), sys.argv[2], sys.argv[3]
child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
grandchild = subprocess.Popen([sys.executable, "-c", child], start_new_session=True)
with open(os.path.join(folder, "pids.part"), "w") as file:
    file.write(f"{os.getpid()} {grandchild.pid}")
os.rename(file.name, os.path.join(folder, "pids"))
print("loading with", os.environ.get("HF_TOKEN"), "and sk-0123456789abcdef", flush=True)
while not os.path.exists(go):
    time.sleep(0.02)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def launch(tmp_path: Path) -> Callable[..., Launch]:
    script = tmp_path / "server.py"
    script.write_text(SERVER)

    def make(go: Path = tmp_path, **more: object) -> Launch:
        def command(port: int) -> list[str]:
            return [sys.executable, str(script), str(port), str(tmp_path), str(go)]

        settings = {"command": command, "log": tmp_path / "logs" / "server.log", "grace_s": 1.0, **more}
        return Launch("toy/model", **settings)  # type: ignore[arg-type]

    return make


def pids(folder: Path) -> list[int]:
    return [int(one) for one in (folder / "pids").read_text().split()]


def command_of(process: psutil.Process) -> list[str]:
    try:
        return [*process.cmdline()]
    except psutil.Error:
        return []


def lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def gone(ids: list[int], within_s: float = 60.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not any(lives(pid) for pid in ids):
            return True
        time.sleep(0.05)
    return False


async def until(true: Callable[[], bool], within_s: float = 60.0) -> None:
    for _ in range(int(within_s / 0.05)):
        if true():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("not in time")


async def test_it_starts_shows_progress_and_stops_with_all_it_started(
    launch: Callable[..., Launch], tmp_path: Path
) -> None:
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if "loading with" in line:
            (tmp_path / "go").touch()

    server = ManagedServer(launch(go=tmp_path / "go", say_every_s=0.1))
    await server.start(say)
    http = HttpClient(server.url, {}, timeout_s=60)
    assert (await http.get("/health")).status == 200
    await http.close()
    assert server.alive
    await server.stop()
    await server.stop()
    assert gone(pids(tmp_path))
    assert said[0] == "toy/model: starting"
    assert any("loading with" in line for line in said[1:-1])
    assert said[-1].startswith("toy/model: ready after")


async def test_its_log_holds_no_secret(
    launch: Callable[..., Launch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "private-token-value")
    server = ManagedServer(launch())
    await server.start(lambda line: None)
    await server.stop()
    assert (tmp_path / "logs" / "server.log").read_text().splitlines()[0] == "loading with *** and ***"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise SystemExit('no such model')", "no such model"),
        ("import os; os.kill(os.getpid(), 9)", "it wrote nothing"),
    ],
)
async def test_a_server_that_dies_is_an_error_with_the_end_of_its_log(
    tmp_path: Path, code: str, message: str
) -> None:
    launch = Launch("toy/model", lambda port: [sys.executable, "-c", code], tmp_path / "server.log")
    with pytest.raises(EngineError, match="did not start") as caught:
        await ManagedServer(launch).start(lambda line: None)
    assert message in str(caught.value)


async def test_a_missing_program_is_named(tmp_path: Path) -> None:
    launch = Launch("toy/model", lambda port: ["/nowhere/python"], tmp_path / "server.log")
    with pytest.raises(EngineError, match="cannot start /nowhere/python: No such file"):
        await ManagedServer(launch).start(lambda line: None)


async def test_a_server_that_is_never_ready_is_given_up(
    launch: Callable[..., Launch], tmp_path: Path
) -> None:
    """It may be given up before it could say which processes it started."""
    with pytest.raises(EngineError, match=r"was not ready after 0\.5 s"):
        await ManagedServer(launch(go=tmp_path / "never", timeout_s=0.5)).start(lambda line: None)
    assert gone([one.pid for one in psutil.process_iter() if str(tmp_path) in " ".join(command_of(one))])
    assert not (tmp_path / "pids").exists() or gone(pids(tmp_path))


async def test_a_cancelled_start_leaves_nothing_behind(launch: Callable[..., Launch], tmp_path: Path) -> None:
    task = asyncio.ensure_future(ManagedServer(launch(go=tmp_path / "never")).start(lambda line: None))
    await until((tmp_path / "pids").exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone(pids(tmp_path))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_dies_with_its_parent(
    launch: Callable[..., Launch], tmp_path: Path, number: signal.Signals
) -> None:
    launch()  # writes the script
    code = f"""
import asyncio, sys
from pathlib import Path
from suite.models.server import Launch, ManagedServer
def command(port):
    return [sys.executable, {str(tmp_path / "server.py")!r}, str(port), {str(tmp_path)!r}, {str(tmp_path)!r}]
async def main():
    server = ManagedServer(Launch("toy", command, Path({str(tmp_path / "log")!r}), grace_s=1.0))
    await server.start(print)
    Path({str(tmp_path / "ready")!r}).touch()
    await asyncio.sleep(600)
asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
    try:
        while not (tmp_path / "ready").exists():
            assert parent.poll() is None
            time.sleep(0.05)
        started = [process.pid for process in psutil.Process(parent.pid).children(recursive=True)]
        assert len(started) == 3  # supervisor, server, grandchild
        os.kill(parent.pid, number)
        parent.wait()
        assert gone(started)
    finally:
        parent.kill()
        parent.wait()


async def test_a_killed_server_is_noticed(launch: Callable[..., Launch], tmp_path: Path) -> None:
    server = ManagedServer(launch())
    await server.start(lambda line: None)
    os.kill(pids(tmp_path)[0], signal.SIGKILL)
    await until(lambda: not server.alive)
    assert "loading with" in str(server.dead("died"))
    assert gone(pids(tmp_path))
