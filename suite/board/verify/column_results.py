"""The columns of a board from the recomputed scores: one number each, units that pair entries, costs.

A column is the mean over its cells of the headline. Where the headline is a mean or a ratio of sums, its
units are written out as (top, bottom) by stratum, so that a ranking can resample whole clusters for all
entries at once: value = mean over cells of mean over strata of sum(top) / sum(bottom). A unit without a
value has bottom 0. A formula (agreement, a custom one) has no such form: its column is ranked unpaired.
Costs are the tokens and times of the candidate's calls that the cells' outputs name, each once. They are
taken from the records by cell and not shared out over a run's cells: cells that a board does not ask for must
not make the others look cheaper. Where a reply does not say what it cost, the whole is unknown: the others
alone would look cheap.
"""

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from suite.board.entry.verification import ColumnResult, Latency, TokenCounts
from suite.board.verify.subject import UNSERVED, VerifiedRun, provider_of
from suite.compare.sides import scope, side
from suite.journal.documents import MetricResult
from suite.run.cells import AnyTask
from suite.run.findings import Call
from suite.scoring.computation import wanted
from suite.scoring.measures import Measure
from suite.scoring.metrics.declared import measures_of
from suite.scoring.stats.means import covering_sums
from suite.scoring.table import ScoreTable, TableBuilder
from suite.scoring.units import unit_ids

Floats = NDArray[np.float64]


class _Output(msgspec.Struct):
    cell: str
    calls: list[str] = []


class Spent:
    """The candidate's calls of one run, 32 bytes each. all: how many there are."""

    def __init__(self, subject: VerifiedRun) -> None:
        ids, prompt, completion, seconds = array("Q"), array("q"), array("q"), array("d")
        decode = msgspec.json.Decoder(Call).decode
        for line in subject.run.journal.calls.raw():
            call = decode(line)
            if call.role == "candidate":
                ids.append(int(call.id[:16], 16))
                prompt.append(call.reply.usage.prompt)
                completion.append(call.reply.usage.completion)
                seconds.append(math.nan if call.cached else call.times[1] - call.times[0])
        self._ids = np.frombuffer(ids, dtype=np.uint64)
        order = np.argsort(self._ids, kind="stable")
        self._ids = self._ids[order]
        self._prompt = np.frombuffer(prompt, dtype=np.int64)[order]
        self._completion = np.frombuffer(completion, dtype=np.int64)[order]
        self._seconds = np.frombuffer(seconds, dtype=np.float64)[order]
        candidate = subject.run.candidate
        self._served = candidate is not None and provider_of(candidate) not in UNSERVED
        self._of = self._by_cell(subject)
        self.all = len(self._ids)

    def _by_cell(self, subject: VerifiedRun) -> dict[str, NDArray[np.int64]]:
        """Cell -> places of the calls that its outputs name."""
        named: dict[str, array[int]] = {}
        decode = msgspec.json.Decoder(_Output).decode
        for line in subject.run.journal.outputs.raw():
            output = decode(line)
            named.setdefault(output.cell, array("Q")).extend(int(one[:16], 16) for one in output.calls)
        found = {}
        for cell, calls in named.items():
            wanted = np.unique(np.frombuffer(calls, dtype=np.uint64))
            found[cell] = np.flatnonzero(np.isin(self._ids, wanted))
        return found

    def of(self, cells: Iterable[str]) -> tuple[int, tuple[int, int] | None]:
        """(calls, (prompt tokens, completion tokens) or None) of some cells together, each call once."""
        here = self._places(cells)
        prompt, completion = self._prompt[here], self._completion[here]
        told = bool(len(here)) and bool((prompt + completion > 0).all())
        return len(here), (int(prompt.sum()), int(completion.sum())) if told else None

    def seconds(self, cells: Iterable[str]) -> NDArray[np.float64]:
        """How long each call of some cells took, by the recorded clock; those from a response cache left out.
        Empty for a script or a rule, which is no model that takes time to answer.
        """
        found = self._seconds[self._places(cells)] if self._served else np.zeros(0)
        return found[~np.isnan(found)]

    def _places(self, cells: Iterable[str]) -> NDArray[np.int64]:
        places = [self._of[cell] for cell in cells if cell in self._of]
        return np.unique(np.concatenate(places)) if places else np.zeros(0, dtype=np.int64)


def latency(seconds: Sequence[NDArray[np.float64]]) -> Latency | None:
    """The median of calls, None without calls. seconds: of each call."""
    every = np.concatenate([np.zeros(0), *seconds])
    return Latency(round(float(np.median(every)), 4), len(every)) if len(every) else None


