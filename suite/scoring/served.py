"""Numbers by tags to be read all at once, who is served worst, and which cell is best for whom.

Whoever looks for the lowest of forty numbers finds one that is low by chance. So every interval here is made
at the level 1 - alpha/m for m claims (Bonferroni: samples, tags and cells overlap, and it assumes nothing
about that). A value differs from the rest where the interval of the difference leaves 0 out; it is made of
the intervals of both (Zou and Donner 2008), which is cautious where the same clusters lie on both sides.
Cells are compared on the units that they share. Pure functions of the table of scores.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from suite.journal.documents import MetricResult
from suite.scoring.measures import Measure
from suite.scoring.metrics.declared import OfOneCell
from suite.scoring.rows import CellSlice, Context
from suite.scoring.stats.clusters import Digests, Floats, is_binary
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.paired_difference import paired_difference
from suite.scoring.stats.worst_tenth import FEWEST_EACH, FEWEST_GROUPS, worst_tenth
from suite.scoring.units import Scope, scope_of, units_of


class Named(NamedTuple):
    """A value of a tag: its number, with an interval that holds beside all others; that of all others."""

    value: str
    own: MetricResult
    rest: float
    beyond: bool = False


class Worst(NamedTuple):
    """Whom a cell serves worst by a tag. beyond: `named` are all that are worse than the rest beyond chance;
    else those that share the worst number, if it is worse than the rest. few: how many of the tag's values
    have too few samples to be named. n: of the values, least and most.
    """

    cell: str
    tag: str
    beyond: bool
    named: Sequence[Named]
    values: int
    few: int
    n: tuple[int, int]


class Best(NamedTuple):
    """The cell that is best for a tag's value, "" for a tie. beyond: whether it beats all others by more."""

    tag: str
    value: str
    cell: str
    beyond: bool


Seen = tuple[Floats, Digests, Digests]  # what a cell has for a value of a tag, a unit each; ids; clusters


def at_once(context: Context, claims: int, cell: str = "") -> Context:
    """For a cell, with the level of each of so many intervals at which all of them hold at once."""
    return replace(context, cell=cell, level=1 - (1 - context.level) / max(claims, 1))


def worst_served(metric: OfOneCell, row: str, context: Context, cells: Sequence[str]) -> Iterator[Worst]:
    """Of each cell, for each tag of two values or more, who is served worst.

    row: of the metric. context: with the level that all claims have together.
    """
    scopes = {cell: scope_of(context.table, cell, metric.over, metric.where) for cell in cells}
    sliced = [(cell, tag, scope.sliced(tag)) for cell, scope in scopes.items() for tag in metric.slices]
    tags = [one for one in sliced if len(one[2]) > 1]
    asked = at_once(context, sum(len(parts) for *_, parts in tags))
    better = -1.0 if metric.direction == "lower" else 1.0

    def result(part: Scope, tag: str, value: str) -> MetricResult:
        return next(one for one in metric.compute(CellSlice(asked, part, {tag: value})) if one.name == row)

    for cell, tag, parts in tags:
        found, scope, counts = list[Named](), scopes[cell], list[int]()
        for value, part in parts:
            own = result(part, tag, value)
            counts.append(own.n)
            rest = result(scope.only(~np.isin(scope.rows, part.rows)), tag, "(rest)")
            if own.low is not None and rest.value is not None:
                found.append(Named(value, own, rest.value, _worse(own, rest, better)))
        found.sort(key=lambda one: better * (one.own.value or 0.0))
        most = [one for one in found if one.own.n >= FEWEST_EACH]
        beyond = [one for one in found if one.beyond]
        below = [one for one in most if better * (one.own.value or 0.0) < better * one.rest]
        tied = [one for one in below if one.own.value == most[0].own.value]
        few, ends = len(parts) - len(most), (min(counts), max(counts))
        yield Worst(cell, tag, bool(beyond), beyond or tied, len(parts), few, ends)


