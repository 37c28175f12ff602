"""The table of scores: what every metric is a pure function of.

Built by streaming the journal, one output and its score at a time; no object is kept per sample, so
200,000 samples with a few 0/1 values take a few megabytes. Samples are rows (one a trial); the parts of
scores are rows of a second table that point to them. Not here: grouping and averaging (`units`).
"""

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.journal.index import digest64
from suite.journal.records import OutputRecord, ScoreRecord
from suite.scoring.columns import (
    Column,
    ColumnBuilder,
    LikeAnother,
    TagBuilder,
    TagCodes,
    add_tags,
    add_values,
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

    cell: codes into `cells`. sample, cluster, group: 64-bit digests. trial: None if it is 0 throughout.
    """

    cells: tuple[str, ...]
    cell: NDArray[np.uint8] | NDArray[np.uint16]
    sample: NDArray[np.uint64]
    cluster: NDArray[np.uint64]
    group: NDArray[np.uint64]
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
    """Collects outputs and their scores into a Table."""

    def __init__(self, wanted: Wanted | None = None) -> None:
        self._wanted = wanted or Wanted()
        self._cells = TagBuilder()
        self._sample = array("Q")
        self._group = LikeAnother(self._sample)
        self._cluster = LikeAnother(self._sample)
        self._trial: array[int] | None = None
        self._tags: dict[str, TagBuilder] = {}
        self._values: dict[str, ColumnBuilder] = {}
        self._owner = array("I")
        self._part_id = array("I")
        self._part_tags: dict[str, TagBuilder] = {}
        self._part_values: dict[str, ColumnBuilder] = {}

    def __len__(self) -> int:
        return len(self._sample)

    def add(self, output: OutputRecord, score: ScoreRecord) -> None:
        """Append one scored output.

        Raises ValueError if the two records are not of one cell, sample and trial.
        """
        if (output.cell, output.sample, output.trial) != (score.cell, score.sample, score.trial):
            raise ValueError(
                f"a score of {score.cell}/{score.sample}/{score.trial} was paired with an output of "
                f"{output.cell}/{output.sample}/{output.trial}"
            )
        row = len(self._sample)
        sample = digest64(output.sample)
        self._sample.append(sample)
        self._group.add(sample if output.group == output.sample else digest64(output.group))
        self._cluster.add(sample if output.cluster == output.sample else digest64(output.cluster))
        self._cells.add(output.cell)
        if self._trial is None and output.trial:
            self._trial = array("H", bytes(2 * row))
        if self._trial is not None:
            self._trial.append(output.trial)
        add_tags(self._tags, output.tags, row)
        add_values(self._values, score.values, row, self._wanted.values)
        if self._wanted.parts is None or self._wanted.parts:
            self._add_parts(row, score)

    def _add_parts(self, row: int, score: ScoreRecord) -> None:
        for part in score.parts:
            at = len(self._owner)
            self._owner.append(row)
            self._part_id.append(digest64(part.id) & 0xFFFFFFFF)
            add_tags(self._part_tags, part.tags, at)
            add_values(self._part_values, part.values, at, self._wanted.parts)

    def extend(self, pairs: Iterable[tuple[OutputRecord, ScoreRecord]]) -> "TableBuilder":
        """Add many; returns itself."""
        for output, score in pairs:
            self.add(output, score)
        return self

    def build(self) -> ScoreTable:
        """The table; the builder must not be used after (arrays are shared, not copied)."""
        cells = self._cells.build()
        return ScoreTable(
            cells=cells.categories[1:],  # code 0 stands for "no such tag", which a cell never is
            cell=cells.codes - 1,
            sample=np.frombuffer(self._sample, dtype=np.uint64),
            cluster=self._cluster.build(),
            group=self._group.build(),
            trial=None if self._trial is None else np.frombuffer(self._trial, dtype=np.uint16),
            tags={name: one.build() for name, one in self._tags.items()},
            values={name: one.build() for name, one in self._values.items()},
            parts=Parts(
                owner=np.frombuffer(self._owner, dtype=np.uint32),
                id=np.frombuffer(self._part_id, dtype=np.uint32),
                tags={name: one.build() for name, one in self._part_tags.items()},
                values={name: one.build() for name, one in self._part_values.items()},
            ),
        )
