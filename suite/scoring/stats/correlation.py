"""Correlations with intervals: Spearman, Kendall's tau-b, Pearson.

Default interval: cluster bootstrap; the formulas are the fallback and the cross-check. Sources: Fisher 1915,
Bonett and Wright 2000 (Spearman), Fieller, Hartley and Pearson 1957 (Kendall).
System-level and sample-level correlations answer different questions: name the level where one is shown.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from suite.errors import ConfigError, unknown
from suite.scoring.stats.bootstrap import DRAWS, bootstrap, bootstrap_ratio
from suite.scoring.stats.estimate import Estimate, finite, joined
from suite.scoring.stats.intervals import normal_quantile
from suite.scoring.stats.units import Floats, Labels, Scores, clusters_of, floats, subset

Coefficient = Literal["spearman", "kendall", "pearson"]
LARGE = 300  # above, sorting beats comparing all pairs


def pearson(x: Floats, y: Floats) -> float | None:
    """Pearson's r; None for fewer than three pairs or a constant side."""
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    dx, dy = x - x.mean(), y - y.mean()
    below = math.sqrt(float(dx @ dx)) * math.sqrt(float(dy @ dy))
    return finite(max(-1.0, min(1.0, float(dx @ dy) / below))) if below else None


def mid_ranks(x: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of their ranks."""
    _, codes, counts = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    found: Floats = (last - (counts - 1) / 2)[codes]
    return found


def spearman(x: Floats, y: Floats) -> float | None:
    """Pearson's r of the mid-ranks."""
    return pearson(mid_ranks(x), mid_ranks(y))


def kendall(x: Floats, y: Floats) -> float | None:
    """tau-b = (C - D)/sqrt((C + D + T_x)(C + D + T_y))."""
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    if len(x) > LARGE:
        from scipy.stats import kendalltau

        return finite(kendalltau(x, y).statistic)
    a = np.sign(x[:, None] - x[None, :])
    b = np.sign(y[:, None] - y[None, :])
    return float((a * b).sum()) / math.sqrt(float(np.abs(a).sum()) * float(np.abs(b).sum()))


COEFFICIENTS: dict[str, Callable[[Floats, Floats], float | None]] = {
    "spearman": spearman,
    "kendall": kendall,
    "pearson": pearson,
}


def correlate(
    x: Scores,
    y: Scores,
    clusters: Labels | None = None,
    *,
    coefficient: Coefficient = "spearman",
    interval: Literal["bootstrap", "formula"] = "bootstrap",
    level: float = 0.95,
    seed: int = 0,
    draws: int = DRAWS,
) -> Estimate:
    """Correlation of paired values; pairs with a missing side are dropped and counted as unscored.

    coefficient: spearman for "does the judge order like people", kendall for leaderboards, pearson only for
    calibrated scales. A perfect correlation has no interval.
    """
    of = _function(coefficient)
    a, b = floats(x), floats(y)
    if len(a) != len(b):
        raise ConfigError(f"{len(a)} values against {len(b)}", "correlate")
    keep = ~(np.isnan(a) | np.isnan(b))
    lost, labels = int((~keep).sum()), subset(clusters, keep)
    a, b = a[keep], b[keep]
    n = len(a)
    value = of(a, b)
    count = clusters_of(labels, n).count
    point = Estimate(value, level=level, n=n, n_unscored=lost, clusters=count)
    if value is None:
        return replace(point, note="no scores" if not n else "fewer than three pairs or a constant side")
    if interval == "bootstrap":
        found = bootstrap(
            lambda units: of(a[units], b[units]),
            n if labels is None else labels,
            seed=seed,
            draws=draws,
            level=level,
        )
        if found.low is not None:
            return replace(found, n_unscored=lost)
        point = replace(point, note=found.note)
    return by_formula(point, coefficient)


def by_formula(point: Estimate, coefficient: Coefficient) -> Estimate:
    """The interval by Fisher's z for independent pairs, where it exists; else the point with a note."""
    r, n = point.value, point.n
    fewest = 5 if coefficient == "kendall" else 4
    if r is None or n < fewest or abs(r) >= 1 - 1e-12:
        return replace(point, note=joined(point.note, "no interval"))
    if coefficient == "kendall":
        se, method = math.sqrt(0.437 / (n - 4)), "fieller-z"
    elif coefficient == "spearman":
        se, method = math.sqrt((1 + r * r / 2) / (n - 3)), "bonett-wright-z"
    else:
        se, method = 1 / math.sqrt(n - 3), "fisher-z"
    half = normal_quantile(point.level) * se
    low, high = math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)
    return replace(point, low=low, high=high, method=method)


def correlate_within(
    x: Scores,
    y: Scores,
    prompts: Sequence[Hashable],
    *,
    coefficient: Coefficient = "spearman",
    level: float = 0.95,
    seed: int = 0,
    draws: int = DRAWS,
) -> Estimate:
    """Mean over prompts of the correlation within a prompt (over the systems that answered it).

    Prompts without a coefficient count as unscored; prompts are resampled.
    """
    of = _function(coefficient)
    a, b = floats(x), floats(y)
    groups = clusters_of(prompts, len(a))
    keep = ~(np.isnan(a) | np.isnan(b))
    found = []
    for code in range(groups.count):
        inside = keep & (groups.codes == code)
        found.append(of(a[inside], b[inside]))
    known = np.array([one for one in found if one is not None])
    drawn = bootstrap_ratio(known, np.ones(len(known)), seed=seed, draws=draws, level=level)
    return replace(drawn, n_unscored=groups.count - len(known))


def _function(coefficient: str) -> Callable[[Floats, Floats], float | None]:
    if coefficient not in COEFFICIENTS:
        raise unknown("coefficient", coefficient, COEFFICIENTS)
    return COEFFICIENTS[coefficient]
