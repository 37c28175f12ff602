"""From the table of scores to units of analysis: filtered, trials averaged, three outcomes counted.

A unit is a sample, or a part of a sample; its trials are one observation. A unit is scored if any of its
trials is, unscored if none is and one should be, else not applicable. Labels and tags of a unit are its
first trial's. Not here: any statistic.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.scoring.columns import LABEL, NOT_APPLICABLE, UNSCORED, Codes
from suite.scoring.metrics import Over, Where
from suite.scoring.table import Table

Rows = NDArray[np.uint32]
TAG = "tag:"


@dataclass(frozen=True)
class Scope:
    """Some rows of one cell: of the sample table, or of the parts'."""

    table: Table
    over: Over
    rows: Rows

    def codes(self, tag: str) -> tuple[NDArray[Any], tuple[str, ...]]:
        """(codes, categories) of a tag for these rows; parts have their sample's where they have none."""
        if self.over == "parts" and tag in self.table.parts.tags:
            found, rows = self.table.parts.tags[tag], self.rows
        else:
            found = self.table.tags.get(tag, Codes(np.zeros(len(self.table), dtype=np.uint8), ("",)))
            rows = self.samples()
        return found.codes[rows], found.categories

    def samples(self) -> Rows:
        """The row of the sample table that each row belongs to."""
        return self.table.parts.owner[self.rows] if self.over == "parts" else self.rows

    def only(self, keep: NDArray[np.bool_]) -> "Scope":
        """These of the rows."""
        return Scope(self.table, self.over, self.rows[keep])

    def where(self, where: Where) -> "Scope":
        """Rows with these tags; several values of one tag are alternatives."""
        scope = self
        for tag, wanted in where.items():
            names = {wanted} if isinstance(wanted, str) else set(wanted)
            codes, categories = scope.codes(tag)
            kept = [i for i, category in enumerate(categories) if category in names]
            scope = scope.only(np.isin(codes, kept))
        return scope

    def sliced(self, tag: str) -> list[tuple[str, "Scope"]]:
        """One scope per category of a tag, by name; rows without the tag are "(none)" and come last."""
        codes, categories = self.codes(tag)
        present = [int(code) for code in np.unique(codes)]
        named = sorted((categories[code] or "(none)", code) for code in present)
        named.sort(key=lambda one: categories[one[1]] == "")
        return [(name, self.only(codes == code)) for name, code in named]

    def slices(self, tags: Sequence[str]) -> Iterator[tuple[Mapping[str, str], "Scope"]]:
        """The whole, as {}, then each category of each tag, as {tag: category}."""
        yield {}, self
        for tag in tags:
            yield from (({tag: name}, part) for name, part in self.sliced(tag))


def unit_ids(scope: Scope) -> NDArray[np.uint64]:
    """A 64-bit digest per row that names its unit: the sample, or the sample and the part's id."""
    sample = scope.table.sample[scope.samples()]
    if scope.over == "samples":
        return sample
    return sample ^ (scope.table.parts.id[scope.rows].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))


def scope_of(table: Table, cell: str, over: Over, where: Where) -> Scope:
    """All rows of a cell that a metric speaks of."""
    rows = table.rows(cell)
    return Scope(table, over, table.part_rows(rows) if over == "parts" else rows).where(where)


@dataclass(frozen=True)
class Units:
    """Scored units. columns: name -> one entry per unit. clusters: 64-bit digests. share: scored share of
    each unit's answers, None where all are whole. labels: whether a number was asked and a label found.
    """

    columns: dict[str, NDArray[Any]]
    clusters: NDArray[np.uint64]
    samples: NDArray[np.uint64]
    share: NDArray[np.float64] | None
    unscored: int
    not_applicable: int
    labels: int = 0
    ids: NDArray[np.uint64] | None = None  # see `unit_ids`; None where they are the samples

    @property
    def n(self) -> int:
        """How many are scored."""
        return len(self.clusters)

    @property
    def coverage(self) -> float | None:
        """Share of the applicable that is scored, by answers within units; None if none is applicable."""
        if self.n + self.unscored == 0:
            return None
        whole = float(self.n) if self.share is None else float(self.share.sum())
        return whole / (self.n + self.unscored)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> "Units":
        """Some of the scored units; the counts stay."""
        samples = self.samples[index]
        return Units(
            {name: column[index] for name, column in self.columns.items()},
            samples if self.clusters is self.samples else self.clusters[index],
            samples,
            None if self.share is None else self.share[index],
            self.unscored,
            self.not_applicable,
            self.labels,
            None if self.ids is None else self.ids[index],
        )


def collect(scope: Scope, needs: Sequence[str], *, numbers: bool = True) -> Units:
    """The units of a scope for which all needed values are scored.

    needs: value names; "tag:NAME" for tags. numbers: labels count as unscored.
    """
    table, rows = scope.table, scope.rows
    values = table.parts.values if scope.over == "parts" else table.values
    data: dict[str, NDArray[Any]] = {}
    missing = np.zeros(len(rows), dtype=bool)
    absent = np.zeros(len(rows), dtype=bool)
    labels = 0
    for name in needs:
        if name.startswith(TAG):
            codes, categories = scope.codes(name.removeprefix(TAG))
            data[name] = np.array(categories, dtype=object)[codes]
            continue
        if name not in values:
            absent[:] = True
            data[name] = np.zeros(len(rows))
            continue
        column, state = values[name].take(rows)
        missing |= state == UNSCORED
        absent |= state == NOT_APPLICABLE
        label = state == LABEL
        if numbers:
            labels += int(label.sum())
            missing |= label
        elif label.any():
            names = np.array(values[name].labels, dtype=object)
            column = np.where(label, names[np.where(label, column, 0).astype(np.intp)], column.astype(object))
        data[name] = column
    owners = scope.samples()
    sample = table.sample[owners]
    cluster = sample if np.shares_memory(table.sample, table.cluster) else table.cluster[owners]
    lost, gone = int((missing & ~absent).sum()), int(absent.sum())
    if table.trial is None:
        ids = unit_ids(scope) if scope.over == "parts" else None
        whole = Units(data, cluster, sample, None, lost, gone, labels, ids)
        return whole if lost + gone == 0 else whole.take(~missing & ~absent)
    return _averaged(data, unit_ids(scope), sample, cluster, missing & ~absent, absent, labels)


def _averaged(
    data: dict[str, NDArray[Any]],
    unit: NDArray[np.uint64],
    sample: NDArray[np.uint64],
    cluster: NDArray[np.uint64],
    missing: NDArray[np.bool_],
    absent: NDArray[np.bool_],
    labels: int,
) -> Units:
    """Units from rows: numbers are means over scored trials."""
    ids, first, inverse = np.unique(unit, return_index=True, return_inverse=True)
    scored = ~missing & ~absent
    count = len(first)
    answers = np.bincount(inverse[scored], minlength=count)
    lost = np.bincount(inverse[missing], minlength=count)
    kept = answers > 0
    columns: dict[str, NDArray[Any]] = {}
    place = np.flatnonzero(scored)
    _, first_scored = np.unique(inverse[place], return_index=True)
    for name, column in data.items():
        if column.dtype == object:
            columns[name] = column[place[first_scored]]
        else:
            sums = np.bincount(inverse[scored], weights=column[scored], minlength=count)
            columns[name] = sums[kept] / answers[kept]
    return Units(
        columns,
        cluster[first][kept],
        sample[first][kept],
        answers[kept] / (answers + lost)[kept] if lost.any() else None,
        int(((lost > 0) & ~kept).sum()),
        int(((lost == 0) & ~kept).sum()),
        labels,
        ids[kept],
    )
