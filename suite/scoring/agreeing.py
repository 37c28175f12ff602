"""Agreement of raters: items by categories, then the coefficients, with intervals over items.

Raters are the parts of a sample or some of its values; items are samples (one a trial). Computed before
any vote is taken. Sources: `coefficients`.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from suite.scoring.coefficients import COMPUTE, Ratings
from suite.scoring.columns import LABEL, NOT_APPLICABLE, SCORED, Column
from suite.scoring.estimating import grouped
from suite.scoring.metrics import Agreement
from suite.scoring.results import MetricResult
from suite.scoring.row import Context, Estimated, Slice
from suite.scoring.stats.influence import of_left_out
from suite.scoring.stats.intervals import Pair, t_quantile
from suite.scoring.stats.units import Clusters
from suite.scoring.units import Rows, Scope, Units

MOST_BLOCKS = 200
Category = str | float


def agreement_rows(
    metric: Agreement, context: Context, scope: Scope, slice_: Slice
) -> Iterator[MetricResult]:
    """Rows of an Agreement: one a coefficient."""
    ratings, clusters, units = gather(metric, scope)
    for name, coefficient in zip(metric.rows(), metric.coefficients, strict=True):
        found = agreed(coefficient, metric.scale, ratings, grouped(clusters), context.level)
        yield context.row(metric, name, slice_, found, units)


def agreed(coefficient: str, scale: str, ratings: Ratings, own: Clusters, level: float) -> Estimated:
    """A coefficient with its interval by leaving out one cluster: as the items are, and with one more of each
    kind that may not have been seen: where the raters part, and where they agree on the rarer category.
    """
    value, note = COMPUTE[coefficient](ratings, scale)
    if value is None:
        return Estimated(None, note=note)
    if own.count < 2:
        return Estimated(
            value, clusters=own.count, note="one cluster" if len(own.codes) > 1 else "one sample"
        )

    # A category that nobody chose is unseen, too.
    ratings = ratings if len(ratings.categories) > 1 else Ratings(ratings.codes, (*ratings.categories, ""))

    def of(codes: NDArray[np.int64]) -> float | None:
        return COMPUTE[coefficient](Ratings(codes, ratings.categories), scale)[0]

    ends = [_by_leaving_out(of, ratings.codes, own.codes, level)]
    more = round(len(own.codes) / own.count)
    for item in _unseen(ratings):
        codes = np.concatenate([ratings.codes, np.tile(item, (more, 1))])
        ends.append(_by_leaving_out(of, codes, np.append(own.codes, [own.count] * more), level))
    known = [one for one in ends if one is not None]
    low, high = min(one[0] for one in known), max(one[1] for one in known)
    least = 0.0 if coefficient == "percent" else -1.0
    low, high = max(low, least), min(high, 1.0)
    return Estimated(float(value), float(low), float(high), "jackknife-unseen", own.count)


def _by_leaving_out(
    of: Callable[[NDArray[np.int64]], float | None],
    codes: NDArray[np.int64],
    clusters: NDArray[np.intp],
    level: float,
) -> Pair | None:
    """Student's interval of a coefficient; leaves out blocks of clusters where there are more than 200."""
    value = of(codes)
    if value is None:
        return None
    blocks = clusters % MOST_BLOCKS
    count = int(blocks.max()) + 1
    alone = len(codes) == count
    like = np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1) if alone else np.arange(count)
    first = np.unique(like, return_index=True)[1]  # alike items are left out once
    left = [of(codes[blocks != (blocks[one] if alone else one)]) for one in first]
    found = of_left_out(value, np.array([value if one is None else one for one in left])[like])
    half = t_quantile(found.df, level) * found.se
    return value - half, value + half


def _unseen(ratings: Ratings) -> Iterator[NDArray[np.int64]]:
    """Items that may not have been seen, as many ratings each as there are raters."""
    raters, q = ratings.codes.shape[1], len(ratings.categories)
    times = np.bincount(ratings.codes[ratings.codes >= 0], minlength=q)
    common = int(times.argmax())
    rare = min((k for k in range(q) if k != common), key=lambda k: (times[k] == 0, times[k]))
    yield np.full(raters, rare)
    half = np.arange(raters) < (raters + 1) // 2
    yield np.where(half, rare, common)
    yield np.where(half, common, rare)


def gather(metric: Agreement, scope: Scope) -> tuple[Ratings, NDArray[np.uint64], Units]:
    """(ratings of the items that have any, their clusters, items counted).

    An item counts with two ratings or more. One whose lost ratings leave it fewer is unscored; one that
    never had two is not applicable. A rating outside the declared categories is lost.
    """
    rater, item, values, state = _long(metric, scope)
    categories, codes = _coded(metric, values, state)
    rated = codes >= 0
    raters, columns = np.unique(rater[rated], return_inverse=True)
    table = np.full((len(scope.rows), len(raters)), -1, dtype=np.int64)
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
    return Ratings(table[given >= 1], categories), clusters[given >= 1], units


Long = tuple[NDArray[np.int64], NDArray[np.intp], NDArray[np.object_], NDArray[np.uint8]]


def _long(metric: Agreement, scope: Scope) -> Long:
    """(rater, item, value, state) of each rating; items are places in the scope's rows."""
    table, rows = scope.table, scope.rows
    if metric.raters == "parts":
        own = table.part_rows(rows)
        place = np.zeros(len(table), dtype=np.intp)
        place[rows] = np.arange(len(rows))
        values, state = _values(table.parts.values.get(metric.value), own)
        return table.parts.id[own].astype(np.int64), place[table.parts.owner[own]], values, state
    found = [_values(table.values.get(name), rows) for name in metric.raters]
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
    metric: Agreement, values: NDArray[np.object_], state: NDArray[np.uint8]
) -> tuple[tuple[Category, ...], NDArray[np.int64]]:
    """(categories in order, code of each rating or -1). Undeclared categories are those that occur."""
    rated = (state == SCORED) | (state == LABEL)
    found: list[Category] = [_category(one) for one in metric.categories]
    if not found:
        found = sorted({_category(one) for one in values[rated]}, key=lambda one: (isinstance(one, str), one))
    index = {one: i for i, one in enumerate(found)}
    codes = np.full(len(values), -1, dtype=np.int64)
    codes[rated] = [index.get(_category(one), -1) for one in values[rated]]
    return tuple(found), codes


def _category(value: object) -> Category:
    return value if isinstance(value, str) else float(value)  # type: ignore[arg-type]
