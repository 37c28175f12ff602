"""Columns that grow one value at a time and stay small: the storage of a table of scores.

The one idea: pay for what occurs. A column of booleans costs two bytes a row, and nine only once another
number arrives; codes widen as their categories do. Not here: what the rows mean (`table`), any computing
(`units`).
"""

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

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
        kind = {"b": np.int8, "d": np.float64}[self._data.typecode]
        data, state = np.frombuffer(self._data, dtype=kind), np.frombuffer(self._state, dtype=np.uint8)
        return Column(data, state, tuple(self._labels))


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
        """Append one category."""
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
        kind = {"B": np.uint8, "H": np.uint16}[self._codes.typecode]
        return TagCodes(np.frombuffer(self._codes, dtype=kind), tuple(self._known))


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
        """Append one row."""
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
