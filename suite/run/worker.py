"""A worker: works on the groups that a driver elsewhere gives it, and hands the records over.

It makes the plan itself, from plain values, and refuses where that is another plan than the driver's. A turn
is one call that waits until there is something to tell, so that a transport needs no more than calls and
answers, of what can be pickled: this class, behind whatever carries them, is what a `remote.Pool` gives.
"""

import asyncio
import contextlib
import os
import platform
import socket
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

import suite
from suite.chat import Json, canonical_json
from suite.data.cache import cache_folder
from suite.errors import ConfigError, SuiteError
from suite.journal.documents import Hardware, RoleMember
from suite.journal.index import Name
from suite.journal.journal_file import JournalFile
from suite.journal.lines import Lines
from suite.journal.records import AttemptRecord, CallRecord, CellPlan, OutputRecord, Record, ScoreRecord
from suite.journal.records import encode as encoded
from suite.plugins import Catalogue, catalogue
from suite.roles import Stage
from suite.run.backlog import Item
from suite.run.cache import ResponseCache
from suite.run.cells import AnySample, Cell
from suite.run.code import code_record
from suite.run.crew import driver_of, opened_tasks
from suite.run.execution import Driver
from suite.run.hardware import hardware
from suite.run.manifest import FactsOfCells
from suite.run.order import CellSample
from suite.run.outcome import RunSettings
from suite.run.plan import Plan, make_plan
from suite.run.progress import Progress
from suite.run.reopen import Refusal, cell_again
from suite.run.request import EvalRequest
from suite.run.run_folder import Done
from suite.run.seats import Engines, MemberCost
from suite.run.sink import Sink
from suite.run.tools import RunTools
from suite.run.work import GroupCalls, ModelCall
from suite.task_files import task_file
from suite.trees import MISSING, differences

