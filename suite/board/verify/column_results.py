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
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from suite.board.entry import ColumnResult, Latency, TokenCounts
from suite.board.verify.equality import same
from suite.board.verify.reply_digests import parquet
from suite.board.verify.subject import UNSERVED, VerifiedRun, provider_of
from suite.comparisons.differences import side
from suite.journal.documents import MetricResult
from suite.journal.index import id64
from suite.journal.records import OutputRecord, ScoreRecord
from suite.run.cells import Cell
from suite.run.findings import Call
from suite.scoring.computation import wanted
from suite.scoring.measures import Adds, Measure
from suite.scoring.metrics.declared import measures_of
from suite.scoring.stats.clusters import Floats
from suite.scoring.stats.means import covering_sums
from suite.scoring.table import ScoreTable, TableBuilder
from suite.scoring.units import scope_of, unit_ids
from suite.task import Metric


class _Output(msgspec.Struct):
    cell: str
    calls: list[str] = []


_CALL = np.dtype([("id", "u8"), ("prompt", "i8"), ("completion", "i8"), ("seconds", "f8")])
Scored = tuple[OutputRecord, ScoreRecord | None]
Calls = NDArray[np.void]  # of _CALL; seconds: NaN where no model took time to answer


class Spent:
    """The candidate's calls of one run, 32 bytes each, and by cell the ids that its outputs name."""

    def __init__(self, subject: VerifiedRun) -> None:
        self.calls: Calls = np.fromiter(_calls(subject), dtype=_CALL)
        self._named: defaultdict[str, array[int]] = defaultdict(lambda: array("Q"))
        for output in map(msgspec.json.Decoder(_Output).decode, subject.run.journal.outputs.raw()):
            self._named[output.cell].extend(map(id64, output.calls))

    def of(self, cells: Iterable[str]) -> Calls:
        """Those of some cells together, each once."""
        named = [np.frombuffer(self._named[cell], dtype=np.uint64) for cell in cells]
        return self.calls[np.isin(self.calls["id"], np.concatenate([np.zeros(0, dtype=np.uint64), *named]))]


def _calls(subject: VerifiedRun) -> Iterator[tuple[int, int, int, float]]:
    candidate = subject.run.candidate
    served = candidate is not None and provider_of(candidate) not in UNSERVED
    for call in map(msgspec.json.Decoder(Call).decode, subject.run.journal.calls.raw()):
        if call.role == "candidate":
            seconds = call.times[1] - call.times[0] if served and not call.cached else math.nan
            yield id64(call.id), call.reply.usage.prompt, call.reply.usage.completion, seconds


def latency(calls: Sequence[Calls]) -> Latency | None:
    """The median of what calls took, by the recorded clock; None where no model took time."""
    seconds = np.concatenate([np.zeros(0), *(one["seconds"] for one in calls)])
    seconds = seconds[~np.isnan(seconds)]
    return Latency(round(float(np.median(seconds)), 4), len(seconds)) if len(seconds) else None


@dataclass(frozen=True)
class Want:
    """A column to make. cells: of each the run, and the plan's cell."""

    key: str
    headline: str
    cells: tuple[tuple[VerifiedRun, Cell], ...]

    def by_run(self) -> Iterator[tuple[VerifiedRun, list[str]]]:
        """The ids of its cells by run."""
        for subject in {one.run_id: one for one, _ in self.cells}.values():
            yield subject, [cell.id for one, cell in self.cells if one.run_id == subject.run_id]


def ratios(top: Floats, bottom: Floats) -> Floats:
    """top / bottom; NaN where nothing stands below."""
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)


@dataclass
class CellUnits:
    """The units of one cell. sample, cluster: 64-bit digests, by sample; stratum: its name."""

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


def make_columns(wants: Sequence[Want], level: float) -> tuple[list[VerifiedColumn], Latency | None]:
    """All columns, and the median latency over all of them, each call once. Reads the journals of each run
    once for each of its tasks.
    """
    maker = _Maker(level)
    columns = [maker.column(want) for want in wants]
    every = Want("", "", tuple(cell for want in wants for cell in want.cells))
    return columns, latency([maker.spent[one.run_id].of(names) for one, names in every.by_run()])


