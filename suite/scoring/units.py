"""From the table of scores to units of analysis: filtered, trials averaged, three outcomes counted.

A unit is a sample, or a part of a sample; its trials are one observation. A unit is scored if any of its
trials is, unscored if none is and one should be, else not applicable. Labels and tags of a unit are its
first trial's. And to items by raters, the units of agreement: raters are the parts of a sample or some of its
values. Not here: any statistic.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from suite.scoring.measures import Measure, Over, Where
from suite.scoring.stats.agreement import RatingTable
from suite.scoring.stats.clusters import Array, Digests
from suite.scoring.stats.means import pass_values
from suite.scoring.table import LABEL, NOT_APPLICABLE, SCORED, UNSCORED, ScoreTable, TagCodes, column_of

Rows = NDArray[np.uint32]
Category = str | float
Raters = Literal["parts"] | Sequence[str]
TAG = "tag:"


@dataclass(frozen=True)
class Scope:
    """Some rows of one cell: of the sample table, or of the parts'."""

    table: ScoreTable
    over: Over
    rows: Rows

    def codes(self, tag: str) -> tuple[Array, tuple[str, ...]]:
        """(codes, categories) of a tag for these rows; parts have their sample's where they have none."""
        if self.over == "parts" and tag in self.table.parts.tags:
            found, rows = self.table.parts.tags[tag], self.rows
        else:
            found = self.table.tags.get(tag, TagCodes(np.zeros(len(self.table), dtype=np.uint8), ("",)))
            rows = self.samples()
        return found.codes[rows], found.categories

    def tag(self, name: str) -> Array:
        """The categories of a tag, named "tag:NAME", for these rows."""
        codes, categories = self.codes(name.removeprefix(TAG))
        return np.array(categories, dtype=object)[codes]

    def samples(self) -> Rows:
        """The row of the sample table that each row belongs to."""
        return self.table.parts.owner[self.rows] if self.over == "parts" else self.rows

    def only(self, keep: NDArray[np.bool_]) -> "Scope":
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


def unit_ids(scope: Scope) -> Digests:
    """A 64-bit digest per row that names its unit: the sample, or the sample and the part's id."""
    sample = scope.table.sample[scope.samples()]
    if scope.over == "samples":
        return sample
    return sample ^ (scope.table.parts.id[scope.rows].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))


def scope_of(table: ScoreTable, cell: str, over: Over, where: Where) -> Scope:
    """All rows of a cell that a metric speaks of."""
    rows = table.rows(cell)
    return Scope(table, over, table.part_rows(rows) if over == "parts" else rows).where(where)


@dataclass(frozen=True)
class Units:
    """Scored units. columns: name -> one entry per unit. clusters: 64-bit digests. share: scored share of
    each unit's answers, None where all are whole. labels: whether a number was asked and a label found.
    lost: ids of the unscored ones, where they are samples or parts.
    """

    columns: dict[str, Array]
    clusters: Digests
    samples: Digests
    share: NDArray[np.float64] | None
    unscored: int
    not_applicable: int
    labels: int = 0
    ids: Digests | None = None  # see `unit_ids`; None where they are the samples
    lost: Digests | Sequence[int] = ()

    @property
    def n(self) -> int:
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
        return replace(
            self,
            columns={name: column[index] for name, column in self.columns.items()},
            clusters=samples if self.clusters is self.samples else self.clusters[index],
            samples=samples,
            share=None if self.share is None else self.share[index],
            ids=None if self.ids is None else self.ids[index],
        )


def units_of(measure: Measure, scope: Scope, tags: Sequence[str] = ()) -> Units:
    """The units of a row; none where it asks for more trials than were run. tags: columns too, "tag:NAME"."""
    if measure.trials is None:
        return collect(scope, [*measure.needs, *tags], numbers=measure.numbers)
    every, k = measure.trials
    (value,) = measure.needs
    counted = trials_of(scope, value, tags)
    units = counted.units(k, every=every)
    return units.take(np.zeros(units.n, dtype=bool)) if counted.refusal(k) else units


