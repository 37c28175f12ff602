"""The cluster bootstrap: an interval for any statistic without a formula.

Whole clusters are drawn with replacement and the statistic is computed from scratch on their union, so a
random denominator is random here too. `bootstrap`: of a statistic of indices; percentiles, or BCa (Efron
1987) with 20 clusters or more. `resample`: of a formula of columns, as runs print it; percentiles at
Student's quantile (Hesterberg 2015), or leaving out one cluster where that is wider; several tables (cells)
are resampled jointly, one draw of clusters for all. Why: docs/statistics.md, "Clusters".
"""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from suite.scoring.stats.clusters import Array, Digests, Floats, Labels, Scores, clusters_of, floats
from suite.scoring.stats.estimate import Estimate, Limits, finite, joined
from suite.scoring.stats.intervals import FEWEST_VALUES, Tails, t_quantile, tails_of
from suite.scoring.stats.means import FEW_VALUES, of_left_out

Statistic = Callable[[NDArray[np.intp]], float | None]
Columns = Mapping[str, Array]
Formula = Callable[[Mapping[str, Columns]], float | None]
Kind = Literal["auto", "percentile", "bca"]
DRAWS = 2000
FEWEST_FOR_BCA = 20
MOST_FOR_BCA = 2000  # the jackknife costs one evaluation a cluster, and here BCa and percentile agree
FLAG_DROPPED = 0.05
SAME = 1e-12
MOST_ROWS = 20_000_000  # rows drawn in all for one interval: about 10 s
FEWEST_DRAWS = 200
MOST_LEFT_OUT = 2000  # clusters; leaving out one costs as much as a draw


def seed_for(seed: int, *names: str) -> int:
    """A 64-bit seed for one number, from the run's seed and the names of the number."""
    digest = hashlib.sha256("\x1f".join([str(seed), *names]).encode()).digest()
    return int.from_bytes(digest[:8], "big")


class _Clustered:
    """Columns sorted by cluster code, to gather any multiset of clusters quickly."""

    def __init__(self, columns: Columns, codes: NDArray[np.intp], clusters: int) -> None:
        order = np.argsort(codes, kind="stable")
        self._columns = {name: column[order] for name, column in columns.items()}
        self._sizes = np.bincount(codes, minlength=clusters)
        self._starts = np.cumsum(self._sizes) - self._sizes

    def draw(self, picks: NDArray[np.intp]) -> dict[str, Array]:
        """The columns of these clusters; "cluster" numbers the draws, so a cluster drawn twice is two."""
        sizes = self._sizes[picks]
        ends = np.cumsum(sizes)
        total = int(ends[-1]) if len(ends) else 0
        index = np.repeat(self._starts[picks] - (ends - sizes), sizes) + np.arange(total)
        drawn = {name: column[index] for name, column in self._columns.items()}
        drawn["cluster"] = np.repeat(np.arange(len(picks)), sizes)
        return drawn


def bootstrap(
    statistic: Statistic, clusters: Labels | int, *, seed: int, draws: int = DRAWS, level: float = 0.95,
    kind: Kind = "auto",
) -> Estimate:  # fmt: skip
    """The value of a statistic with its cluster-bootstrap interval.

    statistic: takes the indices of the units drawn (shape (m,), a unit drawn twice is there twice) and
    returns a number, or None (or NaN) where it does not exist. clusters: n labels, or the number n of
    independent units. kind: "auto" is BCa with 20 to 2,000 clusters, else percentile; BCa falls back to
    percentile where the jackknife does not vary.
    Resamples without a value are dropped, and noted where they are more than 5 %.
    """
    labels, n = (None, clusters) if isinstance(clusters, int) else (clusters, len(clusters))
    groups = clusters_of(labels, n)
    value = finite(statistic(np.arange(n))) if n else None
    empty = Estimate(value, level=level, n=n, clusters=groups.count)
    if value is None:
        return replace(empty, note="no value" if n else "no scores")
    if groups.count < 2:
        return replace(empty, note="one cluster" if n > 1 else "one sample")
    units = _Clustered({"units": np.arange(n)}, groups.codes, groups.count)
    chance = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        picks = chance.integers(0, groups.count, groups.count)
        found.append(finite(statistic(picks if groups.singletons else units.draw(picks)["units"])))
    jackknife, everyone = None, np.arange(n)
    if kind == "bca" or (kind == "auto" and FEWEST_FOR_BCA <= groups.count <= MOST_FOR_BCA):
        jackknife = [finite(statistic(everyone[groups.codes != code])) for code in range(groups.count)]
    return interval_from(empty, found, jackknife)


