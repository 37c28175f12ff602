"""Cluster bootstrap of any formula over columns.

Whole clusters are drawn with replacement and the statistic is computed from scratch on their union, so a
random denominator is random here too. Several tables (cells) are resampled jointly: one draw of clusters
for all. Formulas see columns here, indices in `stats.bootstrap`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from suite.scoring.metrics import Range
from suite.scoring.stats.bootstrap import FLAG_DROPPED, SAME
from suite.scoring.stats.covering import FEW_VALUES
from suite.scoring.stats.estimate import Estimate, finite, joined
from suite.scoring.stats.influence import of_left_out
from suite.scoring.stats.intervals import clip, t_quantile
from suite.scoring.stats.unseen import FEWEST_VALUES, Spread, spread_of

Columns = Mapping[str, NDArray[Any]]
MOST_ROWS = 20_000_000  # rows drawn in all for one interval: about 10 s
FEWEST_DRAWS = 200
MOST_LEFT_OUT = 2000  # clusters; leaving out one costs as much as a draw


def how_many(clusters: NDArray[np.uint64]) -> int:
    """How many clusters there are."""
    ordered = np.sort(clusters)
    return len(clusters) - int((ordered[1:] == ordered[:-1]).sum())


class _Clustered:
    """Columns sorted by cluster code, to gather any multiset of clusters quickly."""

    def __init__(self, columns: Columns, codes: NDArray[np.intp], clusters: int) -> None:
        order = np.argsort(codes, kind="stable")
        self._columns = {name: column[order] for name, column in columns.items()}
        self._sizes = np.bincount(codes, minlength=clusters)
        self._starts = np.cumsum(self._sizes) - self._sizes

    def draw(self, picks: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
        """The columns of these clusters; "cluster" numbers the draws, so a cluster drawn twice is two."""
        sizes = self._sizes[picks]
        ends = np.cumsum(sizes)
        total = int(ends[-1]) if len(ends) else 0
        index = np.repeat(self._starts[picks] - (ends - sizes), sizes) + np.arange(total)
        drawn = {name: column[index] for name, column in self._columns.items()}
        drawn["cluster"] = np.repeat(np.arange(len(picks)), sizes)
        return drawn


@dataclass(frozen=True)
class Resampled:
    """A formula's value by resampling. drawn: its replicates, sorted. left: what leaving out each cluster
    shows, None where there are too many clusters: then the replicates' standard deviation. count: clusters.
    """

    value: float
    drawn: NDArray[np.float64]
    left: Spread | None
    count: int

    def at(self, level: float) -> tuple[float, float]:
        """The interval at a level: percentiles at Student's quantile, or wider by leaving out one cluster."""
        tail = float(ndtr(-math.sqrt(self.count / (self.count - 1)) * t_quantile(self.count - 1, level)))
        low, high = (float(one) for one in np.quantile(self.drawn, [tail, 1 - tail]))
        half = t_quantile(self.count - 1, level) * float(self.drawn.std())
        other = (self.value - half, self.value + half) if self.left is None else self.left.at(level)
        return min(low, other[0]), max(high, other[1])


def resample(
    value: float,
    formula: Callable[[Mapping[str, Columns]], float | None],
    tables: Mapping[str, tuple[Columns, NDArray[np.uint64]]],
    draws: int,
    seed: int,
    limits: Range | None = None,
) -> tuple[Resampled | None, str]:
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
        without = [of(np.delete(np.arange(count), left_out)) for left_out in range(count)]
        left = spread_of(
            of_left_out(value, np.array([value if w is None else w for w in without])).values, limits
        )
    if not len(drawn) or (np.ptp(drawn) < SAME and left is None):
        return None, joined(note, "no variation" if len(drawn) else "no resample has a value")
    few = "" if affordable == draws else f"{affordable} resamples"
    return Resampled(value, drawn, left, count), joined(note, few)


def bootstrap_formula(
    value: float | None,
    formula: Callable[[Mapping[str, Columns]], float | None],
    tables: Mapping[str, tuple[Columns, NDArray[np.uint64]]],
    draws: int,
    seed: int,
    level: float,
    limits: Range | None = None,
) -> Estimate:
    """A formula's value with its interval, see `resample`; cut to the limits."""
    clusters = np.concatenate([clusters for _, clusters in tables.values()])
    point = Estimate(value, level=level, n=len(clusters), clusters=len(np.unique(clusters)))
    if value is None:
        return point
    found, note = resample(value, formula, tables, draws, seed, limits)
    if found is None:
        return replace(point, note=note)
    low, high = clip(found.at(level), limits)
    return replace(point, low=low, high=high, method="cluster-bootstrap", note=note)
