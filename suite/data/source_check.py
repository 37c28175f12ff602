"""Whether an entry still fits what its source holds: commit, files, sizes, hashes, licence and first rows.

Nothing is kept and nothing is changed. A source that can't be reached, or is gated, says nothing about the
entry and is told apart from one that differs. Where nobody has accepted the licence here, no content is
read. Without the network, an entry is held against its schemas and its own files only. Not here: the same
for what has been pulled (`pull.verify`).
"""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal

from suite.chat import Json, sha256_hex
from suite.data import git_source, hub_source
from suite.data.cache import Cache, git_blob_of
from suite.data.entry import BundledSource, DatasetEntry, File, Format, GitSource, HubSource
from suite.data.found import card
from suite.data.pins import at_commit, wanted_files
from suite.data.pull import verify
from suite.data.row_checks import row_error, row_validator
from suite.data.rows import FORMATS, RowPlace, read_rows
from suite.errors import DataError, LicenceRequired, NotFound, SourceUnreachable, SuiteError

_WHOLE = 64 << 20  # bytes of a Parquet file that are fetched, since its rows need its end
_BEGINNING = 4 << 20  # bytes of another file in which its first rows are looked for
_HASHED = 1 << 20  # bytes of any further file on a host that tells no hashes
_ROWS = 20  # that are read of a part
_STEP = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)
_ENTRIES, _FILES = 8, 8  # at once
_ANY_LICENCE = {"various", "other", "unknown"}


@dataclass
class SourceCheck:
    """What was found of one entry. revision: the commit looked at. rows: how many were held to their schema.

    remarks: what could not be checked, and why; they make nothing wrong.
    """

    entry: str
    source: str
    state: Literal["right", "not pinned", "gated", "unreachable", "wrong"] = "right"
    revision: str | None = None
    files: int = 0
    rows: int = 0
    licence: str | None = None
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def ended(self, error: SuiteError) -> None:
        """Note what ended the check."""
        if isinstance(error, LicenceRequired | SourceUnreachable):
            self.state = "gated" if isinstance(error, LicenceRequired) else "unreachable"
            self.remarks.insert(0, self.line(error))
        else:
            self.state = "wrong"
            self.problems.append(self.line(error))

    def differs(self, file: File, there: Mapping[str, File], where: str = "") -> bool:
        """Note in what a file is not the entry's, once. Returns whether it differs."""
        is_there = file.path in there
        difference = file.differs(there[file.path]) if is_there else f"{file.path} is not there"
        if difference and where + difference not in self.problems:
            self.problems.append(where + difference)
        return bool(difference)

    def line(self, error: SuiteError) -> str:
        """An error in a line: what is wrong, and where, or what helps (which names there are)."""
        both = "; ".join(filter(None, (error.where, error.fix)))
        helps = {SourceUnreachable: both, LicenceRequired: error.fix, NotFound: error.fix}
        more = helps.get(type(error), error.where)
        return ": ".join(filter(None, (error.what.removeprefix(f"{self.entry}: "), more)))


def check_entries(entries: Sequence[DatasetEntry], cache: Cache, remote: bool = True) -> list[SourceCheck]:
    """Check entries, several at once; in the order given. remote: against their sources too."""

    def check(entry: DatasetEntry) -> SourceCheck:
        found = SourceCheck(entry.id, entry.source.kind, revision=entry.revision, files=len(entry.files))
        try:
            for part in entry.parts:
                row_validator(entry, part)
            if isinstance(entry.source, BundledSource):
                found.problems += [found.line(error) for error in verify(entry, cache)]
            elif remote:
                _check(entry, cache, found)
            elif not entry.pinned:
                lacks = "commit" if entry.revision is None else "files"
                found.remarks.append(f"no {lacks}: `suite data pin {entry.id}`")
        except SuiteError as error:
            found.ended(error)
        if found.problems:
            found.state = "wrong"
        elif found.state == "right" and not (entry.pinned and _hashed(entry, found)):
            found.state = "not pinned"
        return found

    with ThreadPoolExecutor(_ENTRIES, "check") as pool:
        return list(pool.map(check, entries))


def _hashed(entry: DatasetEntry, found: SourceCheck) -> bool:
    """Whether the entry has the hash of each file that it lists; say of how many it does not."""
    unknown = [file for file in entry.files if file.sha256 is None and file.git_blob is None]
    if unknown:
        few = f"{len(unknown)} of {len(entry.files)} files"
        found.remarks.append(f"the hash of {few} is not known: `suite data pin {entry.id}` records it")
    return not unknown


def _check(entry: DatasetEntry, cache: Cache, found: SourceCheck) -> None:
    source = entry.source
    if not isinstance(source, HubSource | GitSource):
        found.remarks.append("a package index is not asked; `suite data pull` checks what it gives")
        return
    readable = not entry.licence.accept_required or cache.accepted(entry)
    if not readable:
        found.remarks.append(f"rows not read: {entry.licence.name} is not accepted (--accept-licence)")
    if entry.revision is None:
        found.remarks.append(f"looked at {source.branch}: `suite data pin {entry.id}` records its commit")
    beginnings: dict[str, bytes] = {}
    source, there = at_commit(entry, entry.revision)
    entry = entry.model_copy(update={"source": source})
    files = wanted_files(entry, source, there)
    found.revision, found.files = entry.revision or "", len(files)
    if isinstance(source, GitSource):
        beginnings, there = _look(entry, source, files, readable)
    else:
        _check_licence(entry, source, found)
    if not any(file.path in there for file in files):
        found.problems.append(f"commit {found.revision[:12]} is gone, or none of the entry's files is in it")
        return
    for file in files:
        found.differs(file, there)
        if file.twin is not None and readable:
            twin = file.model_copy(update={"path": file.twin.path})
            same = _look(entry, file.twin.source, [twin], readable)[1]
            found.differs(twin, same, f"in {file.twin.source.repo}, ")
    for part, file in _smallest(entry, files) if readable else ():
        if file.path in there:
            _check_rows(entry, part, file, there[file.path].bytes, beginnings.get(file.path), found)


