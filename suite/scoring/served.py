"""Numbers by tags to be read all at once, who is served worst, and which cell is best for whom.

Whoever looks for the lowest of forty numbers finds one that is low by chance. So every interval here is made
at the level 1 - alpha/m for m claims (Bonferroni: samples, tags and cells overlap, and it assumes nothing
about that). A value differs from the rest where the interval of the difference leaves 0 out; it is made of
the intervals of both (Zou and Donner 2008), which is cautious where the same clusters lie on both sides.
Cells are compared on the units that they share. Pure functions of the table of scores.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from suite.journal.documents import MetricResult
from suite.scoring.measures import Measure
from suite.scoring.metrics.declared import OfOneCell
from suite.scoring.rows import CellSlice, Context
from suite.scoring.stats.clusters import clusters_of
from suite.scoring.stats.estimate import Estimate, clip
from suite.scoring.stats.means import of_mean
from suite.scoring.stats.paired_difference import paired_difference
from suite.scoring.stats.worst_tenth import FEWEST_EACH, FEWEST_GROUPS, worst_tenth
from suite.scoring.units import Scope, Units, scope_of, units_of


class Worst(NamedTuple):
    """A value of a tag that is served worst. own: its number, with an interval that holds beside those of all
    values of all tags. rest: the number of all other values. beyond: whether it is worse beyond chance.
    """

    tag: str
    value: str
    own: MetricResult
    rest: float
    beyond: bool


class Best(NamedTuple):
    """The cell that is best for a tag's value. beyond: whether it beats each other cell beyond chance."""

    tag: str
    value: str
    cell: str
    beyond: bool


def at_once(context: Context, claims: int) -> Context:
    """With the level of each of so many intervals at which all of them hold at once."""
    return replace(context, level=1 - (1 - context.level) / max(claims, 1))


def simultaneous(
    metrics: Sequence[OfOneCell], context: Context, cells: Sequence[str], shown: Mapping[str, int]
) -> dict[str, list[MetricResult]]:
    """Cell -> its rows by tags, with intervals that hold at once for all numbers of a row in all cells.

    shown: how many numbers each row has by tags, over all cells.
    """
    found: dict[str, list[MetricResult]] = {cell: [] for cell in cells}
    for metric in metrics:
        asked = at_once(context, max(shown.get(row, 0) for row in metric.rows()))
        for cell in cells:
            found[cell] += [one for one in metric.results(replace(asked, cell=cell)) if one.slice]
    return found


def together(metric: OfOneCell, context: Context, cells: Sequence[str]) -> Scope:
    """The rows of several cells that a metric speaks of; what they share is clustered by sample."""
    scopes = [scope_of(context.table, cell, metric.over, metric.where) for cell in cells]
    return replace(scopes[0], rows=np.concatenate([one.rows for one in scopes]))


def worst_served(metric: OfOneCell, row: str, context: Context, scope: Scope) -> Iterator[Worst]:
    """For each tag of two values or more: the values that are worse than the rest beyond chance, the worst
    first; without any, the one whose interval reaches least far to the good side.

    row: of the metric. context: with the level that all claims have together.
    """
    tags = {tag: parts for tag in metric.slices if len(parts := scope.sliced(tag)) > 1}
    asked = at_once(context, sum(map(len, tags.values())))
    better = -1.0 if metric.direction == "lower" else 1.0

    def result(part: Scope, tag: str, value: str) -> MetricResult:
        return next(one for one in metric.compute(CellSlice(asked, part, {tag: value})) if one.name == row)

    for tag, parts in tags.items():
        found: list[tuple[float, Worst]] = []
        for value, part in parts:
            own = result(part, tag, value)
            rest = result(scope.only(~np.isin(scope.rows, part.rows)), tag, "(rest)")
            if own.low is not None and own.high is not None and rest.value is not None:
                reach = max(better * own.low, better * own.high)
                found.append((reach, Worst(tag, value, own, rest.value, _worse(own, rest, better))))
        found.sort(key=lambda pair: pair[0])
        yield from [one for _, one in found if one.beyond] or [one for _, one in found[:1]]


