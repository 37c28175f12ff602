"""Runs compared: every pair, every matching cell, every wanted measure; one family of p values, corrected.

The headline rows are the family that a verdict is given on. Slices and other metrics are exploration: their
p values are corrected by Benjamini-Hochberg (1995), apart, and never get a verdict. Holm 1979 corrects the
headlines. An interval is shown at the level that the correction leaves it: it leaves 0 out if and only if the
corrected p is below alpha. Why: docs/statistics.md, "Two models" and "Many comparisons".
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from suite.compare.comparability import Difference, Match, differences, match_cells, refuse
from suite.compare.differences import SliceDifference, noted, pair, slice_differences
from suite.compare.disagreements import Disagreement, disagreements
from suite.compare.rows import MeasureRow, SliceRow
from suite.compare.runs import LabelledRun, cell_name, load_tables, load_tasks, open_runs
from suite.compare.sides import side
from suite.errors import ConfigError, unknown
from suite.plugins import Catalogue, catalogue
from suite.scoring.measures import Measure
from suite.scoring.metrics.declared import measures_of
from suite.scoring.stats.bootstrap import seed_for
from suite.scoring.stats.multiplicity import adjust
from suite.scoring.stats.paired_difference import verdict
from suite.scoring.table import ScoreTable
from suite.scoring.table import Wanted as Values

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
        """Fill in alpha and level."""
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
    pairs = _pairs(runs, asked.baseline)
    matched: dict[tuple[int, int], tuple[list[Match], list[Difference]]] = {}
    for i, j in pairs:
        a, b = runs[i].run, runs[j].run
        matches, notes = match_cells(a, b)
        found = [*notes, *differences(a, b, matches)]
        if not asked.anyway:
            refuse(runs[i], runs[j], found)
        matched[i, j] = matches, found
    tasks = load_tasks(runs, plugins or catalogue())
    known = {name: measures_of(task.metrics) for name, task in tasks.items()}
    chosen = {
        name: _chosen(name, known[name], task.info.headline, asked.metrics) for name, task in tasks.items()
    }
    _known(asked.metrics, known)
    leads = {name: _lead(chosen[name], known[name]) for name in chosen}
    cells = frozenset(
        cell_name(index, cell)
        for (i, j), (matches, _) in matched.items()
        for match in matches
        for index, cell in ((i, match.cell_a), (j, match.cell_b))
    )
    tables = load_tables(runs, {name: _values(wanted) for name, wanted in chosen.items()}, cells)
    rows: list[MeasureRow] = []
    slices: list[tuple[int, SliceDifference]] = []  # with the place of its row
    parts = []
    for (i, j), (matches, found) in matched.items():
        read: list[MeasureRow] = []
        for match in matches:
            for measure, headline in chosen[match.task]:
                lead = measure.name == leads[match.task]
                table = tables[match.task]
                row, more = _row((runs[i], i), (runs[j], j), match, measure, headline, lead, table, asked)
                slices += [(len(rows), one) for one in more]
                rows.append(row)
                if lead:
                    read.append(row)
        shown = disagreements(runs[i].run, runs[j].run, read, asked.examples)
        parts.append(PairPart(runs[i].label, runs[j].label, tuple(found), tuple(shown)))
    finished, family = _corrected(rows, asked)
    adjusted = adjust([one.p for _, one in slices], "bh") if slices else []
    sliced = [
        SliceRow(finished[place], one.at(asked.left(one.p, p)), p)
        for (place, one), p in zip(slices, adjusted, strict=True)
    ]
    return Compared(runs, asked, tuple(finished), tuple(sliced), tuple(parts), family)


def _pairs(runs: Sequence[LabelledRun], baseline: str) -> list[tuple[int, int]]:
    if not baseline:
        return list(itertools.combinations(range(len(runs)), 2))
    names = [{label, run.name, run.folder.name} for label, run in runs]
    base = next((index for index, known in enumerate(names) if baseline in known), None)
    if base is None:
        raise unknown("run", baseline, [run.label for run in runs], where="--against")
    return [(index, base) for index in range(len(runs)) if index != base]


def _chosen(
    task: str, known: Sequence[Measure], headline: str, asked: Sequence[str]
) -> list[tuple[Measure, bool]]:
    found = [
        (one, one.name == headline)
        for one in known
        if one.name == headline or one.name in asked or "all" in asked
    ]
    if not any(first for _, first in found) and not asked:
        names = ", ".join(one.name for one in known)
        raise ConfigError(
            f"the headline {headline!r} of {task} is no number of one model that can be compared",
            fix=f"name another with --metric: {names}" if names else "",
        )
    return sorted(found, key=lambda pair: not pair[1])


def _lead(chosen: list[tuple[Measure, bool]], known: Sequence[Measure]) -> str:
    """The measure whose slices and samples are shown: the headline, or, where that is a formula over all
    samples, the first mean of samples, which is then compared too (as exploration). "" if there is none.
    """
    headline = next((one for one, first in chosen if first), None)
    if headline is None or headline.mean:
        return headline.name if headline else ""
    mean = next((one for one in known if one.mean and one.over == "samples"), None)
    if mean is None:
        return ""
    if all(one.name != mean.name for one, _ in chosen):
        chosen.append((mean, False))
    return mean.name


def _values(chosen: Sequence[tuple[Measure, bool]]) -> Values:
    """What a table must keep for these measures."""
    needs: dict[str, set[str]] = {"samples": set(), "parts": set()}
    for measure, _ in chosen:
        needs[measure.over].update(name for name in measure.needs if not name.startswith("tag:"))
    return Values(frozenset(needs["samples"]), frozenset(needs["parts"]))


def _known(asked: Sequence[str], known: Mapping[str, Sequence[Measure]]) -> None:
    names = {one.name for measures in known.values() for one in measures}
    for name in asked:
        if name != "all" and name not in names:
            raise unknown("metric", name, names, where="--metric")


def _row(
    one: tuple[LabelledRun, int],
    two: tuple[LabelledRun, int],
    match: Match,
    measure: Measure,
    headline: bool,
    lead: bool,
    table: ScoreTable,
    asked: ComparisonWanted,
) -> tuple[MeasureRow, list[SliceDifference]]:
    (a, i), (b, j) = one, two
    tags = [name for name in table.tags if name != measure.macro] if lead else []
    needed = [*tags, *([measure.macro] if measure.macro else [])]
    sides = (
        side(measure, table, cell_name(i, match.cell_a), needed),
        side(measure, table, cell_name(j, match.cell_b), needed),
    )
    seed = seed_for(a.run.manifest.seed, "compare", measure.name)
    found = pair(measure, *sides, seed=seed, level=asked.level)
    equivalent = None
    if asked.margin is not None:
        narrow = found.at(1 - 2 * asked.alpha)
        if narrow.low is not None and narrow.high is not None:
            equivalent = -asked.margin < narrow.low and narrow.high < asked.margin
    row = MeasureRow(
        a.label, b.label, match, measure, headline, found, equivalent=equivalent,
        note=noted(found.comparison, found),
    )  # fmt: skip
    shown = slice_differences(found, measure, needed, level=asked.level) if lead else []
    return row, shown


def _corrected(rows: Sequence[MeasureRow], asked: ComparisonWanted) -> tuple[list[MeasureRow], int]:
    """Rows with corrected p values: headlines one family, all others another."""
    found = {id(row): row for row in rows}
    sizes = []
    for first, method in ((True, asked.correction), (False, "bh")):
        family = [row for row in rows if row.headline == first]
        raw = [row.found.comparison.p for row in family]
        adjusted = raw if method == "none" else adjust(raw, method)
        sizes.append(sum(p is not None for p in raw))
        for row, p in zip(family, adjusted, strict=True):
            comparison = row.found.comparison
            shown = replace(comparison, difference=row.found.at(asked.left(comparison.p, p)))
            done = replace(row, corrected=p, found=replace(row.found, comparison=shown))
            found[id(row)] = replace(done, verdict=_words(done, asked.alpha) if first else "")
    return [found[id(row)] for row in rows], sizes[0]


def _words(row: MeasureRow, alpha: float) -> str:
    said = verdict(row.found.comparison, row.corrected, alpha)
    if row.measure.direction == "neither" and said != "no difference shown":
        return f"{row.a if said[0] == 'A' else row.b} higher"
    if said == "no difference shown":
        return said
    a_wins = (said[0] == "A") == (row.measure.direction == "higher")
    return f"{row.a if a_wins else row.b} better"