def _worse(own: MetricResult, rest: MetricResult, better: float) -> bool:
    """Whether the interval of the difference of two numbers leaves 0 out, on the bad side."""
    worse, other = ([better * (x or 0.0) for x in (one.value, one.low, one.high)] for one in (own, rest))
    reach = math.hypot(max(worse[1:]) - worse[0], other[0] - min(other[1:]))
    return rest.low is not None and other[0] - worse[0] > reach


def best_cells(measure: Measure, context: Context, cells: Sequence[str]) -> Iterator[Best]:
    """For each value of each tag, the best of several cells by a mean. context: as of `worst_served`."""
    held: dict[tuple[str, str], dict[str, Seen]] = {}
    for cell in cells:
        scope = scope_of(context.table, cell, measure.over, measure.where)
        for tag in measure.slices:
            for value, part in scope.sliced(tag):
                if measure.top is not None and (units := units_of(measure, part)).n:
                    x = np.asarray(measure.top(units.columns), dtype=np.float64)
                    ids = units.samples if units.ids is None else units.ids
                    held.setdefault((tag, value), {})[cell] = (x, ids, units.clusters)
    level = at_once(context, sum(len(one) * (len(one) - 1) // 2 for one in held.values())).level
    better = -1.0 if measure.direction == "lower" else 1.0
    for (tag, value), by in held.items():
        first, *others = sorted(by, key=lambda cell: -better * float(by[cell][0].mean()))
        if others:
            beyond = all(_beats(measure, by[first], by[other], better, level) for other in others)
            tied = float(by[first][0].mean()) == float(by[others[0]][0].mean())
            yield Best(tag, value, "" if tied else first, beyond and not tied)


def _beats(measure: Measure, a: Seen, b: Seen, better: float, level: float) -> bool:
    """Whether one cell is better than another beyond chance, on the units that both have."""
    _, i, j = np.intersect1d(a[1], b[1], return_indices=True)
    x, y, groups = a[0][i], b[0][j], [np.ones(len(i), dtype=bool)] if len(i) else []
    binary = measure.binary and is_binary(np.concatenate([x, y]))
    told, _ = paired_difference(x, y, a[2][i], groups, binary=binary, value_range=measure.range, level=level)
    low, high = told.difference.low, told.difference.high
    return low is not None and high is not None and min(better * low, better * high) > 0


def worst_tenths(measure: Measure, context: Context) -> Iterator[tuple[str, Estimate]]:
    """A cell's worst tenth by each tag of many values, and by clusters of many units ("" if no tag does)."""
    scope = scope_of(context.table, context.cell, measure.over, measure.where)
    units = units_of(measure, scope, [f"tag:{tag}" for tag in measure.slices])
    if measure.top is None or not units.n:
        return
    x = np.asarray(measure.top(units.columns), dtype=np.float64)
    groups = {tag: (units.columns[f"tag:{tag}"].astype(str), units.clusters) for tag in measure.slices}
    pairs = {tag: len(set(zip(one.tolist(), of.tolist(), strict=True))) for tag, (one, of) in groups.items()}
    count = len(np.unique(units.clusters))
    same = [tag for tag, (one, _) in groups.items() if pairs[tag] == count == len(np.unique(one))]
    for name, (labels, inner) in {**groups, "".join(same[:1]): (units.clusters, units.samples)}.items():
        codes = [np.unique(one, return_inverse=True)[1] for one in (labels, inner)]
        (group, _), within = np.unique(np.stack(codes), axis=1, return_inverse=True)
        y = np.bincount(within.reshape(-1), weights=x) / np.bincount(within.reshape(-1))
        sizes = np.bincount(group)
        if len(sizes) < FEWEST_GROUPS or sizes.mean() < FEWEST_EACH or sizes.min() < 2:
            continue
        lower, binary = measure.direction == "lower", measure.binary and is_binary(y)
        found = worst_tenth(y, group, lower=lower, binary=binary, limits=measure.range, level=context.level)
        if found.low is not None:
            yield name, replace(found, n=len(sizes))
