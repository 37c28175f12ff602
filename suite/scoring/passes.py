"""pass@k and pass^k from repeated trials, unbiased (`stats.passes`): means over samples, never a proportion's
interval.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from suite.scoring.columns import NOT_APPLICABLE, SCORED
from suite.scoring.estimating import estimate_mean
from suite.scoring.metrics import PassAt
from suite.scoring.results import MetricResult
from suite.scoring.row import Context, Estimated, Slice, mean_bounds
from suite.scoring.stats.passes import pass_at, pass_hat
from suite.scoring.units import Scope, Units


def pass_rows(metric: PassAt, context: Context, scope: Scope, slice_: Slice) -> Iterator[MetricResult]:
    """Rows of a PassAt: each power for each k."""
    counted = tally(scope, metric.value)
    names = iter(metric.rows())
    for formula in (pass_at, pass_hat) if metric.power else (pass_at,):
        for k in metric.k:
            units, refusal = tally_units(counted, formula, k)
            if refusal:
                any_scored, _ = tally_units(counted, formula, 1)
                yield context.row(metric, next(names), slice_, Estimated(None, note=refusal), any_scored)
                continue
            x = units.columns["x"]
            found = estimate_mean(x, units.clusters, False, (0.0, 1.0), context.level)
            bounds = mean_bounds(units, "x", (0.0, 1.0))
            yield context.row(metric, next(names), slice_, found, units, bounds)


class Tally(NamedTuple):
    """Per sample: answers run, scored, right."""

    samples: NDArray[np.uint64]
    clusters: NDArray[np.uint64]
    run: NDArray[np.intp]
    scored: NDArray[np.intp]
    right: NDArray[np.intp]


def tally(scope: Scope, value: str) -> Tally:
    """Count the answers of every sample."""
    table, rows = scope.table, scope.rows
    samples, first, inverse = np.unique(table.sample[rows], return_index=True, return_inverse=True)
    if value in table.values:
        data, state = table.values[value].take(rows)
    else:
        data, state = np.zeros(len(rows)), np.full(len(rows), NOT_APPLICABLE, dtype=np.uint8)
    count = len(samples)

    def per_sample(which: NDArray[np.bool_]) -> NDArray[np.intp]:
        return np.bincount(inverse[which], minlength=count)

    return Tally(
        samples,
        table.cluster[rows][first],
        per_sample(state != NOT_APPLICABLE),
        per_sample(state == SCORED),
        per_sample((state == SCORED) & (data >= 1)),
    )


def tally_units(counted: Tally, formula: Callable[[int, int, int], float], k: int) -> tuple[Units, str]:
    """The per-sample values, and why there is none at all."""
    applicable = counted.run > 0
    enough = applicable & (counted.scored >= k)
    pairs, inverse = np.unique(
        np.stack([counted.scored[enough], counted.right[enough]]), axis=1, return_inverse=True
    )
    each = np.array([formula(int(n), int(c), k) for n, c in pairs.T], dtype=np.float64)
    units = Units(
        {"x": each[inverse.reshape(-1)] if len(each) else np.empty(0)},
        counted.clusters[enough],
        counted.samples[enough],
        None,
        int((applicable & ~enough).sum()),
        int((~applicable).sum()),
    )
    if not applicable.any():
        return units, ""
    fewest = int(counted.run[applicable].min())
    if fewest < k:
        return units, f"k = {k} needs {k} trials of every sample; one has {fewest}"
    return units, ""
