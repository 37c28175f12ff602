"""One column of a board over many entries, as arrays: values, units that they are means of, replicates.

A unit is a sample of a cell. A column's value is the mean over its cells of the mean over strata of
sum(top) / sum(bottom) over their units; a unit without a score has bottom 0, and a stratum without any scored
unit does not count. Entries are paired where all have the same units; else each stands for itself, by its
own interval.
Replicates draw clusters with replacement once for all entries, so that they are paired. Weights depend on
board, version, task and clusters only (a fixed seed), so everybody gets the same numbers, and one more entry
changes nothing for the others. Columns of one task over the same clusters are drawn together, since a hard
sample is hard in both. A column that cannot be paired gets replicates from each entry's own interval, a
normal law with a spread of its own on either side of the value.
Not here: reading them from disk (`sample_tables`).
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from suite.board.define.board import Board
from suite.board.rank.max_t import widening

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Labels = Sequence[str] | NDArray[np.str_]
MOST_WEIGHTS = 20_000_000  # held at a time


@dataclass(frozen=True)
class PairedUnits:
    """U units in order. stratum: (U,), code of (cell, stratum). cell: (S,), code of a stratum's cell.
    cluster: (U,), code; the same cluster may appear in several cells. clusters: how many. digest: of their
    names.
    """

    stratum: Codes
    cell: Codes
    cluster: Codes
    clusters: int
    digest: str

    def shares(self, scored: NDArray[np.bool_]) -> Floats:
        """(S, K): what a stratum counts for, 1 / cells / scored strata of its cell. scored: (S, K), whether
        an entry has scored units there. NaN throughout a cell without any.
        """
        counts = np.zeros((int(self.cell.max()) + 1, scored.shape[1]))
        np.add.at(counts, self.cell, scored)
        each = np.divide(1.0 / len(counts), counts, out=np.full(counts.shape, np.nan), where=counts > 0)
        return np.asarray(each[self.cell] * scored, np.float64)

    def groups(self) -> Codes:
        """(C,): groups of clusters that are drawn within: by stratum where every cluster lies in one stratum
        of each cell, the same in all cells, and every group has five; else all clusters are one group.
        """
        whole = np.zeros(self.clusters, np.intp)
        within = np.arange(len(self.cell)) - np.searchsorted(self.cell, self.cell)  # numbered in its cell
        names = within[self.stratum]
        first = np.full(self.clusters, -1, np.intp)
        first[self.cluster[::-1]] = names[::-1]
        if not np.array_equal(first[self.cluster], names):
            return whole
        _, codes = np.unique(first, return_inverse=True)
        return codes if np.bincount(codes).min() >= 5 else whole


def units_of(cell: Labels, stratum: Labels, cluster: Labels) -> PairedUnits:
    """Units from their labels, in any order."""
    (_, cells), (strata, inside), (names, clusters) = (
        np.unique(np.asarray(labels, dtype=object).astype(str), return_inverse=True)
        for labels in (cell, stratum, cluster)
    )
    # by cell, then by name, so that strata of one cell stand together
    pairs, codes = np.unique(cells * len(strata) + inside, return_inverse=True)
    digest = hashlib.sha256("\x1f".join(names.tolist()).encode()).hexdigest()
    return PairedUnits(codes, pairs // len(strata), clusters, len(names), digest)


@dataclass(frozen=True)
class RankedColumn:
    """K entries in one column.

    value, low, high: (K,), NaN where there is none. higher: whether more is better. units: None where the
    entries cannot be paired, `why` says for what reason. top: (U, K). bottom: (U, K), or (U, 1) where it is
    the same for all. questions: how many different samples the units are, over all cells; 0 if unpaired.
    """

    key: str
    value: Floats
    low: Floats
    high: Floats
    higher: bool
    units: PairedUnits | None = None
    top: Floats | None = None
    bottom: Floats | None = None
    why: str = ""
    questions: int = 0

    @property
    def present(self) -> NDArray[np.bool_]:
        """(K,): who has a value here."""
        return ~np.isnan(self.value)

    @property
    def clusters(self) -> int | None:
        """How many clusters it has, if paired; None where replicates come from intervals."""
        return None if self.units is None else self.units.clusters

    @property
    def spread_unknown(self) -> NDArray[np.bool_]:
        """(K,): entries with a value, but of an unknown spread: without an interval in an unpaired column,
        or all in a column of a single cluster.
        """
        if self.units is not None:
            return self.present & (self.units.clusters < 2)
        return self.present & (np.isnan(self.low) | np.isnan(self.high))

    def among(self, keep: NDArray[np.intp]) -> "RankedColumn":
        """The column of these entries only."""
        top = None if self.top is None else self.top[:, keep]
        bottom = self.bottom
        if bottom is not None and bottom.shape[1] > 1:
            bottom = bottom[:, keep]
        value, low, high = (one[keep] for one in (self.value, self.low, self.high))
        return replace(self, value=value, low=low, high=high, top=top, bottom=bottom)


def ratios(column: RankedColumn, weights: Floats) -> Floats:
    """The value of a column that has units under weights of clusters, (B, C) -> (B, K). A stratum that no
    weight falls on has the value it has with equal weights.
    """
    assert column.units is not None
    assert column.top is not None
    assert column.bottom is not None
    units, k = column.units, column.top.shape[1]
    below = np.stack([column.bottom[units.stratum == one].sum(axis=0) for one in range(len(units.cell))])
    shares = units.shares(below > 0)
    total = np.zeros((len(weights), k))
    for stratum in range(len(units.cell)):
        inside = units.stratum == stratum
        drawn = weights[:, units.cluster[inside]]
        top, bottom = column.top[inside], column.bottom[inside]
        under, above = drawn @ bottom, drawn @ top
        whole = np.divide(top.sum(axis=0), below[stratum], out=np.zeros(k), where=below[stratum] > 0)
        value = np.divide(above, under, out=np.tile(whole, (len(weights), 1)), where=under > 0)
        total += np.where(shares[stratum] > 0, shares[stratum] * value, shares[stratum])
    return total


def points(column: RankedColumn) -> Floats:
    """The column's values recomputed from its units, (K,)."""
    return np.asarray(ratios(column, np.ones((1, column.clusters or 1)))[0], np.float64)


