"""Win rates against one opponent: every reading of a tie beside the others.

Why all: docs/statistics.md, "Judges". Orders of a pair are combined before (`pairwise`).
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from suite.scoring.estimating import estimate_mean
from suite.scoring.metrics import Range, WinRate
from suite.scoring.results import MetricResult
from suite.scoring.row import Context, Slice, mean_bounds
from suite.scoring.units import Scope, Units, collect

UNIT = (0.0, 1.0)


def win_rows(metric: WinRate, context: Context, scope: Scope, slice_: Slice) -> Iterator[MetricResult]:
    """Rows of a WinRate: one for each way to count ties."""
    units = collect(scope, [metric.value])
    sides = np.sign(units.columns[metric.value] - 0.5)
    counts = f"{int((sides > 0).sum())} wins, {int((sides == 0).sum())} ties, {int((sides < 0).sum())} losses"
    half, excluded, strict, difference = metric.rows()

    def row(name: str, of: Units, binary: bool, limits: Range) -> MetricResult:
        (column,) = of.columns
        found = estimate_mean(of.columns[column], of.clusters, binary, limits, context.level)
        note = "; ".join(filter(None, (counts if units.n else "", found.note)))
        bounds = None if name == excluded else mean_bounds(of, column, limits)
        return context.row(metric, name, slice_, found._replace(note=note), of, bounds)

    won = (sides > 0).astype(np.float64)
    yield row(half, units, False, UNIT)
    yield row(excluded, replace(units, columns={"x": won}).take(sides != 0), True, UNIT)
    yield row(strict, replace(units, columns={"x": won}), True, UNIT)
    yield row(difference, replace(units, columns={"x": sides}), False, (-1.0, 1.0))
