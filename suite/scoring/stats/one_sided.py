"""One-sided tests of a mean that err no more often than they say, and the nights that one may look back on.

Where values are skewed, one end of an interval errs more often than the other, far out above all, where
gates look: the mean of several nights less one night of a baseline is skewed although a single night's
difference is not. So each bound is held to another, `Unseen`, that assumes nothing but a range. Sources:
Gaffke 2005 and Learned-Miller and Thomas 2019 (arXiv 1905.06208); Lugannani and Rice 1980 for computing it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from suite.scoring.stats.clusters import Floats
from suite.scoring.stats.estimate import Pair
from suite.scoring.stats.means import SMALLEST_P, STEPS, Influence, Interval

WINDOWS = ((1.0,), (0.2, 0.8), (0.1, 0.1, 0.8))  # share of each window, of 1, 2, 3 nights that are there
LARGEST_P = 0.5  # of a one-sided test: stands for anything larger
NEAR = 1e-4  # of the middle, where the saddlepoint has no value


class Unseen(NamedTuple):
    """Gaffke's upper bound of a mean: values under Dirichlet weights, with one unseen value at the far end.

    values: shape (k,), distinct; counts: of each. For 0/1 values it is Clopper and Pearson's.
    """

    values: Floats
    counts: Floats
    far: float

    def p_below(self, threshold: float) -> float:
        """The chance that the weighted mean is above the threshold: that of sum g (v - threshold) > 0 with
        exponential g, by a saddlepoint; at most 0.5.
        """
        away, counts = np.append(self.values, self.far) - threshold, np.append(self.counts, 1.0)
        if float(counts @ away) >= 0 or float(away.max()) <= 0:
            return LARGEST_P if float(counts @ away) >= 0 else 0.0
        least, most = 0.0, 1 / float(away.max())
        for _ in range(STEPS):
            middle = (least + most) / 2
            rising = float((counts * away / (1 - middle * away)).sum()) > 0
            least, most = (least, middle) if rising else (middle, most)
        left = 1 - least * away
        root = math.sqrt(max(2 * float(counts @ np.log(left)), 0.0))
        slope = least * math.sqrt(float(counts @ (away / left) ** 2))
        if min(root, slope) < NEAR:
            return LARGEST_P
        density = math.exp(-root * root / 2) / math.sqrt(2 * math.pi)
        return min(max(float(ndtr(-root)) + density * (1 / slope - 1 / root), 0.0), LARGEST_P)

    def upper(self, alpha: float) -> float:
        """The upper bound that errs with chance alpha."""
        least, most = float(self.values @ self.counts / self.counts.sum()), self.far
        for _ in range(STEPS // 2):
            middle = (least + most) / 2
            least, most = (middle, most) if self.p_below(middle) >= alpha else (least, middle)
        return most


@dataclass(frozen=True)
class OneSided:
    """Both one-sided tests of a number. interval: two-sided, at any level. above, below: what its upper end,
    and that of its negative, is held to.
    """

    interval: Interval
    above: Unseen | None = None
    below: Unseen | None = None

    @property
    def mirrored(self) -> "OneSided":
        """Of the negative."""

        def interval(level: float) -> Pair:
            low, high = self.interval(level)
            return -high, -low

        return OneSided(interval, self.below, self.above)

    def upper(self, alpha: float) -> float:
        """The upper bound that errs with chance alpha, in (0, 0.5]."""
        bound = self._end(alpha)
        if self.above is None or self.above.p_below(bound) < alpha:
            return bound
        return self.above.upper(alpha)

    def p_below(self, threshold: float) -> float:
        """The p value of "the truth is not below the threshold", which is smaller than alpha if and only if
        the upper bound at alpha is below it.
        """
        least, most = math.log(SMALLEST_P), math.log(LARGEST_P)
        for _ in range(STEPS if self._end(LARGEST_P) < threshold else 0):
            middle = (least + most) / 2
            reached = self._end(math.exp(middle)) >= threshold
            least, most = (middle, most) if reached else (least, middle)
        return max(math.exp(most), 0.0 if self.above is None else self.above.p_below(threshold))

    def _end(self, alpha: float) -> float:
        return self.interval(1 - 2 * min(max(alpha, SMALLEST_P), LARGEST_P))[1]


def one_sided(found: Influence, interval: Interval, ends: Pair) -> OneSided:
    """Of a mean with an interval. ends: of its values, which are spread out as their standard error says."""
    away = found.values - found.mean
    spread = math.sqrt(float(away @ away) / max(len(away) - 1, 1) / len(away))
    away = away * (found.se / spread if spread else 1.0)
    values, times = np.unique(found.mean + away, return_counts=True)
    counts = times.astype(np.float64)
    above = Unseen(values, counts, max(ends[1], float(values[-1])))
    return OneSided(interval, above, Unseen(-values, counts, max(-ends[0], -float(values[0]))))


class Windowed(NamedTuple):
    """p: over all windows. nights: of the window that it is made of. share: that window's share of alpha."""

    p: float
    nights: int
    share: float


def over_windows(p_values: Sequence[float]) -> Windowed:
    """One p value of tonight alone, the last two nights, the last three: the smallest by its window's share.

    The chance of an error is at most the sum of theirs, however they depend (weighted Bonferroni).
    """
    each = zip(p_values, WINDOWS[len(p_values) - 1], strict=True)
    return min(Windowed(min(1.0, p / share), nights, share) for nights, (p, share) in enumerate(each, 1))
