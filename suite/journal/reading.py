"""Reading a journal: streaming, checksummed, tolerant of a torn last line and of nothing else.

Files may be followed while a run is going. What must be found again (an output, a call) is indexed by
64-bit digests and file offsets, so memory stays at 16 bytes a record.
"""

import hashlib
import os
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

import msgspec

from suite.chat import Message, Request, Tool
from suite.errors import DamagedError, RunError
from suite.files import open_regular, read_regular
from suite.journal.records import (
    FORMAT,
    AttemptRecord,
    BlockRecord,
    CallRecord,
    OutputRecord,
    ScoreRecord,
    checked,
)

RecordT = TypeVar("RecordT")
LARGEST_DOCUMENT = 256 * 2**20  # bytes of a manifest or of results


def damaged(path: Path, line: int, why: str) -> DamagedError:
    """The error for a line that is not what was written."""
    return DamagedError(
        f"{path.name} line {line} was changed or damaged: {why}",
        where=str(path),
        fix="restore the file from a copy; a run with a changed journal is not continued or reported",
    )


class Lines(Generic[RecordT]):
    """The records of one file. A missing file has none."""

    def __init__(self, path: Path, kind: type[RecordT]) -> None:
        self.path = path
        self._fd = -1  # of `at`; a number, since nothing says in which order garbage goes
        self._decoder = msgspec.json.Decoder(kind)

    def decode(self, raw: bytes, number: int) -> RecordT:
        """One record from its line, checksum first. Raises RunError naming file and line."""
        line = raw[:-1] if raw.endswith(b"\n") else raw
        if not checked(line):
            raise damaged(self.path, number, "its checksum does not match")
        try:
            return self._decoder.decode(line)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise damaged(self.path, number, str(error)) from error

    def opened(self) -> BinaryIO:
        """The file to read. Raises RunError where something else stands in its place."""
        try:
            return open_regular(self.path)
        except OSError as error:
            raise RunError(f"{self.path.name} cannot be read: {error.strerror}", str(self.path)) from error

    def placed(self) -> Iterator[tuple[int, int, RecordT]]:
        """(offset of the line, its bytes, record) for every whole line, in file order."""
        if not self.path.exists():
            return
        offset = 0
        with self.opened() as file:
            for number, raw in enumerate(file, 1):
                if not raw.endswith(b"\n"):
                    return  # torn: it never was a record
                yield offset, len(raw), self.decode(raw, number)
                offset += len(raw)

    def raw(self) -> Iterator[bytes]:
        """Every whole line without its newline, its checksum held; not decoded."""
        if not self.path.exists():
            return
        with self.opened() as file:
            for number, raw in enumerate(file, 1):
                if not raw.endswith(b"\n"):
                    return
                line = raw[:-1]
                if not checked(line):
                    raise damaged(self.path, number, "its checksum does not match")
                yield line

    def __iter__(self) -> "Reading[RecordT]":
        return Reading(self)

    def at(self, offset: int) -> RecordT:
        """The record that starts at an offset. The file stays open for the next one."""
        if self._fd < 0:
            with self.opened() as file:
                self._fd = os.dup(file.fileno())
        raw = b""
        while not (end := raw.find(b"\n") + 1):
            more = os.pread(self._fd, max(8192, len(raw)), offset + len(raw))
            if not more:
                break
            raw += more
        return self.decode(raw[: end or None], 0)

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)


class Reading(Iterator[RecordT]):
    """The records of one file in order. offset, size: where the last one stands, and its bytes."""

    def __init__(self, lines: Lines[RecordT]) -> None:
        self.lines = lines
        self.offset = self.size = 0
        self._placed = lines.placed()

    def __next__(self) -> RecordT:
        self.offset, self.size, record = next(self._placed)
        return record


def digest64(*parts: object) -> int:
    """64-bit digest of a key, for indexes; collisions are checked where the record is read."""
    body = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(body, digest_size=8).digest(), "big")


