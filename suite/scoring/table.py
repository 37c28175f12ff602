"""The table of scores: what every metric is a pure function of.

Built by streaming the journal, one output and its score at a time; no object is kept per sample, so
200,000 samples with a few 0/1 values take a few megabytes. Columns pay for what occurs: one of booleans costs
two bytes a row, and nine only once another number arrives; codes widen as their categories do. Samples are
rows (one a trial); the parts of scores are rows of a second table that point to them. Not here: grouping and
averaging (`units`).
"""

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from suite.journal.index import digest64
from suite.journal.records import OutputRecord, ScoreRecord
from suite.task import Value

# states of a value
SCORED, NOT_APPLICABLE, UNSCORED, LABEL = 0, 1, 2, 3

MOST_CATEGORIES = 10_000
OVERFLOW = "(more)"  # every further category of a tag with more than MOST_CATEGORIES


@dataclass(frozen=True)
class Column:
    """One named value over all rows. data: the number, the label's code, or 0 where there is neither."""

    data: NDArray[np.int8] | NDArray[np.float64]
    state: NDArray[np.uint8]
    labels: tuple[str, ...]

    def take(self, rows: NDArray[np.uint32] | slice) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """(data, state) of some rows."""
        return self.data[rows].astype(np.float64), self.state[rows]

    def values(self, rows: NDArray[np.uint32]) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        """(values, state) of some rows, labels in words: then they are objects."""
        data, state = self.take(rows)
        label = state == LABEL
        if not label.any():
            return data, state
        found = data.astype(object)
        found[label] = np.array(self.labels, dtype=object)[data[label].astype(np.intp)]
        return found, state


def column_of(columns: Mapping[str, Column], name: str, rows: int) -> Column:
    """The column of a name; one that nobody has applies to none of the rows."""
    none = np.zeros(rows), np.full(rows, NOT_APPLICABLE, dtype=np.uint8)
    return columns[name] if name in columns else Column(*none, ())


class ColumnBuilder:
    """Collects the values of one name."""

    def __init__(self, rows: int) -> None:
        self._data: array[Any] = array("b", bytes(rows))
        self._state = bytearray([NOT_APPLICABLE]) * rows
        self._labels: dict[str, int] = {}

    def add(self, value: Value) -> None:
        """Append one value; a number that is not finite is unscored."""
        data: float = 0
        state = UNSCORED
        if value is None:
            state = NOT_APPLICABLE
        elif isinstance(value, str):
            data, state = self._labels.setdefault(value, len(self._labels)), LABEL
        elif isinstance(value, int | float) and math.isfinite(value):
            data, state = value, SCORED
        try:
            self._data.append(data)
        except (OverflowError, TypeError):  # no small whole number
            self._data = array("d", self._data)
            self._data.append(data)
        self._state.append(state)

    def build(self) -> Column:
        """The column so far; the builder must not be used after."""
        state = np.frombuffer(self._state, dtype=np.uint8)
        return Column(np.asarray(self._data), state, tuple(self._labels))


class TagCodes(NamedTuple):
    """A tag over all rows: a small integer a row; code 0 is "no such tag" (category "")."""

    codes: NDArray[np.uint8] | NDArray[np.uint16]
    categories: tuple[str, ...]


class TagBuilder:
    """Collects a tag (or another repeated string); widens from 8 to 16 to 32 bits a row."""

    def __init__(self, rows: int = 0) -> None:
        self._codes = array("B", bytes(rows))
        self._known = {"": 0}

    def add(self, text: str) -> None:
        code = self._known.get(text)
        if code is None:
            if len(self._known) > MOST_CATEGORIES:
                text = OVERFLOW
            code = self._known.setdefault(text, len(self._known))
            if code > 255 and self._codes.typecode == "B":
                self._codes = array("H", self._codes)
        self._codes.append(code)

    def build(self) -> TagCodes:
        """The codes so far; the builder must not be used after."""
        return TagCodes(np.asarray(self._codes), tuple(self._known))


