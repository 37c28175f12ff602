"""Cluster bootstrap of any formula over columns.

Whole clusters are drawn with replacement and the statistic is computed from scratch on their union, so a
random denominator is random here too. Several tables (cells) are resampled jointly: one draw of clusters
for all. Source: Efron 1979; percentile interval, specs/statistics.md section 3.5.
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Columns = Mapping[str, NDArray[Any]]
METHOD = "cluster-bootstrap-percentile"
FLAG_DROPPED = 0.05
MOST_ROWS = 20_000_000  # rows drawn in all for one interval: about 10 s
FEWEST_DRAWS = 200


class Interval(NamedTuple):
    """low, high: None if there is none, `note` says why. clusters: how many were drawn from."""

    low: float | None
    high: float | None
    clusters: int
    note: str


def seed_for(seed: int, *names: str) -> int:
    """A 64-bit seed for one number, from the run's seed and its names."""
    digest = hashlib.sha256("\x1f".join([str(seed), *names]).encode()).digest()
    return int.from_bytes(digest[:8], "big")


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
    formula: Callable[[Mapping[str, Columns]], float | None],
    tables: Mapping[str, tuple[Columns, NDArray[np.uint64]]],
    draws: int,
    seed: int,
    level: float,
) -> Interval:
    """The percentile interval of a formula over one or several tables of (columns, clusters).

    A draw for which the formula yields nothing is dropped; more than 5 % of them are noted. Fewer draws
    are made, and that is noted, where there are more than 10,000 rows: the interval is narrow there.
    """
    every = np.unique(np.concatenate([clusters for _, clusters in tables.values()]))
    if len(every) < 2:
        return Interval(None, None, len(every), "one cluster" if len(every) else "")
    held = {
        name: _Clustered(columns, np.searchsorted(every, clusters), len(every))
        for name, (columns, clusters) in tables.items()
    }
    rows = sum(len(clusters) for _, clusters in tables.values())
    affordable = min(draws, max(FEWEST_DRAWS, MOST_ROWS // rows))
    chance = np.random.default_rng(seed)
    found: list[float] = []
    for _ in range(affordable):
        picks = chance.integers(0, len(every), len(every))
        value = number(formula({name: one.draw(picks) for name, one in held.items()}))
        if value is not None:
            found.append(value)
    interval = _percentiles(found, affordable, len(every), level)
    if affordable == draws:
        return interval
    return interval._replace(note="; ".join(filter(None, (interval.note, f"{affordable} resamples"))))


def bootstrap_ratio(
    top: NDArray[np.float64],
    bottom: NDArray[np.float64],
    clusters: NDArray[np.uint64],
    draws: int,
    seed: int,
    level: float,
) -> Interval:
    """The same for sum(top) / sum(bottom), from sums per cluster."""
    count, codes = coded(clusters)
    if count < 2:
        return Interval(None, None, count, "one cluster" if count else "")
    tops, bottoms = cluster_sums(top, count, codes), cluster_sums(bottom, count, codes)
    chance = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        picks = chance.integers(0, count, count)
        below = float(bottoms[picks].sum())
        if below:
            found.append(float(tops[picks].sum()) / below)
    return _percentiles(found, draws, count, level)


def _percentiles(found: list[float], draws: int, clusters: int, level: float) -> Interval:
    if not found:
        return Interval(None, None, clusters, "no resample has a value")
    if min(found) == max(found):
        return Interval(None, None, clusters, "no variation")
    dropped = 1 - len(found) / draws
    note = f"{dropped:.0%} of the resamples have no value" if dropped > FLAG_DROPPED else ""
    low, high = np.percentile(found, [50 * (1 - level), 50 * (1 + level)])
    return Interval(float(low), float(high), clusters, note)


def number(value: Any) -> float | None:
    """A finite float, or None."""
    if value is None:
        return None
    found = float(value)
    return found if math.isfinite(found) else None
