"""Workers of a run in this very process, some of which die: what they are told and answer is pickled."""

import asyncio
import pickle
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace
from small_tasks import Spell, Word, cells, plan_of

import suite
from suite.chat import Request
from suite.hookspecs import Entry
from suite.journal.lines import Lines
from suite.journal.records import BlockRecord, encode
from suite.journal.run import Run
from suite.models.engine import Asking
from suite.plugins import BUILTIN, Catalogue, Plugin
from suite.run.cells import Cell
from suite.run.outcome import Outcome, RunSettings
from suite.run.plan import Plan
from suite.run.remote import WorkerLost, manned_by
from suite.run.session import Session, run_plan
from suite.run.worker import Batch, Given, OpenedWorker, Order, Worker

T = TypeVar("T")


class Failing(Spell):
    """A task whose code fails."""

    info = suite.TaskInfo("words/failing", 1, "Failing", Spell.info.roles, headline="said")

    async def solve(self, sample: suite.Sample[Word], models: suite.Models) -> suite.Output:
        raise ValueError(sample.id)


class Longer(Spell):
    """More words than a run that is broken gets through."""

    info = suite.TaskInfo("words/longer", 1, "Longer", Spell.info.roles, headline="said")
    words = 600


TASKS = (
    Entry("task", "words/spell", "Spell", "small_tasks:Spell", contract=1),
    Entry("task", "words/failing", "Failing", f"{__name__}:Failing", contract=1),
    Entry("task", "words/longer", "Longer", f"{__name__}:Longer", contract=1),
)
HERE = Catalogue((Plugin("tests", "tests", "0", TASKS), Plugin("suite", "suite-eval", "", tuple(BUILTIN))))
asked: Counter[str] = Counter()  # call id -> how often a model was asked, over all workers


async def answer(request: Request, asking: Asking) -> str:
    """What was asked, after a few steps of the loop."""
    asked[asking.call] += 1
    for _ in range(len(request.text) % 5):
        await asyncio.sleep(0)
    return f"said {request.messages[-1].content} ({asking.seed})"


def plan_here(made: Sequence[Cell] | None = None, *, judge: bool = True, **request: Any) -> Plan:
    """A plan whose models are `answer`."""
    roles = ("candidate", "judge") if judge else ("candidate",)
    return plan_of(dict.fromkeys(roles, f"scripted/{__name__}:answer"), made or cells(), **request)


def copied(value: T) -> T:
    """A value as it arrives in another process."""
    found: T = pickle.loads(pickle.dumps(value))
    return found


class MortalWorker:
    """A worker that dies when `fate` says so: "before" a turn, or "after" it, with what it brought."""

    def __init__(self, fate: Callable[[], str], plugins: Catalogue) -> None:
        self._worker, self._fate, self._dead = Worker(plugins), fate, False

    async def open(self, order: Order) -> OpenedWorker:
        return copied(await self._worker.open(copied(order)))

    async def turn(self, given: Sequence[Given], *, more: bool, stop: bool, linger_s: float) -> Batch:
        fate = self._fate()
        if fate != "before":
            batch = await self._worker.turn(copied(given), more=more, stop=stop, linger_s=linger_s)
            if fate != "after":
                return copied(batch)
        self._dead = True
        await self._worker.close()
        raise WorkerLost("killed")

    async def close(self) -> Batch:
        if self._dead:
            raise WorkerLost("it is dead")
        return await self._worker.close()


class PoolHere:
    """Workers of this process."""

    def __init__(self, size: int, fate: Callable[[], str] = str, plugins: Catalogue = HERE) -> None:
        self.size, self.made = size, 0
        self._fate, self._plugins = fate, plugins

    def worker(self) -> MortalWorker:
        self.made += 1
        return MortalWorker(self._fate, self._plugins)


async def run_here(plan: Plan, folder: Path, pool: Any, **settings: Any) -> Outcome:
    """Run a plan by workers of a pool, without signals, progress or waiting."""

    async def drive(session: Session) -> Outcome:
        session.manned = manned_by(session, pool)
        return await session.run()

    stages = settings.pop("stages", ("solve", "score"))
    begun = settings.pop("begun", lambda _: None)
    chosen = RunSettings(**{"quiet": True, "signals": False, "backoff_s": 0.0, "cache": False, **settings})
    return await run_plan(plan, folder, stages=stages, settings=chosen, begun=begun, drive=drive)


def records(folder: Path) -> dict[str, list[bytes]]:
    """The records of a run by journal, sorted, without times; bodies, of which one may stand twice, once."""
    found = Run(folder)
    lines = {"outputs": [*map(encode, found.outputs())], "scores": [*map(encode, found.judged.scores)]}
    for name, journal in {"solved": found.journal, "judged": found.judged}.items():
        lines[f"calls {name}"] = [encode(replace(one, times=(0.0, 0.0))) for one in journal.calls]
        bodies = Lines(journal.folder / "blocks.jsonl", BlockRecord)
        lines[f"blocks {name}"] = [*{one.sha256: encode(one) for one in bodies}.values()]
    return {name: sorted(some) for name, some in lines.items()}
