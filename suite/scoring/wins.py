"""Win rates against one opponent: every reading of a tie beside the others.

Source: specs/statistics.md section 11.1. Orders of a pair are combined before (`pairwise`).
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from suite.scoring.intervals import estimate_mean
from suite.scoring.metrics import WinRate
from suite.scoring.results import MetricResult
from suite.scoring.row import WHOLE, Context, Slice, mean_bounds
from suite.scoring.units import Scope, collect, scope_of

UNIT = (0.0, 1.0)


def win_rows(metric: WinRate, context: Context) -> Iterator[MetricResult]:
    """Rows of a WinRate: the whole first, then its slices."""
    scope = scope_of(context.table, context.cell, "samples", metric.where)
    yield from _rows(metric, context, scope, WHOLE)
    for tag in metric.slices:
        for category, part in scope.sliced(tag):
            yield from _rows(metric, context, part, {tag: category})


def _rows(metric: WinRate, context: Context, scope: Scope, slice_: Slice) -> Iterator[MetricResult]:
    units = collect(scope, [metric.value])
    x = units.columns[metric.value]
    sides = np.sign(x - 0.5)
    won = replace(units, columns={"x": (sides > 0).astype(np.float64)})
    net = replace(units, columns={"x": sides})
    decided = won.take(sides != 0)
    counts = f"{int((sides > 0).sum())} wins, {int((sides == 0).sum())} ties, {int((sides < 0).sum())} losses"
    half, excluded, strict, difference = metric.rows()
    for name, of, column, binary, limits in (
        (half, units, metric.value, False, UNIT),
        (excluded, decided, "x", True, UNIT),
        (strict, won, "x", True, UNIT),
        (difference, net, "x", False, (-1.0, 1.0)),
    ):
        found = estimate_mean(of.columns[column], of.clusters, binary, limits, context.level)
        note = "; ".join(filter(None, (counts if units.n else "", found.note)))
        bounds = None if of is decided else mean_bounds(of, column, limits)
        yield context.row(metric, name, slice_, found._replace(note=note), of, bounds)