def collect(scope: Scope, needs: Sequence[str], *, numbers: bool = True) -> Units:
    """The units of a scope for which all needed values are scored.

    needs: value names; "tag:NAME" for tags. numbers: labels count as unscored.
    """
    table, rows = scope.table, scope.rows
    held = table.parts if scope.over == "parts" else table
    data: dict[str, Array] = {}
    missing = np.zeros(len(rows), dtype=bool)
    absent = np.zeros(len(rows), dtype=bool)
    labels = 0
    for name in needs:
        if name.startswith(TAG):
            data[name] = scope.tag(name)
            continue
        column = column_of(held.values, name, len(held))
        data[name], state = column.take(rows) if numbers else column.values(rows)
        missing |= state == UNSCORED
        absent |= state == NOT_APPLICABLE
        if numbers:
            labels += int((state == LABEL).sum())
            missing |= state == LABEL
    owners = scope.samples()
    sample = table.sample[owners]
    cluster = sample if np.shares_memory(table.sample, table.cluster) else table.cluster[owners]
    lost, gone = int((missing & ~absent).sum()), int(absent.sum())
    if table.trial is None:
        ids = unit_ids(scope) if scope.over == "parts" else None
        lacking = (sample if ids is None else ids)[missing & ~absent]
        whole = Units(data, cluster, sample, None, lost, gone, labels, ids, lacking)
        return whole if lost + gone == 0 else whole.take(~missing & ~absent)
    return _averaged(data, unit_ids(scope), sample, cluster, missing & ~absent, absent, labels)


def _averaged(
    data: dict[str, Array], unit: Digests, sample: Digests, cluster: Digests,
    missing: NDArray[np.bool_], absent: NDArray[np.bool_], labels: int,
) -> Units:  # fmt: skip
    """Units from rows: numbers are means over scored trials."""
    ids, first, inverse = np.unique(unit, return_index=True, return_inverse=True)
    scored = ~missing & ~absent
    count = len(first)
    answers = np.bincount(inverse[scored], minlength=count)
    lost = np.bincount(inverse[missing], minlength=count)
    kept = answers > 0
    columns: dict[str, Array] = {}
    place = np.flatnonzero(scored)
    _, first_scored = np.unique(inverse[place], return_index=True)
    for name, column in data.items():
        if column.dtype == object:
            columns[name] = column[place[first_scored]]
        else:
            sums = np.bincount(inverse[scored], weights=column[scored], minlength=count)
            columns[name] = sums[kept] / answers[kept]
    return Units(
        columns, cluster[first][kept], sample[first][kept],
        answers[kept] / (answers + lost)[kept] if lost.any() else None, int(((lost > 0) & ~kept).sum()),
        int(((lost == 0) & ~kept).sum()), labels, ids[kept], ids[(lost > 0) & ~kept],
    )  # fmt: skip


@dataclass(frozen=True)
class Trials:
    """The answers of every sample: run, scored, right; shape (samples,) each. tags: columns of theirs."""

    value: str
    tags: Mapping[str, Array]
    samples: Digests
    clusters: Digests
    run: NDArray[np.intp]
    scored: NDArray[np.intp]
    right: NDArray[np.intp]

    def units(self, k: int, *, every: bool) -> Units:
        """Samples with k scored answers or more, with the chance that one of k is right, or every."""
        applicable = self.run > 0
        enough = applicable & (self.scored >= k)
        columns = {name: column[enough] for name, column in self.tags.items()}
        columns[self.value] = pass_values(self.scored[enough], self.right[enough], k, every=every)
        lost, gone = self.samples[applicable & ~enough], int((~applicable).sum())
        return Units(columns, self.clusters[enough], self.samples[enough], None, len(lost), gone, lost=lost)

    def refusal(self, k: int) -> str:
        """Why there is no number for k at all, "" if there is."""
        fewest = int(self.run[self.run > 0].min(initial=k))
        return f"k = {k} needs {k} trials of every sample; one has {fewest}" if fewest < k else ""


