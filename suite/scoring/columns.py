"""Columns that grow one value at a time and stay small: the storage of a table of scores.

The one idea: pay for what occurs. A column of booleans costs one byte a row and becomes 64-bit floats
only when another number arrives; a column that always equals another one is not stored; codes widen as
their categories do. Not here: what the rows mean (`table`), any computing (`units`).
"""

import math
from array import array
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from suite.task import Value

# states of a value
SCORED, NOT_APPLICABLE, UNSCORED, LABEL = 0, 1, 2, 3
_SMALL_NA, _SMALL_UNSCORED, _SMALL_LABEL = 2, 3, 4  # small codes: 0 and 1 are the numbers themselves
_SMALL_STATE = np.full(256, LABEL, dtype=np.uint8)
_SMALL_STATE[:4] = (SCORED, SCORED, NOT_APPLICABLE, UNSCORED)
_SMALL_DATA = np.arange(-_SMALL_LABEL, 256 - _SMALL_LABEL, dtype=np.float64)
_SMALL_DATA[:4] = (0.0, 1.0, 0.0, 0.0)

MOST_CATEGORIES = 10_000
OVERFLOW = "(more)"  # every further category of a tag with more than MOST_CATEGORIES


class Column:
    """One named value over all rows. `take` expands what is asked for and nothing else."""

    def __init__(
        self,
        small: NDArray[np.uint8] | None,
        data: NDArray[np.float64],
        state: NDArray[np.uint8],
        labels: tuple[str, ...],
    ) -> None:
        self._small = small
        self._data = data
        self._state = state
        self.labels = labels

    def take(self, rows: NDArray[np.uint32] | slice) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """(data, state) of some rows. data: the number, the label's code, or 0 where there is neither."""
        if self._small is not None:
            small = self._small[rows]
            return _SMALL_DATA[small], _SMALL_STATE[small]
        return self._data[rows], self._state[rows]


class ColumnBuilder:
    """Collects the values of one name."""

    def __init__(self, rows: int) -> None:
        self._small: bytearray | None = bytearray([_SMALL_NA]) * rows
        self._data = array("d")
        self._state = bytearray()
        self._labels: dict[str, int] = {}

    def add(self, value: Value) -> None:
        """Append one value; a number that is not finite is unscored."""
        if value is None:
            self._put(0.0, NOT_APPLICABLE)
        elif isinstance(value, str):
            self._put(float(self._labels.setdefault(value, len(self._labels))), LABEL)
        elif isinstance(value, int | float) and math.isfinite(value):
            self._put(float(value), SCORED)
        else:
            self._put(0.0, UNSCORED)

    def _put(self, data: float, state: int) -> None:
        if self._small is not None:
            if state == SCORED and data in (0.0, 1.0):
                self._small.append(int(data))
                return
            if state == NOT_APPLICABLE:
                self._small.append(_SMALL_NA)
                return
            if state == UNSCORED:
                self._small.append(_SMALL_UNSCORED)
                return
            if state == LABEL and data < 256 - _SMALL_LABEL:
                self._small.append(int(data) + _SMALL_LABEL)
                return
            self._widen()
        self._data.append(data)
        self._state.append(state)

    def _widen(self) -> None:
        small = np.frombuffer(bytes(self._small or b""), dtype=np.uint8)
        self._data = array("d")
        self._data.frombytes(_SMALL_DATA[small].tobytes())
        self._state = bytearray(_SMALL_STATE[small].tobytes())
        self._small = None

    def build(self) -> Column:
        """The column so far; the builder must not be used after."""
        small = None if self._small is None else np.frombuffer(self._small, dtype=np.uint8)
        return Column(
            small,
            np.frombuffer(self._data, dtype=np.float64),
            np.frombuffer(self._state, dtype=np.uint8),
            tuple(self._labels),
        )


class TagCodes:
    """A tag over all rows: a small integer a row; code 0 is "no such tag" (category "")."""

    def __init__(self, codes: NDArray[np.uint8] | NDArray[np.uint16], categories: tuple[str, ...]) -> None:
        self.codes = codes
        self.categories = categories


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


class LikeAnother:
    """64-bit digests that are not stored while they equal another column's."""

    def __init__(self, other: "array[int]") -> None:
        self._other = other
        self._own: array[int] | None = None

    def add(self, digest: int) -> None:
        """Append one; `other` already holds its digest of the same row."""
        if self._own is None:
            if digest == self._other[-1]:
                return
            self._own = array("Q", self._other[:-1])
        self._own.append(digest)

    def build(self) -> NDArray[np.uint64]:
        """The digests, sharing the other column's memory where they are the same."""
        return np.frombuffer(self._own if self._own is not None else self._other, dtype=np.uint64)


def add_values(
    columns: dict[str, ColumnBuilder], values: Mapping[str, Value], rows: int, wanted: frozenset[str] | None
) -> None:
    """Append one row to all columns; a new name starts one that is not applicable so far.

    wanted: names to keep, None for all.
    """
    for name in values:
        if name not in columns and (wanted is None or name in wanted):
            columns[name] = ColumnBuilder(rows)
    for name, column in columns.items():
        column.add(values.get(name))


def add_tags(tags: dict[str, TagBuilder], values: Mapping[str, str], rows: int) -> None:
    """Append one row to all tags; a new name starts one that is absent so far."""
    for name in values:
        if name not in tags:
            tags[name] = TagBuilder(rows)
    for name, codes in tags.items():
        codes.add(values.get(name, ""))
