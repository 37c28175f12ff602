"""Metrics as something to compare: each row of a declaration as one value per unit, or as a formula.

A mean of units can be paired and tested exactly; what is no mean (a ratio, a formula) is compared by
resampling and swapping whole clusters. Agreement of raters is about judges, not models: not compared.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from suite.scoring.metrics import Custom, Mean, Over, PassAt, Ratio, Where, WinRate
from suite.scoring.passes import tally, tally_units
from suite.scoring.results import Direction
from suite.scoring.stats.passes import pass_at, pass_hat
from suite.scoring.table import Table
from suite.scoring.units import Scope, Units, collect, scope_of, unit_ids

Columns = Mapping[str, NDArray[Any]]
Floats = NDArray[np.float64]
X = "x"


@dataclass(frozen=True)
class Measure:
    """One row of a task's results. needs: values read. of: from columns to one number per unit (a mean), or
    None for `formula`, from columns to one number in all. macro: the tag over which it is a macro average.
    binary: every unit is 0 or 1 where there is one trial. range: of a unit, None if it has no ends.
    """

    name: str
    direction: Direction
    unit: str
    over: Over
    where: Where
    slices: tuple[str, ...]
    needs: tuple[str, ...]
    of: Callable[[Columns], Floats] | None
    formula: Callable[[Columns], float | None] | None = None
    macro: str = ""
    binary: bool = False
    range: tuple[float, float] | None = None
    numbers: bool = True
    passes: tuple[Literal["@", "^"], int] | None = None

    def scope(self, table: Table, cell: str) -> Scope:
        """The rows it speaks of."""
        return scope_of(table, cell, self.over, self.where)


def measures(metrics: Sequence[Any]) -> list[Measure]:
    """Every row of the declarations that can be compared, in order."""
    return [one for metric in metrics for one in _measures(metric)]


def _measures(metric: Any) -> list[Measure]:
    if isinstance(metric, Mean):
        return _means(metric)
    if isinstance(metric, WinRate):
        return _wins(metric)
    if isinstance(metric, PassAt):
        signs: Sequence[Literal["@", "^"]] = ("@", "^") if metric.power else ("@",)
        return [
            Measure(
                f"{metric.name}{sign}{k}",
                metric.direction,
                metric.unit,
                "samples",
                metric.where,
                metric.slices,
                (metric.value,),
                lambda columns: columns[X],
                range=(0.0, 1.0),
                passes=(sign, k),
            )
            for sign in signs
            for k in metric.k
        ]
    if isinstance(metric, Ratio):
        top, bottom = metric.top, metric.bottom
        return [_formula(metric, (top, bottom), lambda c: _ratio(c[top], c[bottom]), numbers=True)]
    if isinstance(metric, Custom):
        return [_formula(metric, tuple(metric.needs), metric.formula, numbers=False)]
    return []


def _means(metric: Mean) -> list[Measure]:
    def row(name: str, macro: str) -> Measure:
        return Measure(
            name,
            metric.direction,
            metric.unit,
            metric.over,
            metric.where,
            metric.slices,
            (metric.value,),
            lambda columns: columns[metric.value],
            macro=macro,
            binary=metric.binary and not macro,
            range=metric.range,
        )

    if not metric.other:
        return [row(metric.name, "")]
    (tag,) = metric.slices
    macro_first = metric.average == "macro"
    return [row(metric.name, tag if macro_first else ""), row(metric.other, "" if macro_first else tag)]


def _wins(metric: WinRate) -> list[Measure]:
    value = metric.value
    half, excluded, strict, net = metric.rows()

    def row(name: str, of: Callable[[Columns], Floats], limits: tuple[float, float], binary: bool) -> Measure:
        return Measure(
            name,
            metric.direction,
            metric.unit,
            "samples",
            metric.where,
            metric.slices,
            (value,),
            of,
            binary=binary,
            range=limits,
        )

    return [
        row(half, lambda c: c[value], (0.0, 1.0), False),
        _formula(metric, (value,), lambda c: _ratio(c[value] > 0.5, c[value] != 0.5), name=excluded),
        row(strict, lambda c: np.asarray(c[value] > 0.5, np.float64), (0.0, 1.0), True),
        row(net, lambda c: np.sign(c[value] - 0.5), (-1.0, 1.0), False),
    ]


def _formula(
    metric: Any,
    needs: tuple[str, ...],
    formula: Callable[[Columns], float | None],
    *,
    numbers: bool = True,
    name: str = "",
) -> Measure:
    return Measure(
        name or metric.name,
        metric.direction,
        metric.unit,
        getattr(metric, "over", "samples"),
        metric.where,
        metric.slices,
        needs,
        None,
        formula,
        range=getattr(metric, "range", None),
        numbers=numbers,
    )


def _ratio(top: NDArray[Any], bottom: NDArray[Any]) -> float | None:
    below = float(bottom.sum())
    return float(top.sum()) / below if below else None


@dataclass(frozen=True)
class Side:
    """One cell's units. every, every_cluster: all units of the cell, sorted by id, with their clusters. ids,
    columns: the scored ones, sorted by id.
    """

    every: NDArray[np.uint64]
    every_cluster: NDArray[np.uint64]
    ids: NDArray[np.uint64]
    columns: dict[str, NDArray[Any]]


def side(measure: Measure, table: Table, cell: str, tags: Sequence[str]) -> Side:
    """The units of a cell, with their tags as columns "tag:NAME"."""
    scope = measure.scope(table, cell)
    every, first = np.unique(unit_ids(scope), return_index=True)
    clusters = table.cluster[scope.samples()][first]
    labels = [f"tag:{tag}" for tag in tags]
    if measure.passes is None:
        units = collect(scope, [*measure.needs, *labels], numbers=measure.numbers)
    else:
        units = _passes(measure, scope, labels)
    ids = units.samples if units.ids is None else units.ids
    order = np.argsort(ids, kind="stable")
    return Side(every, clusters, ids[order], {name: one[order] for name, one in units.columns.items()})


def _passes(measure: Measure, scope: Scope, labels: Sequence[str]) -> Units:
    assert measure.passes is not None
    sign, k = measure.passes
    (value,) = measure.needs
    units, refusal = tally_units(tally(scope, value), pass_at if sign == "@" else pass_hat, k)
    if refusal:
        units = units.take(np.zeros(units.n, dtype=bool))
    if labels and units.n:
        tagged = collect(scope, labels)
        names, first = np.unique(tagged.samples, return_index=True)
        place = first[np.searchsorted(names, units.samples)]
        units.columns.update({name: tagged.columns[name][place] for name in labels})
    for name in labels:
        units.columns.setdefault(name, np.empty(units.n, dtype=object))
    return units
