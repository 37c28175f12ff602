"""Averages over groups: macro (every group weighs the same) and stratified micro (every unit does).

They answer different questions and can differ by 0.1, so both are shown; the task declares the headline.
Why: docs/numbers.md, "Macro and micro".
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from suite.scoring.stats.bootstrap import DRAWS, bootstrap
from suite.scoring.stats.estimate import Estimate, joined
from suite.scoring.stats.intervals import clip, normal_quantile, t_quantile
from suite.scoring.stats.mean import NOTHING, Spread, spread
from suite.scoring.stats.units import Clusters, Floats, Labels, Scores, clusters_of, floats, subset

ENOUGH_CLUSTERS = 30
Population = Literal["fixed", "random"]
Limits = tuple[float, float] | None


def macro(
    scores: Scores,
    groups: Sequence[str],
    clusters: Labels | None = None,
    *,
    population: Population = "fixed",
    drop_empty: bool = False,
    value_range: Limits = None,
    level: float = 0.95,
    seed: int = 0,
    draws: int = DRAWS,
) -> Estimate:
    """Unweighted mean of the group means.

    scores, groups: shape (n,); None is unscored. population: "fixed" if the groups are all there are (SE =
    sqrt(sum SE_k^2)/K, normal quantile, or t with the fewest clusters minus one where a group has under 30),
    "random" for claims about unseen groups (sd of the group means/sqrt(K), t with K - 1). A cluster that
    spans groups, or a group with one cluster, is resampled. A group without scores leaves no value, unless
    drop_empty.
    """
    x = floats(scores)
    keep = ~np.isnan(x)
    names, codes = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    sizes = np.bincount(codes[keep], minlength=len(names))
    empty = [str(name) for name, size in zip(names, sizes, strict=True) if not size]
    point = Estimate(None, level=level, n=int(keep.sum()), n_unscored=int((~keep).sum()), clusters=0)
    if not len(names) or (empty and not drop_empty) or not sizes.any():
        return replace(point, note=f"no score in {', '.join(empty[:5])}" if empty else "no scores")
    found = clusters_of(subset(clusters, keep), point.n)
    inside = np.unique(codes[keep], return_inverse=True)[1]
    parts = _parts(x[keep], inside, found)
    value = math.fsum(part.mean for part in parts) / len(parts)
    note = f"macro over {len(parts)} groups" + (f", {len(empty)} empty" if empty else "")
    point = replace(point, value=value, clusters=found.count, note=note)
    if population == "random":
        return _over_random(point, parts, value_range)
    spanning = sum(part.clusters for part in parts) > found.count
    if spanning or any(part.se is None for part in parts):
        return _resampled(point, x[keep], inside, found, seed, draws)
    return _over_fixed(point, parts, value_range)


def _parts(x: Floats, codes: NDArray[np.intp], clusters: Clusters) -> list[Spread]:
    found = []
    for code in range(int(codes.max()) + 1):
        inside = codes == code
        found.append(spread(x[inside], clusters_of(clusters.codes[inside], int(inside.sum()))))
    return found


def _over_fixed(point: Estimate, parts: Sequence[Spread], value_range: Limits) -> Estimate:
    se = math.sqrt(math.fsum((part.se or 0.0) ** 2 for part in parts)) / len(parts)
    fewest = min(part.clusters for part in parts)
    normal = fewest >= ENOUGH_CLUSTERS
    quantile = normal_quantile(point.level) if normal else t_quantile(fewest - 1, point.level)
    return _around(point, quantile * se, "macro-z" if normal else "macro-t", value_range)


def _over_random(point: Estimate, parts: Sequence[Spread], value_range: Limits) -> Estimate:
    k = len(parts)
    if k < 2:
        return replace(point, note=joined(point.note, "one group"))
    se = float(np.std([part.mean for part in parts], ddof=1)) / math.sqrt(k)
    return _around(point, t_quantile(k - 1, point.level) * se, "macro-random-t", value_range)


def _around(point: Estimate, half: float, method: str, value_range: Limits) -> Estimate:
    if point.value is None or half < NOTHING:
        return replace(point, note=joined(point.note, "no variation"))
    low, high = clip((point.value - half, point.value + half), value_range)
    return replace(point, low=low, high=high, method=method)


def _resampled(
    point: Estimate, x: Floats, codes: NDArray[np.intp], clusters: Clusters, seed: int, draws: int
) -> Estimate:
    k = int(codes.max()) + 1

    def statistic(units: NDArray[np.intp]) -> float | None:
        sizes = np.bincount(codes[units], minlength=k)
        if not sizes.all():
            return None
        return float((np.bincount(codes[units], weights=x[units], minlength=k) / sizes).mean())

    found = bootstrap(statistic, clusters.codes, seed=seed, draws=draws, level=point.level)
    return replace(found, n_unscored=point.n_unscored, note=joined(point.note, found.note))


def stratified(
    scores: Scores,
    groups: Sequence[str],
    clusters: Labels | None = None,
    *,
    value_range: Limits = None,
    level: float = 0.95,
) -> Estimate:
    """Mean over all units where the group sizes are fixed by design: SE = sqrt(sum n_k^2 SE_k^2)/n.

    A group with one cluster leaves no interval.
    """
    x = floats(scores)
    keep = ~np.isnan(x)
    n = int(keep.sum())
    point = Estimate(None, level=level, n=n, n_unscored=len(x) - n, clusters=0)
    if not n:
        return replace(point, note="no scores")
    codes = np.unique(np.asarray(groups, dtype=np.str_)[keep], return_inverse=True)[1]
    found = clusters_of(subset(clusters, keep), n)
    parts = _parts(x[keep], codes, found)
    point = replace(point, value=math.fsum(x[keep]) / n, clusters=found.count)
    if any(part.se is None for part in parts):
        return replace(point, note="a group has one cluster")
    sizes = np.bincount(codes)
    total = math.fsum((size * (part.se or 0.0)) ** 2 for size, part in zip(sizes, parts, strict=True))
    return _around(point, normal_quantile(level) * math.sqrt(total) / n, "stratified-z", value_range)
