"""From the table of scores to items by raters: the units of agreement.

Raters are the parts of a sample or some of its values; items are samples (one a trial).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from suite.scoring.columns import LABEL, NOT_APPLICABLE, SCORED, Column
from suite.scoring.stats.agreement import RatingTable
from suite.scoring.stats.clusters import Digests
from suite.scoring.units import Rows, Scope, Units

Category = str | float
Raters = Literal["parts"] | Sequence[str]


def ratings_of(
    scope: Scope, value: str, raters: Raters, declared: Sequence[Category | bool]
) -> tuple[RatingTable, Digests, Units]:
    """(ratings of the items that have any, their clusters, items counted).

    value: of parts, where these are the raters. raters: "parts", or values of samples. declared: categories.
    An item counts with two ratings or more. One whose lost ratings leave it fewer is unscored; one that
    never had two is not applicable. A rating outside the declared categories is lost.
    """
    rater, item, values, state = _long(scope, value, raters)
    categories, codes = _coded(declared, values, state)
    rated = codes >= 0
    seen, columns = np.unique(rater[rated], return_inverse=True)
    table = np.full((len(scope.rows), len(seen)), -1, dtype=np.int64)
    table[item[rated], columns] = codes[rated]
    given = (table >= 0).sum(axis=1)
    lost = np.bincount(item[~rated & (state != NOT_APPLICABLE)], minlength=len(scope.rows))
    usable = given >= 2
    possible = ~usable & (given + lost >= 2)
    clusters = scope.table.cluster[scope.rows]
    units = Units(
        {},
        clusters[usable],
        scope.table.sample[scope.rows][usable],
        None,
        int(possible.sum()),
        int((~usable & ~possible).sum()),
    )
    labels = any(isinstance(one, str) for one in categories)
    numbers = None if labels else np.array(categories, dtype=np.float64)
    return RatingTable(table[given >= 1], len(categories), numbers), clusters[given >= 1], units


Long = tuple[NDArray[np.int64], NDArray[np.intp], NDArray[np.object_], NDArray[np.uint8]]


def _long(scope: Scope, value: str, raters: Raters) -> Long:
    """(rater, item, value, state) of each rating; items are places in the scope's rows."""
    table, rows = scope.table, scope.rows
    if isinstance(raters, str):
        own = table.part_rows(rows)
        place = np.zeros(len(table), dtype=np.intp)
        place[rows] = np.arange(len(rows))
        values, state = _values(table.parts.values.get(value), own)
        return table.parts.id[own].astype(np.int64), place[table.parts.owner[own]], values, state
    found = [_values(table.values.get(name), rows) for name in raters]
    count = len(rows)
    return (
        np.repeat(np.arange(len(found)), count),
        np.tile(np.arange(count), len(found)),
        np.concatenate([values for values, _ in found]),
        np.concatenate([state for _, state in found]),
    )


def _values(column: Column | None, rows: Rows) -> tuple[NDArray[np.object_], NDArray[np.uint8]]:
    if column is None:
        return np.zeros(len(rows), dtype=object), np.full(len(rows), NOT_APPLICABLE, dtype=np.uint8)
    data, state = column.take(rows)
    values = data.astype(object)
    label = state == LABEL
    if label.any():
        values[label] = np.array(column.labels, dtype=object)[data[label].astype(np.intp)]
    return values, state


def _coded(
    declared: Sequence[Category | bool], values: NDArray[np.object_], state: NDArray[np.uint8]
) -> tuple[tuple[Category, ...], NDArray[np.int64]]:
    """(categories in order, code of each rating or -1). Undeclared categories are those that occur."""
    rated = (state == SCORED) | (state == LABEL)
    found: list[Category] = [_category(one) for one in declared]
    if not found:
        found = sorted({_category(one) for one in values[rated]}, key=lambda one: (isinstance(one, str), one))
    index = {one: i for i, one in enumerate(found)}
    codes = np.full(len(values), -1, dtype=np.int64)
    codes[rated] = [index.get(_category(one), -1) for one in values[rated]]
    return tuple(found), codes


def _category(value: object) -> Category:
    return value if isinstance(value, str) else float(value)  # type: ignore[arg-type]
