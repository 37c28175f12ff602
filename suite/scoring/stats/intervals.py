"""The quantiles that intervals need, and the closed forms made of them.

Only scipy.special, never scipy.stats: the latter costs a second of start-up.
"""

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
