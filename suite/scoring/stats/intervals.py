"""Intervals of means and shares: quantiles, closed forms, what a sample size can show, room for the unseen.

Student's t takes the spread of a sample for that of the population. That fails where most of the values are
alike and the rest are rare: a sample often holds none of these. Gaffke's bound adds one unseen value at the
far end of the range to the Bayesian bootstrap; for 0/1 values it is Clopper and Pearson's interval. Here it
is added where the values themselves suggest: as far beyond the sample as its tail is heavy (Hill 1975), at
the end of the range where they are alike. Of t and this bound, the wider end counts; benchmarks/coverage.py
chose the constants. Sources: Gaffke 2005; Learned-Miller and Thomas 2019 (arXiv 1905.06208); Rubin 1981.

Only scipy.special, never scipy.stats: the latter costs a second of start-up.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import betaincinv, ndtri, stdtrit

from suite.scoring.stats.clusters import Floats
from suite.scoring.stats.estimate import Limits, Pair, wilson_at

FEWEST_VALUES = 5
UNSEEN_SHARE = 0.85  # weight of the unseen value at the far end; the rest of 1 is at the near one
UNSEEN = 0.7  # the same for graded values, where t counts, too
REACH = 4.0  # times the tail's index, for a sample as skewed as it can be
LEAST_REACH = 0.5  # times the sample's range, beyond it, for such a sample
SKEWED = 0.8  # of the largest skewness that so many values can have
MOST_REACH = 10.0  # times the sample's range, where the values have no range of their own
NOTHING = 1e-12


def normal_quantile(level: float) -> float:
    """z with P(|Z| <= z) = level."""
    return float(ndtri((1 + level) / 2))


def t_quantile(df: float, level: float) -> float:
    """t with P(|T| <= t) = level at df degrees of freedom."""
    return float(stdtrit(df, (1 + level) / 2))


def t_interval(mean: float, se: float, df: float, level: float) -> Pair:
    """Student's interval."""
    half = t_quantile(df, level) * se
    return mean - half, mean + half


def wilson(p: float, n: float, level: float = 0.95) -> Pair:
    """Wilson's interval of a share p of n > 0."""
    return wilson_at(p, n, normal_quantile(level))


def mde(n: int, sd: float = 0.5) -> float | None:
    """The difference of one mean of n units that a test at 0.05 finds with power 0.8; None for one unit.

    sd: that of a 0/1 score at its most uncertain, or of the difference of two that correlate by a half. Never
    for post-hoc power at the observed difference. Source: Miller 2024, arXiv 2411.00640, section 5. Why:
    docs/statistics.md, "Two models".
    """
    return None if n < 2 else float(ndtri(1 - 0.05 / 2) + ndtri(0.8)) * sd * math.sqrt(1.0 / n)


def units_needed(difference: float, sd: float, alpha: float, power: float) -> float:
    """Independent units of which a one-sided t test at alpha finds a mean so far from its bound with power.

    difference: above 0, in the unit of sd, that of one unit; not rounded. Within one unit of the noncentral t
    (statsmodels' TTestPower). Source: Guenther 1981, "Sample size formulas for normal theory t tests".
    """
    z = float(ndtri(1 - alpha))
    return ((z + float(ndtri(power))) * sd / difference) ** 2 + z * z / 2


def share_interval(p: float, n: float, level: float = 0.95) -> Pair:
    """Interval of a share p of n > 0; n may be fractional.

    Quantiles of Beta(k + 0.15, n - k + 0.85) and Beta(k + 0.85, n - k + 0.15): between Jeffreys's (0.5 and
    0.5) and Clopper and Pearson's (0 and 1).
    """
    k, tail = p * n, (1 - level) / 2
    low = 0.0 if p <= 0 else float(betaincinv(k + 1 - UNSEEN_SHARE, n - k + UNSEEN_SHARE, tail))
    high = 1.0 if p >= 1 else float(betaincinv(k + UNSEEN_SHARE, n - k + 1 - UNSEEN_SHARE, 1 - tail))
    return min(low, p), max(high, p)


