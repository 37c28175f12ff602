"""The cluster bootstrap: an interval for any statistic without a formula.

Whole clusters are drawn with replacement and the statistic is recomputed from scratch on their union, so a
random denominator is random here too. Percentile interval, or BCa (Efron 1987) with 20 clusters or more; it
does not repair a small number of clusters. Why: docs/statistics.md, "Clusters".
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from suite.scoring.stats.estimate import Estimate, finite, joined
from suite.scoring.stats.units import Clusters, Floats, Labels, clusters_of

Statistic = Callable[[NDArray[np.intp]], float | None]
Kind = Literal["auto", "percentile", "bca"]
DRAWS = 2000
FEWEST_FOR_BCA = 20
MOST_FOR_BCA = 2000  # the jackknife costs one evaluation a cluster, and here BCa and percentile agree
FLAG_DROPPED = 0.05
SAME = 1e-12


def seed_for(seed: int, *names: str) -> int:
    """A 64-bit seed for one number, from the run's seed and the names of the number."""
    digest = hashlib.sha256("\x1f".join([str(seed), *names]).encode()).digest()
    return int.from_bytes(digest[:8], "big")


def bootstrap(
    statistic: Statistic,
    clusters: Labels | int,
    *,
    seed: int,
    draws: int = DRAWS,
    level: float = 0.95,
    kind: Kind = "auto",
) -> Estimate:
    """The value of a statistic with its cluster-bootstrap interval.

    statistic: takes the indices of the units drawn (shape (m,), a unit drawn twice is there twice) and
    returns a number, or None (or NaN) where it does not exist. clusters: n labels, or the number n of
    independent units. kind: "auto" is BCa with 20 to 2,000 clusters, else percentile; BCa falls back to
    percentile where the jackknife does not vary.
    Resamples without a value are dropped, and noted where they are more than 5 %.
    """
    groups = (
        clusters_of(None, clusters) if isinstance(clusters, int) else clusters_of(clusters, len(clusters))
    )
    n = len(groups.codes)
    value = finite(statistic(np.arange(n))) if n else None
    empty = Estimate(value, level=level, n=n, clusters=groups.count)
    if value is None:
        return replace(empty, note="no value" if n else "no scores")
    if groups.count < 2:
        return replace(empty, note="one cluster" if n > 1 else "one sample")
    members = _members(groups)
    chance = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        picks = chance.integers(0, groups.count, groups.count)
        found.append(finite(statistic(_union(members, picks, groups))))
    jackknife = None
    if _wants_bca(kind, groups.count):
        everyone = np.arange(n)
        jackknife = [finite(statistic(everyone[groups.codes != code])) for code in range(groups.count)]
    return interval_from(empty, found, jackknife)


def _wants_bca(kind: Kind, count: int) -> bool:
    return kind == "bca" or (kind == "auto" and FEWEST_FOR_BCA <= count <= MOST_FOR_BCA)


def _members(groups: Clusters) -> list[NDArray[np.intp]]:
    order = np.argsort(groups.codes, kind="stable")
    return np.split(order, np.cumsum(groups.sizes)[:-1])


def _union(
    members: Sequence[NDArray[np.intp]], picks: NDArray[np.intp], groups: Clusters
) -> NDArray[np.intp]:
    if groups.singletons:
        return np.asarray(picks)
    return np.concatenate([members[pick] for pick in picks])


def interval_from(
    point: Estimate, found: Sequence[float | None], jackknife: Sequence[float | None] | None = None
) -> Estimate:
    """The percentile interval of replicates, or BCa if the leave-one-cluster-out values are given too.

    point: value, level, n and clusters of the statistic; its method and note are filled in.
    """
    kept = np.array([one for one in found if one is not None])
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
