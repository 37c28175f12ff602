"""Runs of a task with scripted models in a scratch folder, and what they left, ready to be compared."""

import asyncio
import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from suite.errors import SandboxUnavailable
from suite.journal.records import CallRecord, OutputRecord, ScoreRecord
from suite.journal.run import Run
from suite.models.scripted import Function
from suite.run.cells import swept
from suite.run.order import Group
from suite.run.outcome import Outcome, RunSettings
from suite.run.plan import Plan
from suite.run.session import run_plan
from suite.task import Output
from suite.testing.subject import Skip, Subject

Key = tuple[str, str, int]  # cell, sample, trial
Content = Mapping[str, object]  # what is compared of a record, by name
KeyT = TypeVar("KeyT")
RecordT = TypeVar("RecordT")


@dataclass(frozen=True)
class Shuffled(Plan):
    """The same plan with its groups, and the samples in them, in another order."""

    def groups(self) -> Iterator[Group]:
        """All groups, shuffled."""
        chance = random.Random(7)
        found = [
            group._replace(items=tuple(chance.sample(group.items, len(group.items))))
            for group in super().groups()
        ]
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
    def works(self) -> int:
        """Samples over all cells."""
        return self.plan.counts.all_samples

    @property
    def asked(self) -> int:
        """Requests that reached a scripted model."""
        return sum(one.calls for one in self.plan.filled.engines())  # type: ignore[attr-defined]

    def name(self, key: Key) -> str:
        """A work as people read it."""
        cell = next(one for one in self.plan.cells if one.id == key[0])
        names = swept(self.plan.cells)[cell.plan.task]
        values = ", ".join(f"{name}={cell.plan.parameters[name]}" for name in names)
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
        """A folder for a run."""
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
            _note(ran, ran.scores, (score.cell, score.sample, score.trial), score)
        for call in journal.calls:
            _note(ran, ran.calls, call.id, call)
    ran.calls = {**(replayed or {}), **ran.calls}
    for output in reader.outputs():
        key = (output.cell, output.sample, output.trial)
        _note(ran, ran.outputs, key, output)
        text = ran.calls[output.text_from].reply.text if output.text_from else output.output.text
        ran.texts[key] = Output(text, output.output.data, output.output.finish)
    ran.reasons = [
        f"{one.sample}: {one.detail or one.kind}" for one in reader.journal.attempts if one.event == "pending"
    ]
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
        same = _fields(output, "payload_sha256", "group", "cluster", "tags")
        found["output", key] = {"output": ran.texts[key], **same, "calls": sorted(output.calls)}
    for key, score in ran.scores.items():
        same = _fields(score, "values", "parts", "output_sha256")
        found["score", key] = {**same, "calls": sorted(score.calls)}
    for identity, call in ran.calls.items():
        same = _fields(call, "role", "group", "trial", "key", "options", "reply")
        found["call", identity] = same
    return found


def _fields(record: object, *names: str) -> Content:
    return {name: getattr(record, name) for name in names}
