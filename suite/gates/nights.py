"""A night: what one gate found, as its JSON and as a line of a history; and the history's folder.

    HISTORY/nights.jsonl              one `Night` a line with its checksum, as they were gated

The last nights have what each unit adds to each claim, so that nights can be pooled. A night that is given
again replaces itself, in its place.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from suite.errors import DataError, RunError
from suite.files import read_regular, trying, write_whole
from suite.gates.policy import Kind
from suite.journal.journal_file import folder_lock
from suite.journal.records import checked, sealed
from suite.journal.shapes import Count, Level, Sha256, TaskName, Time, Values
from suite.scoring.stats.clusters import Digests, Floats

LARGEST = 2**30  # bytes of a file of a history
KEPT = 8  # nights whose units are kept: those that windows reach, and some to spare
Verdict = Literal["pass", "fail", "undecided"]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]


class GatedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a gate. model: the candidate's spec."""

    name: str
    plan_sha256: Sha256
    created: Time
    scoring: str
    model: str

    @property
    def identity(self) -> str:
        """What tells it from another run of the same plan, whatever its scoring."""
        return f"{self.plan_sha256} {self.created} {self.name}"


class ClaimNight(msgspec.Struct, frozen=True, kw_only=True):
    """What a night found about one claim in one cell.

    claim: its number in the policy, from 1. cell: its parameters. value, baseline: of the metric, in its
    unit, on the shared samples. sign: -1 where lower values are better; d, its interval, threshold and bound
    are multiplied by it, so that better is higher. d: candidate minus baseline; of at-least the value. low,
    high: tonight's interval at `level`, uncorrected. n, unscored, clusters: of tonight. p_fail: one-sided,
    over all windows; p_pass: of tonight alone; corrected: over the policy; 0.5 and more may be larger yet.
    window: nights that p_fail is made of. side, bound: the one-sided bound of d that decides. note: what else
    a reader must know.
    """

    claim: Count
    task: TaskName
    version: Count
    cell: Values
    metric: str
    kind: Kind
    sign: Literal[1, -1]
    unit: str = ""
    threshold: float
    value: float | None = None
    baseline: float | None = None
    d: float | None = None
    low: float | None = None
    high: float | None = None
    level: Level = 0.95
    n: Count = 0
    unscored: Count = 0
    clusters: Count = 0
    p_fail: float | None = None
    p_fail_corrected: float | None = None
    p_pass: float | None = None
    p_pass_corrected: float | None = None
    window: Count = 1
    side: Literal["upper", "lower", "none"] = "none"
    bound: float | None = None
    verdict: Verdict = "undecided"
    note: str = ""


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """What one gate found. night: its id, of the pool and the candidate's runs. pool: nights of one policy,
    baseline and task versions; only these are pooled. alpha: the chance of a false block that it spent.
    remarks: what a reader must know. units: in a history, of the last nights: `UnitValues.packed` by the
    place of the claim.
    """

    format: Literal["suite-night/1"] = "suite-night/1"
    night: Digest
    pool: Digest
    time: Time
    policy_sha256: Sha256
    control: Literal["family", "discovery"]
    level: Level
    alpha: float
    candidate: Sequence[GatedRun]
    baseline: Sequence[GatedRun]
    verdict: Verdict
    claims: Sequence[ClaimNight]
    remarks: Sequence[str] = ()
    units: Mapping[int, bytes] = {}

    def __post_init__(self) -> None:
        """Raises ValueError for a time that is none."""
        datetime.fromisoformat(self.time)


@dataclass(frozen=True)
class UnitValues:
    """What each unit adds to a claim, by id. groups: of a macro average; d: better is higher."""

    ids: Digests
    clusters: Digests
    groups: Digests
    d: Floats

    def take(self, index: NDArray[np.intp]) -> "UnitValues":
        return UnitValues(self.ids[index], self.clusters[index], self.groups[index], self.d[index])

    def packed(self) -> bytes:
        """As a history keeps them: uint64 of shape (4, n), d as its bits, compressed by zlib."""
        columns = np.stack([self.ids, self.clusters, self.groups, self.d.view(np.uint64)])
        return zlib.compress(columns.astype("<u8").tobytes())

    @classmethod
    def unpacked(cls, packed: bytes) -> "UnitValues":
        """From what a history keeps. Raises DataError."""
        try:
            columns = np.frombuffer(zlib.decompress(packed), dtype="<u8").reshape(4, -1).astype(np.uint64)
        except (zlib.error, ValueError) as error:
            raise DataError.of("gates.history.units", why=str(error)) from error
        return cls(columns[0], columns[1], columns[2], columns[3].view(np.float64))


def read_nights(folder: Path) -> tuple[list[Night], str]:
    """The nights of a history in order, and a remark where the last line is torn; no nights where there is no
    history yet. Raises DataError for any other line that is no night.
    """
    path = folder / "nights.jsonl"
    if not path.exists():
        return [], ""
    with trying(f"read {path.name}", path, kind=DataError):
        lines = read_regular(path, LARGEST).split(b"\n")
    found: list[Night] = []
    for number, line in enumerate(lines, 1):
        try:
            if line and not checked(line):
                raise ValueError("its checksum does not match")
            found += [msgspec.json.decode(line, type=Night)] if line else []
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            if number == len(lines):
                return found, f"the last line of {path.name} was torn: that night is left out"
            raise DataError.of("gates.history.damaged", path=path, line=number, why=str(error)) from error
    return found, ""


def add_night(folder: Path, night: Night) -> None:
    """Put a night into a history, in the place of the same night of before. Raises DataError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with folder_lock(folder, needed=False, patience=10):
            nights = [*({one.night: one for one in read_nights(folder)[0]} | {night.night: night}).values()]
            nights[:-KEPT] = [msgspec.structs.replace(one, units={}) for one in nights[:-KEPT]]
            write_whole(folder / "nights.jsonl", (sealed(msgspec.json.encode(one)) for one in nights))
    except (OSError, RunError) as error:
        why = getattr(error.__cause__ or error, "strerror", error)
        raise DataError.of("gates.history.unwritten", folder=folder, why=why) from error
