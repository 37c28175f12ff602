"""A judge's numbers corrected by labels of people, of a run's cells or a file; how good judge and people are.

Why it is unbiased: `stats.stratified`. The strata of a file, with the judge's verdict of every sample and a
human label of a random part, are the verdicts.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median

import numpy as np

from suite.blocks import Block, Line, Plot, Section, Table, Text
from suite.chat import Json
from suite.comparisons.label_choice import LabelDraw
from suite.comparisons.label_files import PeopleLabels
from suite.data.text_files import TABLES, Once, csv_rows, json_rows
from suite.errors import ConfigError, DataError
from suite.report.remarks import parameters_of
from suite.report.summary import label
from suite.scoring.stats.agreement import RatingTable, agreement
from suite.scoring.stats.clusters import Floats, Labels, clusters_of, floats, subset
from suite.scoring.stats.corrected import rogan_gladen
from suite.scoring.stats.estimate import Estimate, Pair
from suite.scoring.stats.means import covering_mean, covering_ratio
from suite.scoring.stats.stratified import StratifiedMean, stratified_mean

FORMAT = "suite-corrected/2"
YES = {"1", "1.0", "true", "yes", "good", "first"}
NO = {"0", "0.0", "false", "no", "bad", "second"}


@dataclass(frozen=True)
class CorrectedNumber:
    """judge: its own. corrected: what people would say of all n samples. labels: used; more: that halve the
    interval, None if no number does. against: the judge compared with people. beside: other estimates.
    """

    name: str
    judge: Estimate
    corrected: Estimate
    labels: int
    more: int | None
    against: Mapping[str, Estimate]
    beside: Mapping[str, Estimate] = field(default_factory=dict)


@dataclass(frozen=True)
class Correction:
    """differences: of a cell, the first run minus the second. people: name -> (labels, those who could not
    tell). between: agreement between people. comments: (person, sample, text).
    """

    value: str
    numbers: Sequence[CorrectedNumber]
    differences: Mapping[str, Estimate] = field(default_factory=dict)
    people: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    between: Mapping[str, Estimate] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    comments: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True)
class Corrected:
    """The units of one number, shape (n,): human and judge NaN where they say nothing."""

    human: Floats
    judge: Floats
    weights: Floats
    strata: Sequence[object]
    clusters: Labels | None
    limits: Pair = (0.0, 1.0)
    kind: str = "flag"

    def mean(self) -> StratifiedMean:
        """What people would say."""
        codes = np.unique(np.array(self.strata), return_inverse=True)[1]
        width = self.limits[1] - self.limits[0]
        return stratified_mean(self.human, np.nan_to_num(self.judge), self.weights, codes, width)

    def number(self, name: str, judge: Estimate, level: float) -> CorrectedNumber:
        """The corrected number beside the judge's own."""
        own, mean = clusters_of(self.clusters, len(self.human)), self.mean()
        found = mean.estimate(own, level, self.limits, share=self.kind != "grade")
        more = None if found.low is None else mean.labels_to_halve(own)
        return CorrectedNumber(name, judge, found, mean.labels, more, dict(self._against(level)))

    def _against(self, level: float) -> Iterator[tuple[str, Estimate]]:
        """The judge against people, each labelled unit by how many it stands for."""
        every = Counter(self.strata)
        labelled = Counter(one for one, y in zip(self.strata, self.human, strict=True) if not np.isnan(y))
        both = ~(np.isnan(self.human) | np.isnan(self.judge))
        w = np.array([every[one] / max(labelled[one], 1) for one in self.strata])[both]
        low, high = self.limits
        y, f = ((one[both] - low) / (high - low) for one in (self.human, self.judge))
        clusters = clusters_of(subset(self.clusters, both), len(w))
        shares = {"agreement": (1 - abs(y - f), w)}
        if self.kind != "grade":
            shares |= {"sensitivity": (y * f, w * y), "specificity": ((1 - y) * (1 - f), w * (1 - y))}
        for name, (hits, among) in shares.items():
            nothing = Estimate(None, level=level, note="no such labels")
            found = covering_ratio(w * hits, among, clusters, (0.0, 1.0), level) if among.any() else nothing
            yield name, replace(found, n=int(np.count_nonzero(among)))


