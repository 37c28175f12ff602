"""Krippendorff's alpha for nominal, ordinal, interval and ratio data, any number of raters, gaps allowed.

alpha = 1 - observed / expected disagreement over pairs of ratings within units and over all. Source:
Krippendorff, "Content Analysis", 2018, ch. 12; "Computing Krippendorff's alpha-reliability", 2011.
"""

from typing import Literal

import numpy as np

from suite.scoring.stats.chance_corrected import NO_PAIRS, NO_VARIATION, ONE_CATEGORY, ZERO, Found
from suite.scoring.stats.rating_table import RatingTable
from suite.scoring.stats.units import Floats

Scale = Literal["nominal", "ordinal", "interval", "ratio"]
SCALES: tuple[Scale, ...] = ("nominal", "ordinal", "interval", "ratio")


def alpha(table: RatingTable, weights: Floats, scale: Scale) -> Found:
    """Krippendorff's alpha. scale: nominal for labels, ordinal for Likert, interval or ratio for scores.

    Units with fewer than two ratings are ignored; where all ratings are alike there is no alpha.
    """
    if table.q < 2:
        return None, ONE_CATEGORY
    used = (weights > 0) & (table.raters >= 2)
    if not used.any():
        return None, NO_PAIRS
    if scale == "interval":
        return _interval(table, weights * used)
    counts = table.counts[used]
    shared = weights[used] / (table.raters[used] - 1)
    pairs = (shared[:, None] * counts).T @ counts - np.diag(shared @ counts)
    totals = weights[used] @ counts
    cost = squared_differences(table.values, totals, scale)
    expected = float(totals @ cost @ totals) / (float(totals.sum()) - 1)
    if expected < ZERO:
        return None, NO_VARIATION
    return 1 - float((pairs * cost).sum()) / expected, ""


def _interval(table: RatingTable, weights: Floats) -> Found:
    """Squared differences summed from moments, so that scores may all be distinct."""
    x, r = table.numbers, table.raters
    # Centred, since the moments of large numbers that differ little would cancel.
    x = np.where(table.codes >= 0, x - float((weights @ x).sum()) / float(weights @ r), 0.0)
    sums, squares = x.sum(axis=1), (x * x).sum(axis=1)
    within = 2 * (r * squares - sums * sums) / np.maximum(1, r - 1)
    n = float(weights @ r)
    expected = 2 * (n * float(weights @ squares) - float(weights @ sums) ** 2) / (n - 1)
    if expected < ZERO:
        return None, NO_VARIATION
    return 1 - float(weights @ within) / expected, ""


def squared_differences(values: Floats, totals: Floats, scale: str) -> Floats:
    """How far two categories are apart, squared; for ordinal data by how many ratings lie between."""
    q = len(values)
    if scale == "nominal":
        return 1.0 - np.eye(q)
    if scale == "ordinal":
        middle = np.cumsum(totals) - totals / 2
        return np.asarray((middle[:, None] - middle[None, :]) ** 2)
    apart = values[:, None] - values[None, :]
    if scale == "interval":
        return np.asarray(apart**2)
    sums = values[:, None] + values[None, :]
    return np.asarray(np.divide(apart, sums, out=np.zeros_like(apart), where=sums != 0) ** 2)
