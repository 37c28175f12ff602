"""Driving the work: opens groups in the order given, solves and scores their samples, under limits.

What is open follows the concurrency, not the size of the run. A work item whose model call failed for good
is left pending; one whose task raised is left pending too, with the error's name. Not here: talking to
models (`calls`), folders and engines (`session`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from inspect import isawaitable
from typing import TypeVar

import msgspec

from suite.errors import CallFailed, PluginError, RunError, SuiteError
from suite.journal.records import OutputRecord
from suite.models.descriptors import ours, raise_ours
from suite.plugins import place_in
from suite.roles import Stage
from suite.run.backlog import Item
from suite.run.calls import Desk, Stopped, WorkModels
from suite.run.limits import Slots
from suite.run.order import CellSample
from suite.run.plan import Plan
from suite.run.progress import Progress
from suite.run.records import output_record, score_record
from suite.run.run_folder import Done
from suite.run.sink import Sink
from suite.run.work import GroupCalls, Work
from suite.secrets import scrub_all
from suite.task import Output

SCORE_WINDOW = 512  # samples in the score stage at once
SAME_ERROR_LIMIT = 20  # works that may fail with an error of the task before the run stops
USUAL_WINDOW = 64  # samples being solved at once where no engine says how many it takes
T = TypeVar("T")


@dataclass(eq=False)
class Driver:
    """One pass over groups, in the stages that have a sink. works: of each group; None: the next group is on
    its way (`fill` then). ended: takes the works of a group, once each is done or pending."""

    plan: Plan
    desk: Desk
    _: KW_ONLY
    sinks: Mapping[Stage, Sink]
    solved: Done[OutputRecord]
    works: Iterator[list[Item] | None]
    progress: Progress
    imported: bool = False
    errors_allowed: int = SAME_ERROR_LIMIT
    ended: Callable[[list[Item]], None] = lambda _: None

    def __post_init__(self) -> None:
        self._fresh = not len(self.solved)
        self._open = 0
        self.scoring = 0  # works in the score stage now
        self._more = True
        self._filling = False
        self._workers: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._errors = 0
        self._fatal: BaseException | None = None
        self._roles: dict[Slots, list[str]] = {}
        for role, seats in self.desk.seats.items():
            for seat in seats:
                self._roles.setdefault(seat.line.slots, []).append(role)
        self._slots = [*self._roles]
        for slots in self._slots:
            slots.when_idle = self._fill_soon
        self._sandbox = any(cell.task.info.sandbox for cell in self.plan.cells)

    def under_way(self) -> list[str]:
        """How many samples are begun, where their calls are, what they wait for: for the person who waits."""
        found, calls = [f"{self._open} under way"] if self._open else [], 0
        for slots, roles in self._roles.items():
            told = [f"{slots.in_flight} asked"] if slots.in_flight else []
            if slots.queued:
                what = "its rate limit" if slots.limit.pause() else "the engine"
                told.append(f"{slots.queued} waiting for {what}")
            calls += slots.in_flight + slots.queued
            found += [f"{'+'.join(dict.fromkeys(roles))}: {', '.join(told)}"] if told else []
        running = min(self.scoring, self._open - calls)
        found += [f"{running} in the sandbox"] if self._sandbox and running > 0 else []
        return [*found, *self.desk.waits.shown()]

    async def run(self) -> None:
        """Until everything is done, pending, or the run stops. Raises what stopped it for good."""
        self.fill()
        try:
            while self._workers:
                self._idle.clear()
                await self._idle.wait()
        except BaseException:
            self.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)
            raise
        try:
            for sink in self.sinks.values():
                sink.flush()
        except RunError as error:
            self._stop(error)
        if self.failure is not None:
            raise self.failure

    @property
    def failure(self) -> BaseException | None:
        """What stopped it for good."""
        return self._fatal or self.desk.stopped

    @property
    def busy(self) -> bool:
        """Whether any group is under way."""
        return bool(self._workers)

    def cancel(self) -> None:
        """Drop what is in flight."""
        for worker in self._workers:
            worker.cancel()

    def _has_room(self) -> bool:
        """Whether another group may be opened: as many as an engine takes at once, more while one is idle."""
        if self.scoring >= SCORE_WINDOW:
            return False
        solving, target = self._open - self.scoring, self.target
        if solving < target:
            return True
        return solving <= target + target // 4 and any(slots.idle for slots in self._slots)

    @property
    def target(self) -> int:
        """How many samples are solved at once."""
        return max((slots.limit.current for slots in self._slots), default=USUAL_WINDOW)

    @property
    def room(self) -> int:
        """How many more samples can be begun now; below 0 where an idle engine was given more."""
        return self.target + self.scoring - self._open if self.scoring < SCORE_WINDOW else 0

    def fill(self) -> None:
        """Start workers while there is room for more groups."""
        self._filling = False
        while (works := self._next()) is not None:
            worker = asyncio.ensure_future(self._worker(works))
            self._workers.add(worker)
            worker.add_done_callback(self._left)

    def _fill_soon(self) -> None:
        """Look once, when whoever can go on has gone on."""
        if not self._filling and self._more:
            self._filling = True
            asyncio.get_running_loop().call_soon(self.fill)

    def _left(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not self._workers:
            self._idle.set()

    def _next(self) -> list[Item] | None:
        """The works of the next group; None if there is no room or none is at hand."""
        if self._more and not self.desk.stopping and self._has_room():
            try:
                items = next(self.works)
            except StopIteration:
                self._more = False
                return None
            except Exception as error:  # reading the samples failed: what is in flight may end
                self._stop(error)
                return None
            if items is not None:
                self._open += len(items)
            return items
        return None

    def _stop(self, error: BaseException) -> None:
        self._more = False
        if self._fatal is None:
            self._fatal = ours(error) or error
        self.desk.stop()

    async def _worker(self, items: list[Item] | None) -> None:
        """One group after the other, while there is room for another."""
        try:
            while items is not None:
                if len(items) == 1:
                    await self._item(*items[0])
                else:
                    await self._all([self._item(*one) for one in items])
                self.ended(items)
                items = self._next()
        except (Stopped, asyncio.CancelledError):
            pass
        except (KeyboardInterrupt, SystemExit):
            raise  # asyncio ends the loop with it
        except BaseException as error:
            self._stop(error)

    async def _all(self, items: Iterable[Awaitable[None]]) -> None:
        for one in await asyncio.gather(*items, return_exceptions=True):
            if isinstance(one, BaseException) and not isinstance(one, Stopped | asyncio.CancelledError):
                raise one

    async def _item(self, item: CellSample, trial: int, shared: GroupCalls) -> None:
        """One sample, solved unless it was, then scored."""
        cell, sample, seed = self.plan.cells[item.cell], item.sample, self.plan.request.seed
        if trial or seed:
            sample = msgspec.structs.replace(sample, trial=trial, seed=seed)
        scores = False
        try:
            record = None if self._fresh else self.solved.work(cell.id, sample.id, trial)
            if record is None:
                work = Work(Stage.SOLVE, cell, sample, shared)
                try:
                    output = await _begun(work, cell.task.solve(sample, WorkModels(self.desk, work)))
                    if work.failure is not None:  # the task swallowed it: still no answer
                        raise work.failure
                    record = output_record(cell.id, sample, output, [*work.calls], work.last, self.imported)
                except Exception as error:
                    self._pend(work, error)
                    return
                self.sinks[Stage.SOLVE].done(record)
                self.progress.solved()
            else:
                output = record.output
                if record.text_from:
                    output = Output(self.desk.text(record), output.data, output.finish)
            if scores := Stage.SCORE in self.sinks:
                self.scoring += 1
                self._fill_soon()
                await self._score(Work(Stage.SCORE, cell, sample, shared), record, output)
        finally:
            self.scoring -= scores
            self._open -= 1
            self._fill_soon()

    async def _score(self, work: Work, solved: OutputRecord, output: Output) -> None:
        cell, sample = work.cell, work.sample
        try:
            score = await _begun(work, cell.task.score(sample, output, WorkModels(self.desk, work)))
            if work.failure is not None:
                raise work.failure
            record = score_record(cell, sample, output, score, [*work.calls])
        except Exception as error:
            self._pend(work, error)
            return
        self.sinks[Stage.SCORE].done(record)
        self.progress.scored(cell, solved, record)

    def _pend(self, work: Work, error: Exception) -> None:
        """Note why a work is left undone: a failed call, an error of the task. Raises all other errors."""
        if isinstance(error, SuiteError) and not isinstance(error, PluginError):
            raise error
        raise_ours(error)
        if isinstance(error, CallFailed):
            kind, detail = error.kind, error.message[:300]
        else:
            kind = "task-error"
            place = f" ({place_in(type(work.cell.task), error, work.stage.value)})"
            told = scrub_all("; ".join(line.strip() for line in str(error).splitlines()))
            detail = f"{type(error).__name__}: {told}{place}"[:500]
            self._errors += 1
        self.desk.attempt("pending", work, kind=kind, detail=detail)
        self.progress.pending(kind, detail)
        if self._errors >= self.errors_allowed and self._fatal is None:
            self._stop(task_fails(self._errors, detail))


def task_fails(errors: int, last: str) -> RunError:
    """The error that stops a run whose task raises again and again. last: its last error, in words."""
    return RunError.of("run.task-fails", errors=errors, last=last)


def _begun(work: Work, made: Awaitable[T]) -> Awaitable[T]:
    """What a method of a task gives, to be awaited. Raises PluginError for a method that is no coroutine."""
    if not isawaitable(made):
        raise PluginError(f"{work.stage} is no coroutine: write `async def {work.stage}`")
    return made