def correct_runs(read: PeopleLabels, level: float = 0.95) -> Correction:
    """Correct every cell of the runs that were labelled."""
    drawn, numbers = read.drawn, []
    human, judge = np.full(len(drawn.units), np.nan), floats([one.judge for one in drawn.units])
    for unit, said in read.together().items():
        human[unit] = said
    cells: dict[tuple[str, int], Corrected] = {}
    for told, run, place in drawn.runs:
        for cell in run.manifest.cells:
            own = [i for i, one in enumerate(drawn.units) if (one.run, one.key.cell) == (place, cell.cell)]
            if not own:
                continue
            names = [drawn.units[i].cluster for i in own]
            strata, swept = drawn.strata[own].tolist(), label(parameters_of(cell), cell.swept)
            one = Corrected(
                human[own], judge[own], _weights(drawn, own), strata, names, drawn.limits, drawn.kind
            )
            cells[cell.cell, place] = one
            rows = (each.row(drawn.measure.name) for each in run.results.cells if each.cell == cell.cell)
            kept = ("value", "low", "high", "level", "method", "n")
            known = [{key: getattr(row, key) for key in kept} for row in rows if row is not None]
            by_judge = Estimate(
                **(known[0] if known else {"value": None}), n_unscored=int(np.isnan(one.judge).sum())
            )
            numbers.append(one.number(", ".join(filter(None, (told, swept))), by_judge, level))
    people = {name: (len(one), [*one.values()].count(None)) for name, one in read.people.items()}
    between = _between(read, level) if len(people) > 1 else {}
    differences = _differences(drawn, cells, level)
    return Correction(
        drawn.measure.name, numbers, differences, people, between, list(_remarks(read)), read.comments
    )


def _weights(drawn: LabelDraw, own: Sequence[int]) -> Floats:
    """Each sample counts alike, whatever its trials; of a macro average, each group of samples."""
    units = [drawn.units[i] for i in own]
    trials = Counter(one.key.sample for one in units)
    samples = Counter(dict.fromkeys((one.group, one.key.sample) for one in units))
    groups = Counter(group for group, _ in samples)
    return np.array([1 / trials[one.key.sample] / groups[one.group] for one in units])


def _differences(
    drawn: LabelDraw, cells: Mapping[tuple[str, int], Corrected], level: float
) -> dict[str, Estimate]:
    """Of two runs, in the cells that both have."""
    if len(drawn.runs) != 2:
        return {}
    found, (first, second) = {}, drawn.runs
    for cell in first.run.manifest.cells:
        one, two = cells.get((cell.cell, 0)), cells.get((cell.cell, 1))
        if one is not None and two is not None:
            names = [*(one.clusters or ()), *(two.clusters or ())]
            width = drawn.limits[1] - drawn.limits[0]
            minus = (
                one.mean().minus(two.mean()).estimate(clusters_of(names, len(names)), level, (-width, width))
            )
            name = f"{first.label} minus {second.label}"
            found[", ".join(filter(None, (name, label(parameters_of(cell), cell.swept))))] = minus
    return found


def _between(read: PeopleLabels, level: float) -> dict[str, Estimate]:
    """Agreement between people, on samples that several of them labelled."""
    given = list(read.people.values())
    units = [
        unit for unit in range(len(read.drawn.units)) if sum(one.get(unit) is not None for one in given) > 1
    ]
    known = sorted({value for one in given for value in one.values() if value is not None})
    place: dict[float | None, int] = {value: code for code, value in enumerate(known)}
    codes = np.array([[place.get(one.get(unit), -1) for one in given] for unit in units], dtype=np.int64)
    table = RatingTable(codes.reshape(-1, len(given)), len(known), np.array(known))
    own = clusters_of([read.drawn.units[unit].cluster for unit in units], len(units))
    scale = "nominal" if read.drawn.kind == "flag" else "interval"
    return {name: agreement(name, scale, table, own, level) for name in ("percent", "alpha")}


def _remarks(read: PeopleLabels) -> Iterator[str]:
    if len(read.people) == 1:
        yield "One person labelled: nothing is known of how far people agree."
    if read.seconds:
        yield f"A label took {median(read.seconds):.0f} seconds (median)."
    if read.twice:
        yield f"Of {read.twice} pairs put twice to a person, in both orders, {read.same} were judged alike."


def read_labels(path: Path) -> tuple[list[float | None], list[float | None], list[str] | None]:
    """(human, judge, clusters) of a CSV or JSON Lines file with the columns human, judge and perhaps cluster.

    Values: yes or no, in the usual words; empty is missing. Raises DataError naming the line.
    """
    human: list[float | None] = []
    judge: list[float | None] = []
    clusters: list[Json] = []
    once = Once("sample", fix="leave one of the rows out: a sample counts once")
    table = path.suffix.lower() in TABLES
    for one in csv_rows(path)[1] if table else json_rows(path):
        row, place = one.value, f"{path.name} {one.place}"
        if row.get("id") not in (None, ""):
            once.add(str(row["id"]), place)
        for name in ("human", "judge"):
            if name not in row:
                raise DataError(f"{place} has no {name!r}", fix="columns: human, judge, cluster")
        human.append(_value(row["human"], f"{place}, human"))
        judge.append(_value(row["judge"], f"{place}, judge"))
        clusters.append(row.get("cluster"))
    if not judge:
        raise DataError(f"{path.name} holds no rows")
    return human, judge, None if None in clusters or "" in clusters else [str(one) for one in clusters]


