"""A worker: works on the groups that a driver elsewhere gives it, and hands the records over.

It makes the plan itself, from plain values, and refuses where that is another plan than the driver's. A turn
is one call that waits until there is something to tell, so that a transport needs no more than calls and
answers: this class, behind whatever carries them, is what `remote.Pool` gives. Not here: who starts it.
"""

import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from suite.data.cache import cache_folder
from suite.errors import SuiteError
from suite.journal.index import Name, Recorded
from suite.journal.journal_file import JournalFile
from suite.journal.lines import Lines
from suite.journal.pairs import Key
from suite.journal.records import AttemptRecord, CallRecord, OutputRecord, Record, ScoreRecord, encode
from suite.plugins import Catalogue, catalogue
from suite.roles import Stage
from suite.run.backlog import Item
from suite.run.cache import ResponseCache
from suite.run.calls import Desk
from suite.run.cells import AnySample, Cell
from suite.run.crew import opened_tasks
from suite.run.execution import Driver
from suite.run.handover import (
    ATTEMPTS,
    NO_GROUP,
    Batch,
    Given,
    HandedLine,
    OpenedWorker,
    Order,
    WorkKey,
    environment,
    refuse_another,
    versions,
)
from suite.run.hardware import hardware
from suite.run.order import CellSample
from suite.run.plan import Plan, make_plan
from suite.run.progress import Progress
from suite.run.reopen import Refusal, cell_again
from suite.run.run_folder import Done
from suite.run.seats import Engines
from suite.run.sink import BLOCKS, CALLS, DONE, Sink
from suite.run.tools import RunTools
from suite.run.work import GroupCalls, ModelCall
from suite.task_files import task_file

BEAT_S = 1.0  # the longest turn


def plan_of(order: Order, plugins: Catalogue, name: str) -> Plan:
    """The plan of an order, made here; its samples are not read. name: of the worker, for errors.

    Raises SuiteError where it cannot be made, and where it is another one than the driver's.
    """
    refuse_another(order.environment, versions(), name)
    files = {one.task: f"{one.file.path}:{one.file.kind}" for one in order.cells if one.file is not None}
    plugins = plugins.with_tasks({task: task_file(place) for task, place in files.items()})
    cells: list[Cell] = []
    for record in order.cells:
        given = record.score_parameters
        found = cell_again(plugins, record, given, changed=given)
        if isinstance(found, Refusal):
            raise found.error
        cells.append(found)
    stages = ("both", *order.stages_of_run)
    given_samples: dict[str, list[AnySample]] | None = {} if order.samples_given else None
    plan = make_plan(
        order.request, stages=stages, plugins=plugins, cells=cells, given=given_samples, count=False
    )
    plan = replace(plan, shard=order.shard)
    refuse_another(order.environment, environment(plan), name)
    return plan


class HandedFile(JournalFile):
    """Stands for a file of a journal: its lines are handed over."""

    def __init__(self, worker: "Worker", stage: Stage, which: int) -> None:
        self._put = partial(worker.add, stage, which)

    def put(self, record: Record) -> None:
        self._put(record)

    def append(self, *records: Record) -> None:
        for one in records:
            self._put(one)

    def write(self) -> None:
        """Nothing: who takes the lines writes."""

    def sync(self) -> None: ...

    def close(self) -> None: ...


class HandedSink(Sink):
    """Where one stage of a worker puts its records."""

    def __init__(self, worker: "Worker", stage: Stage) -> None:
        super().__init__(stage, [HandedFile(worker, stage, which) for which in (BLOCKS, CALLS, DONE)])
        self._worker = worker

    def call(self, call: ModelCall) -> None:
        self._worker.asking = call.work.shared.number
        super().call(call)

    def _write_soon(self) -> None:
        """Nothing: a turn takes what is there."""