@dataclass(frozen=True)
class Want:
    """A column to make. cells: (run, cell id, task) of each."""

    key: str
    headline: str
    cells: tuple[tuple[VerifiedRun, str, str], ...]


@dataclass
class CellUnits:
    """The units of one cell. sample, cluster: 64-bit digests; stratum: its name."""

    cell: str
    sample: NDArray[np.uint64]
    cluster: NDArray[np.uint64]
    stratum: NDArray[np.object_]
    top: Floats
    bottom: Floats

    def value(self) -> float | None:
        """Mean over strata of sum(top) / sum(bottom); None without a scored unit."""
        ratios = [top / bottom for _, top, bottom in self.strata() if bottom]
        return math.fsum(ratios) / len(ratios) if ratios else None

    def strata(self) -> list[tuple[NDArray[np.bool_], float, float]]:
        """(rows, sum of top, sum of bottom) of each stratum."""
        found = []
        for name in sorted(set(self.stratum.tolist())):
            rows = self.stratum == name
            found.append((rows, float(self.top[rows].sum()), float(self.bottom[rows].sum())))
        return found


@dataclass
class VerifiedColumn:
    """One column. units: one a cell, () where it is unpaired."""

    result: ColumnResult
    units: tuple[CellUnits, ...] = field(default=())


def make_columns(
    wants: Sequence[Want], level: float, spent: dict[str, Spent] | None = None
) -> list[VerifiedColumn]:
    """All columns. Reads the journals of each run once for each of its tasks. spent: filled by run."""
    tables: dict[tuple[str, str], ScoreTable] = {}
    kept: dict[str, Spent] = {} if spent is None else spent
    return [_column(want, tables, kept, level) for want in wants]


def whole_latency(wants: Sequence[Want], spent: Mapping[str, Spent]) -> Latency | None:
    """The median latency over all columns, each call once."""
    cells: dict[str, set[str]] = {}
    for want in wants:
        for subject, cell, _ in want.cells:
            cells.setdefault(subject.run_id, set()).add(cell)
    return latency([spent[run].seconds(sorted(names)) for run, names in cells.items() if run in spent])


def _table(subject: VerifiedRun, task: str, tables: dict[tuple[str, str], ScoreTable]) -> ScoreTable:
    found = tables.get((subject.run_id, task))
    if found is None:
        assert subject.plan is not None
        cells = {cell.id for cell in subject.plan.cells if cell.plan.task == task}
        metrics = next(cell.task.metrics for cell in subject.plan.cells if cell.plan.task == task)
        builder = TableBuilder(wanted(metrics))
        for output, score in subject.counting.pairs():
            if score is not None and output.cell in cells:
                builder.add(output, score)
        found = tables[subject.run_id, task] = builder.build()
    return found


def _column(
    want: Want, tables: dict[tuple[str, str], ScoreTable], spent: dict[str, Spent], level: float
) -> VerifiedColumn:
    rows = [result_of(subject, cell, want.headline) for subject, cell, _ in want.cells]
    known = [row for row in rows if row is not None]
    values = [row.value for row in known if row.value is not None]
    value = math.fsum(values) / len(values) if len(values) == len(rows) and rows else None
    units = _units(want, tables, rows) if value is not None else ()
    first = next(iter(known), None)
    low, high, method = (None, None, "") if first is None else (first.low, first.high, first.method)
    metric = _measure(want)
    if len(rows) > 1:
        limits = metric.range if metric is not None else None
        low, high, method = _interval(units, value, level, limits) if units else (None, None, "")
    told = [row.coverage for row in known if row.coverage is not None]
    tokens, times, seconds = _effort(want, spent)
    result = ColumnResult(
        key=want.key,
        task=want.cells[0][2] if want.cells else "",
        headline=want.headline,
        value=value,
        low=low,
        high=high,
        level=level if len(rows) > 1 or first is None else first.level,
        method=method,
        n=sum(row.n for row in known),
        unscored=sum(row.unscored for row in known),
        coverage=math.fsum(told) / len(told) if told else None,
        direction="higher" if first is None else first.direction,
        unit="" if first is None else first.unit,
        range=metric.range if metric is not None and metric.range else None,
        paired=bool(units),
        cells=[cell for _, cell, _ in want.cells],
        tokens=tokens,
        latency=times,
        seconds=seconds,
        roles=_roles(want),
    )
    return VerifiedColumn(result, units)


