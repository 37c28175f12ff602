"""Answers that were given before: the recorded calls of a run, or a file of texts made anywhere.

A recorded call is found by group, trial, key and the hash of its request, so a replay answers exactly
what was asked then and nothing else. Only offsets are kept in memory. What was not recorded is a failed
call that names group and key: nothing falls through to a model.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from pydantic import Field

from suite.chat import Finish, Reply, Request, request_sha256
from suite.errors import CallFailed, ConfigError, NotFound, RunError, unknown
from suite.journal.reading import Lines, OffsetIndex, RunReader, digest64
from suite.journal.records import CallRecord
from suite.models.base import Asking, Engine, Provider
from suite.models.options import EngineOptions, describe, read_options, split_query
from suite.models.spec import ModelSpec

_TEXT_CAPABILITIES = frozenset({"chat", "complete", "seed", "json_schema", "tools"})


class ReplayOptions(EngineOptions):
    """Options of a replay."""

    role: str = Field("candidate", description="whose recorded calls: candidate, judge, judge/2 …")


def call_files(run: RunReader) -> Iterator[Lines[CallRecord]]:
    """The call journals of a run: its own, then its scorings'."""
    yield run.calls
    for name in run.scorings():
        yield run.scoring(name).calls


def recorded_role(manifests: list[Mapping[str, Any]], role: str) -> Mapping[str, Any] | None:
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
        manifests: list[Mapping[str, Any]] = [
            run.manifest,
            *(run.scoring_manifest(name) for name in reversed(run.scorings())),
        ]
        found = recorded_role(manifests, role)
        if found is None:
            names = {str(name) for manifest in manifests for name in manifest.get("roles") or {}}
            raise unknown("recorded role", role, names, f"in run {run.folder.name}")
        self._recorded = found
        self._index: list[tuple[Lines[CallRecord], OffsetIndex]] | None = None

    def capabilities(self) -> frozenset[str]:
        """The recorded model's."""
        return frozenset(self._recorded.get("capabilities") or ())

    def identity(self) -> Mapping[str, Any]:
        """The recorded model's, and that it is a replay."""
        return {**(self._recorded.get("identity") or {}), "replayed_from": self._run.folder.name}

    def limits(self) -> Mapping[str, int]:
        """The recorded model's window; replies cost nothing, so no cap on requests."""
        limits = self._recorded.get("limits") or {}
        return {"window": limits["window"]} if "window" in limits else {}

    def _indexed(self) -> list[tuple[Lines[CallRecord], OffsetIndex]]:
        if self._index is None:
            self._index = []
            for lines in call_files(self._run):
                index = OffsetIndex()
                for offset, call in lines.with_offsets():
                    if call.role == self._role:
                        key = digest64(call.group, call.trial, call.key, call.request_sha256)
                        index.add(key, offset)
                self._index.append((lines, index))
        return self._index

    async def call(self, request: Request, asking: Asking) -> Reply:
        """The recorded reply. Raises CallFailed("not-recorded")."""
        wanted = (asking.group, asking.trial, asking.key, request_sha256(request))
        for lines, index in self._indexed():
            for offset in index.find(digest64(*wanted)):
                call = lines.at(offset)
                if (call.group, call.trial, call.key, call.request_sha256) == wanted:
                    return call.reply
        raise not_recorded(asking, f"run {self._run.folder.name} has no such call of {self._role}")


class TextLine(msgspec.Struct, frozen=True):
    """One answer made elsewhere. call: which distinct request of the sample it answers, from 0."""

    sample_id: str
    text: str
    call: int | None = None
    trial: int = 0
    finish: Finish | None = None


class TextReplay(Engine):
    """A file of answers: the nth distinct request of a sample gets its nth text."""

    def __init__(self, spec: ModelSpec, path: Path) -> None:
        super().__init__(spec)
        self._path = path
        self._decoder = msgspec.json.Decoder(TextLine)
        self._sha256, self._index = self._read()
        self._asked: dict[tuple[str, int], list[str]] = {}

    def _read(self) -> tuple[str, OffsetIndex]:
        import hashlib

        digest = hashlib.sha256()
        index = OffsetIndex()
        counts: Counter[int] = Counter()
        offset = 0
        try:
            with self._path.open("rb") as file:
                for number, raw in enumerate(file, 1):
                    digest.update(raw)
                    if raw.strip():
                        line = self._decode(raw, number)
                        sample = digest64(line.sample_id, line.trial)
                        nth = counts[sample] if line.call is None else line.call
                        counts[sample] += 1
                        key = digest64(line.sample_id, line.trial, nth)
                        index.add(key, offset)
                    offset += len(raw)
        except OSError as error:
            raise ConfigError(
                f"cannot read the answers {self._path.name}: {error.strerror}", where=str(self._path)
            ) from error
        return digest.hexdigest(), index

    def _decode(self, raw: bytes, number: int) -> TextLine:
        try:
            return self._decoder.decode(raw)
        except msgspec.MsgspecError as error:
            raise ConfigError(
                f"{self._path.name} line {number} is not an answer: {error}",
                where=str(self._path),
                fix='each line is {"sample_id": "...", "text": "..."}, with "call" for the 2nd request on',
            ) from error

    def capabilities(self) -> frozenset[str]:
        """Whatever ends in a text."""
        return _TEXT_CAPABILITIES

    def identity(self) -> Mapping[str, Any]:
        """The file by name and hash: who wrote the answers is not known."""
        return {
            "provider": "replay",
            "name": self._path.name,
            "revision": self._sha256,
            "deterministic": True,
            "imported": True,
        }

    async def call(self, request: Request, asking: Asking) -> Reply:
        """The text for this request. Raises CallFailed("not-recorded"), or ConfigError for two texts."""
        if request.kind not in ("chat", "complete"):
            raise CallFailed("unsupported", f"{self._path.name} holds texts only", retryable=False)
        nth = asking.nth if asking.nth is not None else self._nth(request, asking)
        offsets = self._index.find(digest64(asking.sample, asking.trial, nth))
        lines = [line for line in map(self._at, offsets) if line.sample_id == asking.sample]
        if not lines:
            raise not_recorded(asking, f"{self._path.name} has no text for request {nth + 1}")
        if len(lines) > 1:
            raise ConfigError(
                f"{self._path.name} has {len(lines)} answers to request {nth + 1} of {asking.sample!r}",
                where=str(self._path),
            )
        text = lines[0].text
        return Reply(text, finish=lines[0].finish or ("stop" if text.strip() else "empty"))

    def _at(self, offset: int) -> TextLine:
        with self._path.open("rb") as file:
            file.seek(offset)
            return self._decode(file.readline(), 0)

    def _nth(self, request: Request, asking: Asking) -> int:
        asked = self._asked.setdefault((asking.sample, asking.trial), [])
        wanted = f"{asking.key}\x1f{request_sha256(request)}"
        if wanted not in asked:
            asked.append(wanted)
        return asked.index(wanted)


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
