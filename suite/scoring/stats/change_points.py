"""When a series of measurements with known standard errors moved: the levels it had, one after the other.

The levels minimise the sum of ((value - level)/error)^2 plus 3 log n for each change, n at least a year: the
modified BIC of Zhang and Siegmund 2007 without its term for lengths, found exactly by optimal partitioning
(Jackson et al. 2005). How often that errs is simulated in its tests. A luck that all measurements share, such
as that of a fixed baseline, moves every level alike and none against another.
"""

import math
from typing import NamedTuple

import numpy as np

from suite.scoring.stats.clusters import Floats

YEAR = 365


class Level(NamedTuple):
    """Measurements first to last, inclusive, without a change; their weighted mean and its standard error."""

    first: int
    last: int
    mean: float
    error: float


def levels(values: Floats, errors: Floats) -> list[Level]:
    """The levels of a series in order; each but the first begins with a change.

    values, errors: shape (n,), measurements in order and their standard errors, finite and above 0.
    """
    n, weights, penalty = len(values), errors**-2.0, 3 * math.log(max(len(values), YEAR))
    middle = float(weights @ values / weights.sum()) if n else 0.0  # so that no sum cancels
    mass = np.concatenate([[0.0], np.cumsum(weights)])
    moment = np.concatenate([[0.0], np.cumsum(weights * (values - middle))])
    best, begin = np.zeros(n + 1), np.zeros(n + 1, dtype=np.intp)
    for end in range(1, n + 1):  # the sum of squares is in all alike
        fit = (moment[end] - moment[:end]) ** 2 / (mass[end] - mass[:end])
        cost = best[:end] - fit + penalty
        begin[end] = int(cost.argmin())
        best[end] = cost[begin[end]]
    found: list[Level] = []
    while n:
        start = int(begin[n])
        weight = float(mass[n] - mass[start])
        mean = middle + float(moment[n] - moment[start]) / weight
        found, n = [Level(start, n - 1, mean, weight**-0.5), *found], start
    return found
