"""A night: what one gate found, as its JSON and as a line of a history; and the history's folder.

    HISTORY/nights.jsonl              one `Night` a line, in the order in which they were gated
    HISTORY/differences/NIGHT.npz     of the last nights: uint64, shape (4, n) for each claim that has units;
                                      digests of unit, cluster and macro group, and the bits of d

A night that is given again replaces itself, in its place.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from suite.errors import DataError
from suite.files import own_folder, read_regular, trying, write_whole
from suite.gates.policy import Kind
from suite.journal.journal_file import folder_lock
from suite.journal.shapes import Count, Level, Sha256, TaskName, Time, Values
from suite.scoring.stats.clusters import Digests, Floats

LARGEST = 2**30  # bytes of a file of a history
KEPT = 8  # nights whose differences are kept: those that windows can reach, and some to spare
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
    over all windows; p_pass: of tonight alone; corrected: over the policy. window: nights that p_fail is
    made of. side, bound: the one-sided bound of d that decides. note: what else a reader must know. units:
    whether the differences are kept.
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
    units: bool = False


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """What one gate found. night: its id, of the pool and the candidate's runs. pool: nights of one policy,
    baseline and task versions; only these are pooled. alpha: the chance of a false block that it spent.
    remarks: what a reader must know.
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


@dataclass(frozen=True)
class UnitValues:
    """What each unit adds to a claim, by id. groups: of a macro average; d: better is higher."""

    ids: Digests
    clusters: Digests
    groups: Digests
    d: Floats

    def take(self, index: NDArray[np.intp]) -> "UnitValues":
        """Some of them, in this order."""
        return UnitValues(self.ids[index], self.clusters[index], self.groups[index], self.d[index])


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
            found += [msgspec.json.decode(line, type=Night)] if line else []
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            if number == len(lines):
                return found, f"the last line of {path.name} was torn: that night is left out"
            raise DataError.of("gates.history.damaged", path=path, line=number, why=str(error)) from error
    return found, ""


def read_units(folder: Path, night: Night) -> dict[int, UnitValues]:
    """What each unit added on a night, by place of the claim within the night; {} where that is not kept.

    Raises DataError for a file that is damaged.
    """
    path = folder / "differences" / f"{night.night}.npz"
    places = [place for place, one in enumerate(night.claims) if one.units]
    if not path.exists():
        return {}
    try:
        with np.load(io.BytesIO(read_regular(path, LARGEST)), allow_pickle=False) as kept:
            found = {place: kept[f"arr_{number}"] for number, place in enumerate(places)}
        return {
            place: UnitValues(one[0], one[1], one[2], one[3].view(np.float64)) for place, one in found.items()
        }
    except (OSError, ValueError, TypeError, LookupError, zipfile.BadZipFile) as error:
        raise DataError.of("gates.history.units", path=path, why=str(error)) from error


def add_night(folder: Path, night: Night, units: Mapping[int, UnitValues]) -> None:
    """Put a night into a history, in the place of the same night of before. units: by place of the claim
    within the night, of those that say so. Raises DataError, or RunError where another gate writes there.
    """
    held = io.BytesIO()
    arrays = [np.stack([u.ids, u.clusters, u.groups, u.d.view(np.uint64)]) for _, u in sorted(units.items())]
    np.savez_compressed(held, *arrays)
    with trying(f"write the history {folder.name}", folder, kind=DataError):
        folder.mkdir(parents=True, exist_ok=True)
        with folder_lock(folder, needed=False, patience=10):
            nights = {one.night: one for one in read_nights(folder)[0]} | {night.night: night}
            own_folder(folder / "differences")
            write_whole(folder / "differences" / f"{night.night}.npz", [held.getvalue()])
            lines = (msgspec.json.encode(one) + b"\n" for one in nights.values())
            write_whole(folder / "nights.jsonl", lines)
            for old in list(nights)[:-KEPT]:
                (folder / "differences" / f"{old}.npz").unlink(missing_ok=True)
