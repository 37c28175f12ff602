"""Answers that were given before: the recorded calls of a run, or a file of texts made anywhere.

A recorded call is found by its id, which follows from group, trial, key and request, so a replay answers
exactly what was asked then and nothing else. What was not recorded is a failed call that names group and key:
nothing falls through to a model.

A line of a file of texts (`replay/FILE.jsonl`, `suite score --outputs FILE`) is {"sample_id", "text"}. The
unit is a request: `call` says which distinct request of the sample a text answers, from 0. The only text of a
sample, without `call`, is the last answer of a sample whose task scores nothing else. Only offsets of either
are kept in memory.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain
from pathlib import Path

import msgspec
from pydantic import Field

from suite.chat import Finish, Json, Reply, Request, call_id, request_sha256
from suite.data.cache import sha256_of
from suite.data.text_files import Once, json_lines, row_at
from suite.errors import CallFailed, DataError, unknown, worded
from suite.journal.blocks import BlockReader
from suite.journal.documents import RoleMember, RunManifest, ScoringManifest
from suite.journal.index import OffsetIndex, Recorded, digest64, id64
from suite.journal.records import CallRecord, OutputRecord, ScoreRecord
from suite.journal.run import Run, open_run
from suite.journal.shapes import Values
from suite.models.engine import Asking, Engine
from suite.models.options import PROMPTED, EngineOptions, EngineProvider, recorded_capabilities
from suite.models.spec import ModelSpec

TEXT_CAPABILITIES = PROMPTED | {"seed", "json_schema", "tools"}
MOST_NAMED = 5
_FORM = 'a line is {"sample_id": "…", "text": "…"}, both texts; add "call": 1 for the 2nd request of a sample'


class ReplayOptions(EngineOptions):
    """Options of a replay."""

    role: str = Field("candidate", description="whose recorded calls: candidate, judge, judge/2 …")


def recorded_role(run: Run, role: str) -> RoleMember:
    """A member in a run's manifests: its own, then those of scorings, newest first. Raises NotFound."""
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
        return recorded_capabilities(self._recorded.capabilities)

    def identity(self) -> Values:
        return {**self._recorded.identity, "replayed_from": self._run.folder.name}

    def thinks(self, thinking: str | int) -> str:  # noqa: ARG002
        """What it was told is recorded with its calls."""
        return ""

    def settings(self) -> Values | None:
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


class TextLine(msgspec.Struct, frozen=True):
    """One answer made elsewhere. call: which distinct request of the sample it answers, from 0."""

    sample_id: str
    text: str
    call: int | None = None
    trial: int = 0
    finish: Finish | None = None


