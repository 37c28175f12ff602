"""One measure of two cells, paired unit by unit: difference, interval, p value, and where each side wins.

A mean of units is compared by `stats.paired_difference`; what is no mean by resampling whole clusters.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from suite.comparisons.comparability import Match
from suite.scoring.measures import Measure
from suite.scoring.stats.bootstrap import Columns, resample
from suite.scoring.stats.clusters import Digests, Floats, clusters_of, is_binary
from suite.scoring.stats.estimate import Estimate, clip, finite, joined
from suite.scoring.stats.means import Interval, covering_mean, interval_of, of_mean, p_value
from suite.scoring.stats.paired_difference import Comparison, paired_difference, range_of_difference
from suite.scoring.table import ScoreTable
from suite.scoring.units import scope_of, unit_ids, units_of

DRAWS = 1000
MOST_VALUES = 24  # of a tag


@dataclass(frozen=True)
class Side:
    """One cell's units. every, every_cluster: all units of the cell, sorted by id, with their clusters. ids,
    columns: the scored ones, sorted by id. lost: those that lack a score which they should have.
    """

    every: Digests
    every_cluster: Digests
    ids: Digests
    columns: Columns
    lost: Digests | Sequence[int] = ()


def side(measure: Measure, table: ScoreTable, cell: str, tags: Sequence[str]) -> Side:
    """The units of a cell, with their tags as columns "tag:NAME"."""
    rows = scope_of(table, cell, measure.over, measure.where)
    every, first = np.unique(unit_ids(rows), return_index=True)
    clusters = table.cluster[rows.samples()][first]
    units = units_of(measure, rows, [f"tag:{tag}" for tag in tags])
    ids = units.samples if units.ids is None else units.ids
    order = np.argsort(ids, kind="stable")
    columns = {name: one[order] for name, one in units.columns.items()}
    return Side(every, clusters, ids[order], columns, units.lost)


@dataclass(frozen=True)
class Paired:
    """One measure compared. a, b: its value for either side on the common units. difference and the rest: see
    `Comparison`. only_a, only_b: units that just one side has. ids, d: the common units and their
    differences, None where the measure is no mean of units. lone: units that just one side scored. tags: of
    side A, for slices. interval: of the difference at any level, None where there is none.
    """

    a: float | None
    b: float | None
    comparison: Comparison
    only_a: int
    only_b: int
    ids: Digests | None = None
    d: Floats | None = None
    clusters: Digests | None = None
    tags: Columns | None = None
    interval: Interval | None = None
    lone: Sequence[int] | Digests = ()

    def at(self, level: float) -> Estimate:
        return _at(self.comparison.difference, self.interval, level)

    @property
    def note(self) -> str:
        apart = f"{self.only_a} units only in A, {self.only_b} only in B" * bool(self.only_a or self.only_b)
        return joined(self.comparison.note, self.comparison.difference.note, apart)


def _at(found: Estimate, interval: Interval | None, level: float) -> Estimate:
    low, high = (None, None) if interval is None else interval(level)
    return replace(found, low=low, high=high, level=level)


def pair(measure: Measure, a: Side, b: Side, *, seed: int, level: float) -> Paired:
    """Compare two cells on the units that both have."""
    common = np.intersect1d(a.every, b.every, assume_unique=True)
    only_a, only_b = len(a.every) - len(common), len(b.every) - len(common)
    clusters = a.every_cluster[np.searchsorted(a.every, common)]
    if not measure.mean:
        value_a, value_b, tested, at = _by_formula(measure, a, b, common, clusters, seed=seed, level=level)
        return Paired(value_a, value_b, tested, only_a, only_b, interval=at)
    x, y = _laid_out(measure, a, common), _laid_out(measure, b, common)
    either = ~(np.isnan(x) & np.isnan(y))  # scored for neither: not applicable, or lost by both
    common, clusters, x, y = common[either], clusters[either], x[either], y[either]
    binary = measure.binary and not measure.macro and all(is_binary(one[~np.isnan(one)]) for one in (x, y))
    both = ~(np.isnan(x) | np.isnan(y))
    ids, d = common[both], (x - y)[both]
    place = np.searchsorted(a.ids, ids)
    tags = {name: column[place] for name, column in a.columns.items() if name.startswith("tag:")}
    groups = _groups(measure, tags, len(ids))
    value_a, value_b = (
        math.fsum(float(each[both][one].mean()) for one in groups) / len(groups) if groups else None
        for each in (x, y)
    )
    found, interval = paired_difference(
        x, y, clusters, groups, binary=binary, value_range=measure.range, level=level
    )
    told = (ids, d, clusters[both], tags, interval, common[~both])
    return Paired(value_a, value_b, found, only_a, only_b, *told)


def _groups(measure: Measure, tags: Columns, n: int) -> list[NDArray[np.bool_]]:
    """Which units each group of a macro average has; else all are one."""
    if not measure.macro or not n:
        return [np.ones(n, dtype=bool)] if n else []
    labels = tags[f"tag:{measure.macro}"].astype(str)
    return [labels == one for one in np.unique(labels)]


def _laid_out(measure: Measure, one: Side, common: Digests) -> Floats:
    found = np.full(len(common), np.nan)
    if measure.top is not None:
        _, place, own = np.intersect1d(common, one.ids, return_indices=True)
        found[place] = measure.top(one.columns)[own]
    return found


def _by_formula(
    measure: Measure, a: Side, b: Side, common: Digests, clusters: Digests, *, seed: int, level: float
) -> tuple[float | None, float | None, Comparison, Interval | None]:
    """The difference of a statistic: clusters resampled jointly, and swapped between the models for p."""
    ids = np.intersect1d(np.intersect1d(a.ids, b.ids), common)
    kept = clusters[np.searchsorted(common, ids)]
    one, two = (
        {name: column[np.searchsorted(each.ids, ids)] for name, column in each.columns.items()}
        for each in (a, b)
    )
    codes = clusters_of(kept, len(ids))
    first, second = _value(measure, one, codes.codes), _value(measure, two, codes.codes)
    lost_a, lost_b = (len(common) - len(np.intersect1d(each.ids, common)) for each in (a, b))
    empty = Estimate(None, level=level, n=len(ids), clusters=codes.count, note="no value on one side")
    found = Comparison(empty, n_common=len(ids), lost_a=lost_a, lost_b=lost_b)
    if first is None or second is None:
        return first, second, found, None

    def difference(tables: Mapping[str, Columns]) -> float | None:
        x, y = finite(measure.statistic(tables["a"])), finite(measure.statistic(tables["b"]))
        return None if x is None or y is None else x - y

    limits = range_of_difference(measure.range)
    value, tables = first - second, {"a": (one, kept), "b": (two, kept)}
    drawn, note = resample(value, difference, tables, DRAWS, seed, limits)
    found = replace(found, difference=replace(empty, value=value, note=note))
    if drawn is None:
        return first, second, found, None
    se = float(drawn.drawn.std())

    def interval(level: float) -> tuple[float, float]:
        return clip(drawn.at(level), limits)

    found = replace(found, se=se).tested(interval, "cluster-bootstrap")
    return first, second, found, interval


def _value(measure: Measure, columns: Columns, codes: NDArray[np.intp]) -> float | None:
    return finite(measure.statistic({**columns, "cluster": codes})) if len(codes) else None


@dataclass(frozen=True)
class SliceDifference:
    """A minus B among the units with one tag. p: from the interval, uncorrected."""

    tag: str
    value: str
    difference: Estimate
    wins: int
    ties: int
    losses: int
    p: float | None
    interval: Interval | None = None

    def at(self, level: float) -> "SliceDifference":
        return replace(self, difference=_at(self.difference, self.interval, level))


def slice_differences(
    found: Paired, measure: Measure, tags: Sequence[str], *, level: float
) -> list[SliceDifference]:
    """Differences by tag. Tags with one value, or very many, are left out."""
    if found.d is None or found.tags is None or found.clusters is None:
        return []
    rows = []
    for tag in tags:
        labels = found.tags[f"tag:{tag}"].astype(str)
        values, codes = np.unique(labels, return_inverse=True)
        if not 1 < len(values) <= MOST_VALUES:
            continue
        for code, value in enumerate(values):
            d, clusters = found.d[codes == code], found.clusters[codes == code]
            own, limits = clusters_of(clusters, len(d)), range_of_difference(measure.range)
            estimate = covering_mean(d, own, limits=limits, level=level)
            interval, _ = interval_of(of_mean(d, own), len(d), limits=limits)
            p = None if interval is None else p_value(interval)
            counts = (int((d > 0).sum()), int((d == 0).sum()), int((d < 0).sum()))
            rows.append(SliceDifference(tag, str(value) or "(none)", estimate, *counts, p, interval))
    return rows


@dataclass(frozen=True)
class MeasureRow:
    """One measure of one pair of cells. corrected: its p within its family. verdict: for headlines."""

    a: str
    b: str
    match: Match
    measure: Measure
    headline: bool
    found: Paired
    equivalent: bool | None = None
    corrected: float | None = None
    verdict: str = ""


@dataclass(frozen=True)
class SliceRow:
    """One slice of one row. corrected: by Benjamini-Hochberg over all slices."""

    row: MeasureRow
    found: SliceDifference
    corrected: float | None
