"""The driver of a run whose work is done elsewhere: gives groups to workers, writes what they hand over.

It alone reads the samples and writes the journal. A worker that is lost is replaced; its groups go elsewhere
with all that was recorded of them, so calls in flight alone are asked again. To plug a transport in, give
`manned_by` a `Pool`: `size` workers at once, each with the three calls of `RemoteWorker`, which `Worker` has
itself. Not here: Ray (`ray_pool`), the worker's side and what both tell each other (`worker`).
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import structs

from suite.errors import EngineError, RunError, SuiteError
from suite.journal.documents import RoleMember
from suite.journal.lines import Lines
from suite.journal.records import AttemptRecord, OutputRecord, ScoreRecord, encode
from suite.models.descriptors import ours
from suite.models.engine import Engine
from suite.roles import Stage
from suite.run.backlog import Backlog
from suite.run.cache import other_facts
from suite.run.calls import Desk
from suite.run.crew import Crew, Manning
from suite.run.execution import task_fails
from suite.run.seats import MemberCost
from suite.run.sink import Sink
from suite.run.worker import ATTEMPTS, BEAT_S, NO_GROUP, Batch, Given, OpenedWorker, Order, WorkKey
from suite.run.worker import environment as environment_of

if TYPE_CHECKING:
    from suite.run.session import Session

SPARE_LOSSES = 3  # workers lost with nothing done between, beyond all that there are: then the run stops
SILENT_S = 10.0  # a worker that answers no later is not worth a word: a turn takes `BEAT_S`
MOST_LINGER_S = 0.25  # what a worker was told waits so long at most until it is handed over


class WorkerLost(Exception):
    """A worker is gone, and what it was told since its last turn with it."""


class RemoteWorker(Protocol):
    """A worker as its driver calls it. Each call raises WorkerLost; one at a time, but for `close`."""

    async def open(self, order: Order) -> OpenedWorker: ...
    async def turn(self, given: Sequence[Given], *, more: bool, stop: bool, linger_s: float) -> Batch: ...
    async def close(self) -> Batch: ...


class Pool(Protocol):
    """Where workers come from. size: how many at once."""

    @property
    def size(self) -> int: ...

    def worker(self) -> RemoteWorker:
        """Another one; `open` waits until there is a place for it."""


def tell(engine: Engine, told: RoleMember) -> None:
    """Let an engine that is not started here say what a worker told of it."""
    vars(engine).update(
        capabilities=lambda: frozenset(told.capabilities),
        identity=lambda: told.identity,
        limits=lambda: told.limits,
        settings=lambda: told.settings or None,
    )


class GivenGroup:
    """A group with what came of it so far, so that it can go to another worker. left: its works."""

    def __init__(self, given: Given, cells: Sequence[str]) -> None:
        self.number, self.many = given.number, given.many
        self.calls, self.solved = [*given.calls], dict(given.solved)
        self.left = {(cells[cell], one.id, trial): (cell, one, trial) for cell, one, trial in given.works}
        self.seen: set[object] = set()  # ids of calls that were handed over

    def given(self) -> Given:
        """What a worker is given of it."""
        solved = {key: line for key, line in self.solved.items() if key in self.left}
        return Given(self.number, [*self.left.values()], self.many, self.calls, solved)


class RemoteDriver:
    """One pass over what is left of a plan, by workers; see `execution.Driver`."""

    scoring = 0

    def __init__(self, session: "Session", pool: Pool, stages: Sequence[Stage]) -> None:
        self.session, self.plan, self.pool, self.stages = session, session.plan, pool, stages
        self.progress = session.progress
        self.first: asyncio.Future[OpenedWorker] = asyncio.get_running_loop().create_future()
        self.desk: Desk
        self.sinks: Mapping[Stage, Sink] = {}
        self._order = order_of(session, stages)
        self._cells = {cell.id: cell for cell in self.plan.cells}
        self._names = [*self._cells]
        self._ready, self._changed = asyncio.Event(), asyncio.Event()
        self._again: list[GivenGroup] = []  # of workers that were lost
        self._asked: dict[RemoteWorker, tuple[str, float]] = {}  # name; when its turn began, monotonic
        self._more = True
        self._serving = self._open = self._seen = self._losses = 0
        self._costs: dict[str, MemberCost] = {}
        self._fatal: SuiteError | BaseException | None = None
        self._slots = [asyncio.ensure_future(self._slot()) for _ in range(pool.size)]

    def begin(self, sinks: Mapping[Stage, Sink]) -> "RemoteDriver":
        """Record here from now on."""
        folder, solved = self.session.folder, self.session.folder.solved
        self.desk, self.sinks = Desk(self.plan.request.seed, {}, self.session.attempts, sinks=sinks), sinks
        self._source = iter(Backlog(self.plan, sinks, solved, folder.scored, self.progress))
        self._solved = solved
        self._recorded = [one for one in folder.calls(tuple(sinks), by="group") if len(one)]
        self.progress.watch(lambda: self._costs, self._under_way)
        if self._fatal is not None:
            self.desk.stop()
        self._ready.set()
        return self

    async def run(self) -> None:
        """Until everything is done, pending, or the run stops. Raises what stopped it for good."""
        try:
            while not self._over():
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), BEAT_S)
        finally:
            await self.close()
        if self._fatal is not None:
            raise self._fatal

    def _over(self) -> bool:
        stopped = self.desk.stopping and not self._serving
        return not (self._more or self._again or self._open) or stopped or all(s.done() for s in self._slots)

    def cancel(self) -> None:
        """Drop what is in flight."""
        for slot in self._slots:
            slot.cancel()

    async def close(self) -> None:
        """Let all workers go."""
        self.cancel()
        await asyncio.gather(*self._slots, return_exceptions=True)

    def _under_way(self) -> list[str]:
        told = f"{self._open} groups at {self._serving} of {self.pool.size} workers"
        now = time.monotonic()
        silent = [
            f"worker {name} has not answered for {now - since:.0f} s"
            for name, since in self._asked.values()
            if now - since >= SILENT_S
        ]
        return [*self.session.spent(self._costs), told, *silent]

    def _stop(self, error: BaseException) -> None:
        if self._fatal is None:
            self._fatal = ours(error) or error
        if not self.first.done():
            self.first.set_exception(self._fatal)
        elif self.sinks:
            self.desk.stop()
        self._changed.set()

    async def _slot(self) -> None:
        """One worker after the other, each until it is lost."""
        while self._fatal is None:
            held: dict[int, GivenGroup] = {}
            try:
                worker = self.pool.worker()
                opened = await worker.open(self._order)
                self._join(opened)
                try:
                    await self._ready.wait()
                    await self._serve(worker, opened, held)
                    return
                finally:
                    self._serving -= 1
                    with contextlib.suppress(WorkerLost):
                        self._take(await worker.close(), held)
            except Exception as error:
                if isinstance(error, WorkerLost) or (isinstance(error, EngineError) and self.first.done()):
                    self._lost(held, error)
                else:
                    self._stop(error)
            finally:
                self._changed.set()
            await asyncio.sleep(self.session.settings.backoff_s * self._losses)

    def _join(self, opened: OpenedWorker) -> None:
        self._serving += 1
        if not self.first.done():
            self.first.set_result(opened)
        was = {one.member: one.identity for one in self.first.result().members}
        for one in opened.members:
            for change in other_facts(was.get(one.member), one.identity):
                if not change.startswith("url: "):
                    self.progress.warn(f"{one.member} is another one at worker {opened.name}: {change}")

    async def _serve(self, worker: RemoteWorker, opened: OpenedWorker, held: dict[int, GivenGroup]) -> None:
        """Turn after turn, until the run stops. Raises WorkerLost, EngineError."""
        wants = opened.wants
        while True:
            given = self._give(wants, held)
            stop = self.desk.stopping
            more = not stop and bool(self._more or self._again) and self._share(held) > 0
            linger = min(MOST_LINGER_S, 0.002 * self._serving)
            self._asked[worker] = (opened.name, time.monotonic())
            try:
                batch = await worker.turn(given, more=more, stop=stop, linger_s=linger)
            finally:
                del self._asked[worker]
            for said in batch.said:
                self.progress.say(f"{opened.name}: {said}")
            self._costs |= {f"{opened.name}/{name}": cost for name, cost in batch.costs.items()}
            self._take(batch, held)
            if batch.error is not None:
                raise batch.error
            if stop and batch.idle:
                return
            wants = batch.wants

    def _share(self, held: Mapping[int, GivenGroup]) -> int:
        """How many more groups a worker may hold, so that the last ones are shared by all."""
        unread = max(self.plan.counts.groups_taken - self._seen, 1) if self._more else 0
        left = unread + len(self._again) + self._open
        return -(-left // max(self._serving, 1)) - len(held)

    def _give(self, wants: int, held: dict[int, GivenGroup]) -> list[Given]:
        """The next groups in the plan's order, for so many samples."""
        found: list[Given] = []
        share = self._share(held)
        while wants > 0 and share > 0 and not self.desk.stopping and (group := self._next()) is not None:
            self._open += 1
            held[group.number] = group
            found.append(group.given())
            wants -= len(group.left)
            share -= 1
        return found

    def _next(self) -> GivenGroup | None:
        try:
            number, group, left = next(self._source)
        except StopIteration:
            self._more = False
            return self._again.pop(0) if self._again else None
        except Exception as error:  # reading the samples failed: what is in flight may end
            self._more = False
            self._stop(error)
            return None
        self._seen = number + 1
        calls = [encode(call) for one in self._recorded for call in one.every(group.name)]
        solved: dict[WorkKey, bytes] = {}
        for item, trial in left if len(self._solved) else ():
            key = (self._names[item.cell], item.sample.id, trial)
            if (record := self._solved.work(*key)) is not None:
                solved[key] = encode(record)
        works = [(item.cell, item.sample, trial) for item, trial in left]
        return GivenGroup(Given(number, works, len(group.items) > 1, calls, solved), self._names)

    def _take(self, batch: Batch, held: dict[int, GivenGroup]) -> None:
        """Write what was handed over, but for what is there already: what is named before what names it."""
        if not self.sinks:
            return
        for stage, which, number, key, line in batch.lines:
            group = held.get(number)
            if which == ATTEMPTS:
                self.desk.attempts.waiting.append(line)
                if key == "pending" and group is not None:
                    self._pend(group, _attempt(line, 0))
            elif number == NO_GROUP or (group is not None and self._new(group, stage, key, line)):
                self.sinks[stage].take(which, line)
        try:
            for stage in self.stages:
                self.sinks[stage].flush()
            self.desk.attempts.write()
        except RunError as error:
            self._stop(error)
        for number in batch.ended:
            self._open -= held.pop(number, None) is not None
        self._changed.set()

    def _new(self, group: GivenGroup, stage: Stage, key: str | WorkKey, line: bytes) -> bool:
        """Whether a record of a group is not there yet; noted then."""
        if not isinstance(key, tuple):
            new = key not in group.seen
            group.calls += [line] * new
            group.seen.add(key)
            return new
        if key not in group.left or (stage is Stage.SOLVE and key in group.solved):
            return False
        self._losses = 0
        if stage is Stage.SOLVE:
            group.solved[key] = line
            self.progress.solved()
        else:
            self.progress.scored(self._cells[key[0]], _output(group.solved[key], 0), _score(line, 0))
        if stage is self.stages[-1]:
            del group.left[key]
        return True

    def _pend(self, group: GivenGroup, record: AttemptRecord) -> None:
        if group.left.pop((record.cell, record.sample, record.trial), None) is not None:
            self.progress.pending(record.kind, record.detail)
        failed = self.progress.reasons["task-error"]
        if failed >= self.session.settings.errors_allowed:
            self._stop(task_fails(failed, record.detail))

    def _lost(self, held: dict[int, GivenGroup], why: Exception) -> None:
        """Let the groups of a worker go elsewhere, at the end: one of them may be what it died of."""
        self._losses += 1
        self._open -= len(held)
        self._again += [one for one in held.values() if one.left]  # of others, only the end was not told
        line = str(why).strip().partition("\n")[0][:300]
        self.progress.warn(f"a worker was lost, {len(held)} groups go elsewhere: {line}")
        if self.sinks:
            self.desk.attempt("error", kind="worker-lost")
        if self._losses >= self.pool.size + SPARE_LOSSES:
            self._stop(RunError.of("run.remote.lost", losses=self._losses, last=line))


