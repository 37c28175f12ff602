"""One driver and 1 to 256 workers in compressed time: efficiency, the driver's CPU and memory, journal rates.

    python benchmarks/scale.py                  a million samples at 256 workers, fewer at fewer; some minutes
    python benchmarks/scale.py --samples 20000 --workers 1 16 --json scale.json

The driver is the real one, of a run by workers (`suite.run.remote`) and of a run in one process
(`suite.run.execution`), with journal, checksums and results. Workers and engines are made up: each has 64
places, replies of different lengths, a prefix cache that spares the common text of a group, calls that fail
once, stragglers, a slow machine among fifty and machines that are lost. Nobody waits: where nothing is to be
done the clock jumps to the next event. It counts the driver's own CPU time, pickling included, and leaves out
what the made-up workers need for theirs. Each size runs in a process of its own.
"""

import argparse
import asyncio
import contextlib
import hashlib
import heapq
import json
import pickle
import random
import resource
import selectors
import subprocess
import sys
import tempfile
import time
from collections import OrderedDict, deque
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import suite
from suite.chat import Json, Message, Options, Reply, Request, Usage
from suite.journal.journal_file import Blocks
from suite.journal.records import AttemptRecord, CallRecord, OutputRecord, Record, ScoreRecord, encode
from suite.models.engine import Asking, Engine
from suite.models.spec import ModelSpec
from suite.roles import Stage
from suite.run.cells import make_cell
from suite.run.outcome import Outcome, RunSettings
from suite.run.plan import Plan, make_plan
from suite.run.remote import WorkerLost, manned_by
from suite.run.request import EvalRequest
from suite.run.seats import MemberCost
from suite.run.session import Session, run_plan
from suite.run.sink import BLOCKS, CALLS, DONE
from suite.run.worker import ATTEMPTS, NO_GROUP, Batch, Given, HandedLine, OpenedWorker, Order
from suite.task import Output

MARK = "RESULT "
SHARES = {1: 0.02, 4: 0.08, 16: 0.15, 64: 0.3, 256: 1.0}  # of the samples, at so many workers
LOCAL = 0.2  # of those, in a run of one process
PLACES = 64  # requests at once at one worker
GROUP = 4  # samples with a common text
COMMON, OWN = 2000, 100  # tokens of a prompt
PREFILL, DECODE = 10_000.0, 75.0  # tokens a second: of one worker, of one reply
REPLY, SPREAD, MOST_REPLY = 300, 0.35, 800  # tokens: median, of its logarithm, limit
FAILS, STRAGGLES, LATE = 0.005, 0.005, 2.0  # shares of calls; how many times as long a straggler takes
SLOW_ONE, SLOW = 50, 1.5  # every so many workers one is so much slower
LOST, RESTART_S = 0.01, 20.0  # share of workers that is lost on the way; seconds until there is another
TEXT = ("An answer with some words in it. " * 60)[:1200]
COLUMNS = [  # key, title, width, digits
    ("workers", "workers", 7, 0), ("samples", "samples", 11, 0), ("rate", "samples/s", 11, 1),
    ("efficiency", "efficiency", 12, 3), ("busy", "places busy", 13, 3), ("cpu_us", "us CPU/sample", 15, 0),
    ("most_rate", "most samples/s", 16, 0), ("journal_bytes", "bytes/sample", 14, 0),
    ("records_a_second", "records/s", 11, 0), ("peak_mib", "peak MiB", 10, 0), ("lost", "lost", 6, 0),
]  # fmt: skip
HASH = "0" * 64
OPTIONS = Options(temperature=0.0, max_tokens=MOST_REPLY)
SETTINGS = RunSettings(cache=False, quiet=True, signals=False)


