"""A night: what one gate found, as its JSON and as a line of a history; and the history's folder.

    HISTORY/nights.jsonl              one `Night` a line, in the order of time
    HISTORY/differences/NIGHT.npz     what each unit adds, shape (n,) a claim; better is higher
    HISTORY/units/HASH.npy            uint64, shape (3, n): digests of unit, cluster and macro group

Units are kept once for all nights that share them. A night that is given again replaces itself.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np

from suite.chat import sha256_hex
from suite.errors import DataError
from suite.files import own_folder, read_regular, trying, write_whole
from suite.gates.policy import Kind
from suite.journal.shapes import Count, Level, Sha256, TaskName, Time, Values
from suite.scoring.stats.clusters import Digests, Floats

FORMAT = "suite-night/1"
LARGEST = 2**30  # bytes of a history's files
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

    claim: its number in the policy, from 1. cell: its parameters. value, baseline: of the metric, in its unit,
    on the shared samples. d: candidate minus baseline; of at-least and at-most the value itself. low, high:
    its interval tonight at `level`, uncorrected. sign: of d where the candidate is better. threshold: of d.
    n, unscored, clusters: of tonight. p_fail: one-sided, over all windows; p_pass: of tonight alone;
    corrected: over the policy. window: nights that p_fail is made of. side, bound: which one-sided bound of d
    decides, and its value. note: what else a reader must know. units: which file of the history has them.
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
    units: Digest | None = None


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
    """What each unit adds to a claim. ids, clusters, groups: 64-bit digests; d: better is higher."""

    ids: Digests
    clusters: Digests
    groups: Digests
    d: Floats


def read_nights(folder: Path) -> tuple[list[Night], str]:
    """The nights of a history in the order of time, and a remark where the last line is torn; no nights where
    there is no history yet. Raises DataError for any other line that is no night.
    """
    path = folder / "nights.jsonl"
    if not path.exists():
        return [], ""
    with trying(f"read {path.name}", path, kind=DataError):
        lines = read_regular(path, LARGEST).split(b"\n")
    found: list[Night] = []
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            found.append(msgspec.json.decode(line, type=Night))
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            if number == len(lines):
                return found, f"the last line of {path.name} was torn: that night is left out"
            raise DataError.of("gates.history.damaged", path=path, line=number, why=str(error)) from error
    return sorted(found, key=lambda one: one.time), ""


def read_units(folder: Path, night: Night) -> dict[int, UnitValues]:
    """What each unit added on a night, by place of the claim within the night; {} where the file is gone.

    Raises DataError for a file that is damaged.
    """
    path = folder / "differences" / f"{night.night}.npz"
    if not path.exists():
        return {}
    found = {}
    kept = [(place, one.units) for place, one in enumerate(night.claims) if one.units]
    try:
        with np.load(io.BytesIO(read_regular(path, LARGEST)), allow_pickle=False) as held:
            for (place, units), d in zip(kept, held.values(), strict=True):
                ids, clusters, groups = np.load(_units_path(folder, units), allow_pickle=False)
                found[place] = UnitValues(ids, clusters, groups, d)
    except (OSError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise DataError.of("gates.history.units", path=path, why=str(error)) from error
    return found


def add_night(folder: Path, night: Night, units: Mapping[int, UnitValues]) -> Night:
    """Put a night into a history, in the place of the same night of before. units: by place of the claim
    within the night. Returns the night as recorded. Raises DataError.
    """
    with trying(f"write the history {folder.name}", folder, kind=DataError):
        folder.mkdir(parents=True, exist_ok=True)
        for part in ("differences", "units"):
            own_folder(folder / part)
        hashes = {place: _keep_units(folder, one) for place, one in units.items()}
        claims = [
            msgspec.structs.replace(one, units=hashes.get(place)) for place, one in enumerate(night.claims)
        ]
        night = msgspec.structs.replace(night, claims=claims)
        kept = io.BytesIO()
        np.savez_compressed(kept, *(one.d for _, one in sorted(units.items())))
        write_whole(folder / "differences" / f"{night.night}.npz", [kept.getvalue()])
        others = [one for one in read_nights(folder)[0] if one.night != night.night]
        nights = sorted([*others, night], key=lambda one: one.time)
        lines = (msgspec.json.encode(one) + b"\n" for one in nights)
        write_whole(folder / "nights.jsonl", lines)
    return night


def _keep_units(folder: Path, one: UnitValues) -> str:
    units = np.stack([one.ids, one.clusters, one.groups])
    digest = sha256_hex(units.tobytes())[:16]
    path = _units_path(folder, digest)
    if not path.exists():
        held = io.BytesIO()
        np.save(held, units)
        write_whole(path, [held.getvalue()])
    return digest


def _units_path(folder: Path, digest: str) -> Path:
    return folder / "units" / f"{digest}.npy"
