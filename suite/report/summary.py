"""A run and its results arranged as every report shows them; the reports only differ in how they draw this.

Not here: samples and traces (`sample_choice`, `traces`), the remarks beside the numbers (`remarks`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from suite.errors import RunError
from suite.journal.documents import AcrossResult, MetricResult
from suite.report.loading import LoadedRun
from suite.report.numbers import plain
from suite.report.remarks import Remark, deviations, parameters_of, remarks, role_lines


@dataclass(frozen=True)
class CellSummary:
    """One cell: its parameters, counts and rows of results. `metrics` is () where nothing is scored yet."""

    id: str
    label: str
    parameters: Mapping[str, Any]
    values: tuple[Any, ...]  # of the swept parameters
    counts: Mapping[str, int]  # samples, solved, scored, pending
    finishes: Mapping[str, int]
    unscored: Mapping[str, Mapping[str, int]]
    metrics: Sequence[MetricResult]
    deviations: Mapping[str, str]

    @cached_property
    def headline(self) -> MetricResult | None:
        """The first number."""
        return next((one for one in self.metrics if one.headline), None)

    @cached_property
    def whole(self) -> list[MetricResult]:
        """The other rows over the whole cell."""
        return [one for one in self.metrics if not one.slice and not one.headline]

    def row(self, name: str, slice_: Mapping[str, str] | None = None) -> MetricResult | None:
        """One row by its name and slice."""
        wanted = dict(slice_ or {})
        return next((one for one in self.metrics if one.name == name and dict(one.slice) == wanted), None)


@dataclass(frozen=True)
class Slices:
    """One metric by one tag: the tag's values, each with a row for every cell."""

    metric: str
    tag: str
    rows: Sequence[tuple[str, Sequence[MetricResult | None]]]


@dataclass(frozen=True)
class TaskPart:
    """One task of a run, with its cells."""

    name: str
    version: int
    title: str
    paper: str
    note: str
    headline: str
    direction: str
    swept: tuple[str, ...]
    cells: Sequence[CellSummary]
    across: Sequence[AcrossResult]
    skipped: Sequence[Mapping[str, Any]]

    @property
    def metric_names(self) -> list[str]:
        """Names of the further rows over whole cells, in the order declared."""
        return list(dict.fromkeys(one.name for cell in self.cells for one in cell.whole))

    @property
    def slices(self) -> list[Slices]:
        """All metrics that are sliced by one tag, the headline's first."""
        found: dict[tuple[str, str], dict[str, list[MetricResult | None]]] = {}
        for position, cell in enumerate(self.cells):
            for one in cell.metrics:
                if len(one.slice) == 1:
                    ((tag, value),) = one.slice.items()
                    rows = found.setdefault((one.name, tag), {})
                    rows.setdefault(value, [None] * len(self.cells))[position] = one
        ordered = sorted(found.items(), key=lambda pair: pair[0][0] != self.headline)
        return [Slices(metric, tag, sorted(rows.items())) for (metric, tag), rows in ordered]


@dataclass(frozen=True)
class Summary:
    """A whole run."""

    name: str
    scoring: str
    remarks: Sequence[Remark]
    roles: Sequence[tuple[str, str]]
    tasks: Sequence[TaskPart]
    level: float
    calls: Mapping[str, Mapping[str, int]]
    seconds: float | None

    @property
    def pending(self) -> int:
        """Work items without a result."""
        return sum(cell.counts["pending"] for task in self.tasks for cell in task.cells)


def summarise(run: LoadedRun) -> Summary:
    """The summary of a run. Raises RunError if its files do not have their form."""
    try:
        return _summarise(run)
    except (KeyError, TypeError, AttributeError, ValueError, msgspec.MsgspecError) as error:
        raise RunError(
            f"manifest or results of run {run.name} are not in their form: {type(error).__name__}: {error}",
            where=str(run.folder),
            fix=f"suite score {run.name} writes results anew",
        ) from error