def result_of(subject: VerifiedRun, cell: str, headline: str) -> MetricResult | None:
    """The recomputed row of a metric over a whole cell."""
    cells = () if subject.recomputed is None else subject.recomputed.cells
    rows = (row for one in cells if one.cell == cell for row in one.metrics)
    return next((row for row in rows if row.name == headline and not row.slice), None)


def _effort(want: Want, spent: dict[str, Spent]) -> tuple[TokenCounts | None, Latency | None, float]:
    """Tokens of the candidate, None if unknown; its median latency; the share of the run's time that its
    calls are of all.
    """
    used: list[tuple[int, int] | None] = []
    seconds = 0.0
    times: list[Floats] = []
    for subject in {one.run_id: one for one, _, _ in want.cells}.values():
        found = spent.get(subject.run_id)
        if found is None:
            found = spent[subject.run_id] = Spent(subject)
        cells = [cell for one, cell, _ in want.cells if one.run_id == subject.run_id]
        calls, tokens = found.of(cells)
        used.append(tokens)
        times.append(found.seconds(cells))
        seconds += (
            calls
            / max(found.all, 1)
            * (subject.recomputed.seconds if subject.recomputed is not None else 0.0)
        )
    known = [one for one in used if one is not None]
    whole = TokenCounts(sum(one[0] for one in known), sum(one[1] for one in known))
    return whole if len(known) == len(used) else None, latency(times), round(seconds, 3)


def _roles(want: Want) -> dict[str, list[str]]:
    """Who filled the other roles than the candidate's: spec and the first of its revision, sorted."""
    found: dict[str, set[str]] = {}
    for subject, cell, _ in want.cells:
        for role in _task_of(subject, cell).roles().keys() - {"candidate"}:
            for roles in (subject.manifest.roles, subject.scoring_manifest.roles):
                for one in roles.get(role, ()):
                    revision = str(one.identity.get("revision") or "")[:12]
                    found.setdefault(role, set()).add(f"{one.spec} at {revision}" if revision else one.spec)
    return {role: sorted(members) for role, members in sorted(found.items())}


def _measure(want: Want) -> Measure | None:
    for subject, cell, _ in want.cells:
        metrics = _task_of(subject, cell).metrics
        return next((one for one in measures_of(metrics) if one.name == want.headline), None)
    return None


def _task_of(subject: VerifiedRun, cell: str) -> AnyTask:
    assert subject.plan is not None
    return next(one.task for one in subject.plan.cells if one.id == cell)


def _units(
    want: Want, tables: dict[tuple[str, str], ScoreTable], rows: Sequence[MetricResult | None]
) -> tuple[CellUnits, ...]:
    measure = _measure(want)
    if measure is None:
        return ()
    found = []
    for (subject, cell, task), row in zip(want.cells, rows, strict=True):
        units = _cell_units(measure, _table(subject, task, tables), cell)
        value = units.value() if units is not None else None
        if (
            units is None
            or value is None
            or row is None
            or row.value is None
            or abs(value - row.value) > 1e-9 * max(1, abs(value))
        ):
            return ()  # no mean of units after all: unpaired
        found.append(units)
    return tuple(found)


def _cell_units(measure: Measure, table: ScoreTable, cell: str) -> CellUnits | None:
    if measure.top is None or not measure.pairs:
        return None
    units = side(measure, table, cell, ())
    place = np.searchsorted(units.every, units.ids)
    count = len(units.every)
    top, bottom = np.zeros(count), np.zeros(count)
    top[place] = measure.top(units.columns)
    bottom[place] = 1.0 if measure.bottom is None else measure.bottom(units.columns)
    stratum = np.full(count, "", dtype=object)
    if measure.macro:  # of unscored units, too
        rows = scope(measure, table, cell)
        codes, categories = rows.codes(measure.macro)
        first = np.unique(unit_ids(rows), return_index=True)[1]
        stratum[:] = [categories[code] for code in codes[first]]
    return CellUnits(cell, units.every, units.every_cluster, stratum, top, bottom)


def _interval(
    cells: Sequence[CellUnits], value: float | None, level: float, limits: tuple[float, float] | None
) -> tuple[float | None, float | None, str]:
    """Interval of the mean over cells, and how it was made or why there is none."""
    if value is None:
        return None, None, ""
    sums = [
        [(one.top[at], one.bottom[at], one.cluster[at]) for at, _, below in one.strata() if below]
        for one in cells
    ]
    found = covering_sums(value, sums, limits, level)
    return found.low, found.high, found.note if found.low is None else found.method