class TextReplay(Engine):
    """A file of answers. Raises DataError for a line that is none, and for two texts of one request."""

    def __init__(self, spec: ModelSpec, path: Path) -> None:
        super().__init__(spec)
        self._path = path
        self._index = OffsetIndex()
        once = Once("sample", 'leave one of them out, or say which request each answers: "call": 0, 1, …')
        for line, offset, one in self._lines():
            key: tuple[object, ...] = (one.sample_id, *([f"trial {one.trial}"] if one.trial else []))
            once.add((*key, f"call {one.call}") if one.call else key, f"{path.name} line {line}")
            self._index.add(digest64(one.sample_id, one.trial, one.call or 0), offset)
            self._index.add(digest64(one.sample_id, one.trial, "numbered" if one.call else "first"), offset)
        if not len(once):
            raise DataError(f"{path.name} holds no answers", str(path), _FORM)
        self._sha256 = sha256_of(path)
        self._asked: dict[tuple[str, int], dict[str, int]] = {}

    def _lines(self) -> Iterator[tuple[int, int, TextLine]]:
        for row in json_lines(self._path):
            try:
                yield row.line, row.offset, msgspec.convert(row.value, TextLine)
            except msgspec.ValidationError as error:
                what = f"{self._path.name} line {row.line} is not an answer: {error}"
                raise DataError(what, str(self._path), _FORM) from error

    def capabilities(self) -> frozenset[str]:
        return TEXT_CAPABILITIES

    def identity(self) -> Mapping[str, Json]:
        told: dict[str, Json] = {"provider": "replay", "name": self._path.name, "revision": self._sha256}
        return {**told, "deterministic": True, "imported": True}

    async def call(self, request: Request, asking: Asking) -> Reply:
        """The text for this request. Raises CallFailed("not-recorded") that says how to give it."""
        if request.kind not in ("chat", "complete"):
            raise CallFailed("unsupported", f"{self._path.name} holds texts only", retryable=False)
        nth = asking.nth
        if nth is None:  # the asker does not count
            asked = self._asked.setdefault((asking.sample, asking.trial), {})
            nth = asked.setdefault(f"{asking.key}\x1f{request_sha256(request)}", len(asked))
        line = self._found(asking, nth)
        if line is None and asking.last_counts and self._found(asking, "numbered") is None:
            line = self._found(asking, "first")  # the only text: what was asked before it is not scored
        if line is None:
            raise CallFailed("not-recorded", self._missing(asking, nth), retryable=False)
        return Reply(line.text, finish=line.finish or ("stop" if line.text.strip() else "empty"))

    def _found(self, asking: Asking, which: int | str) -> TextLine | None:
        for offset in self._index.find(digest64(asking.sample, asking.trial, which)):
            line = msgspec.convert(row_at(self._path, offset), TextLine)
            if line.sample_id == asking.sample:
                return line
        return None

    def _missing(self, asking: Asking, nth: int) -> str:
        trial = f", trial {asking.trial}" if asking.trial else ""
        if nth == 0:
            return f"{self._path.name} has no text for sample {asking.sample!r}{trial}"
        which = f"request {nth + 1} of sample {asking.sample!r}{trial}"
        return worded("models.replay.no-text", path=self._path, which=which, nth=nth)

    def left_over(self, run: Run, member: str) -> str:
        """The lines that no sample used. Samples that are pending may still use theirs."""
        asked = _asked(run, member)
        pending = (one for one in run.journal.attempts if one.event == "pending")
        waiting = {(one.sample, one.trial) for one in pending} - set(asked)
        lost = []
        for line, _, one in self._lines():
            key, which = (one.sample_id, one.trial), one.call or 0
            if key not in waiting and which >= asked.get(key, 0):
                why = f"request {which + 1} was not asked" if asked.get(key) else "no such sample in this run"
                why = f"trial {one.trial} was not asked" if one.trial and key not in asked else why
                lost.append(f"line {line}: {one.sample_id!r}, {why}{_meant(one.sample_id, asked)}")
        if not lost:
            return ""
        more = f"; and {len(lost) - MOST_NAMED} more" if len(lost) > MOST_NAMED else ""
        what = "1 line was" if len(lost) == 1 else f"{len(lost)} lines were"
        return f"{self._path.name}: {what} not used ({'; '.join(lost[:MOST_NAMED])}{more})"


def _asked(run: Run, member: str) -> dict[tuple[str, int], int]:
    """(sample, trial) -> how many distinct requests of a member were answered, the most of any cell."""
    found: dict[tuple[str, int], int] = {}
    journals = list(run.every_journal())
    ids = {digest64(call.id) for one in journals for call in one.calls if call.role == member}
    done: Iterator[OutputRecord | ScoreRecord] = chain(run.outputs(), *(one.scores for one in journals[1:]))
    for record in done:
        if count := sum(digest64(one) in ids for one in record.calls):
            key = (record.sample, record.trial)
            found[key] = max(found.get(key, 0), count)
    return found


def _meant(name: str, known: Iterable[tuple[str, int]]) -> str:
    """The sample that is meant where an id differs in spaces, case or Unicode form alone."""
    plain = _plain(name)
    near = next((one for one, _ in known if one != name and _plain(one) == plain), None)
    return "" if near is None else f", but {near!r} is one"


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _replay(spec: ModelSpec, options: ReplayOptions) -> Engine:
    """Of replay/RUN, replay/RUN?role=judge, replay/FILE.jsonl. Raises RunError, NotFound, ConfigError."""
    name = spec.name.partition("?")[0]
    if name.endswith(".jsonl"):
        return TextReplay(spec, Path(name))
    return RunReplay(spec, open_run(name), options.role)


provider = EngineProvider(ReplayOptions, _replay, query=True)