class Clock:
    """Seconds: CPU time of this process, but for what stands for others, and what nobody waited for."""

    def __init__(self) -> None:
        self.skipped = self.others = 0.0
        self._epoch = time.time()

    def cpu(self) -> float:
        """CPU time of the driver alone."""
        return time.process_time() - self.others

    def now(self) -> float:
        """What the event loop and the suite take for the time."""
        return time.process_time() - self.others + self.skipped

    def epoch(self) -> float:
        """The same in place of the time of day."""
        return self._epoch + self.now()

    @contextlib.contextmanager
    def elsewhere(self) -> Iterator[None]:
        """What the block does is done by another machine."""
        before = time.process_time()
        try:
            yield
        finally:
            self.others += time.process_time() - before


class Selector(selectors.DefaultSelector):
    """Looks for events and waits for none: the clock jumps instead."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(timeout if timeout is None else 0)
        if not found and timeout is not None and timeout > 0:
            self._clock.skipped += timeout
        return found


class Row(BaseModel):
    """A sample's own part."""

    index: int


class Turns(suite.Task[Row, suite.Parameters]):
    """One turn, in groups with a common text."""

    info = suite.TaskInfo("one-turn", 1, "One turn", {"candidate": suite.Role(needs={"chat"})}, headline="ok")
    metrics = (suite.Rate("ok"),)
    count = 0

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Row]]:
        for index in range(self.count):
            yield suite.Sample(f"s{index}", Row(index=index), group=f"g{index // GROUP}")

    async def solve(self, sample: suite.Sample[Row], models: suite.Models) -> suite.Output:
        reply = await models.candidate.chat([suite.user(asked(sample))], max_tokens=MOST_REPLY)
        return suite.Output(reply.text, finish=reply.finish)

    async def score(
        self, sample: suite.Sample[Row], output: suite.Output, models: suite.Models
    ) -> suite.Score:
        return suite.Score({"ok": output.text.endswith("7")})


def asked(sample: suite.Sample[Row]) -> str:
    """A prompt of 400 bytes that no other sample has."""
    head = f"Sample {sample.payload.index}: "
    return head + ("what would you recommend for a quiet weekend by the sea? " * 8)[: 400 - len(head)]


class Machine:
    """How long calls take at one worker: what its prefix cache holds, how fast it is."""

    def __init__(self, number: int) -> None:
        self.chance = random.Random(number)
        self._slower = SLOW if number % SLOW_ONE == SLOW_ONE - 1 else 1.0
        self._cache: OrderedDict[str, None] = OrderedDict()  # groups

    def call(self, group: str) -> tuple[float, Usage, bool]:
        """Seconds, tokens, whether it failed once before."""
        chance, cached = self.chance, COMMON if group in self._cache else 0
        self._cache[group] = None
        if len(self._cache) > 512:
            self._cache.popitem(last=False)
        tokens = min(MOST_REPLY, int(chance.lognormvariate(0.0, SPREAD) * REPLY) + 1)
        seconds = (COMMON - cached + OWN) / PREFILL + tokens / DECODE
        seconds *= LATE if chance.random() < STRAGGLES else 1.0
        if failed := chance.random() < FAILS:
            seconds += 0.75 + chance.random() * seconds
        return seconds * self._slower, Usage(COMMON - cached + OWN, tokens, cached), failed


class MadeUpEngine(Engine):
    """So many machines that answer as one, for a run in one process."""

    def __init__(self, clock: Clock, workers: int) -> None:
        super().__init__(ModelSpec("scripted", "echo"))
        self._clock, self._workers = clock, workers
        self._machines = [Machine(number) for number in range(workers)]
        self.busy_s = 0.0  # places that were taken, in seconds

    def capabilities(self) -> frozenset[str]:
        return frozenset({"chat"})

    def identity(self) -> Mapping[str, Json]:
        return {"provider": "scripted", "name": "echo", "deterministic": True}

    def limits(self) -> Mapping[str, int]:
        return {"concurrency": PLACES * self._workers, "replicas": self._workers}

    async def call(self, request: Request, asking: Asking) -> Reply:
        with self._clock.elsewhere():
            machine = self._machines[int(asking.group[1:]) % self._workers]
            seconds, usage, _ = machine.call(asking.group)
            self.busy_s += seconds
        await asyncio.sleep(seconds)
        return Reply(TEXT + asking.sample, usage=usage)


