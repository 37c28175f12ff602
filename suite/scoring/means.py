"""Means and rates with their intervals, whole, by slice, and averaged over slices.

Which interval: Wilson for 0/1 scores (at the effective sample size where samples share clusters), t for
graded ones (cluster-robust where they do). specs/statistics.md sections 3 and 8 have the reasons and the
golden values. A mean of trials is graded, whatever its trials were.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from suite.scoring.intervals import estimate_macro, estimate_mean
from suite.scoring.metrics import Mean, Range
from suite.scoring.resampling import METHOD, Columns, bootstrap_formula, number
from suite.scoring.results import MetricResult
from suite.scoring.row import WHOLE, Context, Estimated, mean_bounds
from suite.scoring.units import Units, collect, scope_of

MACRO_DRAWS = 2000


def mean_rows(metric: Mean, context: Context) -> Iterator[MetricResult]:
    """Rows of a Mean or Rate: the total of the plain name, the other total, then the slices."""
    scope = scope_of(context.table, context.cell, metric.over, metric.where)
    units = collect(scope, [metric.value])
    slices = {
        tag: {category: collect(part, [metric.value]) for category, part in scope.sliced(tag)}
        for tag in metric.slices
    }
    if not metric.other:
        yield _micro(metric, context, metric.name, WHOLE, units)
    else:
        groups = slices[metric.slices[0]]
        macro_first = metric.average == "macro"
        micro_name, macro_name = (metric.other, metric.name) if macro_first else (metric.name, metric.other)
        totals = [
            _macro(metric, context, macro_name, units, groups),
            _micro(metric, context, micro_name, WHOLE, units),
        ]
        yield from totals if macro_first else totals[::-1]
    for tag, groups in slices.items():
        for category, part in groups.items():
            yield _micro(metric, context, metric.name, {tag: category}, part)


def _micro(
    metric: Mean, context: Context, name: str, slice_: Mapping[str, str], units: Units
) -> MetricResult:
    x = units.columns[metric.value]
    binary = metric.binary and bool(np.isin(x, (0.0, 1.0)).all())
    found = estimate_mean(x, units.clusters, binary, metric.range, context.level)
    return context.row(metric, name, slice_, found, units, mean_bounds(units, metric.value, metric.range))


def _macro(
    metric: Mean, context: Context, name: str, units: Units, groups: Mapping[str, Units]
) -> MetricResult:
    held = {label: one for label, one in groups.items() if one.n + one.unscored}
    empty = [label for label, one in held.items() if not one.n]
    if not held or empty:
        note = f"no score in {', '.join(empty[:5])}" if empty else ""
        return context.row(metric, name, WHOLE, Estimated(None, note=note), units)
    columns = [one.columns[metric.value] for one in held.values()]
    clusters = [one.clusters for one in held.values()]
    spanning = len(np.unique(np.concatenate(clusters))) < sum(len(np.unique(one)) for one in clusters)
    if spanning:
        found = _resampled(context, name, columns, clusters)
    else:
        found = estimate_macro(columns, clusters, metric.range, context.level)
    found = found._replace(note="; ".join(filter(None, (f"macro over {len(held)} slices", found.note))))
    limits = [mean_bounds(one, metric.value, metric.range) for one in held.values()]
    return context.row(metric, name, WHOLE, found, units, _mean_limits(limits, columns))


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


def _resampled(
    context: Context,
    name: str,
    columns: list[NDArray[np.float64]],
    clusters: list[NDArray[np.uint64]],
) -> Estimated:
    """The macro mean where a cluster spans slices: whole clusters are resampled."""
    count = len(columns)
    x = np.concatenate(columns)
    group = np.concatenate([np.full(len(one), i) for i, one in enumerate(columns)])

    def macro(tables: Mapping[str, Columns]) -> float | None:
        drawn = tables["all"]
        sizes = np.bincount(drawn["group"], minlength=count)
        if not sizes.all():
            return None
        sums = np.bincount(drawn["group"], weights=drawn["x"], minlength=count)
        return float((sums / sizes).mean())

    table: dict[str, tuple[Columns, NDArray[np.uint64]]] = {
        "all": ({"x": x, "group": group}, np.concatenate(clusters))
    }
    value = number(macro({"all": table["all"][0]}))
    found = bootstrap_formula(macro, table, MACRO_DRAWS, context.seed_of(name, WHOLE), context.level)
    method = METHOD if found.low is not None else "none"
    return Estimated(value, found.low, found.high, method, found.clusters, None, found.note)
