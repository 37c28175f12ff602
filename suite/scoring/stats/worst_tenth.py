"""The mean of the worst tenth of many groups (users, topics), from noisy means of few answers each.

The worst tenth of observed means is mostly bad luck. So the means are drawn to their own mean until they
spread as the groups themselves do (constrained empirical Bayes: Louis 1984, Ghosh 1992), by a spread of the
groups whose interval comes from Cochran's Q (Viechtbauer 2007). The lowest and the highest spread give the
ends, with room for the mean and for who the worst are. How often it holds: docs/statistics.md, "Clusters".
"""

import math

import numpy as np
from scipy.special import chdtri

from suite.scoring.stats.clusters import Floats
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.intervals import normal_quantile

FEWEST_GROUPS = 20
FEWEST_EACH = 5  # answers a group, on average: fewer do not tell bad luck from bad service
STEPS = 40


def worst_tenth(means: Floats, variances: Floats, *, lower: bool, level: float = 0.95) -> Estimate:
    """The mean of the k/10 (rounded up) lowest true means of k groups; of the highest with `lower`.

    means, variances: of each group, shape (k,), k >= 2; a variance is that of the group's mean. lower: low
    values are good. Each half of the error goes to the spread of the groups and to all else.
    """
    m, k, z = -means if lower else means, len(means), normal_quantile((1 + level) / 2)
    v, rank, share = np.maximum(variances, 1e-12), -(-k // 10), (1 - level) / 4
    centre = float(m.mean())

    def spread(target: float) -> float:
        """The variance between groups at which Cochran's Q is so large, 0 where it never is."""
        low, high = 0.0, float(m.var(ddof=1)) * k + 1e-12
        for _ in range(STEPS):
            middle = (low + high) / 2
            weights = 1 / (middle + v)
            away = m - float(weights @ m) / float(weights.sum())
            low, high = (middle, high) if float(weights @ away**2) > target else (low, middle)
        return low

    def at(between: float) -> tuple[float, float]:
        shrunk = np.sort(centre + np.sqrt(between / (between + v)) * (m - centre))
        left = float((between * v / (between + v)).mean()) / rank
        return float(shrunk[:rank].mean()), z * math.sqrt(float(m.var(ddof=1)) / k + left)

    value = at(spread(k - 1.0))[0]
    (worst, below), (best, above) = (at(spread(float(chdtri(k - 1, one)))) for one in (1 - share, share))
    ends = min(worst - below, value), max(best + above, value)
    low, high = (-ends[1], -ends[0]) if lower else ends
    return Estimate(-value if lower else value, low, high, level, "shrunk-spread", k, clusters=k)