class RowsBuilder:
    """Collects the tags and values of rows; a new name starts a column that has nothing so far.

    wanted: names of values to keep, None for all.
    """

    def __init__(self, wanted: frozenset[str] | None) -> None:
        self._wanted = wanted
        self._count = 0
        self._tags: dict[str, TagBuilder] = {}
        self._values: dict[str, ColumnBuilder] = {}

    def add(self, tags: Mapping[str, str], values: Mapping[str, Value]) -> None:
        for name in tags:
            if name not in self._tags:
                self._tags[name] = TagBuilder(self._count)
        for name in values:
            if name not in self._values and (self._wanted is None or name in self._wanted):
                self._values[name] = ColumnBuilder(self._count)
        for name, codes in self._tags.items():
            codes.add(tags.get(name, ""))
        for name, column in self._values.items():
            column.add(values.get(name))
        self._count += 1

    def build(self) -> tuple[dict[str, TagCodes], dict[str, Column]]:
        """(tags, values) so far; the builder must not be used after."""
        return (
            {name: one.build() for name, one in self._tags.items()},
            {name: one.build() for name, one in self._values.items()},
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which values a table keeps; None keeps all. `parts` None keeps all, empty keeps no parts at all."""

    values: frozenset[str] | None = None
    parts: frozenset[str] | None = None


@dataclass(frozen=True)
class Parts:
    """The parts of all scores. owner: row of the sample table. id: 32-bit digest of the part's id."""

    owner: NDArray[np.uint32]
    id: NDArray[np.uint32]
    tags: Mapping[str, TagCodes]
    values: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.owner)


@dataclass(frozen=True)
class ScoreTable:
    """One row per sample and trial.

    cell: codes into `cells`. sample, cluster: 64-bit digests. trial: None if it is 0 throughout.
    """

    cells: tuple[str, ...]
    cell: NDArray[np.uint8] | NDArray[np.uint16]
    sample: NDArray[np.uint64]
    cluster: NDArray[np.uint64]
    trial: NDArray[np.uint16] | None
    tags: Mapping[str, TagCodes]
    values: Mapping[str, Column]
    parts: Parts

    def __len__(self) -> int:
        return len(self.sample)

    def rows(self, cell: str) -> NDArray[np.uint32]:
        """Rows of one cell by (sample, trial), so that no result depends on the order of records."""
        if cell not in self.cells:
            return np.empty(0, dtype=np.uint32)
        found = np.flatnonzero(self.cell == self.cells.index(cell)).astype(np.uint32)
        keys = (self.sample[found],) if self.trial is None else (self.trial[found], self.sample[found])
        return found[np.lexsort(keys)]

    def part_rows(self, rows: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Rows of the parts of some samples, in the order of `rows`, then as the score lists them."""
        place = np.full(len(self), -1, dtype=np.int32)
        place[rows] = np.arange(len(rows), dtype=np.int32)
        found = place[self.parts.owner]
        order = np.argsort(found, kind="stable").astype(np.uint32)
        return order[int((found < 0).sum()) :]


class TableBuilder:
    """Collects outputs and their scores into a table."""

    def __init__(self, wanted: Wanted | None = None) -> None:
        self._wanted = wanted or Wanted()
        self._cells = TagBuilder()
        self._sample = array("Q")
        self._cluster: array[int] | None = None  # none while every sample is its own
        self._trial: array[int] | None = None
        self._rows = RowsBuilder(self._wanted.values)
        self._owner = array("I")
        self._part_id = array("I")
        self._parts = RowsBuilder(self._wanted.parts)

    def add(self, output: OutputRecord, score: ScoreRecord) -> None:
        row = len(self._sample)
        sample = cluster = digest64(output.sample)
        self._sample.append(sample)
        if output.cluster != output.sample:
            cluster = digest64(output.cluster)
            if self._cluster is None:
                self._cluster = self._sample[:-1]
        if self._cluster is not None:
            self._cluster.append(cluster)
        self._cells.add(output.cell)
        if self._trial is None and output.trial:
            self._trial = array("H", bytes(2 * row))
        if self._trial is not None:
            self._trial.append(output.trial)
        self._rows.add(output.tags, score.values)
        if self._wanted.parts is None or self._wanted.parts:
            for part in score.parts:
                self._owner.append(row)
                self._part_id.append(digest64(part.id) & 0xFFFFFFFF)
                self._parts.add(part.tags, part.values)

    def build(self) -> ScoreTable:
        """The table; the builder must not be used after (arrays are shared, not copied)."""
        cells = self._cells.build()
        return ScoreTable(
            cells.categories[1:],  # code 0 stands for "no such tag", which a cell never is
            cells.codes - 1,
            np.frombuffer(self._sample, dtype=np.uint64),
            np.frombuffer(self._sample if self._cluster is None else self._cluster, dtype=np.uint64),
            None if self._trial is None else np.frombuffer(self._trial, dtype=np.uint16),
            *self._rows.build(),
            Parts(
                np.frombuffer(self._owner, dtype=np.uint32),
                np.frombuffer(self._part_id, dtype=np.uint32),
                *self._parts.build(),
            ),
        )
