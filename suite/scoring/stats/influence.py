"""A mean as the mean of independent values: one a cluster, also where groups weigh the same.

Each value says what its cluster does to the whole; their spread gives the standard error. Unequal clusters
are worth fewer than there are, and small groups borrow the spread of the others. Sources: Tukey 1958, Efron
1982 (jackknife values; "CR3" of MacKinnon and White 1985); Carter, Schnepel and Steigerwald 2017 (effective
clusters); Satterthwaite 1946 (degrees of freedom). Why: docs/statistics.md.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from suite.scoring.stats.clusters import Clusters, Codes, Floats

BORROWED = 0.5  # values a group for which the variance about the whole counts in that within groups


class Influence(NamedTuple):
    """values: one a cluster, their mean is `mean`. se, df: of the mean; df 0 where there is but one cluster.

    worth: clusters of equal weight that these are worth. clusters: how many there are. seen: their own means.
    """

    mean: float
    values: Floats
    se: float
    df: float
    worth: float
    clusters: int
    seen: Floats


def of_mean(x: Floats, clusters: Clusters) -> Influence:
    """Of the mean of n >= 1 units."""
    n, count = len(x), clusters.count
    mean = math.fsum(x) / n
    if count < 2:
        return Influence(mean, np.array([mean]), 0.0, 0.0, 1.0, count, np.array([mean]))
    if clusters.singletons:
        away = x - mean
        return Influence(mean, x, math.sqrt(math.fsum(away * away) / (n - 1) / n), n - 1, n, n, x)
    sizes = clusters.sizes.astype(np.float64)
    values = mean + (count - 1) * (clusters.sums(x - mean) / (n - sizes))  # of the jackknife
    worth = n * n / float(sizes @ sizes)  # in equal clusters
    away = values - mean
    se = math.sqrt(math.fsum(away * away) / (count * (count - 1)))
    seen = clusters.sums(x) / clusters.sizes
    return Influence(mean, mean + away - away.mean(), se, max(worth - 1, 1.0), worth, count, seen)


def of_macro(groups: Sequence[Floats], clusters: Sequence[Clusters]) -> Influence:
    """Of the unweighted mean of group means; every cluster lies in one group.

    A group's variance is drawn to that of all groups by the weight of one value, and that by as much to the
    variance about the macro mean: so a group of one cluster has one, too.
    """
    k = len(groups)
    parts = [of_mean(x, own) for x, own in zip(groups, clusters, strict=True)]
    mean = math.fsum(one.mean for one in parts) / k
    sizes = np.array([one.clusters for one in parts], dtype=np.float64)
    total = float(sizes.sum())
    own = np.array([one.se**2 * one.clusters for one in parts])
    weights = 1 / (k * sizes)
    around = math.fsum(
        w * float(((one.values - mean) ** 2).sum()) for w, one in zip(weights, parts, strict=True)
    )
    around *= total / max(total - 1, 1)
    shared = (float(((sizes - 1) * own).sum()) + BORROWED * k * around) / (total - k + BORROWED * k)
    pieces = ((sizes - 1) * own + shared) / sizes * weights / k
    variance = float(pieces.sum())
    df = variance**2 / float((pieces**2 / sizes).sum()) * (total - 1) / total if variance > 0 else total - 1
    values = np.concatenate(
        [
            mean + total * w * (one.values - one.mean + (one.mean - mean) / math.sqrt(one.clusters))
            for w, one in zip(weights, parts, strict=True)
        ]
    )
    count = k / float(weights.sum())
    seen = np.concatenate([one.seen for one in parts])
    return Influence(mean, values + mean - values.mean(), math.sqrt(variance), df, count, int(total), seen)


def of_crossed(groups: Sequence[Floats], codes: Sequence[Codes], count: int) -> Influence:
    """The same where clusters lie across groups. codes: of each group's units, below `count`."""
    k = len(groups)
    means = [math.fsum(x) / len(x) for x in groups]
    mean = math.fsum(means) / k
    pulls, weights, sums, units = (np.zeros(count) for _ in range(4))
    for x, own, inside in zip(groups, means, codes, strict=True):
        sizes = np.bincount(inside, minlength=count)
        centre = own + (mean - own) / math.sqrt(np.count_nonzero(sizes))
        pulls += np.bincount(inside, weights=x - centre, minlength=count) / (k * len(x))
        weights += sizes / (k * len(x))
        sums, units = sums + np.bincount(inside, weights=x, minlength=count), units + sizes
    if count < 2:
        return Influence(mean, np.array([mean]), 0.0, 0.0, 1.0, count, np.array([mean]))
    worth = 1 / float(weights @ weights)
    se = math.sqrt(count / (count - 1) * float(pulls @ pulls))
    values = mean + count * (pulls - pulls.mean())
    return Influence(mean, values, se, max(worth - 1, 1.0), worth, count, sums / units)


def of_ratio(top: Floats, bottom: Floats, clusters: Clusters) -> Influence:
    """Of sum(top)/sum(bottom), by leaving out one cluster at a time."""
    tops, bottoms = clusters.sums(top), clusters.sums(bottom)
    above, below = math.fsum(top), math.fsum(bottom)
    value, count = above / below, clusters.count
    if count < 2:
        return Influence(value, np.array([value]), 0.0, 0.0, 1.0, count, np.array([value]))
    rest = below - bottoms
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.where(rest == 0, value, (above - tops) / rest)
        seen = np.where(bottoms == 0, value, tops / bottoms)
    return of_left_out(value, left, seen)


def of_left_out(value: float, left: Floats, seen: Floats | None = None) -> Influence:
    """Of any statistic. left: its value without one cluster, for each of n >= 2."""
    count = len(left)
    pulls = (count - 1) * (math.fsum(left) / count - left)
    se = math.sqrt(math.fsum(pulls * pulls) / (count * (count - 1)))
    values = value + pulls
    return Influence(value, values, se, count - 1, count, count, values if seen is None else seen)
