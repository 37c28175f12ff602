"""What textbooks say of a mean: its spread, robust to clusters.

Beside paired differences; what a run prints comes from `means`. Source: Miller 2024 (arXiv 2411.00640).
"""

import math
from typing import NamedTuple

from suite.scoring.stats.clusters import Clusters, Floats

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
