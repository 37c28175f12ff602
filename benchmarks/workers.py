"""Workers in processes of their own at a real endpoint that answers after 50 ms: efficiency, driver's cost.

    python benchmarks/workers.py [--workers 1 2 4 8] [--concurrency 4] [--seconds 8]

One loopback server, one driver, N workers with a few requests at once each, as far as the cores reach; beside
them the same run in one process. The transport is a pipe with pickles. Ratios within one run are what counts.
"""

import argparse
import asyncio
import contextlib
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from resume import write_task

from suite.errors import SuiteError
from suite.plugins import catalogue
from suite.run.outcome import RunSettings
from suite.run.plan import make_plan
from suite.run.remote import WorkerLost, manned_by
from suite.run.request import EvalRequest
from suite.run.session import Session, run_plan
from suite.run.worker import Batch, Given, OpenedWorker, Order, Worker

SERVER = Path(__file__).resolve().parent.parent / "tests" / "servers" / "openai_server.py"
DELAY_S = 0.05
TEXT = "Seven: 7. " * 30
MARK = "RESULT "


class PipeWorker:
    """A worker in a process of its own; each call is a pickle there and one back, length first."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def _ask(self, call: str, *given: object, **named: object) -> object:
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        body = pickle.dumps((call, given, named))
        process.stdin.write(len(body).to_bytes(8, "big") + body)
        try:
            size = int.from_bytes(await process.stdout.readexactly(8), "big")
            found = pickle.loads(await process.stdout.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise WorkerLost("its process ended") from error
        if isinstance(found, BaseException):
            raise found
        return found

    async def open(self, order: Order) -> OpenedWorker:
        """Start the process."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, __file__, "--serve", stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=2**26
        )
        opened = await self._ask("open", order)
        assert isinstance(opened, OpenedWorker)
        return opened

    async def turn(self, given: Sequence[Given], *, more: bool, stop: bool, linger_s: float) -> Batch:
        """One call."""
        batch = await self._ask("turn", given, more=more, stop=stop, linger_s=linger_s)
        assert isinstance(batch, Batch)
        return batch

    async def close(self) -> Batch:
        """End the process."""
        batch = await self._ask("close")
        assert self._process is not None
        assert self._process.stdin is not None
        assert isinstance(batch, Batch)
        self._process.stdin.close()
        await self._process.wait()
        return batch


class Pipes:
    """Workers by pipes, `remote.Pool`."""

    def __init__(self, size: int) -> None:
        self.size = size

    def worker(self) -> PipeWorker:
        """Another one."""
        return PipeWorker()


async def serve() -> None:
    """Be a worker: calls come on the standard input."""
    worker, loop = Worker(), asyncio.get_running_loop()
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anybody prints goes elsewhere
    while size := await loop.run_in_executor(None, source.read, 8):
        body = await loop.run_in_executor(None, source.read, int.from_bytes(size, "big"))
        call, given, named = pickle.loads(body)
        try:
            found = await getattr(worker, call)(*given, **named)
        except SuiteError as error:
            found = error
        answer = pickle.dumps(found)
        sink.write(len(answer).to_bytes(8, "big") + answer)
        sink.flush()


def child(url: str, samples: int, workers: int, concurrency: int) -> dict[str, float]:
    """A run by so many workers, 0: in this process; from its first request to its last."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.chdir(folder)
        os.environ["SUITE_CACHE"] = str(folder / "cache")
        write_task(folder, samples)
        request = EvalRequest(
            ("./turns.py",), models={"candidate": ["openai/loopback"]}, options=[("", "base_url", url)],
            concurrency=concurrency,
        )  # fmt: skip
        plan = make_plan(request, plugins=catalogue().with_files(["./turns.py"]))
        marks: list[tuple[float, float]] = []

        def begun(session: Session) -> None:
            if workers:
                session.manned = manned_by(session, Pipes(workers))
            drive = session._drive

            async def timed(*given: object) -> object:
                marks.append((time.monotonic(), time.process_time()))
                try:
                    return await drive(*given)  # type: ignore[arg-type]
                finally:
                    marks.append((time.monotonic(), time.process_time()))

            session._drive = timed  # type: ignore[assignment, method-assign]

        settings = RunSettings(cache=False, quiet=True, signals=False)
        outcome = asyncio.run(run_plan(plan, folder / "run", settings=settings, begun=begun))
        if outcome.pending or outcome.error:
            raise SystemExit(f"the run did not finish: {outcome}")
        lines = (folder / "run" / "calls.jsonl").read_bytes().splitlines()
        times = [json.loads(line)["times"] for line in lines]
    elapsed = max(end for _, end in times) - min(start for start, _ in times)
    return {
        "elapsed_s": elapsed, "rate": samples / elapsed,
        "cpu_us": (marks[1][1] - marks[0][1]) / samples * 1e6,
        "call_ms": statistics.median(end - start for start, end in times) * 1e3,
    }  # fmt: skip


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The address of an endpoint that answers after 50 ms."""
    with tempfile.TemporaryDirectory() as place:
        port = Path(place) / "port"
        given = [
            "--port-file",
            str(port),
            "--latency-ms",
            str(DELAY_S * 1e3),
            "--constant",
            "Seven: 7. " * 30,
        ]
        running = subprocess.Popen([sys.executable, str(SERVER), *given], stdout=subprocess.DEVNULL)
        try:
            while not port.exists() or not port.read_text().strip():
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port.read_text().strip()}/v1"
        finally:
            running.terminate()
            running.wait()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--concurrency", type=int, default=4, help="requests at once at each worker")
    parser.add_argument("--seconds", type=float, default=8.0, help="about how long each run takes")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve())
        return
    if given.child:
        url, *numbers = given.child
        print(MARK + json.dumps(child(url, *map(int, numbers))))
        return
    rows: list[dict[str, float]] = []
    with server() as url:
        for workers in (0, *given.workers):
            places = max(workers, 1) * given.concurrency
            samples = int(places * given.seconds / DELAY_S)
            words = [url, str(samples), str(workers), str(given.concurrency)]
            done = subprocess.run(
                [sys.executable, __file__, "--child", *words], capture_output=True, text=True, check=False
            )
            line = next((one for one in done.stdout.splitlines() if one.startswith(MARK)), "")
            if not line:
                raise SystemExit(f"{workers} workers failed:\n{done.stdout}{done.stderr}")
            row = json.loads(line.removeprefix(MARK)) | {"workers": workers, "samples": samples}
            rows.append(row)
            first = next((one for one in rows if one["workers"] == given.workers[0]), row)
            row["efficiency"] = row["rate"] / max(workers, 1) / first["rate"] * max(first["workers"], 1)
            row["cost"] = row["cpu_us"] / rows[0]["cpu_us"]
            cost = f"{row['cpu_us']:.0f} us a sample ({row['cost']:.2f} times one process)"
            rate = f"{row['rate']:7.1f} samples/s, efficiency {row['efficiency']:.3f}"
            print(f"{workers or 'no':>3} workers: {rate}, a call in {row['call_ms']:.1f} ms, driver {cost}")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
