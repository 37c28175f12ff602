"""Who works through some stages of a run: tasks and engines of this process, or workers elsewhere."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from suite.errors import SuiteError
from suite.journal.journal_file import JournalFile
from suite.plugins import failed
from suite.roles import Stage
from suite.run.cache import ResponseCache
from suite.run.calls import Desk
from suite.run.manifest import FactsOfCells
from suite.run.plan import Plan
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
Manning = Callable[
    [Sequence[Stage], JournalFile, RunTools, ResponseCache | None], AbstractAsyncContextManager[Crew]
]


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