def seed_of(*names: str) -> int:
    """A seed from names."""
    return int.from_bytes(hashlib.sha256("\x1f".join(names).encode()).digest()[:8], "big")


def seed_for(board: Board, column: RankedColumn) -> int:
    """A column's seed."""
    task = next((item.task for item in board.tasks if item.name == column.key), column.key)
    return seed_of(board.id, board.version, task, column.key if column.units is None else column.units.digest)


def replicates(column: RankedColumn, resamples: int, seed: int, level: float) -> Floats:
    """(B, K): the column's values over resamples; NaN for entries without a value."""
    if column.units is None:
        return _from_intervals(column, resamples, seed, level)
    blocks = [ratios(column, weights) for weights in weights_of(column.units.groups(), resamples, seed)]
    return np.concatenate(blocks)


def weights_of(groups: NDArray[np.intp], resamples: int, seed: int) -> Iterator[Floats]:
    """How often each cluster is drawn, (b, C) at a time; clusters are drawn within their groups.

    Of several groups one cluster less than they have, and each weighs more for it: drawing all n of a small
    group makes it n / (n - 1) times too steady (Rao and Wu 1988). Of one group all: see `max_t.widening`.
    """
    chance = np.random.default_rng(seed)
    count = len(groups)
    members = [np.flatnonzero(groups == group) for group in range(int(groups.max()) + 1)]
    size = max(1, min(resamples, MOST_WEIGHTS // count))
    for start in range(0, resamples, size):
        b = min(size, resamples - start)
        weights = np.zeros((b, count))
        for inside in members:
            n = len(inside)
            many = n if len(members) == 1 else n - 1
            picks = chance.integers(0, n, (b, many)) + np.arange(b)[:, None] * n
            weights[:, inside] = np.bincount(picks.ravel(), minlength=b * n).reshape(b, n) * (n / many)
        yield weights


def _from_intervals(column: RankedColumn, resamples: int, seed: int, level: float) -> Floats:
    """Value + z times the half of the interval on z's side, over the normal quantile of the interval. An
    entry's z depend on its own numbers, not on who else is there.
    """
    z = np.empty((resamples, len(column.value)))
    for i, own in enumerate(zip(column.value, column.low, column.high, strict=True)):
        mine = seed_of(str(seed), *(float(one).hex() for one in own))
        z[:, i] = np.random.default_rng(mine).standard_normal(resamples)
    quantile = float(ndtri(1 - (1 - level) / 2))
    down = np.nan_to_num(column.value - column.low) / quantile
    up = np.nan_to_num(column.high - column.value) / quantile
    return np.asarray(column.value + np.where(z < 0, z * down, z * up), np.float64)


def interval(values: Floats, drawn: Floats, level: float, clusters: float | None) -> tuple[Floats, Floats]:
    """Ends of the interval of each entry, (K,) each: quantiles of the replicates around the value, widened as
    pairwise tests are where clusters are few.
    """
    tail = (1 - level) / 2
    wide = widening(clusters, level) if clusters is None or clusters >= 2 else np.nan
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    return values - (values - low) * wide, values + (high - values) * wide
