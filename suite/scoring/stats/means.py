"""Estimates whose intervals hold the truth where data are few, alike, skewed, clustered or split into groups.

Every mean that a run prints comes from here. It is taken as the mean of independent values, one a cluster,
each saying what its cluster does to the whole (`Influence`); their spread gives the standard error. Unequal
clusters are worth fewer than there are, and small groups borrow the spread of the others. Shares: a beta
interval at the effective number of units. Graded values: `intervals.tails_of`. Which method for what was
chosen by benchmarks/coverage.py; its table and the reasons are in docs/statistics.md. pass@k and pass^k are
means of unbiased estimates, one a sample: graded, never 0/1.

What textbooks say of a mean (`spread`) stands beside paired differences and labels of people.

Sources: Tukey 1958, Efron 1982 (jackknife values; "CR3" of MacKinnon and White 1985); Carter, Schnepel and
Steigerwald 2017 (effective clusters); Satterthwaite 1946 (degrees of freedom); Chen et al. 2021 (arXiv
2107.03374) eq. 1; tau-bench (arXiv 2406.12045); Miller 2024 (arXiv 2411.00640) and Korn and Graubard 1998
for `spread`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import comb
from typing import NamedTuple

import numpy as np

from suite.scoring.stats import intervals
from suite.scoring.stats.clusters import Clusters, Codes, Digests, Floats, cluster_flags
from suite.scoring.stats.estimate import Estimate, Limits, Pair, joined

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


class Spread(NamedTuple):
    """mean and its CR1 standard error (None with fewer than two clusters) of n units in so many clusters.

    se_iid: what the standard error were if all units were independent.
    """

    mean: float
    se: float | None
    clusters: int
    se_iid: float | None
    n: int

    @property
    def varies(self) -> bool:
        """Whether there is an error that is more than rounding."""
        return self.se is not None and self.se >= intervals.NOTHING * max(1.0, abs(self.mean))

    @property
    def n_effective(self) -> float:
        """Independent units worth as much, by the design effect."""
        if self.se is None or not self.se_iid or self.clusters == self.n:
            return float(self.n)
        return self.n / (self.se / self.se_iid) ** 2


def spread(x: Floats, clusters: Clusters) -> Spread:
    """Mean and cluster-robust (CR1) standard error of n >= 1 scores without missing ones.

    SE = sqrt(G/(G-1) sum_g (sum_{i in g} (x_i - m))^2) / n; singletons give s/sqrt(n). Equals statsmodels OLS
    on a constant with cov_type="cluster".
    """
    n, count = len(x), clusters.count
    mean = math.fsum(x) / n
    if count < 2:
        return Spread(mean, None, count, None, n)
    residuals = x - mean
    iid = math.sqrt(math.fsum(residuals * residuals) * n / (n - 1)) / n
    if clusters.singletons:
        return Spread(mean, iid, count, iid, n)
    sums = clusters.sums(residuals)
    return Spread(mean, math.sqrt(math.fsum(sums * sums) * count / (count - 1)) / n, count, iid, n)


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
    squares = [float(((one.values - mean) ** 2).sum()) for one in parts]
    around = math.fsum(w * one for w, one in zip(weights, squares, strict=True))
    around *= total / max(total - 1, 1)
    shared = (float(((sizes - 1) * own).sum()) + BORROWED * k * around) / (total - k + BORROWED * k)
    pieces = ((sizes - 1) * own + shared) / sizes * weights / k
    variance = float(pieces.sum())
    df = variance**2 / float((pieces**2 / sizes).sum()) * (total - 1) / total if variance > 0 else total - 1
    away = [one.values - one.mean + (one.mean - mean) / math.sqrt(one.clusters) for one in parts]
    values = np.concatenate([mean + total * w * one for w, one in zip(weights, away, strict=True)])
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


ONE_CLUSTER = "one cluster"
NO_VARIATION = "no variation"
Interval = Callable[[float], Pair]  # from a level to the ends; wider ones hold narrower ones
FEW_VALUES = "fewer than five values"
SMALLEST_P = 1e-9
STEPS = 40


def covering_mean(
    x: Floats, clusters: Clusters, *, binary: bool = False, limits: Limits = None, level: float = 0.95
) -> Estimate:
    """Mean of units without missing ones. binary: 0/1 by declaration. limits: of the values."""
    if not len(x):
        return Estimate(None, level=level, clusters=0, note="no scores")
    found = of_mean(x, clusters)
    plain = Estimate(found.mean, level=level, n=len(x), clusters=found.clusters, note=cluster_flags(clusters))
    if clusters.singletons and binary:
        low, high = intervals.share_interval(found.mean, len(x), level)
        return replace(plain, low=low, high=high, method="beta", n_effective=len(x))
    if not clusters.singletons and found.clusters > 1:
        iid = float(x.std(ddof=1)) / len(x) ** 0.5
        if found.se > intervals.NOTHING and iid > intervals.NOTHING:
            plain = replace(plain, n_effective=len(x) * (iid / found.se) ** 2)
    kind = "" if clusters.singletons else "cluster-"
    return covered(plain, found, binary=binary, limits=limits, kind=kind)


def covering_macro(
    groups: Sequence[Floats],
    clusters: Sequence[Clusters],
    *,
    binary: bool = False,
    limits: Limits = None,
    level: float = 0.95,
) -> Estimate:
    """Unweighted mean of the means of groups, none empty. clusters: of each group's units, with codes of one
    table for all groups, since a cluster may lie in several.
    """
    if len(groups) == 1:
        return covering_mean(groups[0], clusters[0].packed(), binary=binary, limits=limits, level=level)
    found = influence_of_macro(groups, clusters)
    plain = Estimate(found.mean, level=level, n=sum(map(len, groups)), clusters=found.clusters)
    made = covered(plain, found, binary=binary, limits=limits, kind="macro-")
    alike = binary and 0 < found.mean < 1 and not any(map(np.ptp, groups))
    if not alike or made.low is None or made.high is None:
        return made
    low, high = _moved(groups, clusters, level)
    return replace(made, low=min(made.low, found.mean - low), high=max(made.high, found.mean + high))


def _moved(groups: Sequence[Floats], clusters: Sequence[Clusters], level: float) -> Pair:
    """How far below and above the mean of group means its truth may lie, by the intervals of their shares.

    Groups whose values are all alike show no variance, but their shares have intervals. Source: Zou and
    Donner 2008 (method of variance estimates recovery).
    """
    away = []
    for x, own in zip(groups, clusters, strict=True):
        one = covering_mean(x, own.packed(), binary=True, level=level)
        low, high = (0.0, 1.0) if one.low is None or one.high is None else (one.low, one.high)
        away.append((float(x.mean()) - low, high - float(x.mean())))
    below, above = np.linalg.norm(away, axis=0) / len(groups)
    return float(below), float(above)


def influence_of_macro(groups: Sequence[Floats], clusters: Sequence[Clusters]) -> Influence:
    """Of the unweighted mean of group means, whether clusters lie in one group each or across."""
    within = [one.packed() for one in clusters]
    shared, codes = np.unique(np.concatenate([one.codes for one in clusters]), return_inverse=True)
    if len(shared) == sum(one.count for one in within):
        return of_macro(groups, within)
    parts = np.split(codes, np.cumsum([len(one) for one in groups])[:-1])
    return of_crossed(groups, parts, len(shared))


def covering_ratio(
    top: Floats, bottom: Floats, clusters: Clusters, limits: Limits = None, level: float = 0.95
) -> Estimate:
    """sum(top)/sum(bottom), a sum that is not zero; by leaving out one cluster at a time."""
    found = of_ratio(top, bottom, clusters)
    plain = Estimate(found.mean, level=level, n=len(top), clusters=found.clusters)
    return covered(plain, found, limits=limits, kind="ratio-")


Sums = tuple[Floats, Floats, Digests]  # of the units of a stratum: above the line, below it, their clusters


def covering_sums(
    value: float, cells: Sequence[Sequence[Sums]], limits: Limits = None, level: float = 0.95
) -> Estimate:
    """The mean over cells of the mean over strata of sum(top)/sum(bottom), by linearisation over clusters.

    value: it. cells: of each its strata, none with a sum of 0 below.
    """
    pulls = []
    for strata in cells:
        for top, bottom, _ in strata:
            below = float(bottom.sum())
            pulls.append((top - float(top.sum()) / below * bottom) / below / len(strata) / len(cells))
    digests = np.concatenate([clusters for strata in cells for *_, clusters in strata])
    _, first, codes = np.unique(digests, return_index=True, return_inverse=True)
    count = len(first)
    plain = Estimate(value, level=level, n=len(digests), clusters=count)
    if count < 2:
        return replace(plain, note="fewer than two clusters")
    own = count * np.bincount(codes, weights=np.concatenate(pulls))[np.argsort(first)]
    bound = intervals.tails_of(value + own - own.mean(), limits)
    if bound is None:
        return replace(plain, note="all clusters alike: no interval")
    low, high = bound.at(level)
    return replace(plain, low=low, high=high, method="t-unseen over the mean of cells")


def covered(
    plain: Estimate, found: Influence, *, binary: bool = False, limits: Limits = None, kind: str = ""
) -> Estimate:
    """An estimate with its interval, from what each cluster does to it. kind: begins the method's name."""
    interval, note = interval_of(found, plain.n, binary=binary, limits=limits)
    if interval is None:
        return replace(plain, note=joined(plain.note, note))
    low, high = interval(plain.level)
    worth = share_size(found, plain.level) if binary else plain.n_effective or found.worth
    method = f"{kind}beta" if binary else f"{kind}t-unseen"
    return replace(plain, low=low, high=high, method=method, n_effective=worth)


