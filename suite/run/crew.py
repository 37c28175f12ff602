"""Who works through some stages of a run: tasks and engines of this process, or workers elsewhere."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from suite.errors import SuiteError
from suite.journal.index import Recorded
from suite.journal.journal_file import JournalFile
from suite.journal.records import CallRecord, OutputRecord
from suite.plugins import failed
from suite.roles import Stage
from suite.run.backlog import Item
from suite.run.cache import ResponseCache
from suite.run.calls import Desk
from suite.run.execution import Driver
from suite.run.ledger import Ledger
from suite.run.manifest import FactsOfCells
from suite.run.outcome import RunSettings
from suite.run.plan import Plan
from suite.run.progress import Progress
from suite.run.run_folder import Done
from suite.run.seats import Engines
from suite.run.sink import Sink
from suite.run.tools import RunTools


class Driving(Protocol):
    """A driver as its session sees it: see `execution.Driver`."""

    desk: Desk
    sinks: Mapping[Stage, Sink]

    @property
    def scoring(self) -> int: ...
    async def run(self) -> None: ...
    def cancel(self) -> None: ...


# What the tasks told, and what makes the driver of the work, given where records go
Crew = tuple[FactsOfCells, Callable[[Mapping[Stage, Sink]], Driving]]
Manning = Callable[[Sequence[Stage]], AbstractAsyncContextManager[Crew]]


@asynccontextmanager
async def opened_tasks(plan: Plan, tools: RunTools) -> AsyncIterator[FactsOfCells]:
    """The tasks of a plan, open; what they told, by cell."""
    facts: dict[str, Mapping[str, str]] = {}
    opened = []
    try:
        for cell in plan.cells:
            opened.append(cell.task)
            try:
                facts[cell.id] = await cell.task.open(plan.data[cell.id], tools)
            except SuiteError:
                raise
            except Exception as error:  # a plugin's code: anything may come out
                raise failed(type(cell.task), f"{cell.plan.task}: open", error) from error
        yield facts
    finally:
        for task in opened:
            with contextlib.suppress(Exception):
                await task.close()


def driver_of(
    plan: Plan, settings: RunSettings, engines: Engines, attempts: JournalFile, *,
    sinks: Mapping[Stage, Sink], recorded: Sequence[Recorded[CallRecord]], cache: ResponseCache | None,
    solved: Done[OutputRecord], works: Iterator[list[Item] | None], progress: Progress, imported: bool,
    ledger: Ledger | None = None, ended: Callable[[list[Item]], None] = lambda _: None,
) -> Driver:  # fmt: skip
    """The driver of engines of this process, see `Desk` and `Driver`."""
    desk = Desk(
        plan.request.seed if settings.call_seed is None else settings.call_seed,
        engines.seats(plan.request.concurrency, cached=cache is not None), attempts, sinks=sinks,
        recorded=recorded, cache=cache, backoff_s=settings.backoff_s, settle=settings.settle or {},
        ledger=ledger,
    )  # fmt: skip
    return Driver(
        plan, desk, sinks=sinks, solved=solved, works=works, progress=progress, imported=imported,
        errors_allowed=settings.errors_allowed, ended=ended,
    )  # fmt: skip
