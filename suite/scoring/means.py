"""Means, rates and win rates with their intervals, whole, by slice, and averaged over slices.

Which interval and why: `stats.covering` and docs/statistics.md. A mean of trials is graded, whatever its
trials were. Of a win rate every reading of a tie stands beside the others; why: docs/statistics.md, "Judges".
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from suite.scoring.estimating import estimate_macro, estimate_mean
from suite.scoring.metrics import Mean, Range, WinRate
from suite.scoring.results import MetricResult
from suite.scoring.row import Context, Estimated, Slice, coverage_note, mean_bounds
from suite.scoring.units import Scope, Units, collect


def mean_rows(metric: Mean, context: Context, scope: Scope, slice_: Slice) -> Iterator[MetricResult]:
    """Rows of a Mean or Rate: the total of the plain name; of the whole, also the other total."""
    total = _micro(metric, context, metric.name, slice_, collect(scope, [metric.value]))
    if slice_ or not metric.other:
        yield total
    else:
        macro_first = metric.average == "macro"
        names = (metric.other, metric.name) if macro_first else (metric.name, metric.other)
        micro = msgspec.structs.replace(total, name=names[0], headline=names[0] == context.headline)
        macro = _macro(metric, context, names[1], micro, scope)
        yield from (macro, micro) if macro_first else (micro, macro)


def _micro(
    metric: Mean, context: Context, name: str, slice_: Mapping[str, str], units: Units
) -> MetricResult:
    x = units.columns[metric.value]
    binary = metric.binary and bool(((x == 0) | (x == 1)).all())
    found = estimate_mean(x, units.clusters, binary, metric.range, context.level)
    return context.row(metric, name, slice_, found, units, mean_bounds(units, metric.value, metric.range))


def _macro(metric: Mean, context: Context, name: str, micro: MetricResult, scope: Scope) -> MetricResult:
    """The mean over slices; counts and coverage are those of the whole."""
    columns, clusters, limits, empty = [], [], [], []
    for label, part in scope.sliced(metric.slices[0]):
        units = collect(part, [metric.value])
        if units.n:
            columns.append(units.columns[metric.value])
            clusters.append(units.clusters)
            limits.append(mean_bounds(units, metric.value, metric.range))
        elif units.unscored:
            empty.append(label)
    if empty or not columns:
        found = Estimated(None, note=f"no score in {', '.join(empty[:5])}" if empty else "")
        bounds = None
    else:
        binary = metric.binary and all(bool(((x == 0) | (x == 1)).all()) for x in columns)
        found = estimate_macro(columns, clusters, binary, metric.range, context.level)
        found = found._replace(
            note="; ".join(filter(None, (f"macro over {len(columns)} slices", found.note)))
        )
        bounds = _mean_limits(limits, columns)
    notes = (found.note, coverage_note(micro.coverage))
    return msgspec.structs.replace(
        micro,
        name=name,
        headline=name == context.headline,
        value=found.value,
        low=found.low,
        high=found.high,
        method=found.method,
        bounds=bounds,
        clusters=found.clusters,
        n_effective=None,
        note="; ".join(note for note in notes if note),
    )


def _mean_limits(
    limits: list[Range | None], columns: list[NDArray[np.float64]]
) -> tuple[float, float] | None:
    """Mean of the groups' bounds; a group that is wholly scored has its own mean for both."""
    if all(one is None for one in limits):
        return None
    both = [
        one or (float(column.mean()), float(column.mean()))
        for one, column in zip(limits, columns, strict=True)
    ]
    return sum(low for low, _ in both) / len(both), sum(high for _, high in both) / len(both)


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
    yield row(half, units, False, (0.0, 1.0))
    yield row(excluded, replace(units, columns={"x": won}).take(sides != 0), True, (0.0, 1.0))
    yield row(strict, replace(units, columns={"x": won}), True, (0.0, 1.0))
    yield row(difference, replace(units, columns={"x": sides}), False, (-1.0, 1.0))