def interval_of(
    found: Influence, n: int, *, binary: bool = False, limits: Limits = None
) -> tuple[Interval | None, str]:
    """The interval of n units at any level, or None and why there is none."""
    if found.clusters < 2:
        return None, ONE_CLUSTER if n > 1 else "one sample"
    if binary:
        return lambda level: intervals.share_interval(found.mean, share_size(found, level), level), ""
    if n < intervals.FEWEST_VALUES:
        return None, FEW_VALUES
    bound = intervals.tails_of(
        found.values, limits, se=found.se, df=found.df, count=found.worth, seen=found.seen
    )
    if bound is None:
        return None, f"{NO_VARIATION}, and no range is declared"
    return bound.at, ""


def p_value(interval: Interval) -> float:
    """The two-sided p value of "the truth is 0" that agrees with an interval at every level.

    It is the alpha at which the interval begins to hold 0: p < alpha if and only if the interval at 1 - alpha
    leaves 0 out.
    """

    def holds(alpha: float) -> bool:
        low, high = interval(1 - alpha)
        return low <= 0 <= high

    return last(holds, 0.0, 1.0) if holds(SMALLEST_P) else SMALLEST_P


def last(holds: Callable[[float], bool], least: float, most: float, steps: int = STEPS) -> float:
    """Where something that holds from the least on ends to hold, by bisection."""
    for _ in range(steps):
        middle = (least + most) / 2
        least, most = (middle, most) if holds(middle) else (least, middle)
    return most


