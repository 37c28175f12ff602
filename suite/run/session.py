"""One run from its plan to its results: which stages are worked through, in which order, and how it ends.

`run_plan` starts or continues a run. It leaves results.json written before anybody shows anything.
Interrupting drains: what is in flight ends, the rest stays pending.
"""

import asyncio
import contextlib
import gc
import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

from suite.data.cache import cache_folder
from suite.errors import RunError, SuiteError
from suite.journal.commands import note_command
from suite.journal.decisions import DECISION
from suite.journal.document_files import write_document
from suite.journal.documents import Results
from suite.journal.journal_file import JournalFile
from suite.journal.records import BUDGET, CommandRecord
from suite.journal.run import Run
from suite.models.prices import own_prices
from suite.roles import Stage
from suite.run.backlog import Backlog
from suite.run.cache import ResponseCache
from suite.run.calls import Desk
from suite.run.crew import Crew, Driving, Manning, driver_of, opened_tasks
from suite.run.estimate import check_limits, estimate
from suite.run.execution import Driver
from suite.run.ledger import BudgetSpent, ledger_of
from suite.run.manifest import now
from suite.run.outcome import Outcome, RunSettings
from suite.run.plan import Plan
from suite.run.progress import Progress
from suite.run.run_folder import RunFolder
from suite.run.seal import seal, sealed
from suite.run.seats import Engines, MemberCost, shown_money
from suite.run.sink import Sink
from suite.run.tools import RunTools
from suite.secrets import safe_text

SYNC_EVERY_S = 1.0
LOOK_EVERY_S = 0.5  # at the journals of several shards
COLLECT_AFTER = 20_000  # new objects; Python's 700 cost a run a fifteenth of its time


