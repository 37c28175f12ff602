"""The task under test, runs of it with scripted models in a scratch folder, and what they left to compare."""

import asyncio
import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from suite.data.cache import Cache
from suite.data.pull import ready
from suite.data.registry import Registry
from suite.errors import SandboxUnavailable, SuiteError
from suite.journal.pairs import Key
from suite.journal.records import CallRecord, OutputRecord, ScoreRecord
from suite.journal.run import Run
from suite.models.scripted import Function, ScriptedEngine
from suite.plugins import Catalogue, catalogue
from suite.run.cells import AnyTask, Cell, expand, load_task, make_cell, swept
from suite.run.order import Group
from suite.run.outcome import Outcome, RunSettings
from suite.run.plan import Plan, make_plan
from suite.run.request import EvalRequest
from suite.run.role_members import Filled, roles_of
from suite.run.session import run_plan
from suite.task import Metric, Output, TaskInfo
from suite.testing.answers import plausible


class Skip(Exception):
    """Raised by a check that cannot be made here; the reason is shown."""


@dataclass(frozen=True)
class Subject:
    """A task and how to try it.

    name: of the task. parameters: (task or "", name, text) as -P gives them; () takes the preset "mini" with
    bundled data, else the defaults. data: dataset -> file or run, as --data. answers: role -> what its
    scripted model answers, for judges that want a form of their own. groups, cells: most that are tried.
    """

    name: str
    parameters: tuple[tuple[str, str, str], ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Function] = field(default_factory=dict)
    groups: int = 4
    cells: int = 3
    plugins: Catalogue = field(default_factory=catalogue)

    @cached_property
    def task(self) -> type[AnyTask]:
        """The task's class. Raises NotFound or PluginError."""
        return load_task(self.plugins, self.name)[0]

    @property
    def info(self) -> TaskInfo:
        return self.task.info

    @property
    def headline(self) -> Metric | None:
        """The declared metric that yields the headline, or None."""
        return next((one for one in self.task.metrics if self.info.headline in one.rows()), None)

    @cached_property
    def registry(self) -> Registry:
        """The registry with what plugins bring."""
        return Registry(self.plugins.registry_folders())

    @cached_property
    def mini(self) -> bool:
        """Whether bundled data stands in for every dataset that nobody gave."""
        needed = [name for name in self.info.datasets if name not in self.data]
        return bool(needed) and all(name in self.info.mini for name in needed)

    @cached_property
    def chosen_cells(self) -> list[Cell]:
        """The cells that are run. Raises SuiteError."""
        return expand(self.request(), self.plugins)[0][: self.cells]

    def request(self, **models: list[str]) -> EvalRequest:
        """A request for this task with these models."""
        return EvalRequest(
            tasks=(self.name,), parameters=self.parameters, mini=self.mini, limit=self.groups, models=models,
            data=self.data,
        )  # fmt: skip

    def require_data(self) -> None:
        """Raises Skip, with the reason, where the data is not at hand; nothing is downloaded for a check."""
        if self.mini:
            return
        for name in self.info.datasets:
            if name in self.data:
                continue
            try:
                here = ready(self.registry.dataset(name), Cache())
            except SuiteError as error:
                raise Skip(f"no data for {name!r}: {error.what}") from error
            if here is None:
                raise Skip(f"the data of {name!r} is not here, and no mini data stands in for it")

    def cell(self, values: Mapping[str, object]) -> Cell:
        """A cell of these raw parameter values. Raises ValidationError or SkipCell."""
        return make_cell(self.task(self.task.parameters_type().model_validate(dict(values))), self.name)

    def samples_plan(self, cells: list[Cell]) -> Plan:
        """A plan without models, to read the samples of cells."""
        self.require_data()
        request = replace(self.request(), limit=None)
        return make_plan(request, stages=("show",), plugins=self.plugins, registry=self.registry, cells=cells)

    def plan(self, functions: Mapping[str, Function], concurrency: int = 1) -> Plan:
        """A plan in which every role is filled by a scripted model; fresh task objects each time.

        functions: role -> its answers; the other roles answer as `answers` says, or plausibly.
        """
        self.require_data()
        cells = [make_cell(type(one.task)(one.task.parameters), one.plan.plugin) for one in self.chosen_cells]
        roles = {name: [f"scripted/constant?text={name}"] for name in roles_of(cells)}
        request = replace(self.request(**roles), concurrency=concurrency)
        plan = make_plan(request, plugins=self.plugins, registry=self.registry, cells=cells)
        members = []
        for one in plan.filled.members:
            answer = functions.get(one.role) or self.answers.get(one.role) or plausible
            engine = ScriptedEngine(answer, capabilities=one.engine.capabilities(), spec=one.spec)
            members.append(replace(one, engine=engine))
        return replace(plan, filled=Filled(tuple(members), plan.filled.roles))

    def roles(self, *stages: str) -> list[str]:
        """Names of the roles that the chosen cells ask in these stages."""
        roles = roles_of(self.chosen_cells)
        return [name for name, needs in roles.items() if any(role.stage in stages for role in needs)]


Content = Mapping[str, object]  # what is compared of a record, by name
KeyT = TypeVar("KeyT")
RecordT = TypeVar("RecordT")


@dataclass(frozen=True)
class Shuffled(Plan):
    """The same plan with its groups, and the samples in them, in another order."""

    def groups(self) -> Iterator[Group]:
        chance = random.Random(7)
        groups = super().groups()
        found = [one._replace(items=tuple(chance.sample(one.items, len(one.items)))) for one in groups]
        chance.shuffle(found)
        return iter(found)


