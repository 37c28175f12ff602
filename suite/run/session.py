"""One run from its plan to its results: folder, engines, tasks, work, scores.

`run_plan` starts or continues a run; `rescore` adds a scoring to one. Both leave results.json written
before anybody shows anything. Interrupting drains: what is in flight ends, the rest stays pending.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from suite.data.cache import cache_folder
from suite.errors import RunError, SuiteError
from suite.journal.index import Recorded
from suite.journal.lines import Lines
from suite.journal.reading import RunReader, read_json
from suite.journal.records import AttemptRecord, CallRecord, OutputRecord, ScoreRecord
from suite.journal.writing import JournalFile, write_json
from suite.models.base import Engine, Surroundings
from suite.models.descriptors import places
from suite.run.cache import NEVER, Answering, ResponseCache, identity_hash, other_facts
from suite.run.calls import Desk
from suite.run.code import code_record, other_code
from suite.run.done_work import Done
from suite.run.execution import Driver
from suite.run.held_folder import check_no_records, held, make_scoring_folder
from suite.run.manifest import Facts, run_manifest, scoring_manifest
from suite.run.outcome import Outcome, Settings
from suite.run.plan import Plan
from suite.run.progress import Progress
from suite.run.results import make_results
from suite.run.role_members import Member
from suite.run.seats import MOST, Line, Seat
from suite.run.sink import Sink
from suite.run.tools import RunTools

SYNC_EVERY_S = 1.0


class _Session:
    def __init__(self, plan: Plan, folder: Path, stages: Sequence[str], settings: Settings) -> None:
        self.plan = plan
        self.folder = folder
        self.stages = tuple(stages)
        self.settings = settings
        self.scoring = plan.scoring_id if "score" in stages else ""
        works = plan.counts.all_samples * plan.request.trials
        self.progress = Progress(plan.cells, works, stages, quiet=settings.quiet)
        self.interrupted = False
        self._lost = ""  # what lacks a part and is done again, in words
        self.imported = any(one.engine.identity().get("imported") for one in plan.filled.of("candidate"))
        self._driver: Driver | None = None
        self._desk: Desk | None = None
        self._main: asyncio.Task[Any] | None = None

    async def run(self) -> Outcome:
        """Everything, under the folder's lock."""
        holding = held(self.folder, self._all_done, self.progress.warn, self.settings.extra_recorded)
        with holding as self._lost, self.progress, self._interruptible():
            self._main = asyncio.current_task()
            stopped: SuiteError | None = None
            try:
                stopped = await self._work()
            except asyncio.CancelledError:
                if not self.interrupted:
                    raise
        outcome = Outcome(
            self.folder, self.scoring, None, 0, self.progress.reasons, self.interrupted, stopped
        )
        outcome.examples = self.progress.examples
        if "solve" in self.stages and stopped is None and not self.interrupted:
            run = RunReader(self.folder)
            found = (
                one.engine.left_over(run, one.member) for one in self.plan.filled.at(*self.stages, "both")
            )
            outcome.left_over = tuple(filter(None, found))
        outcome.pending = max(self.progress.works - self.progress.finished, 0)
        if self.scoring and (self.folder / "manifest.json").exists():
            try:
                outcome.results = write_results(self.folder, self.scoring, self.plan, self.settings.level)
                outcome.pending = outcome.results["pending"]
            except SuiteError:
                if stopped is None:
                    raise  # else what stopped the run is what its user has to know
        return outcome

    async def _work(self) -> SuiteError | None:
        """Do what is left. Returns what stopped it, if anything did."""
        if self._all_done():
            list(self._other_code(self.stages))
            another = " (--new makes another)" if "solve" in self.stages else ""
            self.progress.say(f"nothing is left to do: shown as it was made{another}")
            return None
        attempts = JournalFile(self.folder / "attempts.jsonl")
        tools = RunTools(
            cache_folder(),
            lambda: self._driver.scoring if self._driver else 0,
            scoring="score" in self.stages,
        )
        sinks: list[Sink] = []
        try:
            with self._cache() as cache:
                if not self.settings.one_engine or len(self.stages) < 2:
                    return await self._pass(self.stages, attempts, tools, cache, sinks)
                error = await self._pass(("solve",), attempts, tools, cache, sinks)
                if error is None and not self.interrupted:
                    error = await self._pass(("score",), attempts, tools, cache, sinks)
                return error
        finally:
            await tools.close()
            for sink in sinks:
                sink.close()
            attempts.close()

    def _all_done(self) -> bool:
        """Whether the journal holds all that was asked for: then no engine is started to be asked nothing."""
        places: dict[str, tuple[Path, str, type[OutputRecord] | type[ScoreRecord]]] = {
            "solve": (self.folder, "outputs.jsonl", OutputRecord),
            "score": (self._scoring_folder, "scores.jsonl", ScoreRecord),
        }
        return all(
            (folder / "manifest.json").exists()
            and (folder / file).exists()
            and Done(folder / file, kind).complete(self.progress.works)
            for folder, file, kind in (places[stage] for stage in self.stages)
        )

    async def _pass(
        self,
        stages: Sequence[str],
        attempts: JournalFile,
        tools: RunTools,
        cache: ResponseCache | None,
        sinks: list[Sink],
    ) -> SuiteError | None:
        wanted = ("both", *stages)
        members = self.plan.filled.at(*wanted)
        async with self._engines(members, attempts), self._tasks(tools) as facts:
            self._write_manifests(facts, stages)
            another = list(self._others(stages))
            code = list(self._other_code(stages))
            solve = Sink(self.folder, "solve") if "solve" in stages else None
            score = Sink(self._scoring_folder, "score") if "score" in stages else None
            here = [one for one in (solve, score) if one is not None]
            sinks += here
            seats = self._seats(members, cache)
            recorded = [
                Recorded(Lines(folder / "calls.jsonl", CallRecord))
                for folder in self._recorded_folders(stages)
            ]
            seed = self.plan.request.seed if self.settings.call_seed is None else self.settings.call_seed
            desk = Desk(seed, seats, attempts, recorded, cache, self.settings.backoff_s, self.settings.settle)
            self._desk = desk
            desk.attempt("start", detail=",".join(stages))
            for member, change in another:
                desk.attempt("identity", role=member, detail=change)
            for stage, task, change in code:
                desk.attempt("code", role=task, kind=stage, detail=change)
            if self._lost:
                desk.attempt("resume", detail=self._lost)
                self._lost = ""
            tallies = {seat.member.member: seat.tally for one in seats.values() for seat in one}
            self.progress.watch(lambda: tallies, desk.waits.shown)
            driver = Driver(
                self.plan,
                desk,
                solve_sink=solve,
                score_sink=score,
                solved=Done(self.folder / "outputs.jsonl", OutputRecord),
                scored=Done(self._scoring_folder / "scores.jsonl", ScoreRecord),
                text_of=lambda record: _text_of(record, recorded),
                watcher=self.progress,
                imported=self.imported,
                errors_allowed=self.settings.errors_allowed,
            )
            self._driver = driver
            if self.interrupted:
                return None
            error = await self._drive(driver, here, attempts, cache)
            with contextlib.suppress(*((RunError,) if error else ())):  # the disk may be what failed
                desk.attempt("interrupted" if self.interrupted else "stopped" if error else "finish")
                self._counters(members, desk)
            return error

    async def _drive(
        self, driver: Driver, sinks: Sequence[Sink], attempts: JournalFile, cache: ResponseCache | None
    ) -> SuiteError | None:
        syncing = asyncio.ensure_future(self._sync(sinks, attempts, cache))
        try:
            await driver.run()
        except SuiteError as error:
            return error
        finally:
            syncing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await syncing
        return None

    async def _sync(self, sinks: Sequence[Sink], attempts: JournalFile, cache: ResponseCache | None) -> None:
        while True:
            await asyncio.sleep(SYNC_EVERY_S)
            self.progress.tick()
            await asyncio.to_thread(_sync_all, sinks, attempts)
            if cache is not None:
                cache.flush()

    @property
    def _scoring_folder(self) -> Path:
        return self.folder / "scorings" / (self.scoring or "none")

    def _recorded_folders(self, stages: Sequence[str]) -> Iterator[Path]:
        yield self.folder
        if "score" in stages:
            yield self._scoring_folder
        yield from self.settings.extra_recorded

    def _seats(self, members: Sequence[Member], cache: ResponseCache | None) -> dict[str, list[Seat]]:
        lines: dict[int, Line] = {}
        most = places(len({id(one.engine) for one in members}), MOST, self.progress.say)
        seats: dict[str, list[Seat]] = {}
        for one in members:
            line = lines.setdefault(id(one.engine), Line(one.engine, self.plan.request.concurrency, most))
            who = None
            known = one.engine.known_by()
            if cache is not None and one.spec.provider not in NEVER and known != "nothing":
                who = identity_hash(one.engine)
            answering, vouched = Answering(known == "content"), bool(one.engine.identity().get("vouched"))
            can = one.engine.capabilities()
            seat = Seat(one, line, one.spec.text, can, who, answering=answering, vouched=vouched)
            seats.setdefault(one.role, []).append(seat)
        return seats

    @contextmanager
    def _cache(self) -> Iterator[ResponseCache | None]:
        if not (self.settings.cache and self.plan.request.cache):
            yield None
            return
        cache = ResponseCache(
            cache_folder() / "replies",
            self.progress.say,
            f"{self.plan.sha256}/{self.scoring}",
            self.settings.reuse,
        )
        try:
            yield cache
        finally:
            cache.close()

    @asynccontextmanager
    async def _engines(self, members: Sequence[Member], attempts: JournalFile) -> AsyncIterator[None]:
        chosen: dict[int, tuple[Engine, frozenset[str]]] = {}
        for one in members:
            before = chosen.get(id(one.engine), (one.engine, frozenset()))[1]
            chosen[id(one.engine)] = (one.engine, before | one.chosen)
        engines = [engine for engine, _ in chosen.values()]
        try:
            starts = [
                engine.start(
                    Surroundings(
                        self.folder / "logs",
                        cache_folder(),
                        self.progress.say,
                        wants or frozenset({"chat"}),
                        partial(self._note, attempts, engine.spec.text),
                    )
                )
                for engine, wants in chosen.values()
            ]
            for result in await asyncio.gather(*starts, return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result
            yield
        finally:
            await asyncio.gather(*(engine.close() for engine in engines), return_exceptions=True)

    @asynccontextmanager
    async def _tasks(self, tools: RunTools) -> AsyncIterator[Facts]:
        facts: dict[str, Mapping[str, str]] = {}
        opened = []
        try:
            for cell in self.plan.cells:
                opened.append(cell.task)
                facts[cell.id] = await cell.task.open(self.plan.data[cell.id], tools)
            yield facts
        finally:
            for task in opened:
                with contextlib.suppress(Exception):
                    await task.close()

    def _note(self, attempts: JournalFile, who: str, what: str, words: str) -> None:
        """Record and show what an engine does otherwise than it was told."""
        attempts.append(AttemptRecord(time.time(), "adapted", what, detail=f"{who} {words}"))
        self.progress.say(f"{who} {words}")

    def _write_manifests(self, facts: Facts, stages: Sequence[str]) -> None:
        path = self.folder / "manifest.json"
        if not path.exists():
            if "solve" not in stages:
                raise RunError(f"{self.folder.name} holds no run to score", where=str(self.folder))
            check_no_records(self.folder)
            write_json(path, run_manifest(self.plan, self.folder.name, facts, imported=self.imported))
        if "score" in stages and not (self._scoring_folder / "manifest.json").exists():
            manifest = read_json(path)
            make_scoring_folder(self._scoring_folder)
            write_json(
                self._scoring_folder / "manifest.json",
                scoring_manifest(
                    self.plan, manifest["name"], facts, manifest["plan_sha256"], self.settings.level
                ),
            )

    def _others(self, stages: Sequence[str]) -> Iterator[tuple[str, str]]:
        """(member, what is another) of those whose endpoint tells other things than the manifests record."""
        folders = {"solve": self.folder, "score": self._scoring_folder}
        for stage in stages:
            roles = read_json(folders[stage] / "manifest.json").get("roles", {})
            was = {one["member"]: one["identity"] for members in roles.values() for one in members}
            for one in self.plan.filled.at("both", stage) if stage == "solve" else self.plan.filled.at(stage):
                for change in other_facts(was.get(one.member), one.engine.identity()):
                    self.progress.warn(f"{one.member} is not who it was when the run began: {change}")
                    yield one.member, change

    def _other_code(self, stages: Sequence[str]) -> Iterator[tuple[str, str, str]]:
        """(stage, task, what is another) of tasks whose code has changed since this run or scoring began."""
        now, told = code_record(self.plan.cells), set()
        places = {"solve": (self.folder, "solve"), "score": (self._scoring_folder, self.scoring)}
        for stage, (folder, name) in places.items():
            path = folder / "manifest.json"
            if not name or not path.exists():
                continue
            for task, change in other_code(read_json(path).get("code"), now):
                if task not in told:
                    self.progress.warn(f"the code of {task} has changed since this run was made: {change}")
                told.add(task)
                if stage in stages:
                    yield name, task, change

    def _counters(self, members: Sequence[Member], desk: Desk) -> None:
        """Note the engines' own figures (prefix cache) where they have any."""
        for engine in {id(one.engine): one.engine for one in members}.values():
            found = engine.counters()
            if found:
                text = ", ".join(f"{name}={value:g}" for name, value in sorted(found.items()))
                desk.attempt("engine", kind=engine.spec.provider, detail=text)
                self.progress.say(f"{engine.spec.text}: {text}")

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        caught = []
        if self.settings.signals:
            for number in (signal.SIGINT, signal.SIGTERM):
                with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                    loop.add_signal_handler(number, self._interrupt)
                    caught.append(number)
        try:
            yield
        finally:
            for number in caught:
                loop.remove_signal_handler(number)

    def _interrupt(self) -> None:
        if self.interrupted:
            self.progress.say("dropping what is in flight")
            if self._driver is not None:
                self._driver.cancel()
            return
        self.interrupted = True
        if self._desk is None or self._driver is None:  # nothing is in flight: engines are starting
            if self._main is not None:
                self._main.cancel()
            return
        self.progress.say("stopping: waiting for what is in flight (interrupt again to drop it)")
        self._desk.stop()


def _sync_all(sinks: Sequence[Sink], attempts: JournalFile) -> None:
    with contextlib.suppress(OSError):  # a file closed meanwhile has been synced
        for sink in sinks:
            sink.sync()
        attempts.sync()


def _text_of(record: OutputRecord, recorded: Sequence[Recorded[CallRecord]]) -> str:
    for one in recorded:
        call = one.find(record.text_from)
        if call is not None:
            return call.reply.text
    raise RunError(f"call {record.text_from} of sample {record.sample!r} is in no journal of this run")


async def run_plan(
    plan: Plan, folder: Path, *, stages: Sequence[str] = ("solve", "score"), settings: Settings | None = None
) -> Outcome:
    """Start or continue a run in a folder (see `folders.choose_folder`).

    Raises SuiteError for what stops it before any work; later errors are in the outcome.
    """
    return await _Session(plan, folder, stages, settings or Settings()).run()


def write_results(folder: Path, scoring: str, plan: Plan, level: float) -> dict[str, Any]:
    """Compute and write results.json of a scoring."""
    metrics = {cell.plan.task: cell.task.metrics for cell in plan.cells}
    results = make_results(RunReader(folder), scoring, metrics, level=level)
    write_json(folder / "scorings" / scoring / "results.json", results)
    return results