class Fleet:
    """The made-up workers of a run, `remote.Pool`."""

    def __init__(self, clock: Clock, size: int, cell: str) -> None:
        self.clock, self.size, self.cell = clock, size, cell
        self.made = self.lost = 0
        self.busy_s = 0.0  # places that were taken, in seconds
        self.began, self.ended = 0.0, 0.0
        self.cpu = (0.0, 0.0)

    def worker(self) -> "MadeUpWorker":
        """Another one."""
        self.made += 1
        return MadeUpWorker(self, self.made - 1)

    def turned(self) -> None:
        """A turn has begun or ended."""
        if not self.began:
            self.began, self.cpu = self.clock.now(), (self.clock.cpu(), 0.0)
        self.ended, self.cpu = self.clock.now(), (self.cpu[0], self.clock.cpu())


class MadeUpWorker:
    """A worker with a machine, as `suite.run.worker.Worker` behaves towards its driver."""

    def __init__(self, fleet: Fleet, number: int) -> None:
        self.name, self._fleet, self._clock = f"worker-{number}", fleet, fleet.clock
        self._machine = Machine(number)
        self._dies = self._machine.chance.random() * 100.0 if self._machine.chance.random() < LOST else 0.0
        self._new = number < fleet.size
        self._queue: deque[tuple[Given, int]] = deque()  # samples that are not begun
        self._running: list[tuple[float, int, Given, int, float, Usage, bool]] = []  # by their end
        self._left: dict[int, int] = {}  # samples of a group that are not done
        self._lines: list[HandedLine] = []
        self._ended: list[int] = []
        self._aged = 0.0  # since when there is something to tell
        self._cost = MemberCost()
        self._blocks = Blocks(self)  # type: ignore[arg-type]

    async def open(self, order: Order) -> OpenedWorker:
        """Ready at once; one in the place of a lost one after a while."""
        if not self._new:
            await asyncio.sleep(RESTART_S)
        self._dies += self._clock.now() if self._dies else 0.0
        return OpenedWorker(name=self.name, facts={}, members=[], wants=self._wants)

    async def turn(self, given: Sequence[Given], *, more: bool, stop: bool, linger_s: float) -> Batch:
        """Take groups and say what came of others, no sooner than there is something to say."""
        sent = pickle.dumps(given)
        self._fleet.turned()
        with self._clock.elsewhere():
            now = self._clock.now()
            for one in pickle.loads(sent):
                self._left[one.number] = len(one.works)
                self._queue.extend((one, index) for index in range(len(one.works)))
            self._advance(now)
            due = now + 1.0
            if self._lines:
                due = min(due, self._aged + linger_s)
            elif self._running:
                due = min(due, self._running[0][0] + linger_s)
            wait = max(0.0, due - now)
            if (more and self._wants >= PLACES // 4) or (stop and not self._running):
                wait = 0.0
        await asyncio.sleep(wait)
        with self._clock.elsewhere():
            self._advance(self._clock.now())
            if self._dies and self._clock.now() > self._dies:
                self._fleet.lost += 1
                raise WorkerLost(f"{self.name} does not answer")
            told = pickle.dumps(self._batch())
        batch: Batch = pickle.loads(told)
        self._fleet.turned()
        return batch

    async def close(self) -> Batch:
        """What was not told yet."""
        return self._batch()

    def put(self, record: Record) -> None:
        """A body, for `Blocks`."""
        self._lines.append((Stage.SOLVE, BLOCKS, NO_GROUP, "", encode(record)))

    @property
    def _wants(self) -> int:
        return max(0, PLACES - len(self._running) + PLACES // 2 - len(self._queue))

    def _advance(self, now: float) -> None:
        """Everything until now: a sample that waits begins when another ends."""
        while self._running and self._running[0][0] <= now:
            end = self._running[0][0]
            self._end(*heapq.heappop(self._running))
            if self._queue:
                self._begin(end)
        while self._queue and len(self._running) < PLACES:
            self._begin(now)

    def _begin(self, at: float) -> None:
        given, index = self._queue.popleft()
        seconds, usage, failed = self._machine.call(given.works[index][1].group)
        self._fleet.busy_s += seconds
        order = given.number * GROUP + index
        heapq.heappush(self._running, (at + seconds, order, given, index, at, usage, failed))

    def _end(
        self, end: float, _: int, given: Given, index: int, began: float, usage: Usage, failed: bool
    ) -> None:
        """The records of a sample."""
        self._aged = self._aged if self._lines else end
        _, sample, trial = given.works[index]
        message, key = Message("user", asked(sample)), (self._fleet.cell, sample.id, trial)
        identity, text = hashlib.sha256(sample.id.encode()).hexdigest(), TEXT + sample.id  # quick stand-ins
        self._count(usage, failed)
        if failed:
            attempt = AttemptRecord(end, "retry", "status-503", *key, "solve", identity, "candidate")
            self._lines.append((Stage.SOLVE, ATTEMPTS, given.number, "retry", encode(attempt)))
        call = CallRecord(
            id=identity, group=sample.group, request=[self._blocks.message(message)],
            options=OPTIONS, reply=Reply(text, usage=usage),
            times=(self._clock.epoch() - end + began, self._clock.epoch()), attempt=1 + failed,
        )  # fmt: skip
        solved = OutputRecord(
            cell=key[0], sample=sample.id, group=sample.group, cluster=sample.cluster,
            payload_sha256=HASH, output=Output(), calls=[identity],
            text_from=identity,
        )  # fmt: skip
        score = ScoreRecord(
            cell=key[0], sample=sample.id, output_sha256=HASH,
            values={"ok": text.endswith("7")}, calls=[],
        )  # fmt: skip
        self._lines += [
            (Stage.SOLVE, CALLS, given.number, identity, encode(call)),
            (Stage.SOLVE, DONE, given.number, key, encode(solved)),
            (Stage.SCORE, DONE, given.number, key, encode(score)),
        ]
        self._left[given.number] -= 1
        if not self._left[given.number]:
            del self._left[given.number]
            self._ended.append(given.number)

    def _count(self, usage: Usage, failed: bool) -> None:
        cost = self._cost
        cost.calls += 1
        cost.retries += failed
        cost.prompt += usage.prompt
        cost.completion += usage.completion
        cost.prefix += usage.cached

    def _batch(self) -> Batch:
        lines, ended = self._lines, self._ended
        self._lines, self._ended = [], []
        return Batch(
            lines=lines, ended=ended, wants=self._wants, idle=not (self._running or self._queue), said=[],
            costs={"candidate": self._cost},
        )  # fmt: skip


def local(plan: Plan, folder: Path, clock: Clock, workers: int) -> dict[str, float]:
    """A run in one process, of one engine with so many machines."""
    engine = MadeUpEngine(clock, workers)
    members = tuple(replace(one, engine=engine) for one in plan.filled.members)
    plan = replace(plan, filled=replace(plan.filled, members=members))
    drives: list[float] = []

    def begun(session: Session) -> None:
        drive = session._drive

        async def timed(*arguments: object) -> object:
            drives.extend((clock.now(), clock.cpu()))
            try:
                return await drive(*arguments)  # type: ignore[arg-type]
            finally:
                drives.extend((clock.now(), clock.cpu()))

        session._drive = timed  # type: ignore[assignment, method-assign]

    finish(clock, run_plan(plan, folder, settings=SETTINGS, begun=begun))
    began, cpu_before, ended, cpu = drives
    return {"elapsed_s": ended - began, "cpu_s": cpu - cpu_before, "busy_s": engine.busy_s}


def remote(plan: Plan, folder: Path, clock: Clock, workers: int) -> dict[str, float]:
    """A run by workers."""
    fleet = Fleet(clock, workers, plan.cells[0].id)

    def begun(session: Session) -> None:
        session.manned = manned_by(session, fleet)

    finish(clock, run_plan(plan, folder, settings=SETTINGS, begun=begun))
    return {
        "elapsed_s": fleet.ended - fleet.began, "cpu_s": fleet.cpu[1] - fleet.cpu[0],
        "busy_s": fleet.busy_s, "lost": fleet.lost,
    }  # fmt: skip


def finish(clock: Clock, run: Coroutine[Any, Any, Outcome]) -> None:
    """Carry a run out on a loop whose clock is this one."""
    loop = asyncio.SelectorEventLoop(Selector(clock))
    loop.time = clock.now  # type: ignore[method-assign]
    time.time, time.monotonic = clock.epoch, clock.now
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        outcome = runner.run(run)
    if outcome.pending or outcome.error:
        raise SystemExit(f"the run did not finish: {outcome}")


def child(mode: str, samples: int, workers: int) -> dict[str, float]:
    """One measurement in a process of its own."""
    clock, Turns.count = Clock(), samples
    request = EvalRequest((), models={"candidate": ["scripted/echo"]}, concurrency=PLACES * workers)
    plan = make_plan(request, cells=[make_cell(Turns(suite.Parameters()), "benchmark")])
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
        found = (local if mode == "local" else remote)(plan, folder, clock, workers)
        paths = [*folder.rglob("*.jsonl")]
        journal = sum(path.stat().st_size for path in paths)
        records = sum(sum(1 for _ in path.open("rb")) for path in paths)
    rate = samples / found["elapsed_s"]
    return found | {
        "samples": samples, "workers": workers, "rate": rate,
        "busy": found["busy_s"] / (found["elapsed_s"] * PLACES * workers),
        "cpu_us": found["cpu_s"] / samples * 1e6, "most_rate": samples / found["cpu_s"],
        "journal_bytes": journal / samples, "records_a_second": records / found["elapsed_s"],
        "records_a_cpu_second": records / found["cpu_s"],
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


def measure(mode: str, samples: int, workers: int) -> dict[str, float]:
    """Run one child."""
    given = ["--child", mode, "--samples", str(samples), "--workers", str(workers)]
    done = subprocess.run([sys.executable, __file__, *given], capture_output=True, text=True, check=False)
    line = next((one for one in done.stdout.splitlines() if one.startswith(MARK)), "")
    if not line:
        raise SystemExit(f"{mode} with {workers} workers failed:\n{done.stdout}{done.stderr}")
    return dict(json.loads(line.removeprefix(MARK)))


def table(mode: str, sizes: Sequence[int], samples: int) -> list[dict[str, float]]:
    """Measure each size and print it beside one worker."""
    print(f"{mode}: {PLACES} places a worker")
    print("".join(f"{title:>{width}}" for _, title, width, _ in COLUMNS))
    rows: list[dict[str, float]] = []
    for workers in sizes:
        share = SHARES.get(workers, 1.0) * (LOCAL if mode == "local" else 1.0)
        row = measure(mode, max(int(samples * share), 20 * PLACES * workers), workers)
        first = rows[0] if rows else row
        row["efficiency"] = row["rate"] / workers / (first["rate"] / first["workers"])
        rows.append(row)
        print(
            "".join(f"{row.get(key, 0):>{width},.{digits}f}" for key, _, width, digits in COLUMNS), flush=True
        )
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=1_000_000, help="at 256 workers; fewer have fewer")
    parser.add_argument("--workers", type=int, nargs="+", default=[*SHARES])
    parser.add_argument("--modes", nargs="+", default=["remote", "local"], choices=["remote", "local"])
    parser.add_argument("--json", type=Path, help="write all figures there")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(MARK + json.dumps(child(given.child, given.samples, given.workers[0])))
        return
    started, found = time.perf_counter(), {}
    for mode in given.modes:
        found[mode] = table(mode, given.workers, given.samples)
    if len(found) == 2:
        ratio = found["remote"][0]["cpu_us"] / found["local"][0]["cpu_us"]
        print(f"the driver's CPU per sample by workers, beside a run in one process: {ratio:.2f}")
    print(f"in {time.perf_counter() - started:.0f} s")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
