"""Coefficients of agreement: percent, Cohen, Fleiss, Randolph, Gwet's AC1.

Every function takes a table of rating patterns and a weight for each, and returns the value, or None and
why. Sources: Cohen 1960 and 1968, Scott 1955, Fleiss 1971, Randolph 2005 (Brennan and Prediger 1981), Gwet
2008. Krippendorff's alpha: `krippendorff`.
"""

from typing import Literal

import numpy as np

from suite.scoring.stats.rating_table import RatingTable
from suite.scoring.stats.units import Floats

Found = tuple[float | None, str]
NO_PAIRS = "no item has two ratings"
NO_VARIATION = "no variation"
ONE_CATEGORY = "one category"
Weighting = Literal["none", "linear", "quadratic"]
ZERO = 1e-12


def percent(table: RatingTable, weights: Floats) -> Found:
    """Mean over items with two ratings or more of the share of pairs of raters that agree."""
    if table.q < 2:
        return None, ONE_CATEGORY
    several = weights * (table.raters >= 2)
    if not several.any():
        return None, NO_PAIRS
    n, r = table.counts, np.maximum(table.raters, 2)
    shares = (n * (n - 1)).sum(axis=1) / (r * (r - 1))
    return float((several * shares).sum() / several.sum()), ""


def randolph(table: RatingTable, weights: Floats) -> Found:
    """Chance is one over the number of declared categories."""
    return _corrected(percent(table, weights), 1 / max(1, table.q))


def fleiss(table: RatingTable, weights: Floats) -> Found:
    """Chance from the pooled shares; with two raters it is Scott's pi. Every item needs as many ratings."""
    used = (weights > 0) & (table.raters >= 2)
    if np.ptp(table.raters[used]) > 0 if used.any() else False:
        return None, "items differ in their number of ratings"
    totals = (weights * used) @ table.counts
    shares = totals / max(1.0, float(totals.sum()))
    return _corrected(percent(table, weights), float((shares**2).sum()))


def gwet_ac1(table: RatingTable, weights: Floats) -> Found:
    """Chance from how uncertain the categories are; holds up where nearly all items are in one category."""
    agreed = percent(table, weights)
    if agreed[0] is None:
        return agreed
    rated = weights * (table.raters >= 1)
    shares = (rated / np.maximum(1, table.raters)) @ table.counts / rated.sum()
    return _corrected(agreed, float((shares * (1 - shares)).sum() / (table.q - 1)))


def _corrected(agreed: Found, chance: float) -> Found:
    if agreed[0] is None:
        return agreed
    if chance >= 1 - ZERO:
        return None, NO_VARIATION
    return (agreed[0] - chance) / (1 - chance), ""


def confusion(table: RatingTable, weights: Floats) -> Floats:
    """Shares of (first rater's category, second rater's), shape (q, q), over items that both rated."""
    both = (table.codes >= 0).all(axis=1) & (weights > 0)
    cells = table.codes[both, 0] * table.q + table.codes[both, 1]
    counted: Floats = np.bincount(cells, weights=weights[both], minlength=table.q**2).astype(np.float64)
    return counted.reshape(table.q, table.q) / max(1.0, float(counted.sum()))


def cohen(table: RatingTable, weights: Floats, weighting: Weighting = "none") -> Found:
    """Two raters, chance from the margins of each; weighted by the distance in the declared order.

    The distance counts unused categories too, unlike in scikit-learn without `labels`.
    """
    if table.q < 2:
        return None, ONE_CATEGORY
    observed = confusion(table, weights)
    if not observed.any():
        return None, NO_PAIRS
    place = np.arange(table.q)
    distance = np.abs(place[:, None] - place[None, :]).astype(np.float64)
    cost = {"none": (distance > 0).astype(np.float64), "linear": distance, "quadratic": distance**2}[
        weighting
    ]
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0))
    below = float((cost * expected).sum())
    if below < ZERO:
        return None, NO_VARIATION
    return 1 - float((cost * observed).sum()) / below, ""


def largest_cohen(table: RatingTable, weights: Floats) -> Found:
    """The largest unweighted Cohen that the margins of the two raters allow."""
    observed = confusion(table, weights)
    first, second = observed.sum(axis=1), observed.sum(axis=0)
    chance = float((first * second).sum())
    if not observed.any():
        return None, NO_PAIRS if table.q > 1 else ONE_CATEGORY
    if chance >= 1 - ZERO:
        return None, NO_VARIATION
    return (float(np.minimum(first, second).sum()) - chance) / (1 - chance), ""