def share_size(found: Influence, level: float) -> float:
    """Independent 0/1 units that tell as much; those that the clusters are worth where all are alike.

    Korn and Graubard 1998: m (1 - m)/SE^2, at a t quantile.
    """
    if found.se < intervals.NOTHING:
        return found.worth
    level = max(level, 1e-6)  # at 0 both quantiles are 0
    factor = (intervals.normal_quantile(level) / intervals.t_quantile(found.df, level)) ** 2
    return max(found.mean * (1 - found.mean) / found.se**2 * factor, 1.0)


def bounds_of(x: Floats, share: Floats | None, unscored: int, limits: Limits) -> Pair | None:
    """The mean if all unscored answers were at the low end, and at the high end, of the range.

    share: scored share of each unit's answers, None where all are whole. unscored: units without a score.
    None without a range, or if everything applicable is scored. Source: Manski 2003.
    """
    applicable = len(x) + unscored
    if limits is None or not applicable or (not unscored and share is None):
        return None
    share = np.ones(len(x)) if share is None else share
    known, missing = float((x * share).sum()), applicable - float(share.sum())
    return (known + missing * limits[0]) / applicable, (known + missing * limits[1]) / applicable


def bounds_of_macro(bounds: Sequence[Pair | None], groups: Sequence[Floats]) -> Pair | None:
    """Mean of the groups' bounds; a group that is wholly scored has its own mean for both."""
    if all(one is None for one in bounds):
        return None
    both = [one or (float(x.mean()), float(x.mean())) for one, x in zip(bounds, groups, strict=True)]
    return sum(low for low, _ in both) / len(both), sum(high for _, high in both) / len(both)


def pass_at(n: int, c: int, k: int) -> float:
    """Chance that at least one of k answers drawn from n, c of them right, is right. Needs k <= n."""
    return 1 - comb(n - c, k) / comb(n, k)


def pass_hat(n: int, c: int, k: int) -> float:
    """Chance that all k answers drawn from n, c of them right, are right. Needs k <= n."""
    return comb(c, k) / comb(n, k)


def pass_values(answers: Codes, right: Codes, k: int, *, every: bool) -> Floats:
    """Of each sample, shape (n,), from its answers and how many are right. every: all k, else one of them."""
    formula = pass_hat if every else pass_at
    pairs, inverse = np.unique(np.stack([answers, right]), axis=1, return_inverse=True)
    each = np.array([formula(int(n), int(c), k) for n, c in pairs.T], dtype=np.float64)
    return each[inverse.reshape(-1)] if len(each) else np.empty(0)
