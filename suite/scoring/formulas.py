"""Ratios, custom formulas, and statistics over several cells: all by the cluster bootstrap."""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.chat import canonical_json
from suite.errors import PluginError
from suite.journal.records import CellPlan
from suite.scoring.metrics import Across, Custom, Range, Ratio
from suite.scoring.resampling import METHOD, Columns, Interval, bootstrap_formula, bootstrap_ratio, number
from suite.scoring.results import AcrossResult, MetricResult
from suite.scoring.row import WHOLE, Context, Estimated, Slice
from suite.scoring.units import Scope, Units, collect, scope_of

RATIO_DRAWS = 2000
_ONE = "cell"


def ratio_rows(metric: Ratio, context: Context) -> Iterator[MetricResult]:
    """Rows of a Ratio: the whole first, then its slices."""
    scope = scope_of(context.table, context.cell, metric.over, metric.where)
    yield _ratio(metric, context, scope, WHOLE)
    for tag in metric.slices:
        for category, part in scope.sliced(tag):
            yield _ratio(metric, context, part, {tag: category})


def _ratio(metric: Ratio, context: Context, scope: Scope, slice_: Slice) -> MetricResult:
    units = collect(scope, [metric.top, metric.bottom])
    top, bottom = units.columns[metric.top], units.columns[metric.bottom]
    below = float(bottom.sum())
    if not below:
        found = Estimated(None, note=f"the sum of {metric.bottom} is zero" if units.n else "")
    else:
        seed = context.seed_of(metric.name, slice_)
        interval = bootstrap_ratio(top, bottom, units.clusters, RATIO_DRAWS, seed, context.level)
        found = _estimated(float(top.sum()) / below, interval, metric.range)
    return context.row(metric, metric.name, slice_, found, units)


def custom_rows(metric: Custom, context: Context) -> Iterator[MetricResult]:
    """Rows of a Custom: the whole first, then its slices."""
    scope = scope_of(context.table, context.cell, metric.over, metric.where)
    yield _custom(metric, context, scope, WHOLE)
    for tag in metric.slices:
        for category, part in scope.sliced(tag):
            yield _custom(metric, context, part, {tag: category})


def _custom(metric: Custom, context: Context, scope: Scope, slice_: Slice) -> MetricResult:
    units = collect(scope, metric.needs, numbers=False)
    if not units.n:
        return context.row(metric, metric.name, slice_, Estimated(None), units)

    def formula(tables: Mapping[str, Columns]) -> float | None:
        return metric.formula(tables[_ONE])

    value = _value(metric.name, formula, {_ONE: whole(units)})
    interval = Interval(None, None, len(np.unique(units.clusters)), "")
    method = "none"
    if metric.interval == "cluster-bootstrap" and value is not None:
        seed = context.seed_of(metric.name, slice_)
        tables = {_ONE: (units.columns, units.clusters)}
        interval, method = bootstrap_formula(formula, tables, metric.draws, seed, context.level), METHOD
    found = _estimated(value, interval, metric.range, method)
    return context.row(metric, metric.name, slice_, found, units)


def whole(units: Units) -> dict[str, NDArray[Any]]:
    """The columns a formula sees for the sample itself: the clusters are numbered."""
    return {**units.columns, "cluster": np.unique(units.clusters, return_inverse=True)[1]}


def _value(name: str, formula: Any, tables: Mapping[str, Columns]) -> float | None:
    try:
        return number(formula(tables))
    except Exception as error:  # third-party code: anything may come out
        raise PluginError(
            f"the formula of metric {name!r} failed: {type(error).__name__}: {error}"
        ) from error


def _estimated(
    value: float | None, interval: Interval, limits: Range | None, method: str = METHOD
) -> Estimated:
    low, high = interval.low, interval.high
    if limits is not None and low is not None and high is not None:
        low, high = max(low, limits[0]), min(high, limits[1])
    note = interval.note if value is not None else "the formula yields no number here"
    return Estimated(value, low, high, method if low is not None else "none", interval.clusters, None, note)


def across_rows(metric: Across, cells: Sequence[CellPlan], context: Context) -> Iterator[AcrossResult]:
    """One result for each set of cells that differ in the named parameters alone."""
    named = {name for wanted in metric.cells.values() for name in wanted}
    families: dict[bytes, list[CellPlan]] = {}
    for cell in cells:
        shared = {name: value for name, value in _parameters(cell).items() if name not in named}
        families.setdefault(canonical_json([cell.task, shared]), []).append(cell)
    for family in families.values():
        chosen = {
            role: next((one for one in family if _has(one, wanted)), None)
            for role, wanted in metric.cells.items()
        }
        found = {role: one for role, one in chosen.items() if one is not None}
        if len(found) == len(metric.cells):
            yield _across(metric, found, named, context)


def _parameters(cell: CellPlan) -> dict[str, Any]:
    return {**cell.parameters, **cell.score_parameters}


def _has(cell: CellPlan, wanted: Mapping[str, Any]) -> bool:
    own = _parameters(cell)
    return all(name in own and own[name] == value for name, value in wanted.items())


def _across(metric: Across, cells: Mapping[str, CellPlan], named: set[str], context: Context) -> AcrossResult:
    held = {
        role: collect(scope_of(context.table, one.cell, "samples", metric.where), metric.needs, numbers=False)
        for role, one in cells.items()
    }
    applicable = max(units.n + units.unscored for units in held.values())
    if metric.pair == "sample":
        held = _paired(held)
    first = next(iter(held.values()))
    n = first.n if metric.pair == "sample" else min(units.n for units in held.values())
    any_cell = next(iter(cells.values()))
    shared = {name: value for name, value in _parameters(any_cell).items() if name not in named}
    value, interval, method = None, Interval(None, None, 0, ""), "none"
    if n:
        value = _value(metric.name, metric.function, {role: whole(units) for role, units in held.items()})
    if value is not None and metric.interval == "cluster-bootstrap":
        tables = {role: (units.columns, units.clusters) for role, units in held.items()}
        seed = context.seed_of(metric.name, {name: str(value) for name, value in shared.items()})
        interval = bootstrap_formula(metric.function, tables, metric.draws, seed, context.level)
        method = METHOD
    found = _estimated(value, interval, metric.range, method)
    counted = Units({}, first.clusters[:n], first.samples[:n], None, applicable - n, 0)
    row = context.row(metric, metric.name, WHOLE, found, counted)
    return AcrossResult(any_cell.task, {role: one.cell for role, one in cells.items()}, shared, row)


def _paired(held: Mapping[str, Units]) -> dict[str, Units]:
    """Only the samples scored in every cell, in one order."""
    common = reduce(np.intersect1d, [units.samples for units in held.values()])
    paired = {}
    for role, units in held.items():
        order = np.argsort(units.samples, kind="stable")
        paired[role] = units.take(order[np.searchsorted(units.samples[order], common)])
    return paired