class Session:
    """One plan at work in its folder. manned: who works instead of this process (an executor says so)."""

    def __init__(
        self, plan: Plan, folder: Path | RunFolder, stages: Sequence[str], settings: RunSettings
    ) -> None:
        self.plan = plan
        self.stages = tuple(Stage(one) for one in stages)
        self.settings = settings
        scoring = plan.scoring_id if Stage.SCORE in self.stages else ""
        if isinstance(folder, Path):
            folder = RunFolder(plan, folder, scoring, settings.extra_recorded)
        self.folder = folder
        self.progress = Progress(
            plan.cells, plan.all_works, self.stages, quiet=settings.quiet, view=settings.view,
            watcher=settings.watcher,
        )  # fmt: skip
        self.interrupted = False
        self._taken: RunError | None = None  # another process has the shard now
        self._lost = ""  # what lacks a part and is done again, in words
        self.imported = any(one.engine.identity().get("imported") for one in plan.filled.of("candidate"))
        _ = own_prices()  # a mistake in them shows before anything starts
        shares = plan.shard[1] if plan.shard else 1
        self.ledger = ledger_of(settings.budget, plan.filled.at("both", *self.stages), shares)
        if self.ledger is not None and plan.shard:
            share = self.ledger.budget.shown(self.ledger.budget.amount)
            self.progress.say(f"each of the {shares} shards may spend {share}")
        self.manned: Manning | None = None
        self.attempts: JournalFile  # this one, and what follows, while it works
        self._tools: RunTools
        self._replies: ResponseCache | None = None
        self._driver: Driving | None = None
        self._main: asyncio.Task[object] | None = None
        self._next_look = 0.0

    async def run(self) -> Outcome:
        """Everything, under the folder's lock or lease."""
        loop = asyncio.get_running_loop()

        def lost(error: RunError) -> None:
            loop.call_soon_threadsafe(self._lose, error)

        holding = self.folder.hold(self.progress.warn, lost, self.stages)
        signals = interruptible(self.interrupt, wanted=self.settings.signals)
        with nullcontext("") if self._sealed else holding as self._lost, self.progress, signals:
            self._main = asyncio.current_task()
            stopped: SuiteError | None = None
            try:
                stopped = await self._work()
            except asyncio.CancelledError:
                if not self.interrupted and self._taken is None:
                    raise
                stopped = self._taken
        return self._outcome(stopped)

    def _outcome(self, stopped: SuiteError | None) -> Outcome:
        """How it went; with results of what was scored, as far as it came."""
        path, scoring, progress = self.folder.root, self.folder.scoring, self.progress
        left = max(progress.works - progress.finished, 0)
        outcome = Outcome(path, scoring, None, left, progress.reasons, self.interrupted, stopped)
        outcome.examples = progress.examples
        rule, scored = None if stopped else self.settings.until, self.folder.of(Stage.SCORE)
        if rule and (rule.look(self.folder.watched()) or self.folder.own == path):
            outcome.decision = rule.decision()
            if (scored / "manifest.json").exists():
                write_document(scored / DECISION, outcome.decision)
        if self.folder.own != path:  # a lease: results are of all shards, merged
            return outcome
        if Stage.SOLVE in self.stages and stopped is None and not self.interrupted:
            run, members = Run(path), self.plan.filled.at(*self.stages, "both")
            found = (one.engine.left_over(run, one.member) for one in members)
            outcome.left_over = tuple(filter(None, found))
        if scoring and (path / "scorings" / scoring / "manifest.json").exists():
            try:
                made = (path, scoring, self.plan, self.settings.level)
                results = Run(path, scoring).results if self._sealed else write_results(*made)
                outcome.results, outcome.pending = results, results.pending
                if outcome.exit_code == outcome.pending == 0:
                    outcome.seal = None if self._sealed else partial(seal, self.plan, path)
            except SuiteError:
                if stopped is None:
                    raise  # else what stopped the run is what its user has to know
        return outcome

    @cached_property
    def _sealed(self) -> bool:
        """Whether all of this was done before, with these numbers, and nothing has changed since."""
        path, scoring, others = self.folder.path, self.folder.scoring, self.settings.extra_recorded
        shown = scoring and not others and not self.settings.until and not self.plan.shard
        whole = bool(shown) and sealed(self.plan, path)
        return whole and Run(path, scoring).results.level == self.settings.level

    async def _work(self) -> SuiteError | None:
        """Do what is left. Returns what stopped it, if anything did."""
        if self._sealed or self.folder.all_done(self.stages):
            self._refuse_another_address()
            self._warn_of_code()
            self.progress.counts[self.stages[-1]] = self.progress.works
            another = f" ({self.settings.another} makes another)" if Stage.SOLVE in self.stages else ""
            self.progress.say(f"nothing is left to do: shown as it was made{another}")
            return None
        if (rule := self.settings.until) is not None and rule.look(self.folder.watched()):
            self.progress.counts[self.stages[-1]] = len(self.folder.scored)
            return None
        together = not self.settings.one_engine or len(self.stages) < 2
        async with contextlib.AsyncExitStack() as opened:
            here, scoring = cache_folder(), Stage.SCORE in self.stages
            file = JournalFile(self.folder.own / "attempts.jsonl")
            self.attempts = opened.enter_context(contextlib.closing(file))
            self._tools = RunTools(here, lambda: self._driver.scoring if self._driver else 0, scoring)
            opened.push_async_callback(self._tools.close)
            if self.ledger is not None:
                self.ledger.open({stage: self.folder.of(stage) for stage in self.stages})
                opened.callback(self.ledger.close)
            if self.settings.cache:
                plan = f"{replace(self.plan, shard=None).sha256}/{self.folder.scoring}"  # of all its shards
                reuse, say = self.settings.reuse, self.progress.say
                self._replies = ResponseCache(here / "replies", say, plan, reuse)
                opened.callback(self._replies.close)
            for stages in [self.stages] if together else [(one,) for one in self.stages]:
                error = await self._worked(stages)
                if error is not None or self.interrupted or self._taken:
                    return error or self._taken
        return None

    def _refuse_another_address(self) -> None:
        """Raises RunError where a finished run was made by another endpoint than the one given now."""
        vouched = {one.member for one in self.plan.filled.members if one.engine.identity().get("vouched")}
        for member, change in self.folder.other_models(self.stages):
            if change.startswith("url: ") and member not in vouched:
                solves, prefix = Stage.SOLVE in self.stages, "" if member == "candidate" else f"{member}."
                another = f"{self.settings.another} makes another run"
                about = {"first": another if solves else "give that address to see it", "prefix": prefix}
                about |= {"member": member, "change": change, "path": str(self.folder.path)}
                raise RunError.of("run.session.other-address", **about)

    async def _worked(self, stages: Sequence[Stage]) -> SuiteError | None:
        """Work through some stages side by side. Returns what stopped it, if anything did."""
        async with (self.manned or self._here)(stages) as (facts, driver_with):
            self.folder.write_manifests(facts, stages, imported=self.imported, level=self.settings.level)
            command, given = safe_text(self.settings.command), self.settings.command_settings
            told = CommandRecord(command, given, now(), Stage.SOLVE in self.stages, self.folder.scoring)
            note_command(self.folder.own, told)
            models = list(self.folder.other_models(stages))
            for member, change in models:
                self.progress.warn(f"{member} is not who it was when the run began: {change}")
            self._warn_of_code()
            with contextlib.ExitStack() as files:
                sinks = {
                    stage: files.enter_context(contextlib.closing(Sink.of(self.folder.of(stage), stage)))
                    for stage in stages
                }
                driver = driver_with(sinks)
                self._begin(driver.desk, stages, models)
                self._driver = driver
                if self.interrupted or self._taken:
                    return self._taken
                error = await self._drive(driver)
                ended = "interrupted" if self.interrupted else "stopped" if error else "finish"
                with contextlib.suppress(*((RunError,) if error else ())):  # the disk may be what failed
                    driver.desk.attempt(ended, kind=BUDGET if isinstance(error, BudgetSpent) else "")
                return error

    @asynccontextmanager
    async def _here(self, stages: Sequence[Stage]) -> AsyncIterator[Crew]:
        """The tasks and engines of this process. What a task lacks shows before a model starts."""
        members, once = self.plan.filled.at("both", *stages), self.ledger is not None
        engines = Engines(members, self.folder.own, self.attempts, self.progress.say, once=once)

        def driver_with(sinks: Mapping[Stage, Sink]) -> Driver:
            solved = self.folder.solved
            ordered = iter if self.settings.until is None else self.settings.until.ordered
            backlog = Backlog(self.plan, sinks, solved, self.folder.scored, self.progress, ordered)
            driver = driver_of(
                self.plan, self.settings, engines, self.attempts, sinks=sinks, cache=self._replies,
                solved=solved, recorded=self.folder.calls(tuple(sinks)), works=backlog.items(),
                progress=self.progress, imported=self.imported, ledger=self.ledger,
                ended=lambda _: self._look(),
            )  # fmt: skip
            costs = driver.desk.costs
            self.progress.watch(lambda: costs, lambda: [*self.spent(costs), *driver.under_way()])
            return driver

        async with opened_tasks(self.plan, self._tools) as facts, engines:
            yield facts, driver_with
            with contextlib.suppress(RunError):  # the disk may be what failed
                engines.count()

    def spent(self, tallies: Mapping[str, MemberCost]) -> list[str]:
        """What was spent, in words: of the budget, else since this start."""
        if self.ledger is not None:
            return [self.ledger.line()]
        return shown_money(tallies.values())

    def _begin(self, desk: Desk, stages: Sequence[Stage], models: Sequence[tuple[str, str]]) -> None:
        """Note the start, and what is not as it was when the run began."""
        desk.attempt("start", detail=",".join(stages))
        for member, change in models:
            desk.attempt("identity", role=member, detail=change)
        for stage, task, change in self.folder.other_code:
            if stage in stages:
                kind = stage if stage is Stage.SOLVE else self.folder.scoring
                desk.attempt("code", role=task, kind=kind, detail=change)
        if self._lost:
            desk.attempt("resume", detail=self._lost)
        self._lost = ""

    def _warn_of_code(self) -> None:
        changes = {task: change for _, task, change in reversed(self.folder.other_code)}
        for task, change in changes.items():
            self.progress.warn(f"the code of {task} has changed since this run was made: {change}")

    async def _drive(self, driver: Driving) -> SuiteError | None:
        syncing = asyncio.ensure_future(self._sync([*driver.sinks.values(), self.attempts]))
        try:
            await driver.run()
        except SuiteError as error:
            return error
        finally:
            syncing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await syncing
        return None

    async def _sync(self, files: Sequence[Sink | JournalFile]) -> None:
        while True:
            await asyncio.sleep(SYNC_EVERY_S)
            self.progress.tick()
            self._look()
            for one in files:
                with contextlib.suppress(OSError):  # a file closed meanwhile has been synced
                    await asyncio.to_thread(one.sync)
            if self._replies is not None:
                self._replies.flush()

    def _look(self) -> None:
        """Let the rule look, where there is one; once it needs no more, send nothing more."""
        rule, driver, now = self.settings.until, self._driver, time.monotonic()
        if rule is None or driver is None or driver.desk.stopping or now < self._next_look:
            return
        folders = self.folder.watched()
        self._next_look = now + LOOK_EVERY_S * (len(folders) > 1)
        if rule.look(folders):
            self.progress.say("decided: what is in flight may end")
            driver.desk.stop()

    def _lose(self, error: RunError) -> None:
        """Another process has the shard: stop, and drop what is in flight."""
        self._taken = error
        if self._driver is not None:
            self._driver.desk.stop(error)
            self._driver.cancel()
        elif self._main is not None:
            self._main.cancel()

    def interrupt(self) -> None:
        """Let what is in flight end and stop; the second time, drop it."""
        if self.interrupted:
            self.progress.say("dropping what is in flight")
            if self._driver is not None:
                self._driver.cancel()
            return
        self.interrupted = True
        if self._driver is None:  # nothing is in flight: engines are starting
            if self._main is not None:
                self._main.cancel()
            return
        self.progress.say("stopping: waiting for what is in flight (interrupt again to drop it)")
        self._driver.desk.stop()


