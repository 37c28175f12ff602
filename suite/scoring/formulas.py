"""Ratios, custom formulas, and statistics over several cells; formulas by resampling whole clusters."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.chat import canonical_json
from suite.errors import PluginError
from suite.journal.records import CellPlan
from suite.scoring.estimating import grouped
from suite.scoring.metrics import Across, Custom, Ratio
from suite.scoring.resampling import Columns, bootstrap_formula
from suite.scoring.results import AcrossResult, MetricResult
from suite.scoring.row import WHOLE, Context, Estimated, Slice, estimated
from suite.scoring.stats.covering import covering_ratio
from suite.scoring.stats.estimate import finite
from suite.scoring.units import Scope, Units, collect, scope_of

_ONE = "cell"


def ratio_rows(metric: Ratio, context: Context, scope: Scope, slice_: Slice) -> Iterator[MetricResult]:
    """The row of a Ratio."""
    units = collect(scope, [metric.top, metric.bottom])
    top, bottom = units.columns[metric.top], units.columns[metric.bottom]
    below = float(bottom.sum())
    if not below:
        found = Estimated(None, note=f"the sum of {metric.bottom} is zero" if units.n else "")
    else:
        found = estimated(covering_ratio(top, bottom, grouped(units.clusters), metric.range, context.level))
    yield context.row(metric, metric.name, slice_, found, units)


def custom_rows(metric: Custom, context: Context, scope: Scope, slice_: Slice) -> Iterator[MetricResult]:
    """The row of a Custom."""
    units = collect(scope, metric.needs, numbers=False)

    def formula(tables: Mapping[str, Columns]) -> float | None:
        return metric.formula(tables[_ONE])

    found = Estimated(None)
    if units.n:
        seed = context.seed_of(metric.name, slice_)
        found = _with_interval(metric, formula, {_ONE: units}, seed, context.level)
    yield context.row(metric, metric.name, slice_, found, units)


def _with_interval(
    metric: Custom | Across,
    formula: Callable[[Mapping[str, Columns]], float | None],
    held: Mapping[str, Units],
    seed: int,
    level: float,
) -> Estimated:
    value = _value(metric.name, formula, {name: whole(units) for name, units in held.items()})
    if value is None:
        return Estimated(None, note="the formula yields no number here")
    if metric.interval == "none":
        return Estimated(value)
    tables = {name: (units.columns, units.clusters) for name, units in held.items()}
    return estimated(bootstrap_formula(value, formula, tables, metric.draws, seed, level, metric.range))


def whole(units: Units) -> dict[str, NDArray[Any]]:
    """The columns a formula sees for the sample itself: the clusters are numbered."""
    return {**units.columns, "cluster": np.unique(units.clusters, return_inverse=True)[1]}


def _value(name: str, formula: Any, tables: Mapping[str, Columns]) -> float | None:
    try:
        return finite(formula(tables))
    except Exception as error:  # third-party code: anything may come out
        raise PluginError(
            f"the formula of metric {name!r} failed: {type(error).__name__}: {error}"
        ) from error


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
    found = Estimated(None)
    if n:
        seed = context.seed_of(metric.name, {name: str(value) for name, value in shared.items()})
        found = _with_interval(metric, metric.function, held, seed, context.level)
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
