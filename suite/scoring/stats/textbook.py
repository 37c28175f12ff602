"""What textbooks say of a mean: its spread, and Wilson's interval of a share; both robust to clusters.

For labels of people, and what stands beside paired differences; what a run prints comes from `means`.
Sources: Wilson 1927; Miller 2024 (arXiv 2411.00640); Korn and Graubard 1998 for the effective sample size.
"""

import math
from dataclasses import replace
from typing import NamedTuple

from suite.scoring.stats.clusters import Clusters, Floats, cluster_flags
from suite.scoring.stats.estimate import Estimate, joined
from suite.scoring.stats.intervals import normal_quantile, t_quantile, wilson
from suite.scoring.stats.means import ONE_CLUSTER

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
    def varies(self) -> bool:
        """Whether there is an error that is more than rounding."""
        return self.se is not None and self.se >= NOTHING * max(1.0, abs(self.mean))

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


def share_estimate(x: Floats, clusters: Clusters, level: float = 0.95) -> Estimate:
    """A share with Wilson's interval. x: 0/1 scores without missing ones."""
    n = len(x)
    if not n:
        return Estimate(None, level=level, clusters=0, note="no scores")
    found = spread(x, clusters)
    plain = Estimate(found.mean, level=level, n=n, clusters=found.clusters, note=cluster_flags(clusters))
    if clusters.singletons:
        low, high = wilson(found.mean, n, level)
        return replace(plain, low=low, high=high, method="wilson", n_effective=n)
    if found.se is None:
        return replace(plain, note=joined(plain.note, ONE_CLUSTER))
    effective = float(found.clusters)
    if found.se >= NOTHING:  # at a t quantile with G - 1; where the scores vary and do not cancel
        factor = (normal_quantile(level) / t_quantile(found.clusters - 1, level)) ** 2
        effective = min(float(n), found.mean * (1 - found.mean) / found.se**2 * factor)
    low, high = wilson(found.mean, effective, level)
    return replace(plain, low=low, high=high, method="wilson-neff", n_effective=effective)
