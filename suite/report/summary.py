"""A run and its results arranged as every report shows them; the reports only differ in how they draw this.

Not here: samples and traces (`sample_choice`, `traces`), the remarks beside the numbers (`remarks`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TypeGuard

from suite.chat import Json
from suite.errors import RunError
from suite.journal import documents
from suite.journal.run import Run
from suite.parameters import distinguishing
from suite.report.breakdown import Scores, Served
from suite.report.numbers import plain
from suite.report.remarks import Remark, deviations, parameters_of, remarks


@dataclass(frozen=True)
class CellSummary:
    """One cell: its parameters, counts and rows of results. `metrics` is () where nothing is scored yet."""

    id: str
    label: str
    parameters: Mapping[str, Json]
    values: tuple[Json, ...]  # of the swept parameters
    samples: int
    solved: int
    scored: int
    pending: int
    finishes: Mapping[str, int]
    unscored: Mapping[str, Mapping[str, int]]
    metrics: Sequence[documents.MetricResult]
    deviations: Mapping[str, str]

    @cached_property
    def headline(self) -> documents.MetricResult | None:
        """The first number."""
        return next((one for one in self.metrics if one.headline), None)

    @cached_property
    def whole(self) -> list[documents.MetricResult]:
        """The other rows over the whole cell."""
        return [one for one in self.metrics if not one.slice and not one.headline]

    def row(self, name: str) -> documents.MetricResult | None:
        """One row over the whole cell by its name."""
        return next((one for one in self.metrics if one.name == name and not one.slice), None)


@dataclass(frozen=True)
class Breakdown:
    """A metric by tags: of each tag its values, each with a result for every cell. at_once: whether intervals
    hold for all of these numbers at once.
    """

    metric: str
    tags: Mapping[str, Sequence[tuple[str, Sequence[documents.MetricResult | None]]]]
    at_once: bool


@dataclass(frozen=True)
class TaskSummary:
    """One task of a run, with its cells."""

    name: str
    version: int
    title: str
    paper: str
    headline: str
    direction: str
    swept: tuple[str, ...]
    cells: Sequence[CellSummary]
    across: Sequence[documents.AcrossResult]
    skipped: Sequence[documents.SkippedCell]
    scores: Scores

    @property
    def metric_names(self) -> list[str]:
        """Names of the further rows over whole cells, in the order declared."""
        return list(dict.fromkeys(one.name for cell in self.cells for one in cell.whole))

    @cached_property
    def breakdowns(self) -> list[Breakdown]:
        """All metrics that are sliced by tags, the headline's first."""
        told = {cell.id: cell.metrics for cell in self.cells}
        wider = self.scores.by_tags(self.name, told)
        found: dict[str, dict[str, dict[str, list[documents.MetricResult | None]]]] = {}
        for position, rows in enumerate((wider or told).values()):
            for one in rows:
                if len(one.slice) == 1:
                    ((tag, value),) = one.slice.items()
                    values = found.setdefault(one.name, {}).setdefault(tag, {})
                    values.setdefault(value, [None] * len(self.cells))[position] = one
        ordered = sorted(found.items(), key=lambda pair: pair[0] != self.headline)
        return [
            Breakdown(name, {tag: sorted(rows.items()) for tag, rows in tags.items()}, bool(wider))
            for name, tags in ordered
        ]

    @cached_property
    def served(self) -> Served:
        """Who is served worst by the first metric with tags, and which cell is best for whom."""
        row = self.breakdowns[0].metric if self.breakdowns else ""
        return self.scores.served(self.name, row, [cell.id for cell in self.cells])


@dataclass(frozen=True)
class Summary:
    """A whole run."""

    name: str
    scoring: str
    remarks: Sequence[Remark]
    tasks: Sequence[TaskSummary]
    level: float
    calls: Mapping[str, documents.CallTotals]
    seconds: float | None


def summarise(run: Run) -> Summary:
    """The summary of a run. Raises RunError if its files do not have their form."""
    tasks: dict[str, list[documents.CellRecord]] = {}
    for cell in run.manifest.cells:
        tasks.setdefault(cell.task, []).append(cell)
    scores = Scores(run)
    return Summary(
        name=run.name, scoring=run.scoring, remarks=remarks(run),
        tasks=[_task(run, cells, scores) for cells in tasks.values()], level=run.results.level,
        calls=run.results.calls, seconds=run.results.seconds if run.has_results else None,
    )  # fmt: skip


def _task(run: Run, records: Sequence[documents.CellRecord], scores: Scores) -> TaskSummary:
    parameters = [parameters_of(one, run.scored_cells.get(one.cell)) for one in records]
    names = distinguishing(parameters)
    by_cell = {one.cell: one for one in run.results.cells}
    so_far = [Counter[str](), Counter[str]()]  # solved, scored: of a run without results
    if not run.has_results:
        with suppress(RunError):  # `remarks` tells damage
            so_far = [Counter(one.cell for one in each) for each in (run.outputs(), run.scores())]
    cells = [
        _cell(run, one, values, names, by_cell.get(one.cell), so_far)
        for one, values in zip(records, parameters, strict=True)
    ]
    first = records[0]
    directions = [cell.headline.direction for cell in cells if cell.headline]
    return TaskSummary(
        name=first.task, version=first.version, title=first.title, paper=first.paper,
        headline=first.headline, direction=directions[0] if directions else "neither", swept=names,
        cells=cells, across=[one for one in run.results.across if one.task == first.task],
        skipped=[one for one in run.manifest.skipped if one.task == first.task], scores=scores,
    )  # fmt: skip


def _cell(
    run: Run,
    record: documents.CellRecord,
    parameters: Mapping[str, Json],
    names: tuple[str, ...],
    found: documents.CellResult | None,
    so_far: Sequence[Counter[str]],
) -> CellSummary:
    planned = run.manifest.works_of(record.cell)
    solved, scored = so_far[0][record.cell], so_far[1][record.cell]
    stopped, rows = run.stopped, found.metrics if found else ()
    return CellSummary(
        id=record.cell, label=label(parameters, names), parameters=parameters,
        values=tuple(parameters.get(name) for name in names),
        samples=found.samples if found else planned, solved=found.solved if found else solved,
        scored=found.scored if found else scored,
        pending=found.pending if found else max(planned - scored, 0),
        finishes=found.finishes if found else {}, unscored=found.unscored if found else {},
        metrics=[stopped.shown(record.cell, row) for row in rows] if stopped else rows,
        deviations=deviations(record, run.scored_cells.get(record.cell)),
    )  # fmt: skip


def label(parameters: Mapping[str, Json], names: Sequence[str]) -> str:
    """The cell's swept parameters on one line, "" if nothing is swept."""
    return ", ".join(f"{name}={plain(parameters.get(name))}" for name in names)


def is_number(value: Json) -> TypeGuard[int | float]:
    """Whether a value is a number (a bool is none)."""
    return isinstance(value, int | float) and not isinstance(value, bool)
