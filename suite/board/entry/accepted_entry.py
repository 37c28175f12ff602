"""An accepted entry in a board repository: what was submitted, what verification found, its status.

submission.json is the submitter's word, verification.json ours; numbers come from the latter alone. Both are
decoded into types here, so that a page never meets a shape that it does not know; text in them stays hostile.
Not here: the rules of who is ranked (`rank`), finding the folders (`repository`).
"""

import hashlib
import re
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from suite.board.bundle.submission import Submission
from suite.board.define.parts import Sha256, seen
from suite.board.entry.verification import ColumnResult, Verification
from suite.data import strict_syntax
from suite.data.cache import sha256_of
from suite.errors import DataError
from suite.files import write_whole

SUBMISSION, VERIFICATION, RECORD = "submission.json", "verification.json", "entry.yaml"
PER_SAMPLE, REPLIES = "per_sample.parquet", "replies.parquet"
FOLDER = re.compile(r"([a-z0-9][a-z0-9-]{0,63})-([0-9a-f]{12})")
LARGEST = 8 * 1024**2  # bytes of one document
LARGEST_README = 64 * 1024

StructT = TypeVar("StructT", bound=msgspec.Struct)
ModelT = TypeVar("ModelT", bound=BaseModel)

Status = Literal["active", "superseded", "withdrawn", "disputed", "retracted"]
GONE: tuple[Status, ...] = ("withdrawn", "disputed", "retracted")


class EntryRecord(BaseModel):
    """entry.yaml: what the board says of an entry. Written by `suite board accept`, kept by maintainers.

    reason: why it is withdrawn, disputed or retracted. by: the bundle that supersedes it. trace_sha256: of
    the set of the candidate's calls and replies, whatever the model is called.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["suite-entry/1"] = "suite-entry/1"
    bundle_id: Sha256
    accepted: datetime
    status: Status = "active"
    status_date: date | None = None
    reason: Annotated[str, AfterValidator(seen)] = Field(default="", max_length=4000)
    by: Sha256 | None = None
    trace_sha256: Sha256 | None = None


class AcceptedEntry(msgspec.Struct, frozen=True):
    """One entry. id: of its bundle."""

    folder: Path
    id: str
    submission: Submission
    verification: Verification
    record: EntryRecord
    readme: str = ""

    @property
    def short(self) -> str:
        """First 12 hex digits of the id: its name on the site."""
        return self.id[:12]

    @property
    def per_sample(self) -> Path | None:
        """Its table of samples, if verification wrote one."""
        return _written(self.folder, PER_SAMPLE, self.verification.per_sample_sha256)

    @property
    def replies(self) -> Path | None:
        """Its digests of replies, if verification wrote them; that of earlier releases did not."""
        return _written(self.folder, REPLIES, self.verification.replies_sha256)

    def column(self, key: str) -> ColumnResult | None:
        """Its result in a column."""
        return next((one for one in self.verification.columns if one.key == key), None)


def _written(folder: Path, name: str, sha256: str | None) -> Path | None:
    """A file that verification names. Another one of that name was brought by whoever submitted."""
    path = folder / name
    return path if sha256 is not None and path.is_file() and not path.is_symlink() else None


def read_entry(folder: Path) -> AcceptedEntry:
    """The entry of a folder. Raises DataError naming the file and the field."""
    named, where = FOLDER.fullmatch(folder.name), str(folder)
    if named is None:
        raise DataError(
            f"{folder.name[:80]!r} is no entry's folder", where, "name it NAME-FIRST12HEXOFBUNDLE"
        )
    raw = read_bytes(folder / SUBMISSION)
    found = hashlib.sha256(raw).hexdigest()
    if found[:12] != named[2]:
        raise DataError(
            f"{folder.name} holds the submission {found[:12]}", where, "the folder is named after it"
        )
    submission = _decode(raw, Submission, folder / SUBMISSION)
    verification = _decode(read_bytes(folder / VERIFICATION), Verification, folder / VERIFICATION)
    record = read_model(folder / RECORD, EntryRecord)
    for name, other in ((VERIFICATION, verification.bundle_id), (RECORD, record.bundle_id)):
        if other != found:
            raise DataError(f"{name} belongs to another bundle, {other[:12]}", where)
    readme, text = folder / "README.md", ""
    if readme.is_file() and not readme.is_symlink():
        text = readme.read_bytes()[:LARGEST_README].decode("utf-8", "replace")
    entry = AcceptedEntry(folder, found, submission, verification, record, text)
    sums = verification.per_sample_sha256, verification.replies_sha256
    for table, sha256 in zip((entry.per_sample, entry.replies), sums, strict=True):
        if table is not None and sha256_of(table) != sha256:
            raise DataError(f"{table.name} is not the one that verification wrote", where)
    return entry


def read_bytes(path: Path) -> bytes:
    """The bytes of a plain file. Raises DataError (missing, a link, too large)."""
    if path.is_symlink() or not path.is_file():
        raise DataError(f"{path.name} is missing, or no plain file", where=str(path))
    if path.stat().st_size > LARGEST:
        raise DataError(f"{path.name} is larger than {LARGEST:,} bytes", where=str(path))
    return path.read_bytes()


def _decode(raw: bytes, kind: type[StructT], path: Path) -> StructT:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise DataError(f"{path.name} has not the shape it should have: {error}", where=str(path)) from error


def read_model(path: Path, kind: type[ModelT]) -> ModelT:
    """A small YAML file of a board repository. Raises DataError naming file, line and field."""
    read_bytes(path)  # which takes no link
    fix = "docs/boards.md says what it holds"
    return strict_syntax.read_model(path, kind, DataError, "file of a board's repository", fix)


def write_record(path: Path, record: EntryRecord) -> None:
    """Write entry.yaml."""
    values = {name: one for name, one in record.model_dump(mode="json").items() if one not in (None, "")}
    write_whole(path, [strict_syntax.dump_yaml(values, width=80)])