class Tails(NamedTuple):
    """All that the interval of a mean needs at any level.

    mean, se, df: as of Student's t. low, high: where values not seen may lie. below, above: the beta
    distributions on [low, high] whose quantiles are the bound. limits: of the values.
    """

    mean: float
    se: float
    df: float
    low: float
    high: float
    below: Pair
    above: Pair
    limits: Limits

    def at(self, level: float) -> Pair:
        """The interval at a level; wider ones hold narrower ones."""
        half = t_quantile(self.df, level) * self.se if self.se else 0.0
        tail, width = (1 - level) / 2, self.high - self.low
        low = self.low + width * float(betaincinv(*self.below, tail))
        high = self.low + width * float(betaincinv(*self.above, 1 - tail))
        low, high = min(self.mean - half, low), max(self.mean + half, high)
        if self.limits is None:
            return low, high
        return max(low, self.limits[0]), min(high, self.limits[1])


def tails_of(
    y: Floats, limits: Limits = None, *, se: float | None = None, df: float | None = None,
    count: float | None = None, seen: Floats | None = None,
) -> Tails | None:  # fmt: skip
    """Of the mean of n >= 2 values; None where they are alike and have no range.

    y: shape (n,), independent values, or values that stand for clusters. limits: their range. se, df: of the
    mean, where it is not s/sqrt(n) with n - 1. count: values of equal weight that y is worth, where not n.
    seen: what was observed where y only stands for it: from these, the tails are judged.
    """
    y = np.sort(y)  # so that no sum depends on the order
    n, mean = len(y), float(y.mean())
    size = float(n) if count is None else count
    deviation = float(y.std(ddof=1))
    error = deviation / math.sqrt(n) if se is None else se
    alike = error <= NOTHING * max(1.0, abs(mean))
    if alike and limits is None:
        return None
    values = y
    if not alike and deviation > NOTHING:
        values = mean + (values - mean) * (error * math.sqrt(size) / deviation)
    low, high = _ends(np.sort(values if seen is None else seen), limits)
    scaled = (values - low) / max(high - low, NOTHING)
    below, above = (_weighted(scaled, size, weight) for weight in (UNSEEN, 1 - UNSEEN))
    df = size - 1 if df is None else df
    return Tails(mean, 0.0 if alike else error, df, low, high, below, above, limits)


def _ends(values: Floats, limits: Limits) -> Pair:
    """Where values not seen may lie, below and above."""
    n, low, high = len(values), float(values[0]), float(values[-1])
    away = values - values.mean()
    variance = float((away * away).mean())
    skew = float((away**3).mean()) / variance**1.5 if variance > NOTHING**2 else 0.0
    skew /= SKEWED * (n - 2) / math.sqrt(n - 1) if n > 2 else 1.0
    middle = float(np.median(values))
    down = _reach((high - values)[:3], -skew) if middle > low + NOTHING else math.inf
    up = _reach((values - low)[:-4:-1], skew) if middle < high - NOTHING else math.inf
    width = high - low
    if limits is None:
        down, up = (1.0 if math.isinf(one) else min(one, MOST_REACH) for one in (down, up))
        return high - down * width, low + up * width
    return (
        limits[0] if math.isinf(down) else max(limits[0], high - down * width),
        limits[1] if math.isinf(up) else min(limits[1], low + up * width),
    )


def _reach(far: Floats, skew: float) -> float:
    """How far a tail goes on, in ranges of the sample. far: its largest distances, descending."""
    if skew <= 0 or len(far) < 3:
        return 1.0
    if far[2] <= NOTHING * far[0]:
        return math.inf
    index = math.log(far[0] * far[1] / far[2] ** 2) / 2
    share = min(skew, 1.0)
    return max(math.exp(min(REACH * share * index, 50.0)), 1 + LEAST_REACH * share)


def _weighted(scaled: Floats, size: float, low: float) -> Pair:
    """The beta distribution of the mean under Dirichlet weights: `size` for all values in [0, 1], `low` for a
    value of 0, the rest of 1 for one of 1.

    By its mean and variance; exact for values of 0 and 1.
    """
    mean = (float(scaled.mean()) * size + 1 - low) / (size + 1)
    square = (float((scaled * scaled).mean()) * size + 1 - low) / (size + 1)
    variance = max((square - mean * mean) / (size + 2), NOTHING)
    weight = max(mean * (1 - mean) / variance - 1, 1e-3)
    return mean * weight, (1 - mean) * weight
