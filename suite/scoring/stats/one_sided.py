"""One-sided tests of a mean that err no more often than they say, and the nights that one may look back on.

Where values are skewed, one end of an interval errs more often than the other, far out above all, where
gates look: the mean of several nights less one night of a baseline is skewed although a single night's
difference is not. So each bound is held to another that assumes nothing but a range. Sources:
Gaffke 2005 and Learned-Miller and Thomas 2019 (arXiv 1905.06208); Lugannani and Rice 1980 for computing it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from suite.scoring.stats.clusters import Floats
from suite.scoring.stats.estimate import Pair
from suite.scoring.stats.intervals import NOTHING
from suite.scoring.stats.means import SMALLEST_P, STEPS, Influence, Interval, last

WINDOWS = ((1.0,), (0.2, 0.8), (0.1, 0.1, 0.8))  # share of each window, of 1, 2, 3 nights that are there
LARGEST_P = 0.5  # of a one-sided test
LEAST_TOLD = SMALLEST_P * (1 + 1e-6)  # as rounding leaves the smallest
NEAR = 1e-4  # of the middle, where the saddlepoint has no value


@dataclass(frozen=True)
class OneSided:
    """Both one-sided tests of a number, by its two-sided interval at any level.

    values, counts: shape (k,), distinct values of a mean and how often each was seen; far: where they end
    below and above. With these, each bound is held to Gaffke's: values under Dirichlet weights, with one
    unseen value at the far end. For 0/1 values that is Clopper and Pearson's.
    """

    interval: Interval
    values: Floats = field(default_factory=lambda: np.empty(0))
    counts: Floats = field(default_factory=lambda: np.empty(0))
    far: Pair | None = None

    @classmethod
    def of(cls, found: Influence, interval: Interval, ends: Pair) -> "OneSided":
        """Of a mean whose values, spread out as its standard error says, have these ends."""
        away = found.values - found.mean
        spread = math.sqrt(float(away @ away) / max(len(away) - 1, 1) / len(away))
        away = away * (found.se / spread if spread else 1.0)
        values, counts = np.unique(found.mean + away, return_counts=True)
        far = min(ends[0], float(values[0])), max(ends[1], float(values[-1]))
        return cls(interval, values, counts.astype(np.float64), far)

    @property
    def mirrored(self) -> "OneSided":
        """Of the negative."""

        def interval(level: float) -> Pair:
            low, high = self.interval(level)
            return -high, -low

        return OneSided(interval, -self.values, self.counts, self.far and (-self.far[1], -self.far[0]))

    def upper(self, alpha: float) -> float:
        """The upper bound that errs with chance alpha, in (0, 0.5]."""
        bound = self._end(alpha)
        if self.far is None or self.p_unseen(bound) < alpha:
            return bound
        return last(lambda at: self.p_unseen(at) >= alpha, bound, self.far[1], STEPS // 2)

    def p_below(self, threshold: float) -> float:
        """The p value of "the truth is not below the threshold", which is smaller than alpha if and only if
        the upper bound at alpha is below it; 0.5 stands for anything larger.
        """
        steps = STEPS if self._end(LARGEST_P) < threshold else 0
        least, most = math.log(SMALLEST_P), math.log(LARGEST_P)
        inverted = last(lambda at: self._end(math.exp(at)) >= threshold, least, most, steps)
        return max(math.exp(inverted), self.p_unseen(threshold))

    def p_unseen(self, threshold: float) -> float:
        """The chance that the weighted mean is above the threshold: that of sum g (v - threshold) > 0 with
        exponential g, by a saddlepoint; at most 0.5.
        """
        if self.far is None or self.far[1] <= threshold:
            return 0.0
        away, counts = np.append(self.values, self.far[1]) - threshold, np.append(self.counts, 1.0)
        if float(counts @ away) >= 0:
            return LARGEST_P
        tilt = last(lambda at: float(counts @ (away / (1 - at * away))) < 0, 0.0, 1 / float(away.max()))
        left = 1 - tilt * (1 - NOTHING) * away
        root = math.sqrt(max(2 * float(counts @ np.log(left)), 0.0))
        slope = tilt * math.sqrt(float(counts @ (away / left) ** 2))
        if min(root, slope) < NEAR:
            return LARGEST_P
        density = math.exp(-root * root / 2) / math.sqrt(2 * math.pi)
        return min(max(float(ndtr(-root)) + density * (1 / slope - 1 / root), 0.0), LARGEST_P)

    def _end(self, alpha: float) -> float:
        return self.interval(1 - 2 * min(max(alpha, SMALLEST_P), LARGEST_P))[1]


class Windowed(NamedTuple):
    """p: over all windows. nights: of the window that it is made of. share: that window's share of alpha."""

    p: float
    nights: int
    share: float


def over_windows(p_values: Sequence[float]) -> Windowed:
    """One p value of tonight alone, the last two nights, the last three: the smallest by its window's share.

    The chance of an error is at most the sum of theirs, however they depend (weighted Bonferroni). Of p
    values that are as small as any is told, the shortest window's is taken.
    """
    each = enumerate(zip(p_values, WINDOWS[len(p_values) - 1], strict=True), 1)
    found = [(p > LEAST_TOLD, Windowed(min(1.0, p / share), nights, share)) for nights, (p, share) in each]
    return min(found, key=lambda one: (one[0], one[1] if one[0] else one[1].nights))[1]