def _of_bytes(path: str, data: bytes, size: int | None) -> File:
    """What the first bytes of a file say of it; with its hashes, if they are all."""
    hashes = {"sha256": sha256_hex(data), "git_blob": git_blob_of(data)} if len(data) == size else {}
    return File.model_validate({"path": path, "bytes": size, **hashes})


def _look(
    entry: DatasetEntry, source: GitSource, files: Sequence[File], readable: bool
) -> tuple[dict[str, bytes], dict[str, File]]:
    """The first bytes of the files, and what a Git host has of them: it tells only by handing them out."""
    first = {file.path for _, file in _smallest(entry, files)}

    def ask(file: File) -> tuple[bytes, int | None] | None:
        limit = 0 if not readable else _BEGINNING if file.path in first else _HASHED
        try:
            return git_source.beginning(source, git_source.WantedFile(entry.id, file.path), limit)
        except SourceUnreachable:
            raise
        except DataError:
            return None

    with ThreadPoolExecutor(_FILES, "files") as pool:
        answers = zip(files, pool.map(ask, files), strict=True)
        told = {file.path: answer for file, answer in answers if answer is not None}
    beginnings = {path: data for path, (data, _) in told.items()}
    return beginnings, {path: _of_bytes(path, *answer) for path, answer in told.items()}


def _smallest(entry: DatasetEntry, files: Sequence[File]) -> Iterator[tuple[str, File]]:
    """By part, its smallest file."""
    for part in entry.parts:
        own = [file for file in files if file.part == part]
        if own:
            yield part, min(own, key=lambda file: file.bytes or 0)


def _check_licence(entry: DatasetEntry, source: HubSource, found: SourceCheck) -> None:
    """Hold the licence of the repository's card against the entry's. A card without one says nothing."""
    told = card(source, entry.id).get("license")
    names = [str(one) for one in (told if isinstance(told, list) else [told]) if one]
    found.licence = ", ".join(names) or None
    ours = f"{entry.licence.name.lower()}-"  # the Hub leaves out versions: odc-by for ODC-BY-1.0
    same = any(ours.startswith(f"{one.lower()}-") for one in names)
    if names and not same and not _ANY_LICENCE & {ours[:-1], *names}:
        found.problems.append(f"the card's licence is {found.licence}, the entry's {entry.licence.name}")


def _check_rows(
    entry: DatasetEntry, part: str, file: File, size: int | None, data: bytes | None, found: SourceCheck
) -> None:
    """Hold the first rows of a file against the schema of its part. data: its first bytes, where known."""
    if isinstance(entry.source, HubSource):
        limit = _WHOLE if file.name.lower().endswith(".parquet") else _BEGINNING
        data = hub_source.beginning(entry.source, entry.id, file.path, limit) if size else b""
        if found.differs(file, {file.path: _of_bytes(file.path, data, size)}):
            return
    data = data or b""
    try:
        rows = first_rows(entry.id, file, entry.parts[part].format, data, whole=len(data) == size)
    except DataError as error:
        found.problems.append(error.what.removeprefix(f"{entry.id}: "))
        return
    if not rows and len(data) != size:
        found.remarks.append(f"{part}: no row is whole in the first bytes of {file.path}")
    validator = row_validator(entry, part)
    for place, row in rows:
        if broken := row_error(entry, part, validator, place, row):
            found.problems.append(found.line(broken))
            return
    found.rows += len(rows) if validator is not None else 0


def first_rows(
    dataset: str, file: File, form: Format | None, data: bytes, whole: bool
) -> list[tuple[RowPlace, dict[str, Json]]]:
    """At most the first 20 rows. data: the first bytes; whole: whether there are no more.

    Empty if no row is whole in `data`. Raises DataError as `read_rows` does.
    """
    if not whole and (data := _complete(data, form or FORMATS.get(Path(file.name).suffix.lower()))) == b"":
        return []
    with tempfile.TemporaryDirectory(prefix="suite-rows-") as folder:
        path = Path(folder) / file.name
        path.write_bytes(data)
        return list(islice(read_rows(dataset, file.path, path, form), _ROWS))


def _complete(data: bytes, form: Format | None) -> bytes:
    """The bytes up to the last row that is whole, as a file of that format."""
    start = data.lstrip()[:1]
    if form == "parquet":
        return b""
    if start != b"[" and form != "json-object":
        return data[: data.rfind(b"\n") + 1]
    depth = last = 0
    for step in _STEP.finditer(data):
        mark = step[0]
        depth += (mark in (b"[", b"{")) - (mark in (b"]", b"}"))
        if depth == 1 and mark == b",":
            last = step.start()
    return data[:last] + (b"]" if start == b"[" else b"}") if last else b""
