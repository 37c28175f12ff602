"""Runs compared: every pair, every matching cell, every wanted measure; one family of p values, corrected.

The headline rows are the family that a verdict is given on. Slices and other metrics are exploration: their
p values are corrected by Benjamini-Hochberg (1995), apart, and never get a verdict. Holm 1979 corrects the
headlines. An interval is shown at the level that the correction leaves it: it leaves 0 out if and only if the
corrected p is below alpha. Why: docs/statistics.md, "Two models" and "Many comparisons".
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple

from suite.chat import Json
from suite.comparisons.comparability import Difference, Match, differences, match_cells, refuse
from suite.comparisons.differences import MeasureRow, SliceDifference, SliceRow, pair, side, slice_differences
from suite.comparisons.disagreements import Disagreement, disagreements
from suite.comparisons.runs import LabelledRun, load_tables, load_tasks, open_runs
from suite.errors import ConfigError, unknown
from suite.parameters import distinguishing
from suite.plugins import Catalogue, catalogue
from suite.run.cells import AnyTask
from suite.scoring.measures import Measure
from suite.scoring.metrics.declared import measures_of, values_of
from suite.scoring.stats.bootstrap import seed_for
from suite.scoring.stats.paired_difference import adjust, verdict
from suite.scoring.table import ScoreTable, Wanted

Correction = Literal["holm", "bh", "none"]


@dataclass(frozen=True)
class ComparisonWanted:
    """What to compare. metrics: row names beside the headline; ("all",) takes all. baseline: label or name of
    the run that all others are compared with; "" compares every pair. margin: for equivalence, in units of
    the metric. anyway: compare what is not comparable, with its warning. examples: samples to read, a side.
    alpha, level: of tests and of intervals, uncorrected; 0: it follows from the other, else 0.05 and 0.95.
    """

    metrics: Sequence[str] = ()
    baseline: str = ""
    alpha: float = 0.0
    level: float = 0.0
    correction: Correction = "holm"
    margin: float | None = None
    anyway: bool = False
    examples: int = 5

    def __post_init__(self) -> None:
        alpha = self.alpha or (1 - self.level if self.level else 0.05)
        object.__setattr__(self, "alpha", round(alpha, 12))
        object.__setattr__(self, "level", self.level or 1 - self.alpha)

    def left(self, p: float | None, corrected: float | None) -> float:
        """The level that a correction leaves to one interval: 1 - (1 - level) p/corrected."""
        return 1 - (1 - self.level) * (p / corrected if p and corrected else 1.0)


@dataclass(frozen=True)
class PairPart:
    """Two runs: what differs between them beside the model, and samples on which they disagree most."""

    a: str
    b: str
    differences: tuple[Difference, ...]
    disagreements: tuple[Disagreement, ...]


@dataclass(frozen=True)
class Compared:
    """A whole comparison. family: how many p values were corrected together."""

    runs: Sequence[LabelledRun]
    wanted: ComparisonWanted
    rows: tuple[MeasureRow, ...]
    slices: tuple[SliceRow, ...]
    parts: tuple[PairPart, ...]
    family: int

    @cached_property
    def telling(self) -> dict[str, tuple[str, ...]]:
        """Task -> names of the parameters that tell its compared cells apart."""
        cells: dict[str, dict[str, Mapping[str, Json]]] = {}
        for row in self.rows:
            cells.setdefault(row.match.task, {})[row.match.cell_a] = row.match.parameters
        return {task: distinguishing([*each.values()]) for task, each in cells.items()}


def compare_runs(
    places: Sequence[str], wanted: ComparisonWanted | None = None, plugins: Catalogue | None = None
) -> Compared:
    """Compare runs, given as folders or names (PLACE@SCORING for another scoring than the newest).

    Raises ConfigError for fewer than two runs and for runs that are not comparable, NotFound for an unknown
    run, task or metric.
    """
    asked = wanted or ComparisonWanted()
    if asked.margin is not None and asked.margin <= 0:
        raise ConfigError(f"the margin is {asked.margin}", "compare", "a margin is above 0")
    if len(places) < 2:
        raise ConfigError("one run is not a comparison", fix="name two runs or more: suite compare RUN RUN")
    runs = open_runs(places)
    matched = []
    for a, b in _pairs(runs, asked.baseline):
        matches, notes = match_cells(a.run, b.run)
        found = [*notes, *differences(a.run, b.run, matches)]
        if not asked.anyway:
            refuse(a, b, found)
        matched.append((a, b, matches, found))
    tasks = load_tasks(runs, plugins or catalogue())
    chosen = _chosen(tasks, asked.metrics)
    cells = frozenset(
        cell
        for a, b, matches, _ in matched
        for match in matches
        for cell in (a.cell(match.cell_a), b.cell(match.cell_b))
    )
    values = {task: Wanted(*values_of(one.measure for one in some)) for task, some in chosen.items()}
    tables = load_tables(runs, values, cells)
    rows: list[MeasureRow] = []
    slices: list[tuple[int, SliceDifference]] = []  # with the place of its row
    parts = []
    for a, b, matches, found in matched:
        read: list[MeasureRow] = []
        for match in matches:
            for one in chosen[match.task]:
                row, more = _row(a, b, match, one, tables[match.task], asked)
                slices += [(len(rows), part) for part in more]
                rows.append(row)
                if one.lead:
                    read.append(row)
        shown = disagreements(a.run, b.run, read, asked.examples)
        parts.append(PairPart(a.label, b.label, tuple(found), tuple(shown)))
    finished, family = _corrected(rows, asked)
    adjusted = adjust([one.p for _, one in slices], "bh")
    sliced = [
        SliceRow(finished[place], one.at(asked.left(one.p, p)), p)
        for (place, one), p in zip(slices, adjusted, strict=True)
    ]
    return Compared(runs, asked, tuple(finished), tuple(sliced), tuple(parts), family)


def _pairs(runs: Sequence[LabelledRun], baseline: str) -> list[tuple[LabelledRun, LabelledRun]]:
    if not baseline:
        return list(itertools.combinations(runs, 2))
    for base in runs:
        if baseline in (str(base.run.folder), base.label, base.run.name, base.run.folder.name):
            return [(one, base) for one in runs if one is not base]
    raise unknown("run", baseline, [run.label for run in runs], where="--against")


class ChosenMeasure(NamedTuple):
    """A measure that is compared. lead: its slices and samples are shown: the headline, or, where that
    is a formula over all samples, the first mean of samples, which is then compared too (as exploration).
    """

    measure: Measure
    headline: bool
    lead: bool


def _chosen(tasks: Mapping[str, type[AnyTask]], asked: Sequence[str]) -> dict[str, list[ChosenMeasure]]:
    """Task -> what is compared of it, the headline first."""
    known = {name: measures_of(task.metrics) for name, task in tasks.items()}
    names = {one.name for measures in known.values() for one in measures}
    for name in asked:
        if name != "all" and name not in names:
            raise unknown("metric", name, names, where="--metric")
    return {name: _of_task(name, known[name], task.info.headline, asked) for name, task in tasks.items()}


def _of_task(task: str, known: Sequence[Measure], first: str, asked: Sequence[str]) -> list[ChosenMeasure]:
    headline = next((one for one in known if one.name == first), None)
    if headline is None and not asked:
        names = ", ".join(one.name for one in known)
        what = f"the headline {first!r} of {task} is no number of one model that can be compared"
        raise ConfigError(what, fix=f"name another with --metric: {names}" if names else "")
    found = [one for one in known if one is headline or one.name in asked or "all" in asked]
    found.sort(key=lambda one: one is not headline)
    lead = headline
    if headline is not None and not headline.mean:
        lead = next((one for one in known if one.mean and one.over == "samples"), None)
        if lead is not None and lead not in found:
            found.append(lead)
    return [ChosenMeasure(one, one is headline, one is lead) for one in found]


def _row(
    a: LabelledRun, b: LabelledRun, match: Match, chosen: ChosenMeasure, table: ScoreTable,
    asked: ComparisonWanted,
) -> tuple[MeasureRow, list[SliceDifference]]:  # fmt: skip
    measure, headline, lead = chosen
    tags = [name for name in table.tags if name != measure.macro] if lead else []
    needed = [*tags, *([measure.macro] if measure.macro else [])]
    one, two = (side(measure, table, cell, needed) for cell in (a.cell(match.cell_a), b.cell(match.cell_b)))
    seed = seed_for(a.run.manifest.seed, "compare", measure.name)
    found = pair(measure, one, two, seed=seed, level=asked.level)
    equivalent = None
    if asked.margin is not None:
        narrow = found.at(1 - 2 * asked.alpha)
        if narrow.low is not None and narrow.high is not None:
            equivalent = -asked.margin < narrow.low and narrow.high < asked.margin
    row = MeasureRow(a.label, b.label, match, measure, headline, found, equivalent)
    return row, slice_differences(found, measure, needed, level=asked.level) if lead else []


def _corrected(rows: Sequence[MeasureRow], asked: ComparisonWanted) -> tuple[list[MeasureRow], int]:
    """Rows with corrected p values: headlines one family, all others another."""
    found = {id(row): row for row in rows}
    sizes = []
    for first, method in ((True, asked.correction), (False, "bh")):
        family = [row for row in rows if row.headline == first]
        raw = [row.found.comparison.p for row in family]
        adjusted = adjust(raw, method)
        sizes.append(sum(p is not None for p in raw))
        for row, p in zip(family, adjusted, strict=True):
            comparison = row.found.comparison
            shown = comparison.showing(row.found.at(asked.left(comparison.p, p)))
            done = replace(row, corrected=p, found=replace(row.found, comparison=shown))
            found[id(row)] = replace(done, verdict=_words(done, asked.alpha) if first else "")
    return [found[id(row)] for row in rows], sizes[0]


def _words(row: MeasureRow, alpha: float) -> str:
    said = verdict(row.found.comparison, row.corrected, alpha)
    if said == "no difference shown":
        return said
    if row.measure.direction == "neither":
        return f"{row.a if said[0] == 'A' else row.b} higher"
    a_wins = (said[0] == "A") == (row.measure.direction == "higher")
    return f"{row.a if a_wins else row.b} better"
