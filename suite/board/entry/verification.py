"""verification.json as a struct: what verifying a bundle found. Numbers are the recomputed ones alone.

Fields with defaults are not in reports of the first release. Unknown fields are skipped: nobody writes a
report again that he read.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

import msgspec

from suite.board.bundle.rungs import RungFinding, RungStatus
from suite.board.bundle.signatures import Signature
from suite.board.bundle.submission import BoardName
from suite.journal.documents import Direction
from suite.journal.shapes import (
    CellId,
    Count,
    Level,
    Positive,
    Sha256,
    Sha256OrNone,
    Values,
    matching,
    shaped,
)

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

    id: Annotated[str, matching("R([0-9]|10|11)")]
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
