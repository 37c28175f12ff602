"""per_sample.parquet of many entries as columns of arrays, entries paired by sample; and what changed sample
by sample between an entry and the one it supersedes.

Rows say column, cell, sample, cluster, stratum, top and bottom. Entries of one board have the same samples,
so labels are read once for each layout met, told apart by a hash of them; what remains is two arrays of
numbers an entry. A sample without a score may have lost its stratum: another entry knows it.
Honest changes go both ways. Where no sample ever got worse over new versions, results may have been gathered:
only failures run again, the better kept.
Not here: what a column's value is (`columns`), writing the file (verification does).
"""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from suite.board.entry import AcceptedEntry
from suite.board.rank.columns import Floats, PairedUnits, RankedColumn, points, units_of
from suite.errors import DataError

LABELS = ("column", "cell", "sample", "cluster", "stratum")
TOLERANCE = 1e-6
LARGEST = 512 * 1024**2  # bytes of one file
Values = Mapping[str, Mapping[tuple[str, str], float]]  # column -> (cell, sample) -> value of scored samples


@dataclass(frozen=True)
class _Labels:
    """One column of a layout, in the order of (cell, sample). rows: where its rows stand in the file."""

    rows: NDArray[np.intp]
    cell: NDArray[np.str_]
    sample: NDArray[np.str_]
    cluster: NDArray[np.str_]
    stratum: NDArray[np.str_]


_Layout = Mapping[str, _Labels]  # by column
_Samples = tuple[_Labels, Floats, Floats]  # of one column: labels, top, bottom
_Read = Mapping[str, _Samples]  # a table, by column


def read_columns(keys: Sequence[str], entries: Sequence[AcceptedEntry]) -> list[RankedColumn]:
    """One column for each key, over K entries, which may lack a key.

    Raises DataError for a damaged file, one that disagrees with its verification, or entries that disagree
    on which way is better.
    """
    layouts: dict[bytes, _Layout] = {}
    read = [{} if (path := one.per_sample) is None else _read(path, layouts) for one in entries]
    return [_column(key, read, entries) for key in keys]


def _read(path: Path, layouts: dict[bytes, _Layout]) -> _Read:
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"{path.name} is larger than {LARGEST:,} bytes", where=str(path))
        table = pq.read_table(path, columns=[*LABELS, "top", "bottom"], use_threads=False).combine_chunks()
        labels = table.select(LABELS)
        labels = labels.cast(pa.schema([(name, pa.string()) for name in LABELS]))
        top, bottom = (table.column(name).to_numpy().astype(np.float64) for name in ("top", "bottom"))
    except (OSError, pa.ArrowException, KeyError) as error:
        raise DataError(f"{path.name} is no table of samples: {error}", where=str(path)) from error
    if not (np.isfinite(top).all() and np.isfinite(bottom).all() and (bottom >= 0).all()):
        raise DataError(f"{path.name} holds numbers that no score gives", where=str(path))
    digest = _digest(labels)
    if digest not in layouts:
        layouts[digest] = _labels(labels, path)
    return {key: (one, top[one.rows], bottom[one.rows]) for key, one in layouts[digest].items()}


def _digest(table: pa.Table) -> bytes:
    """Of the labels as Arrow holds them: equal tables that are held differently are merely read twice."""
    found = hashlib.blake2b(digest_size=16)
    chunks = (chunk for column in table.columns for chunk in column.chunks)
    for buffer in (buffer for chunk in chunks for buffer in chunk.buffers()):
        found.update(b"\0" if buffer is None else memoryview(buffer))
    return found.digest()


def _labels(table: pa.Table, path: Path) -> dict[str, _Labels]:
    column, cell, sample, cluster, stratum = (
        np.asarray(table.column(name).to_pylist(), dtype=np.str_) for name in LABELS
    )
    found = {}
    for key in np.unique(column):
        inside = np.flatnonzero(column == key)
        rows = inside[np.lexsort((sample[inside], cell[inside]))]
        one = _Labels(rows, cell[rows], sample[rows], cluster[rows], stratum[rows])
        twice = (one.cell[1:] == one.cell[:-1]) & (one.sample[1:] == one.sample[:-1])
        if twice.any():
            raise DataError(f"{path.name} holds a sample twice in column {key}", where=str(path))
        found[str(key)] = one
    return found