def _worse(own: MetricResult, rest: MetricResult, better: float) -> bool:
    """Whether the interval of the difference of two numbers leaves 0 out, on the bad side."""
    worse, other = ([better * (x or 0.0) for x in (one.value, one.low, one.high)] for one in (own, rest))
    reach = math.hypot(max(worse[1:]) - worse[0], other[0] - min(other[1:]))
    return rest.low is not None and other[0] - worse[0] > reach


def best_cells(measure: Measure, context: Context, cells: Sequence[str]) -> Iterator[Best]:
    """For each value of each tag, the best of several cells by a mean. context: as of `worst_served`."""
    held: dict[tuple[str, str], dict[str, Units]] = {}
    for cell in cells:
        scope = scope_of(context.table, cell, measure.over, measure.where)
        for tags, part in scope.slices(measure.slices):
            for pair in tags.items():
                if (units := units_of(measure, part)).n:
                    held.setdefault(pair, {})[cell] = units
    asked = at_once(context, sum(len(one) * (len(one) - 1) // 2 for one in held.values()))
    better = -1.0 if measure.direction == "lower" else 1.0
    for (tag, value), by in held.items():
        first, *others = sorted(by, key=lambda cell: -better * (measure.statistic(by[cell].columns) or 0.0))
        if others:
            beyond = all(_beats(measure, by[first], by[other], better, asked.level) for other in others)
            yield Best(tag, value, first, beyond)


def _beats(measure: Measure, a: Units, b: Units, better: float, level: float) -> bool:
    """Whether one cell is better than another beyond chance, on the units that both have."""
    own, other = (one.samples if one.ids is None else one.ids for one in (a, b))
    _, *places = np.intersect1d(own, other, return_indices=True)
    if measure.top is None or not len(places[0]):
        return False
    x, y = (
        np.asarray(measure.top(one.columns), dtype=np.float64)[at]
        for one, at in zip((a, b), places, strict=True)
    )
    binary = measure.binary and bool(np.isin([x, y], (0, 1)).all())
    every = [np.ones(len(x), dtype=bool)]
    clusters = a.clusters[places[0]]
    found, _ = paired_difference(x, y, clusters, every, binary=binary, value_range=measure.range, level=level)
    low, high = found.difference.low, found.difference.high
    return low is not None and high is not None and min(better * low, better * high) > 0


def worst_tenths(measure: Measure, level: float, scope: Scope) -> Iterator[tuple[str, Estimate]]:
    """The worst tenth by each tag of many values, and by clusters of many units ("" is their name)."""
    units = units_of(measure, scope, [f"tag:{tag}" for tag in measure.slices])
    if measure.top is None or not units.n:
        return
    x = np.asarray(measure.top(units.columns), dtype=np.float64)
    groups = {tag: (units.columns[f"tag:{tag}"].astype(str), units.clusters) for tag in measure.slices}
    for name, (labels, inner) in {**groups, "": (units.clusters, units.samples)}.items():
        found, codes = np.unique(labels, return_inverse=True)
        sizes = np.bincount(codes)
        if len(found) < FEWEST_GROUPS or sizes.mean() < FEWEST_EACH:
            continue
        places = np.split(np.argsort(codes, kind="stable"), np.cumsum(sizes)[:-1])
        own = [of_mean(x[at], clusters_of(inner[at], len(at))) for at in places]
        each = sizes * np.array([one.se**2 for one in own])
        pooled = float(each[sizes > 1].mean()) / sizes  # the variance of one mean of few tells little
        made = worst_tenth(
            np.array([one.mean for one in own]), pooled, lower=measure.direction == "lower", level=level
        )
        if made.low is not None and made.high is not None:
            low, high = clip((made.low, made.high), measure.range)
            yield name, replace(made, low=low, high=high)