class OffsetIndex:
    """Digest -> offsets, 16 bytes an entry: filled once, then sorted, then asked."""

    def __init__(self) -> None:
        self._keys = array("Q")
        self._offsets = array("Q")
        self._sorted = True

    def add(self, key: int, offset: int) -> None:
        """Add one entry."""
        self._keys.append(key)
        self._offsets.append(offset)
        self._sorted = False

    def _sort(self) -> None:
        order = sorted(range(len(self._keys)), key=self._keys.__getitem__)
        self._keys = array("Q", (self._keys[i] for i in order))
        self._offsets = array("Q", (self._offsets[i] for i in order))
        self._sorted = True

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: int) -> bool:
        return bool(self.find(key))

    def distinct(self) -> int:
        """How many different keys there are."""
        return len(set(self._keys))

    def find(self, key: int) -> list[int]:
        """Offsets of a key, in the order added."""
        if not self._keys:
            return []
        if not self._sorted:
            self._sort()
        found = []
        i = bisect_left(self._keys, key)
        while i < len(self._keys) and self._keys[i] == key:
            found.append(self._offsets[i])
            i += 1
        return found


class Recorded(Generic[RecordT]):
    """Records that stand in a journal, found by a key; 16 bytes a record in memory.

    key: of a record, the hash that names it or several values; None leaves it out.
    """

    def __init__(self, lines: Lines[RecordT], key: Callable[[RecordT], Any] = attrgetter("id")) -> None:
        self.lines, self._key = lines, key
        self._index = OffsetIndex()
        for offset, _, record in lines.placed():
            if (own := key(record)) is not None:
                self._index.add(_digest(own), offset)

    def __len__(self) -> int:
        return len(self._index)

    def __contains__(self, key: Any) -> bool:
        return _digest(key) in self._index

    def every(self, key: Any) -> list[RecordT]:
        """All records of a key, in file order."""
        found = map(self.lines.at, self._index.find(_digest(key)) if len(self) else ())
        return [record for record in found if self._key(record) == key]

    def find(self, key: Any) -> RecordT | None:
        """The first record of a key, if there is one."""
        return next(iter(self.every(key)), None)


def _digest(key: Any) -> int:
    return int(key[:16], 16) if isinstance(key, str) else digest64(*key)


class BlockReader:
    """Message bodies and texts by hash, read where they stand in `blocks.jsonl`."""

    def __init__(self, path: Path) -> None:
        self._lines = Lines(path, BlockRecord)
        self._found: Recorded[BlockRecord] | None = None

    def get(self, digest: str) -> BlockRecord:
        """The block of a hash. Raises RunError if it is not there."""
        if self._found is None:
            self._found = Recorded(self._lines, attrgetter("sha256"))
        if (block := self._found.find(digest)) is not None:
            return block
        raise RunError(
            f"{self._lines.path.name} has no block {digest}",
            where=str(self._lines.path),
            fix="the command that made the run does again what lacks a part",
        )

    def unfold(self, digests: list[str]) -> Iterator[BlockRecord]:
        """The blocks of a request's hashes, list blocks opened."""
        for digest in digests:
            block = self.get(digest)
            if block.list is None:
                yield block
            else:
                for inner in block.list:
                    yield self.get(inner)

    def request(self, call: CallRecord) -> Request:
        """The request of a call, rebuilt: its `request_sha256` must come out equal."""
        messages = tuple(message_of(block) for block in self.unfold(call.request))
        tools: tuple[Tool, ...] = ()
        if call.tools:
            tools = msgspec.convert(self.get(call.tools).extra, tuple[Tool, ...])
        return Request(
            kind=call.kind,  # type: ignore[arg-type]
            messages=messages,
            prompt=self.get(call.prompt).content if call.prompt else "",
            texts=tuple(block.content for block in self.unfold(call.texts)),
            tools=tools,
            options=call.options,
        )


def message_of(block: BlockRecord) -> Message:
    """The message of a block."""
    return msgspec.convert({"role": block.role, "content": block.content, **(block.extra or {})}, Message)


