"""What else could be printed: the intervals of textbooks that coverage.py holds the suite's own against."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from suite.scoring.stats.bootstrap import bootstrap
from suite.scoring.stats.clusters import clusters_of
from suite.scoring.stats.estimate import Limits, clip
from suite.scoring.stats.intervals import NOTHING, normal_quantile, t_interval, t_quantile, wilson
from suite.scoring.stats.means import spread

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Ends = tuple[float | None, float | None]
UNIT = (0.0, 1.0)
NONE: Ends = (None, None)


def clopper_pearson(k: int, n: int) -> Ends:
    """The exact interval of k of n (1934)."""
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, 0.025))
    return low, 1.0 if k == n else float(betaincinv(k + 1, n - k, 0.975))


def textbook(x: Floats, clusters: Codes | None, binary: bool, limits: Limits) -> Ends:
    """Wilson's interval of a share, Student's of a mean; robust to clusters."""
    groups = clusters_of(clusters, len(x))
    found = spread(x, groups)
    if binary:
        if groups.singletons or found.se is None:
            return wilson(found.mean, len(x)) if groups.singletons else NONE
        worth = float(groups.count)
        if found.se >= NOTHING:  # Korn and Graubard 1998, at a t quantile
            factor = (normal_quantile(0.95) / t_quantile(groups.count - 1, 0.95)) ** 2
            worth = min(float(len(x)), found.mean * (1 - found.mean) / found.se**2 * factor)
        return wilson(found.mean, worth)
    if found.se is None or not found.varies:
        return NONE
    return clip(t_interval(found.mean, found.se, groups.count - 1, 0.95), limits)


def newcombe(a: Floats, b: Floats) -> Ends:
    """The difference of paired 0/1 scores by the Wilson limits of either (Newcombe 1998, method 10)."""
    n = len(a)
    one, two = float(a.mean()), float(b.mean())
    product = float((a * b).sum() * ((1 - a) * (1 - b)).sum() - (a > b).sum() * (a < b).sum())
    margins = n**4 * one * (1 - one) * two * (1 - two)
    top = max(0.0, product - n / 2) if product >= 0 else product
    phi = top / math.sqrt(margins) if margins else 0.0
    (l1, u1), (l2, u2) = wilson(one, n), wilson(two, n)

    def distance(x: float, y: float) -> float:
        return math.sqrt(max(0.0, x * x - 2 * phi * x * y + y * y))

    return one - two - distance(one - l1, u2 - two), one - two + distance(u1 - one, two - l2)


def percentile(
    statistic: Callable[[Codes], float | None], clusters: Codes, kind: str, draws: int, seed: int = 1
) -> Ends:
    """Quantiles of resampled clusters, or BCa."""
    found = bootstrap(statistic, clusters, seed=seed, draws=draws, kind=kind)  # type: ignore[arg-type]
    return found.low, found.high


def macro_t(x: Floats, groups: Codes) -> Ends:
    """Fixed groups: their standard errors added up, t with the smallest one's degrees of freedom (normal from
    30 on); resampled where a group has one sample.
    """
    own = np.unique(groups, return_inverse=True)[1]
    k = int(own.max()) + 1
    parts = [spread(x[own == g], clusters_of(None, int((own == g).sum()))) for g in range(k)]
    fewest = min(one.clusters for one in parts)
    if fewest < 2:

        def value(units: Codes) -> float | None:
            sizes = np.bincount(own[units], minlength=k)
            sums = np.bincount(own[units], weights=x[units], minlength=k)
            return float((sums / sizes).mean()) if sizes.all() else None

        return percentile(value, np.arange(len(x)), "auto", 200, seed=0)
    quantile = normal_quantile(0.95) if fewest >= 30 else t_quantile(fewest - 1, 0.95)
    half = quantile * math.sqrt(math.fsum((one.se or 0.0) ** 2 for one in parts)) / k
    middle = math.fsum(one.mean for one in parts) / k
    return clip((middle - half, middle + half), UNIT) if half > 1e-12 else NONE


def macro_random(x: Floats, groups: Codes) -> Ends:
    """Groups as a sample of groups: t over their means."""
    means = np.array([x[groups == one].mean() for one in np.unique(groups)])
    if len(means) < 2 or float(means.std()) < 1e-12:
        return NONE
    half = t_quantile(len(means) - 1, 0.95) * float(means.std(ddof=1)) / math.sqrt(len(means))
    middle = float(means.mean())
    return clip((middle - half, middle + half), UNIT)
