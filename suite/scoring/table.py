"""The table of scores: what every metric is a pure function of.

Built by streaming the journal, one output and its score at a time; no object is kept per sample, so
200,000 samples with a few 0/1 values take a few megabytes. Samples are rows (one a trial); the parts of
scores are rows of a second table that point to them. Not here: grouping and averaging (`units`).
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.journal.index import digest64
from suite.journal.records import OutputRecord, ScoreRecord
from suite.scoring.columns import Column, RowsBuilder, TagBuilder, TagCodes


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
        """Append one output and the score that belongs to it."""
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
