"""One measure of two cells, paired unit by unit: difference, interval, p value, and where each side wins."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.compare.measures import Columns, Floats, Measure, Side
from suite.scoring.resampling import MOST_ROWS, bootstrap_formula
from suite.scoring.stats.estimate import Estimate, finite, joined
from suite.scoring.stats.intervals import t_p_value
from suite.scoring.stats.macro import macro
from suite.scoring.stats.mean import mean_estimate, spread
from suite.scoring.stats.paired import Comparison, paired_estimate
from suite.scoring.stats.signflip import sign_flip
from suite.scoring.stats.units import clusters_of

DRAWS = 1000
SWAPS = 999
Digests = NDArray[np.uint64]


@dataclass(frozen=True)
class Paired:
    """One measure compared. a, b: its value for either side on the common units. difference and the rest: see
    `Comparison`. only_a, only_b: units that just one side has. ids, d: the common units and their
    differences, None where the measure is no mean of units. columns: of side A, for slices.
    """

    a: float | None
    b: float | None
    comparison: Comparison
    only_a: int
    only_b: int
    ids: Digests | None = None
    d: Floats | None = None
    clusters: Digests | None = None
    tags: dict[str, NDArray[Any]] | None = None


def pair(measure: Measure, a: Side, b: Side, *, seed: int, level: float) -> Paired:
    """Compare two cells on the units that both have."""
    common = np.intersect1d(a.every, b.every, assume_unique=True)
    only_a, only_b = len(a.every) - len(common), len(b.every) - len(common)
    clusters = a.every_cluster[np.searchsorted(a.every, common)]
    if measure.of is None:
        return _by_formula(measure, a, b, common, clusters, (only_a, only_b), seed, level)
    x, y = _laid_out(measure, a, common), _laid_out(measure, b, common)
    either = ~(np.isnan(x) & np.isnan(y))  # scored for neither: not applicable, or lost by both
    common, clusters, x, y = common[either], clusters[either], x[either], y[either]
    binary = measure.binary and _is_binary(x) and _is_binary(y)
    shared = clusters if len(np.unique(clusters)) < len(clusters) else None
    how = {"binary": binary, "tested": not measure.macro}
    found = paired_estimate(x, y, shared, value_range=measure.range, level=level, seed=seed, **how)
    both = ~(np.isnan(x) | np.isnan(y))
    ids, d = common[both], (x - y)[both]
    place = np.searchsorted(a.ids, ids)
    tags = {name: column[place] for name, column in a.columns.items() if name.startswith("tag:")}
    value_a, value_b = (float(one[both].mean()) if both.any() else None for one in (x, y))
    kept = clusters[both]
    if measure.macro and len(ids):
        labels = [str(one) for one in tags[f"tag:{measure.macro}"]]
        means = [macro(one[both], labels, kept, level=level, seed=seed) for one in (x, y)]
        value_a, value_b = means[0].value, means[1].value
        found = _macro(found, d, labels, kept, measure, level, seed)
    return Paired(value_a, value_b, found, only_a, only_b, ids, d, kept, tags)


def _laid_out(measure: Measure, one: Side, common: Digests) -> Floats:
    found = np.full(len(common), np.nan)
    if not len(common) or not len(one.ids) or measure.of is None:
        return found
    place = np.minimum(np.searchsorted(common, one.ids), len(common) - 1)
    hit = common[place] == one.ids
    found[place[hit]] = measure.of(one.columns)[hit]
    return found


def _is_binary(x: Floats) -> bool:
    known = x[~np.isnan(x)]
    return bool(((known == 0) | (known == 1)).all())


def _macro(
    plain: Comparison,
    d: Floats,
    labels: list[str],
    clusters: Digests,
    measure: Measure,
    level: float,
    seed: int,
) -> Comparison:
    """The difference of macro averages: every group weighs the same."""
    found = macro(d, labels, clusters, value_range=_span(measure), level=level, seed=seed)
    groups, codes, sizes = np.unique(np.array(labels), return_inverse=True, return_counts=True)
    weighted = d / (sizes[codes] * len(groups)) * len(d)
    test = sign_flip(weighted, clusters, seed=seed)
    known = found.low is not None and found.high is not None
    se = (found.high - found.low) / 2 / 1.959964 if known else None  # type: ignore[operator]
    return replace(
        plain,
        difference=replace(found, n_unscored=plain.difference.n_unscored),
        p=test.p,
        p_method=test.method,
        p_smallest=test.smallest,
        se=se,
        smallest_difference=None if se is None else 2.801585 * se,
    )


def _span(measure: Measure) -> tuple[float, float] | None:
    """The range of a difference."""
    if measure.range is None:
        return None
    low, high = measure.range
    return low - high, high - low


def _by_formula(
    measure: Measure,
    a: Side,
    b: Side,
    common: Digests,
    clusters: Digests,
    only: tuple[int, int],
    seed: int,
    level: float,
) -> Paired:
    """The difference of a statistic: clusters resampled jointly, and swapped between the models for p."""
    ids = np.intersect1d(np.intersect1d(a.ids, b.ids), common)
    kept = clusters[np.searchsorted(common, ids)] if len(ids) else clusters[:0]
    one, two = (_rows(each, ids) for each in (a, b))
    lost_a, lost_b = (len(common) - len(np.intersect1d(each.ids, common)) for each in (a, b))
    codes = clusters_of(kept, len(ids))
    value_a, value_b = _value(measure, one, codes.codes), _value(measure, two, codes.codes)
    empty = Estimate(None, level=level, n=len(ids), clusters=codes.count, note="no value on one side")
    if value_a is None or value_b is None:
        nothing = Comparison(
            empty, None, "none", None, len(ids), lost_a, lost_b, 0, 0, 0, None, None, None, None, ""
        )
        return Paired(value_a, value_b, nothing, *only)

    def difference(tables: Any) -> float | None:
        first, second = finite(measure.formula(tables["a"])), finite(measure.formula(tables["b"]))  # type: ignore[misc]
        return None if first is None or second is None else first - second

    tables = {"a": (one, kept), "b": (two, kept)}
    found = bootstrap_formula(value_a - value_b, difference, tables, DRAWS, seed, level)
    p = _swapped(measure, one, two, codes.codes, codes.count, value_a - value_b, seed)
    known = found.low is not None and found.high is not None
    se = (found.high - found.low) / 2 / 1.959964 if known else None  # type: ignore[operator]
    comparison = Comparison(
        replace(found, n=len(ids)), p, "swap-random", 1 / (1 + SWAPS), len(ids), lost_a, lost_b, 0, 0, 0,
        None, se, None, None if se is None else 2.801585 * se, "",
    )  # fmt: skip
    return Paired(value_a, value_b, comparison, *only)


def _rows(one: Side, ids: Digests) -> dict[str, NDArray[Any]]:
    place = np.searchsorted(one.ids, ids)
    return {name: column[place] for name, column in one.columns.items()}


def _value(measure: Measure, columns: Columns, codes: NDArray[np.intp]) -> float | None:
    if measure.formula is None or not len(codes):
        return None
    return finite(measure.formula({**columns, "cluster": codes}))


def _swapped(
    measure: Measure,
    a: Columns,
    b: Columns,
    codes: NDArray[np.intp],
    count: int,
    observed: float,
    seed: int,
) -> float | None:
    """Share of random swaps of whole clusters between the sides that differ as much."""
    chance = np.random.default_rng([seed & 0xFFFFFFFF, 1])
    draws = min(SWAPS, max(99, MOST_ROWS // max(1, len(codes))))
    reached = done = 0
    for _ in range(draws):
        swap = chance.random(count)[codes] < 0.5
        first = _value(measure, {n: np.where(swap, b[n], a[n]) for n in a}, codes)
        second = _value(measure, {n: np.where(swap, a[n], b[n]) for n in a}, codes)
        if first is None or second is None:
            continue
        done += 1
        reached += abs(first - second) >= abs(observed) - 1e-12
    return (1 + reached) / (1 + done) if done else None


@dataclass(frozen=True)
class SliceDifference:
    """A minus B among the units with one tag. p: by t on the (cluster-robust) standard error, uncorrected."""

    tag: str
    value: str
    difference: Estimate
    wins: int
    ties: int
    losses: int
    p: float | None


def slice_differences(
    found: Paired, measure: Measure, tags: Sequence[str], *, level: float, most: int = 24
) -> list[SliceDifference]:
    """Differences by tag. Tags with one value, or more than `most`, are left out."""
    if found.d is None or found.tags is None or found.clusters is None:
        return []
    rows = []
    for tag in tags:
        labels = found.tags[f"tag:{tag}"].astype(str)
        values, codes = np.unique(labels, return_inverse=True)
        if not 1 < len(values) <= most:
            continue
        for code, value in enumerate(values):
            d, clusters = found.d[codes == code], found.clusters[codes == code]
            estimate = mean_estimate(d, clusters, value_range=_span(measure), level=level)
            known = spread(d, clusters_of(clusters, len(d)))
            p = None
            if known.se is not None and not math.isclose(known.se, 0, abs_tol=1e-12):
                p = t_p_value(known.mean / known.se, known.clusters - 1)
            counts = (int((d > 0).sum()), int((d == 0).sum()), int((d < 0).sum()))
            rows.append(SliceDifference(tag, str(value) or "(none)", estimate, *counts, p))
    return rows


def noted(comparison: Comparison, found: Paired) -> str:
    """Flags of a comparison in one line."""
    apart = ""
    if found.only_a or found.only_b:
        apart = f"{found.only_a} units only in A, {found.only_b} only in B"
    return joined(comparison.note, comparison.difference.note, apart)