@dataclass
class Ran:
    """A run that ended: its journal as dictionaries, and how often an id was recorded."""

    plan: Plan
    outcome: Outcome
    outputs: dict[Key, OutputRecord] = field(default_factory=dict)
    texts: dict[Key, Output] = field(default_factory=dict)
    scores: dict[Key, ScoreRecord] = field(default_factory=dict)
    calls: dict[str, CallRecord] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    @property
    def asked(self) -> int:
        """Requests that reached a scripted model."""
        return sum(one.calls for one in self.plan.filled.engines())  # type: ignore[attr-defined]

    def name(self, key: Key) -> str:
        """A work as people read it."""
        cell = next(one for one in self.plan.cells if one.id == key[0])
        names = swept(self.plan.cells)[cell.plan.task]
        values = ", ".join(f"{name}={getattr(cell.task.parameters, name)}" for name in names)
        return f"sample {key[1]!r}" + (f" ({values})" if values else "")


class Bench:
    """Runs one subject in a folder that is thrown away by whoever gave it."""

    def __init__(self, subject: Subject, folder: Path) -> None:
        self.subject = subject
        self._folder = folder
        self._numbers = itertools.count()

    @cached_property
    def base(self) -> Ran:
        """The run that others are compared with: healthy models, one request at a time."""
        return self.run()

    def scratch(self, name: str) -> Path:
        return self._folder / name

    def run(
        self,
        functions: Mapping[str, Function] | None = None,
        *,
        concurrency: int = 1,
        shuffled: bool = False,
        folder: Path | None = None,
        replayed: Ran | None = None,
    ) -> Ran:
        """Run everything. replayed: a run whose recorded calls are asked first. Raises Skip, SuiteError."""
        plan = self.subject.plan(functions or {}, concurrency)
        if shuffled:
            plan = Shuffled(**{name: getattr(plan, name) for name in plan.__dataclass_fields__})
        folder = folder or self.scratch(f"run-{next(self._numbers)}")
        settings = RunSettings(cache=False, quiet=True, signals=False, backoff_s=0.0)
        if replayed is not None:
            base = replayed.outcome.folder
            settings.extra_recorded = (base, *(one for one in (base / "scorings").iterdir() if one.is_dir()))
        outcome = asyncio.run(run_plan(plan, folder, settings=settings))
        if isinstance(outcome.error, SandboxUnavailable):
            raise Skip(outcome.error.what) from outcome.error
        return read(plan, outcome, replayed.calls if replayed else {})


def read(plan: Plan, outcome: Outcome, replayed: Mapping[str, CallRecord] | None = None) -> Ran:
    """What a run left. replayed: calls that it took from another run and did not write again."""
    ran = Ran(plan, outcome)
    reader = Run(outcome.folder)
    for journal in reader.every_journal():
        for score in journal.scores:
            _note(ran, ran.scores, Key.of(score), score)
        for call in journal.calls:
            _note(ran, ran.calls, call.id, call)
    ran.calls = {**(replayed or {}), **ran.calls}
    for output in reader.outputs():
        _note(ran, ran.outputs, key := Key.of(output), output)
        text = ran.calls[output.text_from].reply.text if output.text_from else output.output.text
        ran.texts[key] = Output(text, output.output.data, output.output.finish)
    pending = (one for one in reader.journal.attempts if one.event == "pending")
    ran.reasons = [f"{one.sample}: {one.detail or one.kind}" for one in pending]
    return ran


def _note(ran: Ran, into: dict[KeyT, RecordT], key: KeyT, record: RecordT) -> None:
    if key in into:
        ran.repeated.append(f"{type(record).__name__} {key}")
    into[key] = record


def differences(one: Ran, other: Ran, most: int = 5) -> list[str]:
    """Where two runs of one plan differ in content: outputs, scores, calls. Order has no meaning."""
    found: list[str] = []
    mine, theirs = _contents(one), _contents(other)
    for what, key in [*mine, *(place for place in theirs if place not in mine)]:
        a, b = mine.get((what, key)), theirs.get((what, key))
        name = one.name(key) if isinstance(key, tuple) else key[:12]
        if a is None or b is None:
            found.append(f"{what} of {name} is only in the {'second' if a is None else 'first'} run")
        elif a != b:
            told = "; ".join(f"{k} {a[k]!r:.80} and {b[k]!r:.80}" for k in a if a[k] != b[k])
            found.append(f"{what} of {name} differs: {told}")
    return found if len(found) <= most else [*found[:most], f"and {len(found) - most} more differences"]


def _contents(ran: Ran) -> dict[tuple[str, Key | str], Content]:
    """What is the same in equal runs, by what it is of."""
    found: dict[tuple[str, Key | str], Content] = {}
    for key, output in ran.outputs.items():
        same = fields_of(output, "payload_sha256", "group", "cluster", "tags")
        found["output", key] = {"output": ran.texts[key], **same, "calls": sorted(output.calls)}
    for key, score in ran.scores.items():
        same = fields_of(score, "values", "parts", "output_sha256")
        found["score", key] = {**same, "calls": sorted(score.calls)}
    for identity, call in ran.calls.items():
        same = fields_of(call, "role", "group", "trial", "key", "options", "reply")
        found["call", identity] = same
    return found


def fields_of(record: object, *names: str) -> Content:
    """Attributes by name."""
    return {name: getattr(record, name) for name in names}
