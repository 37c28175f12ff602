"""Answers that were given before: the recorded calls of a run, or a file of texts made anywhere.

A recorded call is found by its id, which follows from group, trial, key and request, so a replay answers
exactly what was asked then and nothing else. Only offsets are kept in memory. What was not recorded is a
failed call that names group and key: nothing falls through to a model.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from pydantic import Field

from suite.chat import Reply, Request, call_id, request_sha256
from suite.errors import CallFailed, unknown
from suite.journal.blocks import BlockReader
from suite.journal.documents import RoleMember, RunManifest, ScoringManifest
from suite.journal.index import Recorded, id64
from suite.journal.records import CallRecord
from suite.journal.run import Run, open_run
from suite.journal.shapes import Values
from suite.models.engine import Asking, Engine, Provider
from suite.models.options import EngineOptions, describe, read_query, recorded_capabilities
from suite.models.spec import ModelSpec
from suite.models.text_replay import TextReplay


class ReplayOptions(EngineOptions):
    """Options of a replay."""

    role: str = Field("candidate", description="whose recorded calls: candidate, judge, judge/2 …")


def recorded_role(run: Run, role: str) -> RoleMember:
    """What a run's manifests say of a member: the run's own, then those of its scorings, newest first.

    Raises NotFound.
    """
    name, _, number = role.partition("/")
    at = int(number) - 1 if number.isdecimal() else 0
    manifests: list[RunManifest | ScoringManifest] = [run.manifest]
    manifests += map(run.manifest_of, reversed(run.scorings()))
    for one in manifests:
        members = one.roles.get(role, one.roles.get(name, ()))
        if 0 <= at < len(members):
            return members[at]
    names = {str(name) for one in manifests for name in one.roles}
    raise unknown("recorded role", role, names, f"in run {run.folder.name}")


class RunReplay(Engine):
    """The recorded calls of one member of a run."""

    def __init__(self, spec: ModelSpec, run: Run, role: str) -> None:
        super().__init__(spec)
        self._run = run
        self._role = role
        self._recorded = recorded_role(run, role)
        self._families = sorted({one.task.partition("/")[0] for one in run.manifest.cells})

    def capabilities(self) -> frozenset[str]:
        """The recorded model's."""
        return recorded_capabilities(self._recorded.capabilities)

    def identity(self) -> Values:
        """The recorded model's, and that it is a replay."""
        return {**self._recorded.identity, "replayed_from": self._run.folder.name}

    def thinks(self, thinking: str | int) -> str:  # noqa: ARG002
        """What it was told is recorded with its calls."""
        return ""

    def settings(self) -> Values | None:
        """The recorded model's."""
        found = self._recorded.settings
        return {k: v for k, v in found.items() if k != "unknown"} if found else None

    def limits(self) -> Mapping[str, int]:
        """The recorded model's window; replies cost nothing, so no cap on requests."""
        limits = self._recorded.limits
        return {"window": limits["window"]} if "window" in limits else {}

    @cached_property
    def _calls(self) -> list[Recorded[CallRecord]]:
        return [
            Recorded(journal.calls, lambda call: call.id if call.role == self._role else None)
            for journal in self._run.every_journal()
        ]

    def _ids(self, group: str, trial: int, key: str, asked: str) -> list[str]:
        """The ids that the recorded call can have. asked: hash of its request."""
        return [call_id(one, group, trial, self._role, key, asked) for one in self._families]

    async def call(self, request: Request, asking: Asking) -> Reply:
        """The recorded reply. Raises CallFailed("not-recorded")."""
        for identity in self._ids(asking.group, asking.trial, asking.key, request_sha256(request)):
            for calls in self._calls:
                if (call := calls.find(identity)) is not None:
                    return call.reply
        key = f", key {asking.key!r}" if asking.key else ""
        sample = f", sample {asking.sample!r}" if asking.sample else ""
        place = f"group {asking.group!r}{sample}, trial {asking.trial}{key}"
        why = f"run {self._run.folder.name} has no such call of {self._role}: {place}"
        raise CallFailed("not-recorded", why, retryable=False)

    def left_over(self, run: Run, member: str) -> str:
        """How many recorded calls were not asked for."""
        asked = {
            id64(one)
            for call, blocks in _calls(run, member)
            for one in self._ids(call.group, call.trial, call.key, blocks.request_hash(call))
        }
        recorded = [id64(call.id) for call, _ in _calls(self._run, self._role)]
        lost = sum(one not in asked for one in recorded)
        if not lost:
            return ""
        name = self._run.folder.name
        return f"run {name}: {lost} of {len(recorded)} recorded calls of {self._role} were not used"


def _calls(run: Run, member: str) -> Iterator[tuple[CallRecord, BlockReader]]:
    for journal in run.every_journal():
        yield from ((call, journal.blocks) for call in journal.calls if call.role == member)


class ReplayProvider(Provider):
    """`replay/RUN`, `replay/RUN?role=judge`, `replay/FILE.jsonl`."""

    options = describe(ReplayOptions)

    def engine(self, spec: ModelSpec) -> Engine:
        """Raises RunError or NotFound for a missing run or role, ConfigError for a bad file."""
        name, options = read_query(ReplayOptions, spec)
        if name.endswith(".jsonl"):
            return TextReplay(spec, Path(name))
        return RunReplay(spec, open_run(name), options.role)


provider = ReplayProvider()
