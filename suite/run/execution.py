"""Driving the work: opens groups in the plan's order, solves and scores their samples, under limits.

What is open follows the concurrency, not the size of the run. A work item whose model call failed for good
is left pending; one whose task raised is left pending too, with the error's name. Not here: talking to
models (`calls`), folders and engines (`session`).
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import Protocol

from suite.errors import CallFailed, PluginError, RunError, SuiteError
from suite.journal.records import OutputRecord, ScoreRecord
from suite.models.descriptors import ours, raise_ours
from suite.roles import Stage
from suite.run.calls import Desk, Stopped, WorkModels
from suite.run.cells import Cell
from suite.run.done_work import Done, output_of
from suite.run.order import CellSample, Group
from suite.run.plan import Plan
from suite.run.records import output_record, score_record
from suite.run.sink import Sink
from suite.run.work import GroupCalls, Work
from suite.secrets import scrub_all
from suite.task import Output, Sample

SCORE_WINDOW = 512  # samples in the score stage at once
SAME_ERROR_LIMIT = 20  # works that may fail with an error of the task before the run stops
TextOf = Callable[[OutputRecord], str]


class Watcher(Protocol):
    """Who is told how it goes."""

    def solved(self, cell: Cell, record: OutputRecord, output: Output) -> None:
        """A sample was solved now."""

    def scored(self, cell: Cell, output: OutputRecord, score: ScoreRecord) -> None:
        """A sample was scored now."""

    def already(self, stage: Stage) -> None:
        """A sample was done before."""

    def pending(self, stage: Stage, kind: str, detail: str) -> None:
        """A sample could not be done, and why: the kind, and in words."""


@dataclass(eq=False)
class Driver:
    """One pass over the plan's groups, in the stages that have a sink."""

    plan: Plan
    desk: Desk
    _: KW_ONLY
    sinks: Mapping[Stage, Sink]
    solved: Done
    scored: Done
    text_of: TextOf
    watcher: Watcher
    imported: bool = False
    errors_allowed: int = SAME_ERROR_LIMIT

    def __post_init__(self) -> None:
        """Nothing is open yet."""
        self._solve_sink = self.sinks.get(Stage.SOLVE)
        self._score_sink = self.sinks.get(Stage.SCORE)
        self._open = 0
        self._scoring = 0
        self._groups = enumerate(self.plan.groups())
        self._more = True
        self._filling = False
        self._workers: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._errors = 0
        self._fatal: BaseException | None = None
        self._limits = list({seat.line.limit for seats in self.desk.seats.values() for seat in seats})

    @property
    def scoring(self) -> int:
        """Works in the score stage now."""
        return self._scoring

    async def run(self) -> None:
        """Until everything is done, pending, or the run stops. Raises what stopped it for good."""
        self._fill()
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
        if self._fatal is not None:
            raise self._fatal
        if self.desk.stopped is not None:
            raise self.desk.stopped

    def cancel(self) -> None:
        """Drop what is in flight."""
        for worker in self._workers:
            worker.cancel()

    def _has_room(self) -> bool:
        target = max((limit.current for limit in self._limits), default=64)
        return self._open - self._scoring < target + target // 4 + 1 and self._scoring < SCORE_WINDOW

    def _fill(self) -> None:
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
            asyncio.get_running_loop().call_soon(self._fill)

    def _left(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not self._workers:
            self._idle.set()

    def _next(self) -> list[tuple[CellSample, int, GroupCalls]] | None:
        """The works of the next group with anything left to do; None if there is no room or no more."""
        while self._more and not self.desk.stopping and self._has_room():
            try:
                number, group = next(self._groups)
            except StopIteration:
                self._more = False
                return None
            except Exception as error:  # reading the samples failed: what is in flight may end
                self._stop(error)
                return None
            if works := self._works(number, group):
                self._open += len(works)
                return works
        return None

    def _works(self, number: int, group: Group) -> list[tuple[CellSample, int, GroupCalls]]:
        found = []
        for trial in range(self.plan.request.trials):
            shared = GroupCalls(number, len(group.items) > 1)
            found += [(item, trial, shared) for item in group.items if not self._finished(item, trial)]
        return found

    def _stop(self, error: BaseException) -> None:
        self._more = False
        if self._fatal is None:
            self._fatal = ours(error) or error
        self.desk.stop()

    async def _worker(self, works: list[tuple[CellSample, int, GroupCalls]]) -> None:
        """One group after the other, while there is room for another."""
        try:
            following: list[tuple[CellSample, int, GroupCalls]] | None = works
            while following is not None:
                if len(following) == 1:
                    await self._item(*following[0])
                else:
                    await self._all([self._item(*work) for work in following])
                following = self._next()
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

    def _finished(self, item: CellSample, trial: int) -> bool:
        """Whether nothing is left to do for an item, in the stages of this pass."""
        if not len(self.solved):
            return self._solve_sink is None
        cell, sample = self.plan.cells[item.cell].id, item.sample.id
        solved = self.solved.has(cell, sample, trial)
        if solved:
            self.watcher.already(Stage.SOLVE)
        if self._score_sink is None:
            return solved or self._solve_sink is None
        if self.scored.has(cell, sample, trial):
            self.watcher.already(Stage.SCORE)
            return True
        return not solved and self._solve_sink is None

    async def _item(self, item: CellSample, trial: int, shared: GroupCalls) -> None:
        try:
            cell = self.plan.cells[item.cell]
            sample = item.sample
            seed = self.plan.request.seed
            if trial or seed:
                sample = replace(sample, trial=trial, seed=seed)
            solved = await self._solve(cell, sample, shared)
            if solved is not None and self._score_sink is not None:
                self._scoring += 1
                self._fill_soon()
                try:
                    await self._score(self._score_sink, cell, sample, shared, *solved)
                finally:
                    self._scoring -= 1
        finally:
            self._open -= 1
            self._fill_soon()

    async def _solve(
        self, cell: Cell, sample: Sample[object], shared: GroupCalls
    ) -> tuple[OutputRecord, Output] | None:
        """(record, output), from the journal or now; None if it stays pending."""
        record = output_of(self.solved, cell.id, sample.id, sample.trial)
        if record is not None:
            output = record.output
            if record.text_from:
                output = Output(self.text_of(record), output.data, output.finish)
            return record, output
        if self._solve_sink is None:
            return None
        work = _work(cell, sample, shared, Stage.SOLVE)
        try:
            output = await cell.task.solve(sample, WorkModels(self.desk, work))
            if work.failure is not None:  # the task swallowed it: still no answer
                raise work.failure
            record = output_record(cell.id, sample, output, list(work.calls), work.last, self.imported)
        except Exception as error:
            self._pend(cell, work, error)
            return None
        self._solve_sink.done(record)
        self.watcher.solved(cell, record, output)
        return record, output

    async def _score(
        self,
        sink: Sink,
        cell: Cell,
        sample: Sample[object],
        shared: GroupCalls,
        solved: OutputRecord,
        output: Output,
    ) -> None:
        if self.scored.has(cell.id, sample.id, sample.trial):
            return
        work = _work(cell, sample, shared, Stage.SCORE)
        try:
            score = await cell.task.score(sample, output, WorkModels(self.desk, work))
            if work.failure is not None:
                raise work.failure
            record = score_record(cell.id, sample, output, score, list(work.calls))
        except Exception as error:
            self._pend(cell, work, error)
            return
        sink.done(record)
        self.watcher.scored(cell, solved, record)

    def _pend(self, cell: Cell, work: Work, error: Exception) -> None:
        """Note why a work is left undone: a failed call, an error of the task. Raises all other errors."""
        if isinstance(error, SuiteError) and not isinstance(error, PluginError):
            raise error
        raise_ours(error)
        if isinstance(error, CallFailed):
            kind, detail = error.kind, error.message[:300]
        else:
            kind = "task-error"
            place = _place(error, type(cell.task).__module__.partition(".")[0])
            told = scrub_all("; ".join(line.strip() for line in str(error).splitlines()))
            detail = f"{type(error).__name__}: {told}{place}"[:500]
            self._errors += 1
        self.desk.attempt("pending", work, kind=kind, detail=detail)
        self.watcher.pending(work.stage, kind, detail)
        if self._errors >= self.errors_allowed and self._fatal is None:
            self._stop(
                RunError(
                    f"{self._errors} samples failed with an error of the task itself, the last: {detail}",
                    fix="report it to the task's author; the run continues with the same command",
                )
            )


def _work(cell: Cell, sample: Sample[object], shared: GroupCalls, stage: Stage) -> Work:
    family = cell.plan.task.partition("/")[0]
    last = cell.task.info.scored_reply == "last"
    return Work(stage, shared, family, cell.id, sample.group, sample.id, sample.trial, last)


def _place(error: BaseException, package: str) -> str:
    """Where an error came from: the last step in the task's own package, since its author looks there first.

    Modules are named, not files: what is journaled must not tell where things lie on this machine.
    """
    steps = [
        (str(frame.f_globals.get("__name__", "?")), frame.f_code.co_name, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    own = [step for step in steps if step[0].partition(".")[0] == package]
    module, function, line = (own or steps or [("?", "?", 0)])[-1]
    return f" ({module}, line {line}, in {function})"
