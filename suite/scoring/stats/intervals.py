"""The quantiles that intervals need, the closed forms made of them, and what a sample size can show.

Only scipy.special, never scipy.stats: the latter costs a second of start-up.
"""

import math

from scipy.special import ndtri, stdtrit

from suite.scoring.stats.estimate import Pair, wilson_at


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
