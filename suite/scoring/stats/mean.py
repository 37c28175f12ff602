"""The mean of scores with an interval that respects clusters and weights; bounds if scores are missing.

Which interval: Wilson for 0/1 scores (at the effective sample size where units share clusters), t for graded
ones (cluster-robust where they do). Sources: Wilson 1927; Miller 2024 (arXiv 2411.00640); Korn and Graubard
1998 for the effective sample size; Manski 2003 for the bounds. Why: docs/statistics.md.
"""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from suite.errors import ConfigError
from suite.scoring.stats.estimate import Estimate, joined
from suite.scoring.stats.intervals import clip, clopper_pearson, normal_quantile, t_quantile, wilson
from suite.scoring.stats.units import Clusters, Floats, Labels, Scores, clusters_of, floats, subset

FEW_CLUSTERS = 10
NOTHING = 1e-12
ONE_CLUSTER = "one cluster"
NO_VARIATION = "no variation"


class Spread(NamedTuple):
    """mean and its CR1 standard error (None with fewer than two clusters); clusters: how many.

    se_iid: what the standard error were if all units were independent; n_effective: Kish, of the weights.
    """

    mean: float
    se: float | None
    clusters: int
    se_iid: float | None
    n_effective: float

    @property
    def design_effect(self) -> float | None:
        """Variance relative to independent units; below 1 where units of a cluster repel each other."""
        if self.se is None or not self.se_iid:
            return None
        return (self.se / self.se_iid) ** 2


def spread(x: Floats, clusters: Clusters, weights: Floats | None = None) -> Spread:
    """Weighted mean and cluster-robust (CR1) standard error of n >= 1 scores without missing ones.

    SE = sqrt(G/(G-1) sum_g (sum_{i in g} w_i (x_i - m))^2) / sum w; singletons give s/sqrt(n). Equals
    statsmodels WLS on a constant with cov_type="cluster".
    """
    n, count = len(x), clusters.count
    total = float(n) if weights is None else math.fsum(weights)
    mean = math.fsum(x if weights is None else x * weights) / total
    kish = float(n) if weights is None else total**2 / math.fsum(weights * weights)
    if count < 2:
        return Spread(mean, None, count, None, kish)
    residuals = x - mean if weights is None else weights * (x - mean)
    iid = math.sqrt(math.fsum(residuals * residuals) * n / (n - 1)) / total
    if clusters.singletons:
        return Spread(mean, iid, count, iid, kish)
    sums = clusters.sums(residuals)
    return Spread(mean, math.sqrt(math.fsum(sums * sums) * count / (count - 1)) / total, count, iid, kish)


def mean_estimate(
    scores: Scores,
    clusters: Labels | None = None,
    weights: Scores | None = None,
    *,
    binary: bool = False,
    value_range: tuple[float, float] | None = None,
    level: float = 0.95,
    exact: bool = False,
) -> Estimate:
    """Mean of the scored units with its interval.

    scores: shape (n,); None or NaN is unscored and only counted. clusters: n labels, equal where units share
    an origin; None for a unit makes it a cluster of its own. weights: n, finite and >= 0. binary: the scores
    are 0/1 by declaration (else graded). value_range: the interval is clipped to it. exact: Clopper-Pearson
    in place of Wilson, for safety claims; only for 0/1 without clusters and weights.
    Raises ConfigError for a bad weight, for a score that is neither 0 nor 1 though declared so, and for
    lengths that differ.
    """
    x, w, keep = _scored(scores, weights)
    lost = len(keep) - len(x)
    if not len(x):
        return Estimate(None, level=level, n_unscored=lost, clusters=0, note="no scores")
    if w is not None and not w.any():
        return Estimate(None, level=level, n=len(x), n_unscored=lost, note="all weights are zero")
    groups = clusters_of(subset(clusters, keep), len(x))
    if binary and not bool(((x == 0) | (x == 1)).all()):
        raise ConfigError("a score declared 0/1 is neither 0 nor 1", "statistics", "declare it graded")
    found = spread(x, groups, w)
    note = joined("" if clusters is None else groups.note, cluster_flags(groups))
    plain = Estimate(found.mean, level=level, n=len(x), n_unscored=lost, clusters=groups.count, note=note)
    if binary:
        return _share(plain, found, weighted=w is not None, exact=exact)
    return _graded(plain, found, value_range)