@contextmanager
def interruptible(interrupt: Callable[[], None], *, wanted: bool = True) -> Iterator[None]:
    """Call this for Ctrl-C and for a wish to end, while the block runs on this event loop."""
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as caught:
        for number in (signal.SIGINT, signal.SIGTERM) if wanted else ():
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, interrupt)
                caught.callback(loop.remove_signal_handler, number)
        yield


_collector = threading.Lock()  # runs side by side share the one collector of the process
_before: list[tuple[int, int, int]] = []  # its thresholds as each run that goes on found them


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """The garbage collector looks for cycles less often while runs go on: they make few."""
    with _collector:
        _before.append(gc.get_threshold())
        if usual := _before[0][0]:
            gc.set_threshold(max(usual, COLLECT_AFTER), *_before[0][1:])
    try:
        yield
    finally:
        with _collector:
            gc.set_threshold(*(_before[0] if len(_before) == 1 else gc.get_threshold()))
            _before.pop()


async def run_plan(
    plan: Plan,
    folder: Path | RunFolder,
    *,
    stages: Sequence[str] = ("solve", "score"),
    settings: RunSettings | None = None,
    begun: Callable[[Session], None] = lambda _: None,
    drive: Callable[[Session], Awaitable[Outcome]] = Session.run,
) -> Outcome:
    """Start or continue a run in a folder (see `run_folder.choose_folder`). begun: takes the session, whose
    `interrupt` may be called on this event loop. drive: carries it out, such as an executor's `run`.

    Raises SuiteError for what stops it before any work; later errors are in the outcome.
    """
    with _collecting_seldom():
        session = Session(plan, folder, stages, settings or RunSettings())
        if session.ledger is not None:
            check_limits(plan, session.ledger, await estimate(plan))
        begun(session)
        return await drive(session)


def write_results(folder: Path, scoring: str, plan: Plan, level: float) -> Results:
    """Compute and write results.json of a scoring."""
    from suite.run.results import make_results  # with numpy and scipy: no request need wait for those

    metrics = {cell.plan.task: cell.task.metrics for cell in plan.cells}
    results = make_results(Run(folder, scoring), metrics, level=level)
    write_document(folder / "scorings" / scoring / "results.json", results)
    return results
