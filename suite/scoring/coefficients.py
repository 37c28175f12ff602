"""Coefficients of agreement from items by raters. None where a coefficient does not exist, with the reason.

Every function takes `Ratings` and a scale (nominal, ordinal, interval). Categories are those declared, not
those that occur. Sources: `stats.chance_corrected`; Krippendorff, "Content Analysis", 2018, ch. 12.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.scoring.stats.chance_corrected import NO_PAIRS, NO_VARIATION, Found
from suite.scoring.stats.krippendorff import squared_differences
from suite.scoring.stats.units import Floats


@dataclass(frozen=True)
class Ratings:
    """codes: items by raters, index of the category or -1 for no rating. categories: in order."""

    codes: NDArray[np.int64]
    categories: tuple[str | float, ...]

    def counts(self, least: int = 2) -> Floats:
        """Items by categories: how many raters chose it; items with at least so many ratings."""
        q = len(self.categories)
        found = np.zeros((len(self.codes), q))
        for column in self.codes.T:
            rated = column >= 0
            found[np.flatnonzero(rated), column[rated]] += 1
        several: Floats = found[found.sum(axis=1) >= least]
        return several


def _percent(counts: Floats) -> float:
    r = counts.sum(axis=1)
    return float(((counts * (counts - 1)).sum(axis=1) / (r * (r - 1))).mean())


def _corrected(p_a: float, p_e: float) -> Found:
    if p_e >= 1:
        return None, NO_VARIATION
    return (p_a - p_e) / (1 - p_e), ""


def percent(ratings: Ratings, _scale: str) -> Found:
    """Mean over items of the share of equal pairs."""
    counts = ratings.counts()
    return (_percent(counts), "") if len(counts) else (None, NO_PAIRS)


def randolph(ratings: Ratings, _scale: str) -> Found:
    """Chance is one over the number of categories (Randolph 2005, Brennan and Prediger 1981)."""
    counts = ratings.counts()
    q = len(ratings.categories)
    if not len(counts) or q < 2:
        return None, NO_PAIRS if not len(counts) else "one category"
    return _corrected(_percent(counts), 1 / q)


def ac1(ratings: Ratings, _scale: str) -> Found:
    """Gwet's AC1 (2008): chance from how spread the categories are."""
    counts = ratings.counts()
    q = len(ratings.categories)
    if not len(counts) or q < 2:
        return None, NO_PAIRS if not len(counts) else "one category"
    every = ratings.counts(least=1)
    share = (every / every.sum(axis=1, keepdims=True)).mean(axis=0)
    return _corrected(_percent(counts), float((share * (1 - share)).sum() / (q - 1)))


def fleiss(ratings: Ratings, _scale: str) -> Found:
    """Fleiss 1971: chance from pooled shares; needs as many ratings on every item."""
    counts = ratings.counts()
    if not len(counts):
        return None, NO_PAIRS
    if len(np.unique(counts.sum(axis=1))) > 1:
        return None, "items have different numbers of ratings"
    share = counts.sum(axis=0) / counts.sum()
    return _corrected(_percent(counts), float((share**2).sum()))


def cohen(ratings: Ratings, _scale: str) -> Found:
    """Cohen 1960: two raters, chance from each one's own shares."""
    if ratings.codes.shape[1] != 2:
        return None, f"{ratings.codes.shape[1]} raters: Cohen's kappa takes two"
    pairs = ratings.codes[(ratings.codes >= 0).all(axis=1)]
    if not len(pairs):
        return None, NO_PAIRS
    q = len(ratings.categories)
    margins = [np.bincount(column, minlength=q) / len(pairs) for column in pairs.T]
    p_e = float(margins[0] @ margins[1])
    return _corrected(float((pairs[:, 0] == pairs[:, 1]).mean()), p_e)


def alpha(ratings: Ratings, scale: str) -> Found:
    """Krippendorff's alpha: 1 - observed over expected disagreement; handles missing ratings."""
    counts = ratings.counts()
    if not len(counts):
        return None, NO_PAIRS
    r = counts.sum(axis=1)
    # coincidences: pairs of ratings within an item, weighted by 1/(r - 1)
    weights = 1 / (r - 1)
    together = (counts * weights[:, None]).T @ counts - np.diag((counts * weights[:, None]).sum(axis=0))
    totals = together.sum(axis=1)
    distance = _distances(ratings, totals, scale)
    if distance is None:
        return None, "an interval scale needs numbers as categories"
    n = totals.sum()
    expected = float((np.outer(totals, totals) * distance).sum()) / (n - 1)
    if expected <= 0:
        return None, NO_VARIATION
    return 1 - float((together * distance).sum()) / expected, ""


def _distances(ratings: Ratings, totals: Floats, scale: str) -> Floats | None:
    if scale != "interval":
        return squared_differences(np.zeros(len(ratings.categories)), totals, scale)
    if any(isinstance(one, str) for one in ratings.categories):
        return None
    return squared_differences(np.array(ratings.categories, dtype=np.float64), totals, scale)


COMPUTE: Mapping[str, Callable[[Ratings, str], Found]] = {
    "percent": percent,
    "alpha": alpha,
    "ac1": ac1,
    "cohen": cohen,
    "fleiss": fleiss,
    "randolph": randolph,
}