def _scored(scores: Scores, weights: Scores | None) -> tuple[Floats, Floats | None, np.ndarray]:
    x = floats(scores)
    keep = ~np.isnan(x)
    if weights is None:
        return x[keep], None, keep
    w = floats(weights)
    if len(w) != len(x):
        raise ConfigError(f"{len(w)} weights for {len(x)} scores", "statistics")
    if np.isnan(w).any() or (w < 0).any():
        raise ConfigError("a weight is negative or not a number", "statistics")
    return x[keep], w[keep], keep


def cluster_flags(groups: Clusters) -> str:
    """Remarks on few clusters and on one that outweighs the others."""
    if groups.singletons or groups.count < 2:
        return ""
    biggest = int(groups.sizes.max())
    return joined(
        f"only {groups.count} clusters" if groups.count < FEW_CLUSTERS else "",
        "one cluster holds more than half of the units" if 2 * biggest > len(groups.codes) else "",
    )


def _share(plain: Estimate, found: Spread, *, weighted: bool, exact: bool) -> Estimate:
    p, n, level = found.mean, plain.n, plain.level
    if found.clusters == n and not weighted:
        low, high = clopper_pearson(round(p * n), n, level) if exact else wilson(p, n, level)
        method = "clopper-pearson" if exact else "wilson"
        return replace(plain, low=low, high=high, method=method, n_effective=n)
    if found.se is None:
        return replace(plain, note=joined(plain.note, ONE_CLUSTER if n > 1 else "one sample"))
    effective = effective_size(found, level)
    low, high = wilson(p, effective, level)
    return replace(plain, low=low, high=high, method="wilson-neff", n_effective=effective)


def effective_size(found: Spread, level: float) -> float:
    """Independent 0/1 units that would give this standard error, at a t quantile with G - 1.

    Never above n (Kish's n if weighted); the number of clusters where the scores do not vary or cancel.
    """
    if found.se is None or found.se < NOTHING:
        return min(float(found.clusters), found.n_effective)
    p = found.mean
    factor = (normal_quantile(level) / t_quantile(found.clusters - 1, level)) ** 2
    return min(found.n_effective, p * (1 - p) / found.se**2 * factor)


def _graded(plain: Estimate, found: Spread, value_range: tuple[float, float] | None) -> Estimate:
    n, count, se = plain.n, found.clusters, found.se
    if se is None:
        return replace(plain, note=joined(plain.note, ONE_CLUSTER if n > 1 else "one sample"))
    if se < NOTHING * max(1.0, abs(found.mean)):
        return replace(plain, note=joined(plain.note, NO_VARIATION))
    half = t_quantile(count - 1, plain.level) * se
    low, high = clip((found.mean - half, found.mean + half), value_range)
    effective = found.n_effective
    if count < n and found.design_effect:
        effective = n / found.design_effect
    method = "t" if count == n else "cr1-t"
    return replace(plain, low=low, high=high, method=method, n_effective=effective)


def bounds(scores: Scores, value_range: tuple[float, float]) -> tuple[float, float] | None:
    """The mean if all unscored units had the lowest value of the range, and the highest; None without units.

    Source: Manski, "Partial Identification of Probability Distributions", 2003.
    """
    x = floats(scores)
    if not len(x):
        return None
    low, high = (math.fsum(np.where(np.isnan(x), end, x)) / len(x) for end in value_range)
    return low, high


def intraclass_correlation(scores: Scores, clusters: Labels) -> float | None:
    """ANOVA estimate of the intraclass correlation; None where it does not exist. May be negative."""
    x, _, keep = _scored(scores, None)
    groups = clusters_of(subset(clusters, keep), len(x))
    n, count = len(x), groups.count
    if count < 2 or count == n:
        return None
    sizes = groups.sizes.astype(np.float64)
    means = groups.sums(x) / sizes
    between = float(np.dot(sizes, (means - x.mean()) ** 2)) / (count - 1)
    within = float(((x - means[groups.codes]) ** 2).sum()) / (n - count)
    typical = (n - float(np.dot(sizes, sizes)) / n) / (count - 1)
    below = between + (typical - 1) * within
    return (between - within) / below if below > NOTHING else None
