"""A mean over all units from labels of some that were drawn at random within strata; prediction-powered.

A judge's values of all units are corrected, stratum by stratum, by its mean error on those that people
labelled (PPI++, arXiv 2311.01453), so that unequal shares of labels do no harm. Every unit pulls on the mean,
a labelled one by the inverse of its chance to be labelled; the pulls give the variance, and respect clusters
(Sarndal, Swensson and Wretman 1992, ch. 9: two phases). Not here: which units to label.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from suite.scoring.stats.clusters import Clusters, Codes, Floats
from suite.scoring.stats.estimate import Estimate, Pair, clip
from suite.scoring.stats.intervals import NOTHING, normal_quantile, share_interval, t_quantile, tails_of

UNSEEN = 0.25  # values at either end of the scale that a stratum may hold unseen, for its variance alone


Stratum = tuple[float, int, int]  # weight squared times variance of the judge's errors; labels; units


@dataclass(frozen=True, slots=True)
class StratifiedMean:
    """value: None where a stratum has no label. pulls: of each unit on it, shape (n,). unseen: variance for
    what was not seen. counts: of one mean or several, how much each unit's label counts, shape (means, n).
    """

    value: float | None
    pulls: Floats
    counts: Floats
    strata: tuple[Stratum, ...] = ()
    unseen: float = 0.0

    @property
    def labels(self) -> int:
        """Labelled units."""
        return sum(labels for _, labels, _ in self.strata)

    def minus(self, other: "StratifiedMean") -> "StratifiedMean":
        """The difference of two means; its units are those of both, one after the other."""
        value = None if self.value is None or other.value is None else self.value - other.value
        pulls, n = np.concatenate([self.pulls, -other.pulls]), len(self.pulls)
        counts = np.pad(self.counts, ((0, 1), (0, len(other.pulls))))
        counts[-1, n:] = other.counts
        return StratifiedMean(value, pulls, counts, self.strata + other.strata, self.unseen + other.unseen)

    def variance(self, clusters: Clusters) -> float:
        """Of the mean, for units in at least two clusters."""
        others = np.maximum(1 - clusters.sums(self.counts.mean(axis=0)), 1 / clusters.count)
        sums = clusters.sums(self.pulls) / others  # CR3
        spread = float(sums @ sums) * (clusters.count - 1) / clusters.count
        return spread + self.unseen * self._alike(clusters) ** 2

    def _alike(self, clusters: Clusters) -> float:
        """Labels that one is worth where all of a cluster are alike."""
        sums = np.array([clusters.sums(one) for one in self.counts])
        return float((sums**2).sum() / (self.counts**2).sum())

    def estimate(self, clusters: Clusters, level: float, limits: Pair, *, share: bool = False) -> Estimate:
        """With room for values not seen (`tails_of`); of a share in [0, 1] the beta interval of as many units
        as it is worth. Degrees of freedom: labels minus strata, or what their clusters are worth, less one.
        """
        plain = Estimate(self.value, level=level, n=len(self.pulls), clusters=clusters.count)
        if self.value is None or clusters.count < 2:
            return replace(plain, note="a stratum has no label" if self.value is None else "one cluster")
        size = min(1 / float(one @ one) for one in map(clusters.sums, self.counts))
        variance, df = self.variance(clusters), max(min(self.labels - len(self.strata), size - 1), 1.0)
        if not share:
            pulls, counts = clusters.sums(self.pulls), clusters.sums(self.counts.mean(axis=0))
            values, some = self.value + clusters.count * pulls, counts > 0
            seen = self.value + pulls[some] / counts[some]
            bound = tails_of(values, limits, se=math.sqrt(variance), df=df, count=size, seen=seen)
            low, high = clip(bound.at(level), limits) if bound else (None, None)
            return replace(plain, low=low, high=high, method="stratified-ppi-t")
        alike, own = self._alike(clusters), self.value * (1 - self.value)
        p = (self.value * self.labels + UNSEEN * alike) / (self.labels + 2 * UNSEEN * alike)
        unseen, factor = self.unseen * alike**2, (t_quantile(df, level) / normal_quantile(level)) ** 2
        spread = factor * (variance - unseen)
        worth = p * (1 - p) / (spread + unseen)
        if min(own, spread) > NOTHING:
            worth = min(worth, own / spread)
        worth = max(worth, 1.0)
        low, high = share_interval(min(max(self.value, 0.0), 1.0), worth, level)
        return replace(plain, low=low, high=high, method="stratified-ppi-beta", n_effective=worth)

    def labels_to_halve(self, clusters: Clusters) -> int | None:
        """About how many more labels, shared out like those there are, halve the interval; None if no number
        does, since the units themselves are too few.
        """
        room = sum(spread / labels for spread, labels, _ in self.strata) - 0.75 * self.variance(clusters)
        for times in (1.02**step for step in range(500)):
            wanted = [min(units, times * labels) for _, labels, units in self.strata]
            if sum(one[0] / more for one, more in zip(self.strata, wanted, strict=True)) <= room:
                return math.ceil(sum(wanted)) - self.labels
        return None


def stratified_mean(
    human: Floats, judge: Floats, weights: Floats, strata: Codes, limits: Pair = (0.0, 1.0)
) -> StratifiedMean:
    """The weighted mean of what people would say of all n units.

    human: NaN where nobody was asked or could tell, which must be at random within a stratum. judge: of all
    units, 0 where it says nothing. weights: positive. strata: codes, all of which occur. limits: of scale.
    How much the judge counts, lambda in [0, 1], is tuned within strata, and one for all of them.
    """
    w, known = weights / weights.sum(), ~np.isnan(human)
    tuned = _tuned(human[known], judge[known], strata[known])
    expected, unseen, parts, (pulls, counts) = tuned * judge, 0.0, [], np.zeros((2, len(w)))
    for code in range(int(strata.max()) + 1):
        own = strata == code
        labelled, units = np.flatnonzero(own & known), int(own.sum())
        if not (count := len(labelled)):
            return StratifiedMean(None, pulls, counts[None])
        errors, within, share = human[labelled] - expected[labelled], w[labelled], float(w[own].sum())
        within = within / within.sum()
        away = errors - float(within @ errors)
        expected[own] += float(within @ errors)
        squares = float(away @ away)
        variance = squares / max(count - 1, 1)
        ends = (end - float(within @ human[labelled]) for end in limits)
        wider = (squares + UNSEEN * sum(end**2 for end in ends)) / (count + 2 * UNSEEN)
        counts[labelled] = share * within
        pulls[labelled] = counts[labelled] * away * math.sqrt(count / max(count - 1, 1))
        parts.append((share**2 * max(variance, wider), count, units))
        unseen += share**2 * max(wider - variance, 0.0) / count
    value = float(w @ expected)
    return StratifiedMean(value, pulls + w * (expected - value), counts[None], tuple(parts), unseen)


def _tuned(human: Floats, judge: Floats, strata: Codes) -> float:
    """The lambda with the least variance within strata; 0 for a judge that does not vary there."""
    if not len(human):
        return 0.0
    sizes = np.maximum(np.bincount(strata), 1)
    y, f = (x - (np.bincount(strata, x) / sizes)[strata] for x in (human, judge))
    return min(1.0, max(0.0, float(f @ y) / float(f @ f))) if float(f @ f) > 1e-12 else 0.0


def shared_out(sizes: Sequence[int], n: int) -> list[int]:
    """How many of each stratum to label: half of n evenly, at least two each, the rest where most are lacking
    for shares like the sizes; none gets more than it has. The sum is n where that is enough and not too many.
    """
    n = min(n, sum(sizes))
    taken = [min(size, max(2, n // (2 * len(sizes)))) for size in sizes]
    for _ in range(n - sum(taken)):
        strata = enumerate(zip(sizes, taken, strict=True))
        lacks = [(size * n / sum(sizes) - one, i) for i, (size, one) in strata if size > one]
        if lacks:
            taken[max(lacks)[1]] += 1
    return taken