class KnownOutputs(Done[OutputRecord]):
    """Outputs that came with their groups."""

    def __init__(self) -> None:
        self.records: dict[WorkKey, OutputRecord] = {}

    def __len__(self) -> int:
        return 1  # never as fresh as a new run: some may come

    def work(self, cell: str, sample: str, trial: int) -> OutputRecord | None:
        return self.records.get((cell, sample, trial))


class KnownCalls(Recorded[CallRecord]):
    """Calls that came with their groups."""

    def __init__(self) -> None:
        self.records: dict[Name, CallRecord] = {}

    def __len__(self) -> int:
        return 1

    def find(self, key: Name) -> CallRecord | None:
        return self.records.get(key)


class Worker:
    """One process's work on a run: `open`, then a `turn` after the other, then `close`."""

    def __init__(self, plugins: Catalogue | None = None, name: str = "") -> None:
        """plugins: where tasks and providers are looked up, if not among those installed."""
        self.name = name or f"{socket.gethostname()}-{os.getpid()}"
        self.asking = NO_GROUP  # group of the call that is recorded now
        self._plugins = plugins
        self._lines: list[HandedLine] = []
        self._said: list[str] = []
        self._ended: list[int] = []
        self._queue: deque[list[Item]] = deque()  # groups that are not begun
        self._queued = 0  # samples of those
        self._groups: dict[WorkKey, int] = {}
        self._names: dict[int, list[str]] = {}  # group -> ids of the calls that came with it
        self._outputs, self._calls = KnownOutputs(), KnownCalls()
        self._changed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._linger_s = 0.0
        self._aged = self._more = False
        self._left = AsyncExitStack()
        self._cache: ResponseCache | None = None
        self._driver: Driver

    async def open(self, order: Order) -> OpenedWorker:
        """Make the plan, open its tasks, start its engines.

        Raises SuiteError where one cannot be had here, or the plan is another one here.
        """
        plan, stages, settings = (
            plan_of(order, self._plugins or catalogue(), self.name),
            order.stages,
            order.settings,
        )
        attempts = HandedFile(self, Stage.SOLVE, ATTEMPTS)
        folder = Path(order.folder) if Path(order.folder).is_dir() else cache_folder()
        async with AsyncExitStack() as opening:
            scoring = Stage.SCORE in order.stages_of_run
            tools = RunTools(cache_folder(), lambda: self._driver.scoring, scoring=scoring)
            opening.push_async_callback(tools.close)
            if settings.cache:
                place = cache_folder() / "replies"
                self._cache = ResponseCache(place, self._said.append, order.cache_plan, settings.reuse)
                opening.callback(self._cache.close)
            facts = await opening.enter_async_context(opened_tasks(plan, tools))
            members = plan.filled.at("both", *stages)
            engines = Engines(members, folder / "workers" / self.name, attempts, self._said.append)
            await opening.enter_async_context(engines)
            opening.callback(engines.count)
            seats = engines.seats(plan.request.concurrency, cached=settings.cache)
            sinks = {stage: HandedSink(self, stage) for stage in stages}
            desk = Desk(
                plan.request.seed if settings.call_seed is None else settings.call_seed,
                seats,
                attempts,
                sinks=sinks,
                recorded=[self._calls],
                cache=self._cache,
                backoff_s=settings.backoff_s,
                settle=settings.settle or {},
            )
            self._costs = {seat.member.member: seat.tally for one in seats.values() for seat in one}
            self._driver = Driver(
                plan,
                desk,
                sinks=sinks,
                solved=self._outputs,
                works=self._begun(),
                progress=Progress(plan.cells, 0, stages, quiet=True),
                imported=order.imported,
                errors_allowed=settings.errors_allowed,
                ended=self._end,
            )
            self._left = opening.pop_all()
        told = [one.record() for one in members]
        return OpenedWorker(name=self.name, facts=facts, members=told, hardware=hardware(), wants=self._wants)

    async def turn(self, given: Sequence[Given], *, more: bool, stop: bool, linger_s: float) -> Batch:
        """Take groups, and wait until there is something to tell: records `linger_s` after the first of them,
        room for other groups, an error; at most `BEAT_S`. more: whether there may be other groups. stop: let
        what is in flight end.

        Raises what no user can put right: the worker is lost then.
        """
        driver = self._driver
        for one in given:
            self._take(one)
        self._more, self._linger_s = more, linger_s
        if stop and not driver.desk.stopping:
            driver.desk.stop()
        driver.fill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BEAT_S):
                while not self._due(stop):
                    self._changed.clear()
                    await self._changed.wait()
        if driver.failure is not None and not isinstance(driver.failure, SuiteError):
            raise driver.failure
        if self._cache is not None:
            self._cache.flush()
        return self._batch()

    async def close(self) -> Batch:
        """Drop what is in flight and stop the engines; what was not told yet."""
        driver = self._driver
        driver.cancel()
        await self._left.aclose()
        return self._batch()

    def add(self, stage: Stage, which: int, record: Record) -> None:
        """Hand a record over at the end of this turn."""
        group = NO_GROUP
        key: str | WorkKey = ""
        if isinstance(record, CallRecord):
            group, key = self.asking, record.id
        elif isinstance(record, OutputRecord | ScoreRecord):
            found = Key.of(record)
            group, key = self._groups[found], (found.cell, found.sample, found.trial)
        elif isinstance(record, AttemptRecord):
            group, key = self._groups.get((record.cell, record.sample, record.trial), NO_GROUP), record.event
        self._lines.append((stage, which, group, key, encode(record)))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._linger_s, self._age)

    def _age(self) -> None:
        self._aged = True
        self._changed.set()

    def _take(self, given: Given) -> None:
        cells, shared = self._driver.plan.cells, {}
        for trial in dict.fromkeys(trial for _, _, trial in given.works):
            shared[trial] = GroupCalls(given.number, given.many)
        self._queue.append([(CellSample(n, one), trial, shared[trial]) for n, one, trial in given.works])
        self._queued += len(given.works)
        for cell, sample, trial in given.works:
            self._groups[cells[cell].id, sample.id, trial] = given.number
        calls = [_decode_call(line, 0) for line in given.calls]
        self._names[given.number] = [one.id for one in calls]
        self._calls.records.update((one.id, one) for one in calls)
        for key, line in given.solved.items():
            self._outputs.records[key] = _decode_output(line, 0)

    def _begun(self) -> Iterator[list[Item] | None]:
        while True:
            items = self._queue.popleft() if self._queue else None
            self._queued -= len(items or ())
            yield items

    def _end(self, items: list[Item]) -> None:
        number = items[0][2].number
        for item, trial, _ in items:
            key = (self._driver.plan.cells[item.cell].id, item.sample.id, trial)
            self._outputs.records.pop(key, None)
            self._groups.pop(key, None)
        for name in self._names.pop(number):
            self._calls.records.pop(name, None)
        self._ended.append(number)
        self._changed.set()

    @property
    def _wants(self) -> int:
        """Samples to be begun now, and half as many as are solved at once or 8, held ready."""
        driver = self._driver
        return max(0, driver.room + max(8, driver.target // 2) - self._queued)

    def _due(self, stop: bool) -> bool:
        driver = self._driver
        wanting = self._more and self._wants >= max(1, driver.target // 4)
        return self._aged or wanting or driver.failure is not None or (stop and not driver.busy)

    def _batch(self) -> Batch:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._aged = None, False
        lines, ended, said = self._lines, self._ended, [*self._said]
        self._lines, self._ended = [], []
        self._said.clear()
        driver, error = self._driver, self._driver.failure
        return Batch(
            lines=lines,
            ended=ended,
            wants=self._wants,
            idle=not driver.busy and not (self._queue and not driver.desk.stopping),
            said=said,
            costs=self._costs,
            error=error if isinstance(error, SuiteError) else None,
        )


_decode_call = Lines(Path("calls.jsonl"), CallRecord).decode
_decode_output = Lines(Path("outputs.jsonl"), OutputRecord).decode