class Journal:
    """One set of journal files: a run folder's own, or one of its scorings'."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outputs = Lines(folder / "outputs.jsonl", OutputRecord)
        self.calls = Lines(folder / "calls.jsonl", CallRecord)
        self.attempts = Lines(folder / "attempts.jsonl", AttemptRecord)
        self.scores = Lines(folder / "scores.jsonl", ScoreRecord)
        self.blocks = BlockReader(folder / "blocks.jsonl")


class RunReader(Journal):
    """A run folder as others see it. Raises RunError if the folder holds no run."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.manifest: dict[str, Any] = read_json(folder / "manifest.json")
        if self.manifest.get("format") != FORMAT:
            raise RunError(
                f"{folder.name} is in format {self.manifest.get('format')!r}, this suite reads {FORMAT!r}",
                where=str(folder / "manifest.json"),
            )
        _hold(self.manifest, _Manifest, folder / "manifest.json")

    def scorings(self) -> list[str]:
        """Ids of all scorings, oldest first."""
        base = self.folder / "scorings"
        found = (
            [path for path in base.iterdir() if (path / "manifest.json").exists()] if base.is_dir() else []
        )
        dated = ((str(read_json(one / "manifest.json").get("started", "")), one.name) for one in found)
        return [name for _, name in sorted(dated)]

    def scoring(self, name: str = "") -> Journal:
        """A scoring's journal; the newest without a name. Raises RunError if there is none."""
        known = self.scorings()
        if name and name not in known:
            raise RunError(
                f"run {self.folder.name} has no scoring {name!r}", fix=f"it has: {', '.join(known)}"
            )
        if not known:
            raise RunError(f"run {self.folder.name} has not been scored", fix=f"suite score {self.folder}")
        return Journal(self.folder / "scorings" / (name or known[-1]))

    def scoring_manifest(self, name: str = "") -> dict[str, Any]:
        """The manifest of a scoring."""
        return read_json(self.scoring(name).folder / "manifest.json")

    def results(self, name: str = "") -> dict[str, Any]:
        """The results of a scoring. Raises RunError if they were not written yet."""
        return read_results(self.scoring(name).folder / "results.json")

    def text_of(self, record: OutputRecord, calls: Recorded[CallRecord]) -> str:
        """An output's text; taken from its call's reply where it was left out."""
        if not record.text_from:
            return record.output.text
        if (call := calls.find(record.text_from)) is not None:
            return call.reply.text
        raise RunError(f"call {record.text_from} of sample {record.sample!r} is not in calls.jsonl")

    def call_index(self) -> Recorded[CallRecord]:
        """The calls by id."""
        return Recorded(self.calls)


class _Cell(msgspec.Struct):
    cell: str
    task: str
    parameters: dict[str, Any]


class _Counts(msgspec.Struct):
    samples: dict[str, int]


class _Manifest(msgspec.Struct):
    """What everybody needs of a manifest; the rest is for those who need it."""

    cells: list[_Cell]
    counts: _Counts
    roles: dict[str, list[dict[str, Any]]] = {}
    data: dict[str, dict[str, Any]] = {}
    trials: int = 1


class _ResultCell(_Cell):
    metrics: list[dict[str, Any]]


class _Results(msgspec.Struct):
    cells: list[_ResultCell]
    pending: int = 0


def _hold(document: dict[str, Any], shape: type[msgspec.Struct], path: Path) -> dict[str, Any]:
    try:
        msgspec.convert(document, shape)
    except msgspec.ValidationError as error:
        raise RunError(
            f"{path.name} was changed or damaged: {error}",
            where=str(path),
            fix="restore it from a copy; results.json alone can be made again by `suite score`",
        ) from error
    return document


def read_results(path: Path) -> dict[str, Any]:
    """The results of a scoring. Raises RunError if they are missing or damaged."""
    return _hold(read_json(path), _Results, path)


def read_json(path: Path) -> dict[str, Any]:
    """A small JSON object file. Raises RunError if it is missing or not JSON."""
    try:
        value = msgspec.json.decode(read_regular(path, LARGEST_DOCUMENT))
    except OSError as error:
        raise RunError(
            f"{path.parent.name} is not a finished part of a run: {path.name}: {error.strerror}",
            where=str(path),
            fix="name a run folder, as `suite runs list` shows them",
        ) from error
    except (msgspec.MsgspecError, RecursionError) as error:
        raise RunError(f"{path.name} is not JSON: {error}", where=str(path)) from error
    if not isinstance(value, dict):
        raise RunError(f"{path.name} is not a JSON object", where=str(path))
    return value