_attempt = Lines(Path("attempts.jsonl"), AttemptRecord).decode
_output = Lines(Path("outputs.jsonl"), OutputRecord).decode
_score = Lines(Path("scores.jsonl"), ScoreRecord).decode


def order_of(session: "Session", stages: Sequence[Stage]) -> Order:
    """What the workers of a session are told first."""
    plan, folder = session.plan, session.folder
    cells = [cell.plan for cell in plan.cells]
    for n, one in enumerate(cells):
        if one.file is not None:
            file = structs.replace(one.file, path=str(Path(one.file.path).absolute()))
            cells[n] = structs.replace(one, file=file)
    settings = replace(session.settings, view=None, quiet=True, command="")
    return Order(
        request=plan.request, cells=cells, stages=stages, stages_of_run=session.stages,
        environment=environment_of(plan), settings=settings, imported=session.imported,
        samples_given=plan.given is not None, folder=str(folder.own.absolute()),
    )  # fmt: skip


def manned_by(session: "Session", pool: Pool) -> Manning:
    """What makes workers of a pool work on a session: set as its `manned` before it runs."""

    @asynccontextmanager
    async def manning(stages: Sequence[Stage]) -> AsyncIterator[Crew]:
        driver = RemoteDriver(session, pool, stages)
        try:
            opened = await driver.first
            told, session.folder.hardware = {one.member: one for one in opened.members}, opened.hardware
            for one in session.plan.filled.members:
                if one.member in told:
                    tell(one.engine, told[one.member])
            yield opened.facts, driver.begin
        finally:
            await driver.close()

    return manning
