"""What tonight, and the nights before, show about one claim: one-sided tests, better being higher.

Tonight is measured exactly as `suite compare` does, pair by pair and cluster by cluster. A window of several
nights takes each unit's mean difference over them. Its variance is taken across units, so a shared baseline's
luck is inside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from suite.comparisons.differences import DRAWS, Paired
from suite.gates.nights import UnitValues
from suite.journal.index import digest64
from suite.scoring.measures import Measure
from suite.scoring.stats import intervals, means
from suite.scoring.stats.bootstrap import resample
from suite.scoring.stats.clusters import Array, Digests, grouped, is_binary
from suite.scoring.stats.estimate import Limits, clip, finite
from suite.scoring.stats.one_sided import LARGEST_P, WINDOWS, OneSided, Windowed, over_windows
from suite.scoring.stats.paired_difference import range_of_difference
from suite.scoring.units import Units

LEAST_SHARED = 0.5  # of tonight's units, that the nights of a window must have, too


@dataclass(frozen=True)
class Evidence:
    """One claim tonight. value: the difference, or the candidate's own. test: None where there is no
    interval. units: None where the value is no mean of units, so that no nights are pooled. limits: of a
    unit. binary: of 0/1 scores.
    """

    value: float | None
    test: OneSided | None = None
    units: UnitValues | None = None
    limits: Limits = None
    binary: bool = False

    @property
    def mirrored(self) -> "Evidence":
        """Of the negative."""
        units = self.units and replace(self.units, d=-self.units.d)
        limits = self.limits and (-self.limits[1], -self.limits[0])
        value = None if self.value is None else -self.value
        return Evidence(value, self.test and self.test.mirrored, units, limits, self.binary)

    def windows(self, before: Sequence[UnitValues]) -> list[OneSided]:
        """Tests of tonight alone, and of the last two and three nights as far as there are such. before:
        units of the nights before, the last one first.
        """
        found = [] if self.test is None else [self.test]
        for last in range(1, min(len(before), len(WINDOWS) - 1) + 1):
            if self.units is None or (longer := self._pooled([self.units, *before[:last]])) is None:
                break
            found.append(longer)
        return found

    def p_fail(self, threshold: float, windows: Sequence[OneSided]) -> Windowed | None:
        """That the truth is below the threshold. A window of several nights counts only where tonight's value
        is below it, too.
        """
        if self.value is None or not windows:
            return None
        p_values = [one.p_below(threshold) for one in windows]
        if self.value >= threshold:
            p_values[1:] = [LARGEST_P] * (len(windows) - 1)
        return over_windows(p_values)

    def _pooled(self, nights: Sequence[UnitValues]) -> OneSided | None:
        """Of the mean over units of each one's mean over nights; None where these share too few units."""
        ids: Digests = reduce(np.intersect1d, [one.ids for one in nights])
        if len(ids) < LEAST_SHARED * len(nights[0].ids):
            return None
        shared = [one.take(np.searchsorted(one.ids, ids)) for one in nights]
        found = influence(replace(shared[0], d=np.mean([one.d for one in shared], axis=0)))
        interval, _ = means.interval_of(found, len(ids), limits=self.limits)
        return held(found, interval, self.limits, binary=self.binary)


def held(
    found: means.Influence, interval: means.Interval | None, limits: Limits, *, binary: bool
) -> OneSided | None:
    """Tests by an interval, held to what values not seen could do: anywhere in the range of 0/1 scores, else
    as far out as the values themselves suggest. None without an interval.
    """
    if interval is None:
        return None
    if not binary or limits is None:
        tails = intervals.tails_of(
            found.values, limits, se=found.se, df=found.df, count=found.worth, seen=found.seen
        )
        limits = limits if tails is None else (tails.low, tails.high)
    return OneSided(interval) if limits is None else OneSided.of(found, interval, limits)


def influence(units: UnitValues) -> means.Influence:
    """What each cluster does to the mean of d, or to the mean of the means of its groups."""
    codes, known = grouped(units.clusters), np.unique(units.groups)
    if len(known) == 1:
        return means.of_mean(units.d, codes)
    groups = [units.groups == one for one in known]
    return means.influence_of_macro([units.d[one] for one in groups], [codes.only(one) for one in groups])


def of_pairs(found: Paired, measure: Measure) -> Evidence:
    """Of two sides, the first less the second."""
    value, limits = found.comparison.difference.value, range_of_difference(measure.range)
    if found.interval is None or found.d is None or found.ids is None or found.clusters is None:
        return Evidence(value, found.interval and OneSided(found.interval))
    labels = found.tags[f"tag:{measure.macro}"] if measure.macro and found.tags else None
    units = UnitValues(found.ids, found.clusters, _groups(labels, len(found.d)), found.d)
    test = held(influence(units), found.interval, limits, binary=measure.binary)
    return Evidence(value, test, units, limits, measure.binary)


def of_candidate(measure: Measure, sample: Units, seed: int) -> Evidence:
    """Of a candidate alone. sample: its units, with the tag of a macro average."""
    columns = sample.columns
    if not sample.n:
        return Evidence(None)
    if measure.top is None or not measure.mean:
        value = finite(measure.statistic({**columns, "cluster": grouped(sample.clusters).codes}))
        tables = {"": (columns, sample.clusters)}
        drawn, _ = resample(value or 0.0, lambda one: measure.statistic(one[""]), tables, DRAWS, seed)
        if value is None or drawn is None:
            return Evidence(value)
        return Evidence(value, OneSided(lambda level: clip(drawn.at(level), measure.range)))
    x, ids = measure.top(columns), sample.samples if sample.ids is None else sample.ids
    labels = columns[f"tag:{measure.macro}"] if measure.macro else None
    units = UnitValues(ids, sample.clusters, _groups(labels, sample.n), x).take(np.argsort(ids))
    found, binary = influence(units), measure.binary
    interval, _ = means.interval_of(found, sample.n, binary=binary and is_binary(x), limits=measure.range)
    test = held(found, interval, measure.range, binary=binary)
    return Evidence(found.mean, test, units, measure.range, binary)


def _groups(labels: Array | None, n: int) -> Digests:
    """A digest a unit of the macro average's group that it lies in."""
    if labels is None:
        return np.zeros(n, dtype=np.uint64)
    return np.array([digest64(str(one)) for one in labels], dtype=np.uint64)
