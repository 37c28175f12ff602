"""Runs on a real Ray, a cluster of this machine: workers die, the driver dies, workers come and go."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from msgspec.structs import replace
from small_tasks import without_times
from workers_here import records

from suite.journal.run import Run

pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # of Ray's own tools to test with
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
TASK = Path(__file__).with_name("ray_words.py")
SLOW = "scripted/echo?delay_s=0.05"


def start(folder: Path, *more: str, model: str = SLOW) -> subprocess.Popen[str]:
    """The command that runs the task into a folder."""
    words = ["eval", "--task", str(TASK), "--model", model, "--judge", model, "--concurrency", "2"]
    command = [sys.executable, "-m", "suite", *words, "--output", str(folder), "--quiet", *more]
    return subprocess.Popen(command, text=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


def on_ray(folder: Path, *options: str, model: str = SLOW) -> subprocess.Popen[str]:
    """The same on a Ray cluster."""
    more = [word for one in options for word in ("--on-option", one)]
    return start(folder, "--on", "ray", *more, model=model)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code, and what was said."""
    said = process.communicate(timeout=120)[1]
    return process.returncode, said


def until(true: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait until something holds of a process that goes on."""
    deadline = time.monotonic() + 90
    while not true():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def outputs(folder: Path) -> int:
    path = folder / "outputs.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def workers() -> list[psutil.Process]:
    """The workers of this test: those that have its cache folder."""
    found = []
    for one in psutil.process_iter():
        try:
            if one.cmdline()[:1] and one.cmdline()[0].startswith("ray::WorkerActor"):
                found += [one] if one.environ().get("SUITE_CACHE") == os.environ["SUITE_CACHE"] else []
        except psutil.Error:
            continue
    return found


@pytest.fixture(autouse=True)
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Until it is there, no run comes to its end."""
    monkeypatch.setenv("RAY_WORDS_GATE", str(tmp_path / "gate"))
    return tmp_path / "gate"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process."""
    folder = tmp_path_factory.mktemp("local") / "run"
    assert ended(start(folder, "--no-cache"))[0] == 0
    return folder


def same(folder: Path, local: Path) -> bool:
    """Whether a run has the records and results of the local one, but for times."""
    results = [without_times(Run(one).results) for one in (folder, local)]
    return records(folder) == records(local) and results[0] == replace(results[1], run=results[0].run)


def test_a_worker_that_is_killed_changes_nothing(tmp_path: Path, local: Path, gate: Path) -> None:
    process = on_ray(tmp_path / "run", "workers=2")
    until(lambda: outputs(tmp_path / "run") > 20, process)
    workers()[0].kill()
    gate.touch()
    code, said = ended(process)
    assert (code, "a worker was lost" in said) == (0, True)
    assert same(tmp_path / "run", local)


def test_a_driver_that_is_killed_goes_on_by_the_same_command(tmp_path: Path, local: Path, gate: Path) -> None:
    process = on_ray(tmp_path / "run", "workers=1", "cpus=0.5")
    until(lambda: outputs(tmp_path / "run") > 20, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = outputs(tmp_path / "run")
    gate.touch()
    assert ended(on_ray(tmp_path / "run", "workers=2"))[0] == 0
    assert 20 < before < 120
    assert same(tmp_path / "run", local)


@pytest.fixture
def cluster(gate: Path) -> Iterator[Any]:
    """A cluster whose nodes come and go, with one place for a worker."""
    from ray.cluster_utils import Cluster

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "ray_client_server_port": port})
    made.client = f"ray://127.0.0.1:{port}"
    yield made
    made.shutdown()


def test_a_worker_joins_late_and_its_node_goes(tmp_path: Path, local: Path, gate: Path, cluster: Any) -> None:
    process = on_ray(tmp_path / "run", "workers=2", f"address={cluster.client}")
    until(lambda: outputs(tmp_path / "run") > 5, process)
    assert len(workers()) == 1
    node = cluster.add_node(num_cpus=1)
    until(lambda: len(workers()) == 2, process)
    cluster.remove_node(node, allow_graceful=False)
    gate.touch()
    assert ended(process)[0] == 0
    assert same(tmp_path / "run", local)


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What starts from now on has another version of the suite."""
    (tmp_path / "sitecustomize.py").write_text("import suite\nsuite.__version__ = '0.0'\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def test_workers_with_another_suite_are_refused(
    tmp_path: Path, older: None, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH")
    code, said = ended(on_ray(tmp_path / "run", f"address={cluster.address}"))
    assert (code, "suite: '0.1.0' at the driver, '0.0' here" in said) == (2, True)
    assert not (tmp_path / "run").exists()
