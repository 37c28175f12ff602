"""Cluster bootstrap of any formula over columns.

Whole clusters are drawn with replacement and the statistic is computed from scratch on their union, so a
random denominator is random here too. Several tables (cells) are resampled jointly: one draw of clusters
for all. Formulas see columns here; `stats.bootstrap` has the intervals.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.scoring.stats.bootstrap import FEWEST_FOR_BCA, MOST_FOR_BCA, interval_from
from suite.scoring.stats.estimate import Estimate, finite, joined

Columns = Mapping[str, NDArray[Any]]
MOST_ROWS = 20_000_000  # rows drawn in all for one interval: about 10 s
FEWEST_DRAWS = 200


def coded(clusters: NDArray[np.uint64]) -> tuple[int, NDArray[np.intp] | None]:
    """(how many clusters, their codes in order of digest); no codes where every unit is its own."""
    count = how_many(clusters)
    if count == len(clusters):
        return count, None
    return count, np.unique(clusters, return_inverse=True)[1]


def how_many(clusters: NDArray[np.uint64]) -> int:
    """How many clusters there are."""
    ordered = np.sort(clusters)
    return len(clusters) - int((ordered[1:] == ordered[:-1]).sum())


def cluster_sums(x: NDArray[np.float64], count: int, codes: NDArray[np.intp] | None) -> NDArray[np.float64]:
    """Sum of a column within each cluster."""
    if codes is None:
        return x
    return np.asarray(np.bincount(codes, weights=x, minlength=count), dtype=np.float64)


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


def bootstrap_formula(
    value: float | None,
    formula: Callable[[Mapping[str, Columns]], float | None],
    tables: Mapping[str, tuple[Columns, NDArray[np.uint64]]],
    draws: int,
    seed: int,
    level: float,
) -> Estimate:
    """A formula's value with its interval over one or several tables of (columns, clusters).

    BCa with 20 to 2,000 clusters, else percentile. A draw for which the formula yields nothing is dropped;
    more than 5 % of them are noted. Fewer draws are made, and that is noted, where there are more than
    10,000 rows: the interval is narrow there.
    """
    every = np.unique(np.concatenate([clusters for _, clusters in tables.values()]))
    count, rows = len(every), sum(len(clusters) for _, clusters in tables.values())
    point = Estimate(value, level=level, n=rows, clusters=count)
    if value is None or count < 2:
        return replace(point, note="one cluster" if count == 1 and value is not None else "")
    held = {
        name: _Clustered(columns, np.searchsorted(every, clusters), count)
        for name, (columns, clusters) in tables.items()
    }

    def of(picks: NDArray[np.intp]) -> float | None:
        return finite(formula({name: one.draw(picks) for name, one in held.items()}))

    affordable = min(draws, max(FEWEST_DRAWS, MOST_ROWS // rows))
    chance = np.random.default_rng(seed)
    found = [of(chance.integers(0, count, count)) for _ in range(affordable)]
    jackknife = None
    if FEWEST_FOR_BCA <= count <= min(MOST_FOR_BCA, affordable):
        jackknife = [of(np.delete(np.arange(count), left_out)) for left_out in range(count)]
    interval = interval_from(point, found, jackknife)
    few = "" if affordable == draws else f"{affordable} resamples"
    return replace(interval, note=joined(interval.note, few))


def bootstrap_ratio(
    top: NDArray[np.float64],
    bottom: NDArray[np.float64],
    clusters: NDArray[np.uint64],
    draws: int,
    seed: int,
    level: float,
) -> Estimate:
    """The same for sum(top) / sum(bottom), a sum that is not zero, from sums per cluster."""
    count, codes = coded(clusters)
    below = float(bottom.sum())
    point = Estimate(float(top.sum()) / below, level=level, n=len(top), clusters=count)
    if count < 2:
        return replace(point, note="one cluster")
    tops, bottoms = cluster_sums(top, count, codes), cluster_sums(bottom, count, codes)
    chance = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        picks = chance.integers(0, count, count)
        found.append(_ratio(float(tops[picks].sum()), float(bottoms[picks].sum())))
    jackknife = None
    if FEWEST_FOR_BCA <= count <= MOST_FOR_BCA:
        whole, under = float(tops.sum()), float(bottoms.sum())
        jackknife = [_ratio(whole - t, under - b) for t, b in zip(tops, bottoms, strict=True)]
    return interval_from(point, found, jackknife)


def _ratio(above: float, below: float) -> float | None:
    return above / below if below else None