def _value(value: object, where: str) -> float | None:
    text = "" if value is None else str(value).strip().lower()
    if text in YES or text in NO or not text:
        return 1.0 if text in YES else 0.0 if text else None
    raise DataError(f"{where}: {value!r} is neither yes nor no", fix="write 1 or 0, yes or no, or nothing")


COEFFICIENTS = ("percent", "alpha", "ac1", "randolph", "fleiss", "cohen")


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
    judged = ~np.isnan(f)
    left, labels = int((~judged).sum()), subset(clusters, judged)
    y, f = y[judged], f[judged]
    both = ~np.isnan(y)
    if not both.any():
        what = "no sample has a human label and a verdict" if len(f) else "the judge has no verdict"
        raise ConfigError(what, "judge correct", "label a random part of the samples")
    own = clusters_of(subset(labels, both), int(both.sum()))
    alone = covering_mean(f, clusters_of(labels, len(f)), binary=True, level=level)
    found = Corrected(y, f, np.ones(len(f)), f.tolist(), labels).number("share of yes", alone, level)
    yes, no = f[y == 1], f[y == 0]
    counts = (int(f.sum()), len(f), int(yes.sum()), len(yes), int((1 - no).sum()), len(no))
    beside = {
        "Rogan-Gladen": rogan_gladen(*counts, level=level).estimate,
        "human labels alone": covering_mean(y[both], own, binary=True, level=level),
    }
    table = RatingTable(np.column_stack([y, f])[both].astype(np.int64), 2)
    named = {f"agreement, {one}": agreement(one, "nominal", table, own, level) for one in COEFFICIENTS}
    remarks = [f"{left} of {len(judge)} samples have no verdict and are left out."] if left else []
    remarks.append("Rogan-Gladen also takes labels of other samples, if the judge errs alike on both.")
    number = replace(found, beside=beside, against={**found.against, **named})
    return Correction("share of yes", [number], remarks=remarks)


def sections(found: Correction) -> list[Section]:
    """For a report: the corrected numbers first, then how good the judge is, and the people."""
    against = [(one.name, *each) for one in found.numbers for each in _rows(one.against)]
    columns = ("", "judge against people", "value", "low", "high", "n", "note")
    people = [(name, labels, unsure) for name, (labels, unsure) in found.people.items()]
    between = Table(("between people", "value", "low", "high", "n", "note"), list(_rows(found.between)))
    told = [Table(("person", "labelled", "cannot tell"), people)] if people else []
    made = [
        Section(f"{found.value}, corrected for the judge", tuple(_corrected(found))),
        Section("The judge against people", (Table(columns, against),)),
        Section("People", (*told, *([between] if found.between else []), *map(Text, found.remarks))),
        Section("Comments", (Table(("person", "sample", "comment"), found.comments),)),
    ]
    return made if found.comments else made[:-1]


def _rows(
    named: Mapping[str, Estimate],
) -> Iterator[tuple[str, float | None, float | None, float | None, int, str]]:
    for name, one in named.items():
        yield name, one.value, one.low, one.high, one.n, one.note


def _corrected(found: Correction) -> Iterator[Block]:
    yield Text(
        "Corrected: what people would say of all samples, from all verdicts and the judge's errors on those "
        "labelled (PPI++ within cells and verdicts). It needs labels of a random part of each."
    )
    rows = [
        (one.name, *row, one.labels if row[0] == "corrected" else None)
        for one in found.numbers
        for row in _rows({"judge alone": one.judge, "corrected": one.corrected, **one.beside})
    ]
    yield Table(("", "by", "value", "low", "high", "samples", "note", "labels"), rows)
    shown = [one for one in found.numbers if None not in (one.judge.value, one.corrected.value)]
    lines = [
        Line.of("judge alone", [one.judge for one in shown]),
        Line.of("corrected", [one.corrected for one in shown]),
    ]
    yield Plot(lines, y=found.value, kind="points", x_labels=[one.name for one in shown])
    for one in found.numbers:
        halves = f"label about {one.more} more to halve the interval"
        never = one.corrected.note or "more labels cannot halve the interval, more samples can"
        yield Text(f"{one.name}: {halves if one.more else never}.")
    if found.differences:
        columns = ("corrected", "difference", "low", "high", "n", "note")
        yield Table(columns, list(_rows(found.differences)))


def as_data(found: Correction) -> dict[str, object]:
    """As plain data."""
    return {"format": FORMAT, **asdict(found)}
