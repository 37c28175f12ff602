"""Items rated by several raters, folded into distinct patterns so that coefficients are quick to resample.

Items with the same ratings are one pattern with a weight; every coefficient is a function of the weights.
Not here: the coefficients (`coefficients_of`), intervals (`agreement`).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.errors import unknown
from suite.scoring.stats.units import Floats

Row = Sequence[Hashable | None]


@dataclass(frozen=True)
class RatingTable:
    """Distinct patterns of ratings.

    codes: shape (patterns, raters), index of the category or -1. raters: (patterns,), ratings there are.
    pattern: (items,), which pattern an item has. values: (categories,), the numbers that stand for the
    categories; for labels their positions.
    """

    codes: NDArray[np.int64]
    raters: Floats
    pattern: NDArray[np.intp]
    values: Floats

    @property
    def q(self) -> int:
        """Categories, declared rather than observed."""
        return len(self.values)

    @cached_property
    def counts(self) -> Floats:
        """How many raters chose each category, shape (patterns, categories)."""
        each = [(self.codes == code).sum(axis=1) for code in range(self.q)]
        return np.stack(each or [np.zeros(0)], axis=-1).astype(np.float64)

    @cached_property
    def numbers(self) -> Floats:
        """The ratings as numbers, shape (patterns, raters), 0 where there is none."""
        return np.where(self.codes >= 0, self.values[self.codes], 0.0)

    def weights(self, items: NDArray[np.intp]) -> Floats:
        """How often each pattern occurs among these items."""
        return np.bincount(self.pattern[items], minlength=len(self.codes)).astype(np.float64)


def table_of(ratings: Sequence[Row], categories: Sequence[Hashable] | None = None) -> RatingTable:
    """Fold ratings: one row per item, one entry per rater, None (or NaN) where there is no rating.

    categories: all categories in their order; None takes the observed numbers.
    Raises NotFound for a rating that is not a category.
    """
    rows = [[None if _missing(one) else one for one in row] for row in ratings]
    known = _observed(rows) if categories is None else list(dict.fromkeys(categories))
    place = {category: code for code, category in enumerate(known)}
    width = max((len(row) for row in rows), default=0)
    codes = np.full((len(rows), width), -1, dtype=np.int64)
    for i, row in enumerate(rows):
        for j, one in enumerate(row):
            if one is None:
                continue
            if one not in place:
                raise unknown("category", str(one), [str(category) for category in known], f"item {i}")
            codes[i, j] = place[one]
    values = np.array([_number(one, code) for code, one in enumerate(known)])
    if rows and width:
        patterns, inverse = np.unique(codes, axis=0, return_inverse=True)
    else:
        patterns, inverse = codes[:0], np.zeros(0, dtype=np.intp)
    raters = (patterns >= 0).sum(axis=1).astype(np.float64)
    return RatingTable(patterns, raters, inverse.reshape(-1), values)


def _missing(one: Any) -> bool:
    return one is None or (isinstance(one, float) and not np.isfinite(one))


def _observed(rows: list[list[Any]]) -> list[Any]:
    return sorted({one for row in rows for one in row if one is not None})


def _number(category: Any, code: int) -> float:
    if isinstance(category, int | float | np.number) and not isinstance(category, bool):
        return float(category)
    return float(code)
