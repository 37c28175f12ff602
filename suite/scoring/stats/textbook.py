"""The textbook's interval of a mean: Wilson for 0/1 scores, t for graded ones, both robust to clusters.

For labels of people and for paired differences; what a run prints comes from `means`. Sources: Wilson
1927; Miller 2024 (arXiv 2411.00640); Korn and Graubard 1998 for the effective sample size.
"""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from suite.errors import ConfigError
from suite.scoring.stats.clusters import (
    Clusters,
    Floats,
    Labels,
    Scores,
    cluster_flags,
    clusters_of,
    floats,
    is_binary,
    subset,
)
from suite.scoring.stats.estimate import Estimate, Limits, clip, joined
from suite.scoring.stats.intervals import normal_quantile, t_interval, t_quantile, wilson
from suite.scoring.stats.means import NO_VARIATION, ONE_CLUSTER

NOTHING = 1e-12


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


def mean_estimate(
    scores: Scores,
    clusters: Labels | None = None,
    *,
    binary: bool = False,
    value_range: Limits = None,
    level: float = 0.95,
) -> Estimate:
    """Mean of the scored units with its interval.

    scores: shape (n,); None or NaN is unscored and only counted. clusters: n labels, equal where units share
    an origin; None for a unit makes it a cluster of its own. binary: the scores are 0/1 by declaration (else
    graded). value_range: the interval is clipped to it.
    Raises ConfigError for a score that is neither 0 nor 1 though declared so, and for lengths that differ.
    """
    x = floats(scores)
    keep = ~np.isnan(x)
    x, lost = x[keep], int((~keep).sum())
    if not len(x):
        return Estimate(None, level=level, n_unscored=lost, clusters=0, note="no scores")
    groups = clusters_of(subset(clusters, keep), len(x))
    if binary and not is_binary(x):
        raise ConfigError("a score declared 0/1 is neither 0 nor 1", "statistics", "declare it graded")
    found = spread(x, groups)
    note = joined("" if clusters is None else groups.note, cluster_flags(groups))
    plain = Estimate(found.mean, level=level, n=len(x), n_unscored=lost, clusters=groups.count, note=note)
    return _share(plain, found) if binary else _graded(plain, found, value_range)


def _share(plain: Estimate, found: Spread) -> Estimate:
    p, n, level = found.mean, plain.n, plain.level
    if found.clusters == n:
        low, high = wilson(p, n, level)
        return replace(plain, low=low, high=high, method="wilson", n_effective=n)
    if found.se is None:
        return replace(plain, note=joined(plain.note, ONE_CLUSTER if n > 1 else "one sample"))
    effective = effective_size(found, level)
    low, high = wilson(p, effective, level)
    return replace(plain, low=low, high=high, method="wilson-neff", n_effective=effective)


def effective_size(found: Spread, level: float) -> float:
    """Independent 0/1 units that would give this standard error, at a t quantile with G - 1.

    Never above n; the number of clusters where the scores do not vary or cancel.
    """
    if found.se is None or found.se < NOTHING:
        return float(found.clusters)
    p = found.mean
    factor = (normal_quantile(level) / t_quantile(found.clusters - 1, level)) ** 2
    return min(float(found.n), p * (1 - p) / found.se**2 * factor)


def _graded(plain: Estimate, found: Spread, value_range: Limits) -> Estimate:
    n, count, se = plain.n, found.clusters, found.se
    if se is None:
        return replace(plain, note=joined(plain.note, ONE_CLUSTER if n > 1 else "one sample"))
    if se < NOTHING * max(1.0, abs(found.mean)):
        return replace(plain, note=joined(plain.note, NO_VARIATION))
    low, high = clip(t_interval(found.mean, se, count - 1, plain.level), value_range)
    method = "t" if count == n else "cr1-t"
    return replace(plain, low=low, high=high, method=method, n_effective=found.n_effective)