BEAT_S = 1.0  # the longest turn
ATTEMPTS = 3  # which file a line is of, beside those of a sink
NO_GROUP = -1
WorkKey = tuple[str, str, int]  # cell, sample, trial
# Stage, file of its sink (`suite.run.sink`) or ATTEMPTS, number of the group, key (a call's id, a work, the
# event of an attempt), line of the journal
HandedLine = tuple[Stage, int, int, str | WorkKey, bytes]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told first. stages: that it works in. environment: see `environment`. folder: of the
    run. samples_given: whether the samples came with an imported run, in place of data."""

    request: EvalRequest
    cells: Sequence[CellPlan]
    stages: Sequence[Stage]
    stages_of_run: Sequence[Stage]
    environment: Mapping[str, Json]
    settings: RunSettings
    imported: bool
    samples_given: bool
    folder: str


class OpenedWorker(msgspec.Struct, frozen=True, kw_only=True):
    """That a worker is ready. facts: by cell. members: who sits in the roles. wants: as in `Batch`."""

    name: str
    facts: FactsOfCells
    members: Sequence[RoleMember]
    wants: int
    hardware: Hardware | None = None


class Given(msgspec.Struct, frozen=True):
    """A group, or what is left of it. works: (place of the cell in the plan, sample, trial). many: whether
    several samples share its calls. calls, solved: lines of recorded calls, of outputs that lack a score."""

    number: int
    works: Sequence[tuple[int, AnySample, int]]
    many: bool
    calls: Sequence[bytes]
    solved: Mapping[WorkKey, bytes]


class Batch(msgspec.Struct, kw_only=True):
    """What a turn brought. lines: in the order made, so that nothing comes before what it names. ended:
    numbers of groups of which nothing more comes. wants: how many more samples it could begin or hold ready.
    idle: nothing is under way. said: for the person who waits. costs: by member, since the start. error: why
    it does not go on."""

    lines: Sequence[HandedLine]
    ended: Sequence[int]
    wants: int
    idle: bool
    said: Sequence[str]
    costs: Mapping[str, MemberCost]
    error: SuiteError | None = None


def environment(plan: Plan) -> dict[str, Json]:
    """What must be the same wherever a plan is worked on: versions, code of tasks, the plan with its data."""
    found: dict[str, Json] = {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "suite": suite.__version__,
        "plugins": {cell.plan.task: cell.plan.plugin for cell in plan.cells},
        "code": {task: one.sha256 for task, one in code_record(plan.cells).items()},
        "plan": replace(plan, shard=None).solve_identity(),
        "scoring": plan.scoring_id,
    }
    decoded: dict[str, Json] = msgspec.json.decode(canonical_json(found))
    return decoded


def plan_of(order: Order, plugins: Catalogue, name: str) -> Plan:
    """The plan of an order, made here; its samples are not read. name: of the worker, for errors.

    Raises SuiteError where it cannot be made, ConfigError where anything is not as it is at the driver.
    """
    files = {one.task: f"{one.file.path}:{one.file.kind}" for one in order.cells if one.file is not None}
    plugins = plugins.with_tasks({task: task_file(place) for task, place in files.items()})
    cells: list[Cell] = []
    for record in order.cells:
        found = cell_again(plugins, record, record.score_parameters, changed=record.score_parameters)
        if isinstance(found, Refusal):
            raise found.error
        cells.append(found)
    given: Mapping[str, Sequence[AnySample]] | None = {} if order.samples_given else None
    stages = ("both", *order.stages_of_run)
    plan = make_plan(order.request, stages=stages, plugins=plugins, cells=cells, given=given, count=False)
    others = []
    for path, *both in differences(order.environment, environment(plan)):
        there, here = ("nothing" if one is MISSING else repr(one)[:80] for one in both)
        others.append(f"{path}: {there} at the driver, {here} here")
    if others:
        raise ConfigError.of("run.worker.environment", name=name, others="; ".join(others[:5]))
    return plan


class HandedFile(JournalFile):
    """Stands for a file of a journal: its lines are handed over."""

    def __init__(self, worker: "Worker", stage: Stage, which: int) -> None:
        self.put = partial(worker.add, stage, which)  # type: ignore[method-assign]
        self.waiting, self._dirty, self._fd = [], False, -1  # nothing is ever written, synced or closed

    def append(self, *records: Record) -> None:
        for one in records:
            self.put(one)


class HandedSink(Sink):
    """Where one stage of a worker puts its records."""

    def __init__(self, worker: "Worker", stage: Stage) -> None:
        super().__init__(stage, [HandedFile(worker, stage, which) for which in range(ATTEMPTS)])
        self._worker = worker

    def call(self, call: ModelCall) -> None:
        self._worker.asking = call.work.shared.number
        super().call(call)


class KnownRecords(Done[OutputRecord]):
    """Records that came with their groups: outputs by their works, calls by their ids."""

    def __init__(self) -> None:
        self.records: dict[Name, OutputRecord | CallRecord] = {}

    def __len__(self) -> int:
        return 1  # never as nothing: some may come

    def every(self, key: Name) -> list[OutputRecord]:
        return [self.records[key]] if key in self.records else []  # type: ignore[list-item]


class Worker:
    """One process's work on a run: `open`, then a `turn` after the other, then `close`."""

    def __init__(self, plugins: Catalogue | None = None) -> None:
        """plugins: where tasks and providers are looked up, if not among those installed."""
        self.name = f"{socket.gethostname()}-{os.getpid()}"
        self.asking = NO_GROUP  # group of the call that is recorded now
        self._plugins = plugins
        self._lines: list[HandedLine] = []
        self._said: list[str] = []
        self._ended: list[int] = []
        self._queue = deque[list[Item]]()  # groups that are not begun
        self._groups: dict[Name, int] = {}  # of works
        self._names: dict[int, list[Name]] = {}  # group -> what is known of it: its works, its recorded calls
        self._known = KnownRecords()
        self._changed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._linger_s = 0.0
        self._aged = self._more = False
        self._cache: ResponseCache | None = None
        self._driver: Driver

    async def open(self, order: Order) -> OpenedWorker:
        """Make the plan, open its tasks, start its engines.

        Raises SuiteError where one cannot be had here, or the plan is another one here.
        """
        plan = plan_of(order, self._plugins or catalogue(), self.name)
        settings, scoring = order.settings, Stage.SCORE in order.stages_of_run
        attempts = HandedFile(self, Stage.SOLVE, ATTEMPTS)
        folder = Path(order.folder) if Path(order.folder).is_dir() else cache_folder()
        async with AsyncExitStack() as opening:
            tools = RunTools(cache_folder(), lambda: self._driver.scoring, scoring=scoring)
            opening.push_async_callback(tools.close)
            if settings.cache:
                of_plan = f"{plan.sha256}/{plan.scoring_id if scoring else ''}"
                place = cache_folder() / "replies"
                self._cache = ResponseCache(place, self._said.append, of_plan, settings.reuse)
                opening.callback(self._cache.close)
            facts = await opening.enter_async_context(opened_tasks(plan, tools))
            members = plan.filled.at("both", *order.stages)
            engines = Engines(members, folder / "workers" / self.name, attempts, self._said.append)
            await opening.enter_async_context(engines)
            opening.callback(engines.count)
            self._driver = driver_of(
                plan, settings, engines, attempts, sinks={one: HandedSink(self, one) for one in order.stages},
                recorded=[self._known], cache=self._cache, solved=self._known,  # type: ignore[list-item]
                works=iter(self._next, []), progress=Progress(plan.cells, 0, order.stages, quiet=True),
                imported=order.imported, ended=self._end,
            )  # fmt: skip
            self._opened = opening.pop_all()
        told = [one.record() for one in members]
        return OpenedWorker(name=self.name, facts=facts, members=told, wants=self._wants, hardware=hardware())

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
        self._driver.cancel()
        await self._opened.aclose()
        return self._batch()

    def add(self, stage: Stage, which: int, record: Record) -> None:
        """Hand a record over at the end of this turn."""
        group, key = NO_GROUP, ""  # type: tuple[int, str | WorkKey]
        if isinstance(record, CallRecord):
            group, key = self.asking, record.id
        elif isinstance(record, OutputRecord | ScoreRecord):
            key = (record.cell, record.sample, record.trial)
            group = self._groups[key]
        elif isinstance(record, AttemptRecord):
            group, key = self._groups.get((record.cell, record.sample, record.trial), NO_GROUP), record.event
        self._lines.append((stage, which, group, key, encoded(record)))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._linger_s, self._age)

    def _age(self) -> None:
        self._aged = True
        self._changed.set()

    def _take(self, given: Given) -> None:
        cells, known = self._driver.plan.cells, self._known.records
        shared = {trial: GroupCalls(given.number, given.many) for trial in {work[2] for work in given.works}}
        self._queue.append([(CellSample(n, one), trial, shared[trial]) for n, one, trial in given.works])
        works: list[Name] = [(cells[n].id, one.id, trial) for n, one, trial in given.works]
        calls: dict[Name, CallRecord] = {one.id: one for one in map(_call, given.calls)}
        self._groups |= dict.fromkeys(works, given.number)
        known |= calls
        known |= {key: _output(line) for key, line in given.solved.items()}
        self._names[given.number] = [*works, *calls]

    def _next(self) -> list[Item] | None:
        return self._queue.popleft() if self._queue else None

    def _end(self, items: list[Item]) -> None:
        number = items[0][2].number
        for name in self._names.pop(number):
            self._known.records.pop(name, None)
            self._groups.pop(name, None)
        self._ended.append(number)
        self._changed.set()

    @property
    def _wants(self) -> int:
        """Samples to be begun now, and half as many as are solved at once or 8, held ready."""
        driver = self._driver
        return max(0, driver.room + max(8, driver.target // 2) - sum(map(len, self._queue)))

    def _due(self, stop: bool) -> bool:
        driver = self._driver
        wanting = self._more and self._wants >= max(1, driver.target // 4)
        return self._aged or wanting or driver.failure is not None or (stop and not driver.busy)

    def _batch(self) -> Batch:
        if self._timer is not None:
            self._timer.cancel()
        driver, error = self._driver, self._driver.failure
        idle = not driver.busy and (driver.desk.stopping or not self._queue)
        batch = Batch(
            lines=self._lines, ended=self._ended, wants=self._wants, idle=idle, said=[*self._said],
            costs=driver.desk.costs, error=error if isinstance(error, SuiteError) else None,
        )  # fmt: skip
        self._timer, self._aged, self._lines, self._ended = None, False, [], []
        self._said.clear()
        return batch


_call = partial(Lines(Path("calls.jsonl"), CallRecord).decode, number=0)
_output = partial(Lines(Path("outputs.jsonl"), OutputRecord).decode, number=0)