def trials_of(scope: Scope, value: str, tags: Sequence[str] = ()) -> Trials:
    """Count the answers of every sample."""
    table, rows = scope.table, scope.rows
    samples, first, inverse = np.unique(table.sample[rows], return_index=True, return_inverse=True)
    data, state = column_of(table.values, value, len(table)).take(rows)

    def per_sample(which: NDArray[np.bool_]) -> NDArray[np.intp]:
        return np.bincount(inverse[which], minlength=len(samples))

    scored = state == SCORED
    counts = (per_sample(one) for one in (state != NOT_APPLICABLE, scored, scored & (data >= 1)))
    tagged = {name: scope.tag(name)[first] for name in tags}
    return Trials(value, tagged, samples, table.cluster[rows][first], *counts)


def on_common_samples(held: Mapping[str, Units]) -> dict[str, Units]:
    """Only the samples scored in every cell, in one order. held: units by name of the cell."""
    common = reduce(np.intersect1d, [units.samples for units in held.values()])
    paired = {}
    for role, units in held.items():
        order = np.argsort(units.samples, kind="stable")
        paired[role] = units.take(order[np.searchsorted(units.samples[order], common)])
    return paired


def ratings_of(
    scope: Scope, value: str, raters: Raters, declared: Sequence[Category | bool]
) -> tuple[RatingTable, Digests, Units]:
    """(ratings of the items that have any, their clusters, items counted).

    value: of parts, where these are the raters. raters: "parts", or values of samples. declared: categories.
    An item counts with two ratings or more. One whose lost ratings leave it fewer is unscored; one that
    never had two is not applicable. A rating outside the declared categories is lost.
    """
    rater, item, values, state = _long(scope, value, raters)
    categories, codes = _coded(declared, values, state)
    rated = codes >= 0
    seen, columns = np.unique(rater[rated], return_inverse=True)
    table = np.full((len(scope.rows), len(seen)), -1, dtype=np.int64)
    table[item[rated], columns] = codes[rated]
    given = (table >= 0).sum(axis=1)
    lost = np.bincount(item[~rated & (state != NOT_APPLICABLE)], minlength=len(scope.rows))
    usable = given >= 2
    possible = ~usable & (given + lost >= 2)
    clusters = scope.table.cluster[scope.rows]
    units = Units(
        {}, clusters[usable], scope.table.sample[scope.rows][usable], None, int(possible.sum()),
        int((~usable & ~possible).sum()),
    )  # fmt: skip
    labels = any(isinstance(one, str) for one in categories)
    numbers = None if labels else np.array(categories, dtype=np.float64)
    return RatingTable(table[given >= 1], len(categories), numbers), clusters[given >= 1], units


def _long(scope: Scope, value: str, raters: Raters) -> tuple[Array, Array, Array, Array]:
    """(rater, item, value, state) of each rating; items are places in the scope's rows."""
    table, rows = scope.table, scope.rows
    if isinstance(raters, str):
        own = table.part_rows(rows)
        place = np.zeros(len(table), dtype=np.intp)
        place[rows] = np.arange(len(rows))
        values, state = column_of(table.parts.values, value, len(table.parts)).values(own)
        return table.parts.id[own].astype(np.int64), place[table.parts.owner[own]], values, state
    found = [column_of(table.values, name, len(table)).values(rows) for name in raters]
    count = len(rows)
    return (
        np.repeat(np.arange(len(found)), count),
        np.tile(np.arange(count), len(found)),
        np.concatenate([values for values, _ in found]),
        np.concatenate([state for _, state in found]),
    )


def _coded(
    declared: Sequence[Category | bool], values: Array, state: NDArray[np.uint8]
) -> tuple[tuple[Category, ...], NDArray[np.int64]]:
    """(categories in order, code of each rating or -1). Undeclared categories are those that occur."""
    rated = (state == SCORED) | (state == LABEL)
    found: list[Category] = [_category(one) for one in declared]
    if not found:
        found = sorted({_category(one) for one in values[rated]}, key=lambda one: (isinstance(one, str), one))
    index = {one: i for i, one in enumerate(found)}
    codes = np.full(len(values), -1, dtype=np.int64)
    codes[rated] = [index.get(_category(one), -1) for one in values[rated]]
    return tuple(found), codes


def _category(value: object) -> Category:
    return value if isinstance(value, str) else float(value)  # type: ignore[arg-type]
