"""A judge's numbers corrected by labels of people, of a run's cells or a file; how good judge and people are.

Why it is unbiased: `stats.stratified`. The strata of a file, with the judge's verdict of every sample and a
human label of a random part, are the verdicts.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

import numpy as np

from suite.blocks import Line, Plot, Section, Table
from suite.comparisons.label_choice import LabelUnit
from suite.comparisons.label_files import PeopleLabels
from suite.data.text_files import TABLES, Once, csv_rows, json_rows
from suite.errors import ConfigError, DataError
from suite.report.remarks import parameters_of
from suite.report.summary import label
from suite.report.text_templates import Macros
from suite.scoring.stats.agreement import RatingTable, agreement, largest_cohen
from suite.scoring.stats.clusters import Clusters, Codes, Floats, clusters_of, floats
from suite.scoring.stats.corrected import ppi_mean, rogan_gladen
from suite.scoring.stats.estimate import Estimate, Pair
from suite.scoring.stats.means import covering_mean, covering_ratio
from suite.scoring.stats.stratified import StratifiedMean, stratified_mean

FORMAT = "suite-corrected/2"
YES = {"1", "1.0", "true", "yes", "good", "first"}
NO = {"0", "0.0", "false", "no", "bad", "second"}
COEFFICIENTS = ("percent", "alpha", "ac1", "randolph", "fleiss", "cohen")
NUMBER, AGAINST, PEOPLE = "corrected for the judge", "The judge against people", "People"
JUDGE, CORRECTED, ALONE = "judge alone", "corrected", "human labels alone"
POOLED, ERRORS = "PPI++, verdicts together", "Rogan-Gladen, from error rates alone"
COUNTS = LABELS, MORE, GIVEN, UNSURE = "labels used", "more labels that halve", "labelled", "cannot tell"
_TEXTS = Macros("comparisons/templates/correction.j2", AGAINST=AGAINST, PEOPLE=PEOPLE)


class Corrected(NamedTuple):
    """One number. part: NUMBER, AGAINST or PEOPLE. of: a cell, a person. what: CORRECTED, a coefficient, …"""

    part: str
    of: str
    what: str
    estimate: Estimate


@dataclass(frozen=True)
class Correction:
    """value: what was labelled. comments: (person, sample, text)."""

    value: str
    estimates: Sequence[Corrected]
    remarks: Sequence[str] = ()
    comments: Sequence[tuple[str, str, str]] = ()

    def find(self, what: str, of: str = "") -> Estimate:
        """The first estimate of this kind. Raises StopIteration if there is none."""
        return next(one.estimate for one in self.estimates if one.what == what and of in ("", one.of))


class LabelledUnits(NamedTuple):
    """The units of one number, shape (n,): human and judge NaN where they say nothing. strata: codes."""

    human: Floats
    judge: Floats
    weights: Floats
    strata: Codes
    clusters: Clusters
    limits: Pair = (0.0, 1.0)
    graded: bool = False

    @property
    def mean(self) -> StratifiedMean:
        """What people would say of all of them."""
        return stratified_mean(self.human, np.nan_to_num(self.judge), self.weights, self.strata, self.limits)

    def estimates(self, of: str, alone: Estimate, level: float) -> Iterator[Corrected]:
        """The corrected number beside the judge's own, and the judge against people, each labelled unit by
        how many it stands for.
        """
        found = self.mean.estimate(self.clusters, level, self.limits, share=not self.graded)
        more = None if found.low is None else self.mean.labels_to_halve(self.clusters)
        yield Corrected(NUMBER, of, JUDGE, alone)
        yield Corrected(NUMBER, of, CORRECTED, found)
        yield Corrected(NUMBER, of, LABELS, Estimate(self.mean.labels))
        yield Corrected(NUMBER, of, MORE, Estimate(more))
        both = ~np.isnan(self.human + self.judge)
        labels = np.bincount(self.strata, ~np.isnan(self.human))
        w = (np.bincount(self.strata) / np.maximum(labels, 1))[self.strata][both]
        y, f = ((x[both] - self.limits[0]) / (self.limits[1] - self.limits[0]) for x in self[:2])
        shares = {"closeness": (1 - abs(y - f), w)}
        if not self.graded:
            yes, no = y > 0.5, y < 0.5
            same = np.sign(y - 0.5) == np.sign(f - 0.5)  # nothing between: a tie, or people who are split
            shares = {"agreement": (same, w), "sensitivity": (same, w * yes), "specificity": (same, w * no)}
        for name, (hits, among) in shares.items():
            found, own = Estimate(None, level=level, note="no such labels"), self.clusters.only(both).packed()
            if among.any():
                found = covering_ratio(among * hits, among, own, (0.0, 1.0), level)
            yield Corrected(AGAINST, of, name, replace(found, n=int(np.count_nonzero(among))))


def correct_runs(read: PeopleLabels, level: float = 0.95) -> Correction:
    """Correct every cell of the runs that were labelled, and the difference of two runs in each."""
    drawn, said, width = read.drawn, read.together(), read.drawn.limits[1] - read.drawn.limits[0]
    human = floats([said.get(i) for i in range(len(drawn.units))])
    judge = floats([one.judge for one in drawn.units])
    clusters = clusters_of([one.cluster for one in drawn.units], len(human))
    estimates, means = list[Corrected](), dict[tuple[int, str], tuple[StratifiedMean, Codes]]()
    where: dict[tuple[int, str], list[int]] = {}
    for i, unit in enumerate(drawn.units):
        where.setdefault((unit.run, unit.key.cell), []).append(i)
    for told, run, place in drawn.runs:
        rows = {one.cell: one.row(drawn.measure.name) for one in run.results.cells}
        for cell in run.manifest.cells:
            if not (own := where.get((place, cell.cell))):
                continue
            weights, row = _weights([drawn.units[i] for i in own]), rows.get(cell.cell)
            strata, codes = np.unique(drawn.strata[own], return_inverse=True)[1], clusters.codes[own]
            whose = Clusters(codes, clusters.count, 0).packed()
            columns = human[own], judge[own], weights, strata, whose
            one = LabelledUnits(*columns, drawn.limits, graded=drawn.kind == "grade")
            name = ", ".join(filter(None, (told, label(parameters_of(cell), cell.swept))))
            alone = row and Estimate(row.value, row.low, row.high, row.level, row.method, row.n, row.unscored)
            estimates += one.estimates(name, alone or Estimate(None, note="no results"), level)
            means[place, cell.cell] = one.mean, codes
            if len(drawn.runs) == 2 and place == 1 and (0, cell.cell) in means:
                (first, ours), (second, theirs) = means[0, cell.cell], means[1, cell.cell]
                shared = Clusters(np.concatenate([ours, theirs]), clusters.count, 0).packed()
                minus = first.minus(second).estimate(shared, level, (-width, width))
                name = f"{drawn.runs[0].label} minus {name}"
                estimates.append(Corrected(NUMBER, name, "difference", minus))
    estimates += _people(read, level)
    return Correction(drawn.measure.name, estimates, list(_remarks(read)), read.comments)


def _weights(units: Sequence[LabelUnit]) -> Floats:
    """Each sample counts alike, whatever its trials; of a macro average, each group of samples."""
    trials = Counter(one.key.sample for one in units)
    groups = Counter(group for group, _ in {(one.group, one.key.sample) for one in units})
    return np.array([1 / trials[one.key.sample] / groups[one.group] for one in units])


def _people(read: PeopleLabels, level: float) -> Iterator[Corrected]:
    """How much each person labelled, and their agreement on samples that several labelled."""
    for person, values in read.people.items():
        yield Corrected(PEOPLE, person, GIVEN, Estimate(len(values)))
        yield Corrected(PEOPLE, person, UNSURE, Estimate([*values.values()].count([])))
    given = [{unit: mean(v) for unit, v in one.items() if v} for one in read.people.values()]
    several = [i for i in range(len(read.drawn.units)) if sum(i in one for one in given) > 1]
    known = sorted({value for one in given for value in one.values()})
    codes = [[known.index(one[i]) if i in one else -1 for one in given] for i in several]
    table = RatingTable(np.array(codes, np.int64).reshape(-1, len(given)), len(known), np.array(known))
    own = clusters_of([read.drawn.units[i].cluster for i in several], len(several))
    scale = "nominal" if read.drawn.kind == "flag" else "interval"
    for name, told in {"percent": "same label", "alpha": "Krippendorff's alpha"}.items() if given[1:] else ():
        found = replace(agreement(name, scale, table, own, level), n=len(several))
        yield Corrected(PEOPLE, "between people", told, found)


def _remarks(read: PeopleLabels) -> Iterator[str]:
    for name, values in read.people.items():
        yield f"{name} labelled {len(values)} samples; of {[*values.values()].count([])} they could not tell."
    if len(read.people) == 1:
        yield "One person labelled: nothing is known of how far people agree."
    if read.seconds:
        yield f"A label took {median(read.seconds):.0f} seconds (median)."
    if twice := [v[0] == v[1] for one in read.people.values() for v in one.values() if len(v) > 1]:
        yield f"Of {len(twice)} pairs put twice to a person, in both orders, {sum(twice)} were judged alike."


def read_labels(path: Path) -> tuple[list[float | None], list[float | None], list[str] | None]:
    """(human, judge, clusters) of a CSV or JSON Lines file with the columns human, judge and perhaps cluster.

    Values: yes or no, in the usual words; empty is missing. Raises DataError naming the line.
    """
    rows = list(csv_rows(path)[1] if path.suffix.lower() in TABLES else json_rows(path))
    said: dict[str, list[float | None]] = {"human": [], "judge": []}
    once = Once("sample", fix="leave one of the rows out: a sample counts once")
    for one in rows:
        place = f"{path.name} {one.place}"
        if one.value.get("id") not in (None, ""):
            once.add(str(one.value["id"]), place)
        for name, values in said.items():
            if name not in one.value:
                raise DataError(f"{place} has no {name!r}", fix="columns: human, judge, cluster")
            values.append(_value(one.value[name], f"{place}, {name}"))
    if not rows:
        raise DataError(f"{path.name} holds no rows")
    clusters = [one.value.get("cluster") for one in rows]
    return said["human"], said["judge"], None if {None, ""} & set(clusters) else list(map(str, clusters))


def _value(value: object, where: str) -> float | None:
    text = "" if value is None else str(value).strip().lower()
    if text in YES or text in NO or not text:
        return 1.0 if text in YES else 0.0 if text else None
    raise DataError(f"{where}: {value!r} is neither yes nor no", fix="write 1 or 0, yes or no, or nothing")


def correct_file(
    human: Sequence[float | None],
    judge: Sequence[float | None],
    clusters: Sequence[str] | None = None,
    *,
    level: float = 0.95,
) -> Correction:
    """Correct the share of yes. human: labels of a random part of the samples, None elsewhere.

    Raises ConfigError where nothing was judged or labelled.
    """
    y, f = floats(human), floats(judge)
    judged, both = ~np.isnan(f), ~np.isnan(y + f)
    if not both.any():
        what = "no sample has a human label and a verdict" if judged.any() else "the judge has no verdict"
        raise ConfigError(what, "judge correct", "label a random part of the samples")
    whole = clusters_of(clusters, len(y))
    own, among = whole.only(judged).packed(), whole.only(both).packed()
    alone = covering_mean(f[judged], own, binary=True, level=level)
    strata = np.unique(f[judged], return_inverse=True)[1]
    if not np.bincount(strata, ~np.isnan(y[judged])).all():  # chance left a verdict without a label
        strata = np.zeros_like(strata)
    units = LabelledUnits(y[judged], f[judged], np.ones(int(judged.sum())), strata, own)
    table, name = RatingTable(np.column_stack([y, f])[both].astype(np.int64), 2), "share of yes"
    named = {f"agreement, {one}": agreement(one, "nominal", table, among, level) for one in COEFFICIENTS}
    left = f"{len(y) - len(strata)} of {len(y)} samples have no verdict and are left out."
    named["Cohen's kappa at most, with these margins"] = Estimate(largest_cohen(table)[0], n=len(table.codes))
    yes, no = f[both & (y == 1)], f[both & (y == 0)]
    rates = (int(f[judged].sum()), len(own.codes), int(yes.sum()), len(yes), int((no == 0).sum()), len(no))
    others = {
        ALONE: covering_mean(y[both], among, binary=True, level=level),
        POOLED: _pooled(human, judge, clusters, level),
        ERRORS: rogan_gladen(*rates, level=level),
    }
    estimates = list(units.estimates(name, alone, level))
    for part, more in ((NUMBER, others), (AGAINST, named)):
        estimates += [Corrected(part, name, what, one) for what, one in more.items()]
    return Correction(name, estimates, [] if judged.all() else [left])


def _pooled(
    human: Sequence[float | None], judge: Sequence[float | None], clusters: Sequence[str] | None, level: float
) -> Estimate:
    try:
        return ppi_mean(human, judge, clusters, level=level)
    except ConfigError as error:  # a cluster that was labelled in part
        return Estimate(None, level=level, note=error.what)


def sections(found: Correction) -> list[Section]:
    """For a report: the corrected numbers first, then how good the judge is, and the people."""
    tables = {}
    for part in dict.fromkeys(one.part for one in found.estimates if one.what not in COUNTS):
        each = [one for one in found.estimates if one.part == part and one.what not in COUNTS]
        rows = [(of, what, e.value, e.low, e.high, e.n, e.note) for _, of, what, e in each]
        told = 7 if any(row[-1] for row in rows) else 6  # columns
        columns = ("of", "number", "value", "low", "high", "n", "note")[:told]
        tables[part] = Table(columns, [row[:told] for row in rows])
    whose = list(dict.fromkeys(one.of for one in found.estimates if one.what == CORRECTED))
    known = [of for of in whose if None not in (found.find(JUDGE, of).value, found.find(CORRECTED, of).value)]
    lines = [Line.of(what, [found.find(what, of) for of in known]) for what in (JUDGE, CORRECTED)]
    plot = Plot(lines, y=found.value, kind="points", x_labels=known)
    halving = [
        (of, found.find(LABELS, of).value, found.find(MORE, of).value, found.find(CORRECTED, of).note)
        for of in whose
    ]
    return _TEXTS.sections("sections", found, tables, plot, halving)


def as_data(found: Correction) -> dict[str, object]:
    """As plain data."""
    told = [{"part": o.part, "of": o.of, "what": o.what, **asdict(o.estimate)} for o in found.estimates]
    return {"format": FORMAT, **asdict(found), "estimates": told}