def _summarise(run: LoadedRun) -> Summary:
    results = run.results
    by_cell = {cell["cell"]: cell for cell in results.get("cells", ())}
    scored = {cell["cell"]: cell for cell in run.scoring_manifest.get("cells", ())}
    across = msgspec.convert(list(results.get("across", ())), list[AcrossResult])
    tasks: dict[str, list[Mapping[str, Any]]] = {}
    for plan in run.manifest["cells"]:
        tasks.setdefault(plan["task"], []).append(plan)
    return Summary(
        name=run.name,
        scoring=run.scoring_id,
        remarks=remarks(run),
        roles=role_lines(run),
        tasks=[_task(run, plans, by_cell, scored, across) for plans in tasks.values()],
        level=float(results.get("level", 0.95)),
        calls=results.get("calls", {}),
        seconds=results.get("seconds"),
    )


def _task(
    run: LoadedRun,
    plans: Sequence[Mapping[str, Any]],
    by_cell: Mapping[str, Mapping[str, Any]],
    scored: Mapping[str, Mapping[str, Any]],
    across: Sequence[AcrossResult],
) -> TaskPart:
    parameters = [parameters_of(plan, scored.get(plan["cell"], {})) for plan in plans]
    names = swept(parameters)
    cells = [
        _cell(run, plan, values, names, by_cell.get(plan["cell"]), scored.get(plan["cell"], {}))
        for plan, values in zip(plans, parameters, strict=True)
    ]
    first = plans[0]
    directions = [cell.headline.direction for cell in cells if cell.headline]
    return TaskPart(
        name=first["task"],
        version=int(first["version"]),
        title=first.get("title", ""),
        paper=first.get("paper", ""),
        note=first.get("note", ""),
        headline=first.get("headline", ""),
        direction=directions[0] if directions else "neither",
        swept=names,
        cells=cells,
        across=[one for one in across if one.task == first["task"]],
        skipped=[one for one in run.manifest.get("skipped", ()) if one.get("task") == first["task"]],
    )


def _cell(
    run: LoadedRun,
    plan: Mapping[str, Any],
    parameters: Mapping[str, Any],
    names: tuple[str, ...],
    found: Mapping[str, Any] | None,
    scored: Mapping[str, Any],
) -> CellSummary:
    found = found or {}
    planned = _planned(run.manifest, plan["cell"])
    counts = {
        "samples": int(found.get("samples", planned)),
        "solved": int(found.get("solved", 0)),
        "scored": int(found.get("scored", 0)),
        "pending": int(found.get("pending", planned)),
    }
    return CellSummary(
        id=plan["cell"],
        label=label(parameters, names),
        parameters=parameters,
        values=tuple(parameters.get(name) for name in names),
        counts=counts,
        finishes=found.get("finishes", {}),
        unscored=found.get("unscored", {}),
        metrics=msgspec.convert(list(found.get("metrics", ())), list[MetricResult]),
        deviations=deviations(plan, scored),
    )


def _planned(manifest: Mapping[str, Any], cell: str) -> int:
    per_trial = manifest.get("counts", {}).get("samples", {}).get(cell, 0)
    return int(per_trial) * int(manifest.get("trials", 1))


def _determines(first: Sequence[str], second: Sequence[str]) -> bool:
    seen: dict[str, str] = {}
    return all(seen.setdefault(a, b) == b for a, b in zip(first, second, strict=True))


def swept(cells: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Names of the parameters that tell cells apart, without redundant ones, in the order of the first cell.

    cells: all parameters of each cell (solve and score). Redundant: determined by one that is kept, as
    paper_turns is by inter_turns; of two that determine each other the earlier one is kept.
    """
    columns: dict[str, list[str]] = {}
    for name in dict.fromkeys(name for cell in cells for name in cell):
        values = [repr(cell.get(name)) for cell in cells]
        if len(set(values)) > 1:
            columns[name] = values
    kept = dict(columns)
    for name in reversed(columns):  # later ones go first
        if any(_determines(kept[other], kept[name]) for other in kept if other != name):
            del kept[name]
    return tuple(kept)


def label(parameters: Mapping[str, Any], names: Sequence[str]) -> str:
    """The cell's swept parameters on one line, "" if nothing is swept."""
    return ", ".join(f"{name}={plain(parameters.get(name))}" for name in names)


def is_number(value: Any) -> bool:
    """Whether a value is a number (a bool is none)."""
    return isinstance(value, int | float) and not isinstance(value, bool)
