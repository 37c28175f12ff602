"""Answers that were given before: the recorded calls of a run, or a file of texts made anywhere.

A recorded call is found by group, trial, key and the hash of its request, so a replay answers exactly
what was asked then and nothing else. Only offsets are kept in memory. What was not recorded is a failed
call that names group and key: nothing falls through to a model.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from pydantic import Field

from suite.chat import Json, Reply, Request, request_sha256
from suite.errors import CallFailed, NotFound, RunError, unknown
from suite.journal.index import OffsetIndex, Recorded, digest64
from suite.journal.lines import Lines
from suite.journal.reading import RunReader
from suite.journal.records import CallRecord
from suite.models.engine import Asking, Engine, Provider
from suite.models.options import EngineOptions, describe, read_options, recorded_capabilities, split_query
from suite.models.spec import ModelSpec
from suite.models.text_replay import TextReplay


class ReplayOptions(EngineOptions):
    """Options of a replay."""

    role: str = Field("candidate", description="whose recorded calls: candidate, judge, judge/2 …")


def call_files(run: RunReader) -> Iterator[Lines[CallRecord]]:
    """The call journals of a run: its own, then its scorings'."""
    yield run.calls
    for name in run.scorings():
        yield run.scoring(name).calls


def recorded_role(manifests: list[Mapping[str, Json]], role: str) -> Mapping[str, Json] | None:
    """What manifests say of a role member: {"identity", "capabilities", …}."""
    name, _, number = role.partition("/")
    for manifest in manifests:
        roles = manifest.get("roles") or {}
        found = roles.get(role, roles.get(name))
        if isinstance(found, list):
            at = int(number) - 1 if number.isdecimal() else 0
            found = found[at] if 0 <= at < len(found) else None
        if isinstance(found, Mapping):
            return found
    return None


class RunReplay(Engine):
    """The recorded calls of one member of a run."""

    def __init__(self, spec: ModelSpec, run: RunReader, role: str) -> None:
        super().__init__(spec)
        self._run = run
        self._role = role
        manifests: list[Mapping[str, Json]] = [
            run.manifest,
            *(run.scoring_manifest(name) for name in reversed(run.scorings())),
        ]
        found = recorded_role(manifests, role)
        if found is None:
            names = {str(name) for manifest in manifests for name in manifest.get("roles") or {}}
            raise unknown("recorded role", role, names, f"in run {run.folder.name}")
        self._recorded = found

    def capabilities(self) -> frozenset[str]:
        """The recorded model's."""
        return recorded_capabilities(self._recorded.get("capabilities"))

    def identity(self) -> Mapping[str, Json]:
        """The recorded model's, and that it is a replay."""
        return {**(self._recorded.get("identity") or {}), "replayed_from": self._run.folder.name}

    def thinks(self, thinking: str | int) -> str:  # noqa: ARG002
        """What it was told is recorded with its calls."""
        return ""

    def settings(self) -> Mapping[str, Json] | None:
        """The recorded model's."""
        found = self._recorded.get("settings")
        return {k: v for k, v in found.items() if k != "unknown"} if isinstance(found, dict) else None

    def limits(self) -> Mapping[str, int]:
        """The recorded model's window; replies cost nothing, so no cap on requests."""
        limits = self._recorded.get("limits") or {}
        return {"window": limits["window"]} if "window" in limits else {}

    @cached_property
    def _calls(self) -> list[Recorded[CallRecord]]:
        return [
            Recorded(lines, lambda call: _key(call) if call.role == self._role else None)
            for lines in call_files(self._run)
        ]

    async def call(self, request: Request, asking: Asking) -> Reply:
        """The recorded reply. Raises CallFailed("not-recorded")."""
        wanted = (asking.group, asking.trial, asking.key, request_sha256(request))
        for calls in self._calls:
            if (call := calls.find(wanted)) is not None:
                return call.reply
        raise not_recorded(asking, f"run {self._run.folder.name} has no such call of {self._role}")

    def left_over(self, run: RunReader, member: str) -> str:
        """How many recorded calls were not asked for."""
        asked = OffsetIndex()
        for lines in call_files(run):
            for call in lines:
                if call.role == member:
                    asked.add(digest64(*_key(call)), 0)
        recorded = [
            digest64(*_key(call))
            for lines in call_files(self._run)
            for call in lines
            if call.role == self._role
        ]
        lost = sum(one not in asked for one in recorded)
        name = self._run.folder.name
        return (
            f"run {name}: {lost} of {len(recorded)} recorded calls of {self._role} were not used"
            if lost
            else ""
        )


def _key(call: CallRecord) -> tuple[str, int, str, str]:
    return call.group, call.trial, call.key, call.request_sha256


def not_recorded(asking: Asking, why: str) -> CallFailed:
    """The failure of a call that was never recorded."""
    key = f", key {asking.key!r}" if asking.key else ""
    sample = f", sample {asking.sample!r}" if asking.sample else ""
    place = f"group {asking.group!r}{sample}, trial {asking.trial}{key}"
    return CallFailed("not-recorded", f"{why}: {place}", retryable=False)


class ReplayProvider(Provider):
    """`replay/RUN`, `replay/RUN?role=judge`, `replay/FILE.jsonl`."""

    name = "replay"
    title = "The recorded calls of a run, or a file of answers"
    options = describe(ReplayOptions)

    def engine(self, spec: ModelSpec) -> Engine:
        """Raises RunError or NotFound for a missing run or role, ConfigError for a bad file."""
        name, query = split_query(spec.name)
        options = read_options(ReplayOptions, spec, {**query, **spec.options})
        if name.endswith(".jsonl"):
            return TextReplay(spec, Path(name))
        for folder in (Path(name), Path("runs") / name):
            if (folder / "manifest.json").exists():
                return RunReplay(spec, RunReader(folder), options.role)
        if Path(name).is_dir():
            raise RunError(f"{name} holds no run", where=str(Path(name)), fix="name a finished run's folder")
        known = sorted(path.parent.name for path in Path("runs").glob("*/manifest.json"))
        raise unknown("run", name, known) if known else NotFound(f"no run {name!r}", fix="give its folder")


provider = ReplayProvider()
