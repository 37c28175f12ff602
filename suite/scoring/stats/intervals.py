"""Closed-form intervals of a share and of a mean, and the quantiles they need.

Only scipy.special, never scipy.stats: the latter costs a second of start-up.
"""

import math

from scipy.special import ndtri, stdtrit

Pair = tuple[float, float]


def normal_quantile(level: float) -> float:
    """z with P(|Z| <= z) = level."""
    return float(ndtri((1 + level) / 2))


def t_quantile(df: float, level: float) -> float:
    """t with P(|T| <= t) = level at df degrees of freedom."""
    return float(stdtrit(df, (1 + level) / 2))


def wilson(p: float, n: float, level: float = 0.95) -> Pair:
    """Wilson's interval of a share p of n > 0; n may be fractional. Source: Wilson 1927."""
    z = normal_quantile(level)
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (0.0 if p <= 0 else max(0.0, middle - half)), (1.0 if p >= 1 else min(1.0, middle + half))


def clip(pair: Pair, value_range: tuple[float, float] | None) -> Pair:
    """The interval within the declared range."""
    if value_range is None:
        return pair
    low, high = value_range
    return min(max(pair[0], low), high), max(min(pair[1], high), low)