@dataclass
class _Maker:
    """Makes columns. tables: by run and task. spent: by run."""

    level: float
    tables: dict[tuple[str, str], ScoreTable] = field(default_factory=dict)
    spent: dict[str, Spent] = field(default_factory=dict)

    def column(self, want: Want) -> VerifiedColumn:
        made = [subject.results[cell.id].row(want.headline) for subject, cell in want.cells]
        rows = [row for row in made if row is not None]
        values = [row.value for row in rows if row.value is not None]
        value = math.fsum(values) / len(values) if len(values) == len(made) else None
        first = rows[0] if rows else None
        measure = headline_measure(want.cells[0][1], want.headline)
        limits = measure.range or None if measure is not None else None
        units = self._units(want, measure, rows) if value is not None and measure is not None else ()
        level = self.level
        if first is not None and len(made) == 1:
            low, high, method, level = first.low, first.high, first.method, first.level
        else:
            low, high, method = _interval(units, value, level, limits)
        told = [row.coverage for row in rows if row.coverage is not None]
        tokens, times, seconds = self._effort(want)
        result = ColumnResult(
            key=want.key,
            task=want.cells[0][1].plan.task,
            headline=want.headline,
            value=value,
            low=low,
            high=high,
            level=level,
            method=method,
            n=sum(row.n for row in rows),
            unscored=sum(row.unscored for row in rows),
            coverage=math.fsum(told) / len(told) if told else None,
            direction="higher" if first is None else first.direction,
            unit="" if first is None else first.unit,
            range=limits,
            paired=bool(units),
            cells=[cell.id for _, cell in want.cells],
            tokens=tokens,
            latency=times,
            seconds=seconds,
            roles=_roles(want),
        )
        return VerifiedColumn(result, units)

    def _effort(self, want: Want) -> tuple[TokenCounts | None, Latency | None, float]:
        """Tokens of the candidate, None if unknown; its median latency; the share of the run's time that its
        calls are of all.
        """
        used: list[Calls] = []
        seconds = 0.0
        for subject, cells in want.by_run():
            if subject.run_id not in self.spent:
                self.spent[subject.run_id] = Spent(subject)
            every = self.spent[subject.run_id]
            used.append(every.of(cells))
            whole = subject.recomputed.seconds if subject.recomputed is not None else 0.0
            seconds += len(used[-1]) / max(len(every.calls), 1) * whole
        told = all(len(one) and (one["prompt"] + one["completion"] > 0).all() for one in used)
        prompt, completion = (sum(int(one[name].sum()) for one in used) for name in ("prompt", "completion"))
        return TokenCounts(prompt, completion) if told else None, latency(used), round(seconds, 3)

    def _units(self, want: Want, measure: Measure, rows: Sequence[MetricResult]) -> tuple[CellUnits, ...]:
        """Of each cell; () where the recomputed value is no mean of units after all."""
        if measure.top is None or not measure.pairs:
            return ()
        found = []
        for (subject, cell), row in zip(want.cells, rows, strict=True):
            found.append(_cell_units(measure, measure.top, self._table(subject, cell), cell.id))
            if not same(found[-1].value(), row.value):
                return ()
        return tuple(found)

    def _table(self, subject: VerifiedRun, cell: Cell) -> ScoreTable:
        key = subject.run_id, cell.plan.task
        if key not in self.tables:
            cells = {one.id for one in subject.planned.cells if one.plan.task == cell.plan.task}
            self.tables[key] = table_of(subject.counting.pairs(), cells, cell.task.metrics)
        return self.tables[key]


def headline_measure(cell: Cell, name: str) -> Measure | None:
    """How a metric of a cell's task that is a number of one model is measured."""
    return next((one for one in measures_of(cell.task.metrics) if one.name == name), None)


def _roles(want: Want) -> dict[str, list[str]]:
    """Who filled the other roles than the candidate's: spec and the first of its revision, sorted."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for subject, cell in want.cells:
        for role in cell.task.roles().keys() - {"candidate"}:
            for half in subject.halves:
                for one in half.manifest.roles.get(role, ()):
                    revision = str(one.identity.get("revision") or "")[:12]
                    found[role].add(f"{one.spec} at {revision}" if revision else one.spec)
    return {role: sorted(members) for role, members in sorted(found.items())}


def table_of(pairs: Iterable[Scored], cells: Collection[str], metrics: Sequence[Metric]) -> ScoreTable:
    """What metrics need of the scored outputs of some cells."""
    builder = TableBuilder(wanted(metrics))
    for output, score in pairs:
        if score is not None and output.cell in cells:
            builder.add(output, score)
    return builder.build()


def _cell_units(measure: Measure, top_of: Adds, table: ScoreTable, cell: str) -> CellUnits:
    units = side(measure, table, cell, ())
    place = np.searchsorted(units.every, units.ids)
    count = len(units.every)
    top, bottom = np.zeros(count), np.zeros(count)
    top[place] = top_of(units.columns)
    bottom[place] = 1.0 if measure.bottom is None else measure.bottom(units.columns)
    stratum = np.full(count, "", dtype=object)
    if measure.macro:  # of unscored units, too
        rows = scope_of(table, cell, measure.over, measure.where)
        codes, categories = rows.codes(measure.macro)
        first = np.unique(unit_ids(rows), return_index=True)[1]
        stratum[:] = [categories[code] for code in codes[first]]
    return CellUnits(cell, units.every, units.every_cluster, stratum, top, bottom)


def _interval(
    cells: Sequence[CellUnits], value: float | None, level: float, limits: tuple[float, float] | None
) -> tuple[float | None, float | None, str]:
    """Interval of the mean over cells, and how it was made or why there is none."""
    if value is None or not cells:
        return None, None, ""
    scored = ((one, [at for at, _, below in one.strata() if below]) for one in cells)
    sums = [[(one.top[at], one.bottom[at], one.cluster[at]) for at in rows] for one, rows in scored]
    found = covering_sums(value, sums, limits, level)
    return found.low, found.high, found.note if found.low is None else found.method


def per_sample_file(columns: Sequence[VerifiedColumn], bundle_id: str) -> bytes:
    """The content of per_sample.parquet; b"" if no column has units."""
    units = [
        (column.result.key, one, np.lexsort((one.sample, one.stratum.astype(str))))
        for column in sorted(columns, key=lambda one: one.result.key)
        for one in sorted(column.units, key=lambda one: one.cell)
    ]
    if not any(len(rows) for *_, rows in units):
        return b""
    text = pa.dictionary(pa.int32(), pa.string())
    arrays = {
        "column": pa.array([key for key, _, rows in units for _ in rows]).cast(text),
        "cell": pa.array([one.cell for _, one, rows in units for _ in rows]).cast(text),
        "sample": [f"{name:016x}" for _, one, rows in units for name in one.sample[rows].tolist()],
        "cluster": [f"{name:016x}" for _, one, rows in units for name in one.cluster[rows].tolist()],
        "stratum": pa.array([str(name) for _, one, rows in units for name in one.stratum[rows]]).cast(text),
        "top": np.concatenate([one.top[rows] for _, one, rows in units]),
        "bottom": np.concatenate([one.bottom[rows] for _, one, rows in units]),
    }
    return parquet(arrays, {"format": "suite-per-sample/1", "bundle_id": bundle_id})
