"""An accepted entry in a board repository: what was submitted, what verification found, its status.

submission.json is the submitter's word, verification.json ours; numbers come from the latter alone. Both are
decoded into types here, so that a page never meets a shape that it does not know; text in them stays hostile.
Fields of verification.json with defaults are not in reports of the first release; unknown fields are skipped:
nobody writes a report again that he read.
Not here: the rules of who is ranked (`rank`), finding the folders (`repository`).
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from suite.board.bundle.rungs import RungFinding, RungStatus
from suite.board.bundle.signatures import Signature
from suite.board.bundle.submission import BoardName, Submission
from suite.board.define import parts
from suite.data import strict_syntax
from suite.data.cache import sha256_of
from suite.errors import DataError
from suite.files import write_whole
from suite.journal.documents import Direction
from suite.journal.shapes import CellId, Count, Level, Positive, Sha256, Sha256OrNone, Values, shaped

SUBMISSION, VERIFICATION, RECORD = "submission.json", "verification.json", "entry.yaml"
PER_SAMPLE, REPLIES = "per_sample.parquet", "replies.parquet"
FOLDER = re.compile(r"([a-z0-9][a-z0-9-]{0,63})-([0-9a-f]{12})")
LARGEST = 8 * 1024**2  # bytes of one document
LARGEST_README = 64 * 1024

StructT = TypeVar("StructT", bound=msgspec.Struct)
ModelT = TypeVar("ModelT", bound=BaseModel)

Status = Literal["active", "superseded", "withdrawn", "disputed", "retracted"]
GONE: tuple[Status, ...] = ("withdrawn", "disputed", "retracted")

FORMAT: Final = "suite-verification/1"
Verdict = Literal["verified", "verified_with_warnings", "incomplete", "rejected"]
Trust = Literal["L0", "L1", "L2", "L3"]
Kind = Literal["standard", "custom"]
RerunLabel = Literal["reproduced", "not_reproduced", "inconclusive"]
Seconds = Annotated[float, shaped(minimum=0)]


class Verifier(msgspec.Struct, frozen=True):
    """What verified. plugins: distribution -> version."""

    suite: str
    python: str
    plugins: Mapping[str, str]


class RungResult(msgspec.Struct, frozen=True):
    """One step of the ladder. reason: why it could not be climbed, or not wholly. seconds: wall time."""

    id: Annotated[str, shaped(pattern="^R([0-9]|10|11)$")]
    title: str
    status: RungStatus
    errors: Count
    warnings: Count
    seconds: Seconds
    reason: str


class RerunResult(msgspec.Struct, frozen=True):
    """Of the candidate (rerun) or of the judge alone (rejudge). samples: how many were asked again.
    same_as_itself: of two live passes. headline_difference, low, high: now less recorded, over samples that
    were scored.
    """

    label: RerunLabel
    why: str
    samples: Count
    same_as_recorded: Count
    same_as_itself: Count
    headline_difference: float | None
    low: float | None
    high: float | None
    would_meet_fabricated_share_of_5_percent: Annotated[float, shaped(minimum=0, maximum=1)]


class TokenCounts(msgspec.Struct, frozen=True):
    """Recorded usage of the candidate over a column."""

    prompt: Count
    completion: Count


class Latency(msgspec.Struct, frozen=True):
    """Of the candidate's calls that no response cache answered, by the submitter's clock: the median in
    seconds, of how many.
    """

    median_s: float
    calls: Positive


class ColumnResult(msgspec.Struct, frozen=True, kw_only=True):
    """One column as recomputed.

    value: mean over the cells of the headline; None, as low and high, where there is no such number. paired:
    whether per_sample.parquet has its units. tokens, latency: of the candidate, None if unknown, or where no
    model was timed; seconds: a cell's share of its run. range: ends of the headline. roles: who filled the
    other roles: spec, and the first of its revision.
    """

    key: str
    task: str
    headline: str
    value: float | None
    low: float | None
    high: float | None
    level: Level
    method: str
    n: Count
    unscored: Count
    coverage: float | None
    direction: Direction
    unit: str
    range: tuple[float, float] | None
    paired: bool
    cells: Sequence[CellId]
    tokens: TokenCounts | None
    latency: Latency | None = None
    seconds: Seconds
    roles: Mapping[str, Sequence[str]] = {}


class RecomputedCell(msgspec.Struct, frozen=True):
    """A cell of a run. metrics: rows as in results.json."""

    run_id: str
    cell: CellId
    task: str
    version: Positive
    parameters: Values
    score_parameters: Values
    metrics: Sequence[Values]


class Verification(msgspec.Struct, frozen=True, kw_only=True, rename={"kind": "class"}):
    """verification.json. kind: the class, by what was found, not by what was declared. trust: L0 not
    verified, L1 consistent, L2 signed by a known signer, too, L3 reproduced by a re-run, signed or not.
    columns: the board's, or one a cell without a board.
    """

    format: Literal["suite-verification/1"]
    bundle_id: Sha256OrNone
    board: BoardName | None
    verifier: Verifier
    started: Annotated[str, shaped(format="date-time")]
    rungs: Annotated[Sequence[RungResult], shaped(minItems=12, maxItems=12)]
    findings: Sequence[RungFinding]
    verdict: Verdict
    kind: Kind
    differences: Sequence[str]
    trust: Trust
    signature: Signature | None = None
    rerun: RerunResult | None
    rejudge: RerunResult | None = None
    columns: Sequence[ColumnResult]
    latency: Latency | None = None
    recomputed: Sequence[RecomputedCell]
    per_sample_sha256: Sha256 | None
    replies_sha256: Sha256 | None = None
    limits_of_this_check: Annotated[Sequence[str], shaped(minItems=1)]


class EntryRecord(BaseModel):
    """entry.yaml: what the board says of an entry. Written by `suite board accept`, kept by maintainers.

    reason: why it is withdrawn, disputed or retracted. by: the bundle that supersedes it. trace_sha256: of
    the set of the candidate's calls and replies, whatever the model is called.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["suite-entry/1"] = "suite-entry/1"
    bundle_id: parts.Sha256
    accepted: datetime
    status: Status = "active"
    status_date: date | None = None
    reason: Annotated[str, AfterValidator(parts.seen)] = Field(default="", max_length=4000)
    by: parts.Sha256 | None = None
    trace_sha256: parts.Sha256 | None = None


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
        return next((one for one in self.verification.columns if one.key == key), None)


def _written(folder: Path, name: str, sha256: str | None) -> Path | None:
    """A file that verification names. Another one of that name was brought by whoever submitted."""
    path = folder / name
    return path if sha256 is not None and path.is_file() and not path.is_symlink() else None


def read_entry(folder: Path) -> AcceptedEntry:
    """The entry of a folder. Raises DataError naming the file and the field."""
    named, where = FOLDER.fullmatch(folder.name), str(folder)
    if named is None:
        raise DataError.of("board.entry.folder", name=folder.name[:80], where=where)
    raw = read_bytes(folder / SUBMISSION)
    found = hashlib.sha256(raw).hexdigest()
    if found[:12] != named[2]:
        raise DataError.of("board.entry.other", folder=folder, found=found[:12], where=where)
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
