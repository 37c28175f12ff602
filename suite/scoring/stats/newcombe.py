"""Intervals of a difference between two shares, by squaring and adding the Wilson limits of either.

They exist where no pair is discordant and never leave [-1, 1]. Sources: Newcombe 1998, method 10 for
paired and method 10 for independent shares (Statistics in Medicine 17, 2635 and 873).
"""

import math
from collections.abc import Callable

from suite.errors import ConfigError
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.intervals import Pair, normal_quantile, wilson
from suite.scoring.stats.units import Floats


def newcombe(both: int, only_a: int, only_b: int, neither: int, *, level: float = 0.95) -> Estimate:
    """Share of A minus share of B on the same n samples, from the four counts."""
    n = both + only_a + only_b + neither
    if min(both, only_a, only_b, neither) < 0:
        raise ConfigError(f"a negative count in {[both, only_a, only_b, neither]}", "newcombe")
    if n == 0:
        return Estimate(None, level=level, clusters=0, note="no scores")
    a, b = both + only_a, both + only_b
    phi = _phi(both, only_a, only_b, neither)
    low, high = _squared(a / n, wilson(a / n, n, level), b / n, wilson(b / n, n, level), phi)
    return Estimate((only_a - only_b) / n, low, high, level, "newcombe-paired", n, clusters=n, n_effective=n)


def newcombe_independent(k_a: int, n_a: int, k_b: int, n_b: int, *, level: float = 0.95) -> Estimate:
    """Share k_a/n_a minus share k_b/n_b of different samples."""
    if not (0 <= k_a <= n_a and 0 <= k_b <= n_b):
        raise ConfigError(f"{k_a} of {n_a} and {k_b} of {n_b} are not shares", "newcombe_independent")
    n = n_a + n_b
    if not n_a or not n_b:
        return Estimate(None, level=level, n=n, clusters=n, note="no scores on one side")
    a, b = k_a / n_a, k_b / n_b
    low, high = _squared(a, wilson(a, n_a, level), b, wilson(b, n_b, level), 0.0)
    return Estimate(a - b, low, high, level, "newcombe-independent", n, clusters=n, n_effective=n)


def bonett_price(d: Floats) -> Callable[[float], Pair]:
    """The interval of the mean of paired 0/1 differences in {-1, 0, 1} at any level.

    Wald's, with one pair more on either side of the discordant. Source: Bonett and Price 2012.
    """
    n = len(d) + 2
    a, b = (int((d > 0).sum()) + 1) / n, (int((d < 0).sum()) + 1) / n
    se = math.sqrt((a + b - (a - b) ** 2) / n)

    def at(level: float) -> Pair:
        half = normal_quantile(level) * se
        return max(-1.0, a - b - half), min(1.0, a - b + half)

    return at


def _phi(both: int, only_a: int, only_b: int, neither: int) -> float:
    """Correlation of the two 0/1 columns, corrected towards 0 where it is positive."""
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    if margins == 0:
        return 0.0
    n = both + only_a + only_b + neither
    product = both * neither - only_a * only_b
    top = max(0.0, product - n / 2) if product >= 0 else float(product)
    return top / math.sqrt(margins)


def _squared(
    a: float, limits_a: tuple[float, float], b: float, limits_b: tuple[float, float], phi: float
) -> tuple[float, float]:
    def distance(one: float, other: float) -> float:
        return math.sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))

    low = a - b - distance(a - limits_a[0], limits_b[1] - b)
    high = a - b + distance(limits_a[1] - a, b - limits_b[0])
    return max(-1.0, low), min(1.0, high)