def interval_from(
    point: Estimate, found: Scores, jackknife: Sequence[float | None] | None = None
) -> Estimate:
    """The percentile interval of replicates, or BCa if the leave-one-cluster-out values are given too.

    point: value, level, n and clusters of the statistic; its method and note are filled in.
    """
    kept = floats(found)
    kept = kept[~np.isnan(kept)]
    if not len(kept) or point.value is None:
        return replace(point, note=joined(point.note, "no resample has a value"))
    if np.ptp(kept) < SAME:
        return replace(point, note=joined(point.note, "no variation"))
    lost = 1 - len(kept) / len(found)
    note = f"{lost:.0%} of the resamples have no value" if lost > FLAG_DROPPED else ""
    shares = np.array([(1 - point.level) / 2, (1 + point.level) / 2])
    adjusted = None if jackknife is None else _bca_shares(point.value, kept, jackknife, shares)
    method = "cluster-bootstrap-percentile" if adjusted is None else "cluster-bootstrap-bca"
    low, high = np.quantile(kept, shares if adjusted is None else adjusted)
    return replace(point, low=float(low), high=float(high), method=method, note=joined(point.note, note))


def _bca_shares(
    value: float, kept: Floats, jackknife: Sequence[float | None], shares: Floats
) -> Floats | None:
    """Where to cut the replicates after correction for bias and skew; None where BCa does not exist."""
    left_out = np.array([one for one in jackknife if one is not None])
    if len(left_out) < len(jackknife) or np.ptp(left_out) < SAME:
        return None
    below = (np.count_nonzero(kept < value) + np.count_nonzero(kept <= value)) / (2 * len(kept))
    if not 0 < below < 1:
        return None
    bias = ndtri(below)
    away = left_out.mean() - left_out
    skew = (away**3).sum() / (6 * (away**2).sum() ** 1.5)
    cuts = bias + ndtri(shares)
    below_one = 1 - skew * cuts
    if (below_one <= 0).any():
        return None
    found: Floats = ndtr(bias + cuts / below_one)
    return found


@dataclass(frozen=True)
class Resampled:
    """A formula's value by resampling. drawn: its replicates, sorted. left: what leaving out each cluster
    shows, None where there are too many clusters: then the replicates' standard deviation. count: clusters.
    """

    value: float
    drawn: NDArray[np.float64]
    left: Tails | None
    count: int

    def at(self, level: float) -> tuple[float, float]:
        """The interval at a level: percentiles at Student's quantile, or wider by leaving out one cluster."""
        tail = float(ndtr(-math.sqrt(self.count / (self.count - 1)) * t_quantile(self.count - 1, level)))
        low, high = (float(one) for one in np.quantile(self.drawn, [tail, 1 - tail]))
        half = t_quantile(self.count - 1, level) * float(self.drawn.std())
        other = (self.value - half, self.value + half) if self.left is None else self.left.at(level)
        return min(low, other[0]), max(high, other[1])


def resample(
    value: float, formula: Formula, tables: Mapping[str, tuple[Columns, Digests]], draws: int, seed: int,
    limits: Limits = None,
) -> tuple[Resampled | None, str]:  # fmt: skip
    """A formula resampled over one or several tables of (columns, clusters); None and why, or remarks.

    A draw for which the formula yields nothing is dropped; more than 5 % of them are noted. Fewer draws are
    made, and that is noted, where there are more than 10,000 rows: the interval is narrow there. Sources:
    Efron 1982; Hesterberg 2015 (percentiles at Student's quantile for few clusters).
    """
    every = np.unique(np.concatenate([clusters for _, clusters in tables.values()]))
    count, rows = len(every), sum(len(clusters) for _, clusters in tables.values())
    if count < 2:
        return None, "one cluster"
    if rows < FEWEST_VALUES:
        return None, FEW_VALUES
    held = {
        name: _Clustered(columns, np.searchsorted(every, clusters), count)
        for name, (columns, clusters) in tables.items()
    }

    def of(picks: NDArray[np.intp]) -> float | None:
        return finite(formula({name: one.draw(picks) for name, one in held.items()}))

    affordable = min(draws, max(FEWEST_DRAWS, MOST_ROWS // rows))
    chance = np.random.default_rng(seed)
    found = [of(chance.integers(0, count, count)) for _ in range(affordable)]
    drawn = np.sort([one for one in found if one is not None])
    lost = 1 - len(drawn) / affordable
    note = f"{lost:.0%} of the resamples have no value" if lost > FLAG_DROPPED else ""
    left = None
    if count <= min(MOST_LEFT_OUT, affordable):
        without = (of(np.delete(np.arange(count), left_out)) for left_out in range(count))
        values = np.array([value if one is None else one for one in without])
        left = tails_of(of_left_out(value, values).values, limits)
    if not len(drawn) or (np.ptp(drawn) < SAME and left is None):
        return None, joined(note, "no variation" if len(drawn) else "no resample has a value")
    few = "" if affordable == draws else f"{affordable} resamples"
    return Resampled(value, drawn, left, count), joined(note, few)