def _column(key: str, read: Sequence[_Read], entries: Sequence[AcceptedEntry]) -> RankedColumn:
    mine = [one.column(key) for one in entries]
    value, low, high = (
        np.array([np.nan if (end := getattr(one, name, None)) is None else float(end) for one in mine])
        for name in ("value", "low", "high")
    )
    ways = {one.direction for one in mine if one is not None}
    if len(ways) > 1 or ways - {"higher", "lower"}:
        raise DataError.of("board.rank.direction", key=key, ways=", ".join(sorted(ways)))
    here = np.flatnonzero(~np.isnan(value)).tolist()
    column = RankedColumn(key, value, low, high, ways != {"lower"})
    unpaired = [i for i in here if (one := mine[i]) is None or not one.paired]
    if not here:
        return column
    if unpaired:
        why = "this number is no mean over samples: entries are compared by their intervals"
        return replace(column, why=why)
    for i in here:
        if key not in read[i]:
            where = str(entries[i].per_sample)
            raise DataError(f"column {key!r} is said to be paired, but has no samples", where=where)
    held = {i: read[i][key] for i in here}
    distinct = list({id(labels): labels for labels, _, _ in held.values()}.values())
    strata = _merged(distinct)
    if strata is None:
        return replace(column, why="the entries' samples differ: they are compared by their intervals")
    found = _paired(column, units_of(distinct[0].cell, strata, distinct[0].cluster), held)
    again = points(found)
    for i in held:
        if not abs(again[i] - value[i]) <= TOLERANCE * max(1.0, abs(value[i])):
            told = {"again": again[i], "value": value[i], "where": entries[i].per_sample}
            raise DataError.of("board.rank.samples-differ", column=column, **told)
    return replace(found, questions=len(np.unique(distinct[0].sample)))


def _merged(layouts: Sequence[_Labels]) -> NDArray[np.str_] | None:
    """The units' strata, from whichever entry knows them; None if the units are not the same."""
    first = layouts[0]
    strata = first.stratum.astype(object)
    for other in layouts[1:]:
        names = ("cell", "sample", "cluster")  # of units and their clusters
        if not all(np.array_equal(getattr(first, name), getattr(other, name)) for name in names):
            return None
        theirs = other.stratum.astype(object)
        if ((strata != "") & (theirs != "") & (strata != theirs)).any():
            return None
        strata = np.where(strata == "", theirs, strata)
    return strata.astype(np.str_)


def _paired(column: RankedColumn, units: PairedUnits, held: Mapping[int, _Samples]) -> RankedColumn:
    k, count = len(column.value), len(units.cluster)
    top, bottom = np.zeros((count, k)), np.zeros((count, k))
    for i, (_, above, below) in held.items():
        top[:, i], bottom[:, i] = above, below
    absent = [i for i in range(k) if i not in held]
    if held and absent:  # so that bottoms can still be shared; their values are NaN and never looked at
        bottom[:, absent] = bottom[:, [next(iter(held))]]
    if (bottom == bottom[:, :1]).all():
        bottom = bottom[:, :1]
    return replace(column, units=units, top=top, bottom=bottom)


@dataclass(frozen=True)
class ColumnFlips:
    """Of one column: samples that got better, worse, stayed the same."""

    key: str
    better: int
    worse: int
    same: int

    def only_up(self, fewest: float) -> bool:
        """Whether it only ever got better, over enough changes to be no accident."""
        return self.worse == 0 and self.better >= fewest


def flips(old: AcceptedEntry, new: AcceptedEntry) -> list[ColumnFlips]:
    """By column, over the samples that both have scored. Columns without samples are left out."""
    if old.per_sample is None or new.per_sample is None:
        return []
    directions = {one.key: one.direction for one in new.verification.columns}
    return changes([by_sample(old.per_sample), by_sample(new.per_sample)], directions)


def changes(versions: Sequence[Values], directions: Mapping[str, str]) -> list[ColumnFlips]:
    """By column, summed over each step from one version to the next, oldest first. directions: which end of
    a column is the better one, of those to look at.
    """
    found = []
    for key, direction in directions.items():
        sign = -1 if direction == "lower" else 1
        pairs = pairwise(values.get(key, {}) for values in versions)
        steps = [sign * (now[one] - then[one]) for then, now in pairs for one in then.keys() & now.keys()]
        better, worse = sum(one > 1e-12 for one in steps), sum(one < -1e-12 for one in steps)
        if steps:
            found.append(ColumnFlips(key, better, worse, len(steps) - better - worse))
    return found


def sample_values(path: Path) -> Iterator[tuple[str, list[tuple[str, str]], Floats]]:
    """(column, its units as (cell, sample), their values: NaN where there is none) of a per_sample.parquet.

    Raises DataError.
    """
    for key, (labels, top, bottom) in _read(path, {}).items():
        value = np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)
        yield key, list(zip(labels.cell.tolist(), labels.sample.tolist(), strict=True)), value


def by_sample(path: Path) -> Values:
    """The values of scored samples. Raises DataError."""
    return {
        key: {unit: one for unit, one in zip(units, value.tolist(), strict=True) if not math.isnan(one)}
        for key, units, value in sample_values(path)
    }
