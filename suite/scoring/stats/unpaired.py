"""A against B on different samples (published scores, user groups): to be labelled as such.

Newcombe for independent 0/1 scores, else Welch with cluster-robust standard errors. Sources:
see `newcombe` and `mean`.
"""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.intervals import normal_quantile, t_p_value, t_quantile
from suite.scoring.stats.mean import Spread, spread
from suite.scoring.stats.newcombe import newcombe_independent
from suite.scoring.stats.units import Floats, Labels, Scores, clusters_of, floats, subset


class Unpaired(NamedTuple):
    """difference: A minus B. p: two-sided, None where there is none; p_method: how it was made."""

    difference: Estimate
    p: float | None
    p_method: str


def unpaired_estimate(
    a: Scores,
    b: Scores,
    clusters_a: Labels | None = None,
    clusters_b: Labels | None = None,
    *,
    binary: bool = False,
    level: float = 0.95,
) -> Unpaired:
    """Compare the means of two sets of different samples; None is unscored.

    0/1 without clusters: Newcombe and the pooled z test; else Welch's t on the (cluster-robust) standard
    errors with Welch-Satterthwaite degrees of freedom from G - 1 of either side.
    """
    x, y = floats(a), floats(b)
    keep_x, keep_y = ~np.isnan(x), ~np.isnan(y)
    lost = int((~keep_x).sum() + (~keep_y).sum())
    x, y = x[keep_x], y[keep_y]
    if not len(x) or not len(y):
        empty = Estimate(None, level=level, n=len(x) + len(y), n_unscored=lost, note="no scores on one side")
        return Unpaired(empty, None, "none")
    groups_x = clusters_of(subset(clusters_a, keep_x), len(x))
    groups_y = clusters_of(subset(clusters_b, keep_y), len(y))
    if binary and groups_x.singletons and groups_y.singletons:
        return _shares(x, y, level, lost)
    return _welch(spread(x, groups_x), spread(y, groups_y), len(x) + len(y), level, lost)


def _shares(x: Floats, y: Floats, level: float, lost: int) -> Unpaired:
    k, n, j, m = int(x.sum()), len(x), int(y.sum()), len(y)
    found = newcombe_independent(k, n, j, m, level=level)
    difference = replace(found, n_unscored=lost, n_effective=float(n + m))
    pooled = (k + j) / (n + m)
    if pooled in (0.0, 1.0):
        return Unpaired(difference, 1.0, "pooled-z")
    z = (k / n - j / m) / math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return Unpaired(difference, t_p_value(z, math.inf), "pooled-z")


def _welch(a: Spread, b: Spread, n: int, level: float, lost: int) -> Unpaired:
    clusters = a.clusters + b.clusters
    value = a.mean - b.mean
    if a.se is None or b.se is None:
        plain = Estimate(value, level=level, n=n, n_unscored=lost, clusters=clusters, note="one cluster")
        return Unpaired(plain, None, "none")
    va, vb = a.se**2, b.se**2
    if va + vb == 0:
        plain = Estimate(value, level=level, n=n, n_unscored=lost, clusters=clusters, note="no variation")
        return Unpaired(plain, None, "none")
    df = (va + vb) ** 2 / (va**2 / (a.clusters - 1) + vb**2 / (b.clusters - 1))
    se = math.sqrt(va + vb)
    half = (t_quantile(df, level) if math.isfinite(df) else normal_quantile(level)) * se
    difference = Estimate(value, value - half, value + half, level, "welch-t", n, lost, clusters)
    return Unpaired(difference, t_p_value(value / se, df), "welch-t")
