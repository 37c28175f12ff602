"""How far raters agree: percent, Krippendorff, Gwet, Cohen, Fleiss, Randolph, and intervals by leaving out.

None where a coefficient does not exist, with the reason. Categories are those declared, not those that occur.
Sources: Cohen 1960, Fleiss 1971, Randolph 2005 (Brennan and Prediger 1981), Gwet 2008; Krippendorff, "Content
Analysis", 2018, ch. 12. Why these: docs/statistics.md, "Judges".
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from suite.scoring.stats.clusters import Clusters, Floats
from suite.scoring.stats.estimate import Estimate, Pair
from suite.scoring.stats.intervals import t_interval
from suite.scoring.stats.means import of_left_out

Found = tuple[float | None, str]
NO_PAIRS = "no item has two ratings"
NO_VARIATION = "no variation"
ONE_CATEGORY = "one category"
MOST_BLOCKS = 200


@dataclass(frozen=True)
class RatingTable:
    """codes: items by raters, index of the category or -1 for no rating. categories: how many there are.

    numbers: what they stand for on an interval scale, None for labels.
    """

    codes: NDArray[np.int64]
    categories: int
    numbers: Floats | None = None

    def counts(self, least: int = 2) -> Floats:
        """Items by categories: how many raters chose it; items with at least so many ratings."""
        found = np.zeros((len(self.codes), self.categories))
        for column in self.codes.T:
            rated = column >= 0
            found[np.flatnonzero(rated), column[rated]] += 1
        several: Floats = found[found.sum(axis=1) >= least]
        return several

    def pairs(self) -> NDArray[np.int64]:
        """Items that all raters rated."""
        return self.codes[(self.codes >= 0).all(axis=1)]


def _corrected(p_a: float, p_e: float) -> Found:
    if p_e >= 1:
        return None, NO_VARIATION
    return (p_a - p_e) / (1 - p_e), ""


def largest_cohen(table: RatingTable) -> Found:
    """The largest kappa that the margins of two raters allow."""
    pairs = table.pairs()
    if not len(pairs):
        return None, NO_PAIRS
    q = table.categories
    cells = np.bincount(pairs[:, 0] * q + pairs[:, 1], minlength=q * q).reshape(q, q) / len(pairs)
    one, two = cells.sum(axis=1), cells.sum(axis=0)
    return _corrected(float(np.minimum(one, two).sum()), float((one * two).sum()))


def coefficient_of(name: str, table: RatingTable, scale: str) -> Found:
    """A coefficient by its name: the mean share of equal pairs of an item's ratings, corrected for chance."""
    counts, q = table.counts(), table.categories
    if name == "cohen" and table.codes.shape[1] != 2:
        return None, f"{table.codes.shape[1]} raters: Cohen's kappa takes two"
    if not len(counts):
        return None, NO_PAIRS
    if name == "alpha":
        return _alpha(table, counts, scale)
    if name in ("randolph", "ac1") and q < 2:
        return None, ONE_CATEGORY
    r = counts.sum(axis=1)
    same = float(((counts * (counts - 1)).sum(axis=1) / (r * (r - 1))).mean())
    if name == "percent":
        return same, ""
    if name == "randolph":  # one over the number of categories
        return _corrected(same, 1 / q)
    if name == "ac1":  # by how spread the categories are; holds up where nearly all items are in one
        every = table.counts(least=1)
        share = (every / every.sum(axis=1, keepdims=True)).mean(axis=0)
        return _corrected(same, float((share * (1 - share)).sum() / (q - 1)))
    if name == "cohen":  # by each one's own shares
        pairs = table.pairs()
        one, two = (np.bincount(column, minlength=q) / len(pairs) for column in pairs.T)
        return _corrected(float((pairs[:, 0] == pairs[:, 1]).mean()), float(one @ two))
    if len(np.unique(r)) > 1:
        return None, "items have different numbers of ratings"
    share = counts.sum(axis=0) / counts.sum()  # fleiss: by pooled shares
    return _corrected(same, float((share**2).sum()))


def _alpha(table: RatingTable, counts: Floats, scale: str) -> Found:
    """Krippendorff's: 1 - observed over expected disagreement; handles missing ratings."""
    # coincidences: pairs of ratings within an item, weighted by 1/(r - 1)
    weights = 1 / (counts.sum(axis=1) - 1)
    together = (counts * weights[:, None]).T @ counts - np.diag((counts * weights[:, None]).sum(axis=0))
    totals = together.sum(axis=1)
    if scale == "interval" and table.numbers is None:
        return None, "an interval scale needs numbers as categories"
    distance = _distances(table, totals, scale)
    n = totals.sum()
    expected = float((np.outer(totals, totals) * distance).sum()) / (n - 1)
    if expected <= 0:
        return None, NO_VARIATION
    return 1 - float((together * distance).sum()) / expected, ""


def _distances(table: RatingTable, totals: Floats, scale: str) -> Floats:
    """How far two categories are apart, squared; for ordinal data by how many ratings lie between."""
    if scale == "nominal":
        return 1.0 - np.eye(table.categories)
    place = np.cumsum(totals) - totals / 2 if scale == "ordinal" or table.numbers is None else table.numbers
    return np.asarray((place[:, None] - place[None, :]) ** 2)


def agreement(coefficient: str, scale: str, table: RatingTable, own: Clusters, level: float) -> Estimate:
    """A coefficient with its interval by leaving out one cluster: as the items are, and with one more of each
    kind that may not have been seen: where the raters part, and where they agree on the rarer category.
    """
    value, note = coefficient_of(coefficient, table, scale)
    if value is None:
        return Estimate(None, level=level, note=note)
    if own.count < 2:
        note = "one cluster" if len(own.codes) > 1 else "one sample"
        return Estimate(value, level=level, clusters=own.count, note=note)
    if table.categories < 2:  # a category that nobody chose is unseen, too
        table = RatingTable(table.codes, table.categories + 1)

    def of(codes: NDArray[np.int64]) -> float | None:
        return coefficient_of(coefficient, replace(table, codes=codes), scale)[0]

    ends = [_by_leaving_out(of, table.codes, own.codes, level)]
    more = round(len(own.codes) / own.count)
    for item in _unseen(table):
        codes = np.concatenate([table.codes, np.tile(item, (more, 1))])
        ends.append(_by_leaving_out(of, codes, np.append(own.codes, [own.count] * more), level))
    known = [one for one in ends if one is not None]
    low, high = min(one[0] for one in known), max(one[1] for one in known)
    low, high = max(low, 0.0 if coefficient == "percent" else -1.0), min(high, 1.0)
    return Estimate(value, low, high, level, "jackknife-unseen", clusters=own.count)


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
    return t_interval(value, found.se, found.df, level)


def _unseen(table: RatingTable) -> Iterator[NDArray[np.int64]]:
    """Items that may not have been seen, as many ratings each as there are raters."""
    raters, q = table.codes.shape[1], table.categories
    times = np.bincount(table.codes[table.codes >= 0], minlength=q)
    common = int(times.argmax())
    rare = min((k for k in range(q) if k != common), key=lambda k: (times[k] == 0, times[k]))
    yield np.full(raters, rare)
    half = np.arange(raters) < (raters + 1) // 2
    yield np.where(half, rare, common)
    yield np.where(half, common, rare)
