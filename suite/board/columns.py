"""One column of a board over many entries, as arrays: values, and the units that they are means of.

A unit is a sample of a cell. A column's value is the mean over its cells of the mean over strata of
sum(top) / sum(bottom) over their units; a unit without a score has bottom 0, and a stratum without any scored
unit does not count. Entries are paired where all have the same units; else each stands for itself, by its
own interval.
Not here: reading them from disk (`per_sample`), drawing from them (`resampling`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from suite.errors import ConfigError

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Labels = Sequence[str] | NDArray[np.str_]


@dataclass(frozen=True)
class Units:
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
        names = self._stratum_within_cell()
        first = np.full(self.clusters, -1, np.intp)
        first[self.cluster[::-1]] = names[::-1]
        if not np.array_equal(first[self.cluster], names):
            return whole
        _, codes = np.unique(first, return_inverse=True)
        return codes if np.bincount(codes).min() >= 5 else whole

    def _stratum_within_cell(self) -> Codes:
        """(U,): a unit's stratum, numbered within its cell in order."""
        starts = np.zeros(int(self.cell.max()) + 1, np.intp)
        starts[1:] = np.cumsum(np.bincount(self.cell))[:-1]
        return np.asarray(self.stratum - starts[self.cell[self.stratum]], np.intp)


def units_of(cell: Labels, stratum: Labels, cluster: Labels) -> Units:
    """Units from their labels, in any order."""
    cells, cell_codes = np.unique(np.asarray(cell, dtype=object).astype(str), return_inverse=True)
    strata_names = np.asarray(stratum, dtype=object).astype(str)
    pairs = np.char.add(np.char.add(cell_codes.astype(str), "\x1f"), strata_names)
    # by number of the cell, then by name: so that strata of one cell stand together
    order = sorted(set(pairs.tolist()), key=lambda pair: (int(pair.partition("\x1f")[0]), pair))
    place = {pair: code for code, pair in enumerate(order)}
    stratum_codes = np.fromiter((place[pair] for pair in pairs.tolist()), np.intp, len(pairs))
    of = np.fromiter((int(pair.partition("\x1f")[0]) for pair in order), np.intp, len(order))
    names, cluster_codes = np.unique(np.asarray(cluster, dtype=object).astype(str), return_inverse=True)
    digest = hashlib.sha256("\x1f".join(names.tolist()).encode()).hexdigest()
    return Units(stratum_codes, of, cluster_codes.astype(np.intp), len(names), digest)


@dataclass(frozen=True)
class Column:
    """K entries in one column.

    value, low, high: (K,), NaN where there is none. higher: whether more is better. units: None where the
    entries cannot be paired, `why` says for what reason. top: (U, K). bottom: (U, K), or (U, 1) where it is
    the same for all.
    """

    key: str
    value: Floats
    low: Floats
    high: Floats
    higher: bool
    units: Units | None = None
    top: Floats | None = None
    bottom: Floats | None = None
    why: str = ""

    @property
    def present(self) -> NDArray[np.bool_]:
        """(K,): who has a value here."""
        return ~np.isnan(self.value)

    def among(self, keep: NDArray[np.intp]) -> "Column":
        """The column of these entries only."""
        top = None if self.top is None else self.top[:, keep]
        bottom = self.bottom
        if bottom is not None and bottom.shape[1] > 1:
            bottom = bottom[:, keep]
        value, low, high = (one[keep] for one in (self.value, self.low, self.high))
        return replace(self, value=value, low=low, high=high, top=top, bottom=bottom)


def shared(bottom: Floats) -> Floats:
    """(U, 1) if all entries have the same bottoms, else as given."""
    return bottom[:, :1] if bottom.shape[1] and (bottom == bottom[:, :1]).all() else bottom


def ratios(column: Column, weights: Floats) -> Floats:
    """The column's value under weights of clusters, (B, C) -> (B, K). A stratum that no weight falls on has
    the value it has with equal weights. Raises ConfigError for a column without units.
    """
    if column.units is None or column.top is None or column.bottom is None:
        raise ConfigError(f"column {column.key!r} has no samples to draw from")
    units = column.units
    below = np.stack([column.bottom[units.stratum == one].sum(axis=0) for one in range(len(units.cell))])
    shares = units.shares(below > 0)
    total = np.zeros((len(weights), column.top.shape[1]))
    for stratum in range(len(units.cell)):
        inside = units.stratum == stratum
        drawn = weights[:, units.cluster[inside]]
        top, bottom = column.top[inside], column.bottom[inside]
        under, above = drawn @ bottom, drawn @ top
        whole = np.broadcast_to(_ratio(top.sum(axis=0), below[stratum]), above.shape)
        value = np.divide(above, under, out=whole.copy(), where=under > 0)
        total += np.where(shares[stratum] > 0, shares[stratum] * value, shares[stratum])
    return total


def _ratio(above: Floats, below: Floats) -> Floats:
    nothing = np.full(above.shape, np.nan)
    found = np.divide(above, below, out=nothing, where=np.broadcast_to(below > 0, above.shape))
    return np.asarray(found, np.float64)


def points(column: Column) -> Floats:
    """The column's values recomputed from its units, (K,)."""
    units = column.units
    count = 1 if units is None else units.clusters
    return np.asarray(ratios(column, np.ones((1, count)))[0], np.float64)
