"""Results arranged, not yet drawn: tables of text that all reports share, a sweep's plot, sentences."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import asdict

from suite.blocks import Line, Plot
from suite.journal.documents import KEPT, REASONING, CallTotals, MetricResult
from suite.report.hostile_text import one_line
from suite.report.numbers import DASH, coverage_text, interval, number, percent, plain, value_text, with_unit
from suite.report.summary import Breakdown, CellSummary, TaskSummary, is_number, label
from suite.report.text_templates import text_lines

BETTER = {"higher": "higher is better", "lower": "lower is better", "neither": ""}
_TABLED = ("coverage ", "no sample has")  # how notes begin that tables show
MOST_COLUMNS = 6  # a wider table is turned where that makes it narrower


@dataclass(frozen=True)
class Grid:
    """A table of text. `left`: how many leading columns are names, the rest numbers."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1


def turned(grid: Grid) -> Grid:
    """A table with a column a cell, turned to a row a cell where it would be very wide."""
    if len(grid.columns) <= MOST_COLUMNS or len(grid.columns) <= len(grid.rows) + 1:
        return grid
    columns = ["cell", *(row[0] for row in grid.rows)]
    rows = [[name, *(row[i] for row in grid.rows)] for i, name in enumerate(grid.columns) if i]
    return Grid(grid.title, columns, rows, left=1)


def headline_title(task: TaskSummary) -> str:
    """The headline's name and which way is better."""
    better = BETTER.get(task.direction, "")
    return f"{task.headline} ({better})" if better else task.headline


def headline_grid(task: TaskSummary, level: float, details: bool = False) -> Grid:
    """A row a cell: swept parameters, the headline with interval, n, unscored, coverage and bounds.

    details: clusters and the interval's method too.
    """
    columns = [*task.swept, task.headline or "value", f"{percent(level)} interval", "n", "unscored"]
    columns += ["coverage (bounds)"]
    columns += ["pending"] if any(cell.pending for cell in task.cells) else []
    columns += ["clusters", "interval by"] if details else []
    rows = []
    for cell in task.cells:
        row = [*map(plain, cell.values), *headline_texts(cell.headline)]
        row += [number(cell.pending)] if "pending" in columns else []
        if details:
            row += [number(cell.headline.clusters), cell.headline.method] if cell.headline else [DASH, DASH]
        rows.append(row)
    return Grid(headline_title(task), columns, rows, left=len(task.swept))


def headline_texts(head: MetricResult | None) -> list[str]:
    """Value, interval, n, unscored, coverage with bounds; a dash each where there is no headline."""
    if head is None:
        return [DASH] * 5
    counts = number(head.n), number(head.unscored)
    return [with_unit(head.value, head.unit), interval(head.low, head.high), *counts, coverage_text(head)]


def cell_name(cell: CellSummary) -> str:
    """The cell's swept values, its id if nothing is swept."""
    return " · ".join(map(plain, cell.values)) or "value"


def metrics_grid(task: TaskSummary) -> Grid:
    """The further metrics: a row a metric, a column a cell."""
    rows = []
    for name in task.metric_names:
        found = [cell.row(name) for cell in task.cells]
        lower = any(one is not None and one.direction == "lower" for one in found)
        rows.append([f"{name} ↓" if lower else name, *map(value_text, found)])
    return Grid("Further metrics", ["metric", *map(cell_name, task.cells)], rows)


def breakdown_grid(task: TaskSummary, found: Breakdown) -> Grid:
    """A metric by tags: a row a value of a tag, a column a cell."""
    rows = []
    for tag, values in found.tags.items():
        for value, results in values:
            counts = sorted({result.n for result in results if result})
            n = " to ".join(map(number, dict.fromkeys(counts[:1] + counts[-1:])))
            rows.append([f"{plain(tag)}={plain(value)}", n, *map(value_text, results)])
    return Grid(breakdown_title(found), ["", "n", *map(cell_name, task.cells)], rows)


def breakdown_title(found: Breakdown) -> str:
    """The metric and its tags."""
    return f"{found.metric} by {some(list(map(plain, found.tags)), 4, 'tags', ', ')}"


def across_grid(task: TaskSummary) -> Grid:
    """Metrics over several cells."""
    rows = []
    for one in task.across:
        told = label(one.parameters, [name for name in task.swept if name in one.parameters]) or "all cells"
        rows.append([one.result.name, told, value_text(one.result), number(one.result.n)])
    return Grid("Across cells", ["metric", "with", "value", "n"], rows, left=2)


def further(task: TaskSummary) -> list[Grid]:
    """What stands below the headline beside numbers by tags: further metrics, results over cells."""
    found = [turned(metrics_grid(task))] if task.metric_names else []
    return [*found, across_grid(task)] if task.across else found


def notes(task: TaskSummary) -> Iterator[str]:
    """Remarks on numbers, each once with the metrics and cells it is about; what tables show is left out."""
    found: dict[str, dict[str, list[str]]] = {}
    for cell in task.cells:
        for one in ([cell.headline] if cell.headline else []) + cell.whole:
            kept = [part for part in one.note.split("; ") if not part.startswith(_TABLED)]
            if text := "; ".join(filter(None, kept)):
                found.setdefault(text, {}).setdefault(one.name, []).append(cell.label)
    for text, metrics in found.items():
        labels = list(dict.fromkeys(label_ for one in metrics.values() for label_ in one))
        where = "" if len(labels) == len(task.cells) else f" ({some(labels)})"
        yield f"{some(list(metrics), 8, 'metrics', ', ')}: {text}{where}"


def some(names: Sequence[str], most: int = 4, what: str = "cells", between: str = "; ") -> str:
    """A few names, and how many more there are."""
    more = f"{between}{len(names) - most} more {what}" if len(names) > most else ""
    return between.join(names[:most]) + more


def shared_deviations(task: TaskSummary) -> list[str]:
    """What is shown with the headline; a fact that is the same in all cells once, else by cell."""
    lines: dict[str, list[CellSummary]] = {}
    for cell in task.cells:
        for name, value in cell.deviations.items():
            lines.setdefault(f"{name}: {value}", []).append(cell)
    return [
        text if len(cells) == len(task.cells) else f"{text} ({some([one.label for one in cells])})"
        for text, cells in lines.items()
    ]


def happened_grid(tasks: Sequence[TaskSummary]) -> Grid:
    """Finishes and unscored values, a row a cell."""
    finishes = list(dict.fromkeys(name for task in tasks for cell in task.cells for name in cell.finishes))
    rows = []
    for task in tasks:
        for cell in task.cells:
            unscored = "; ".join(
                f"{value}: {reason} {number(count)}"
                for value, reasons in cell.unscored.items()
                for reason, count in reasons.items()
            )
            counts = [number(n) for n in (cell.samples, cell.solved, cell.scored, cell.pending)]
            ends = [number(cell.finishes.get(name, 0)) for name in finishes]
            rows.append([task.name, cell.label or "all", *counts, *ends, unscored or DASH])
    columns = ["task", "cell", "samples", "solved", "scored", "pending", *finishes, "unscored values"]
    return Grid("By cell", columns, rows, left=2)


def calls_grid(calls: Mapping[str, CallTotals]) -> Grid:
    """Calls and tokens by role member."""
    told = {member: asdict(one) for member, one in calls.items()}
    names = [
        name
        for name in CallTotals.__struct_fields__
        if name not in KEPT and (name not in REASONING or any(one[name] for one in told.values()))
    ]
    rows = [[member, *(number(one[name]) for name in names)] for member, one in told.items()]
    return Grid("Calls and tokens", ["role", *(name.replace("_", " ") for name in names)], rows)


def ends(task: TaskSummary) -> tuple[float, float]:
    """The scale of the headlines' bars: 0 to 1 where everything lies in it, else what is needed."""
    heads = [cell.headline for cell in task.cells if cell.headline]
    values = [end for one in heads for end in (one.value, one.low, one.high) if end is not None]
    if not values or (min(values) >= 0 and max(values) <= 1):
        return 0.0, 1.0
    low, high = min(0.0, *values), max(0.0, *values)
    return (low, high) if high > low else (low, low + 1)


def sweep_plot(task: TaskSummary, level: float) -> Plot | None:
    """The headline against the numeric swept parameter with the most values; None where there is none: then
    the headline's table draws the intervals.
    """
    shown = [(cell, one) for cell in task.cells if (one := cell.headline) and one.value is not None]
    columns = enumerate(zip(*(cell.values for cell in task.cells), strict=True))
    counts = {index: len(set(map(repr, values))) for index, values in columns if all(map(is_number, values))}
    axis = max((index for index, n in counts.items() if n > 1), key=counts.__getitem__, default=None)
    if axis is None or not shown:
        return None
    groups: dict[str, list[tuple[float, MetricResult]]] = {}
    for cell, head in shown:
        others = [plain(value) for index, value in enumerate(cell.values) if index != axis]
        along = cell.values[axis]
        place = float(along) if is_number(along) else math.nan
        groups.setdefault(" · ".join(others) or task.headline, []).append((place, head))
    lines = []
    for name, members in groups.items():
        members.sort(key=lambda pair: pair[0])
        lines.append(Line.of(name, [head for _, head in members], [x for x, _ in members]))
    y, title = f"{task.headline} ({percent(level)} interval)", f"{task.headline} against {task.swept[axis]}"
    # from 0 to 1 if everything lies there, so that small differences do not look large
    whole = ends(task) == (0.0, 1.0)
    return Plot(lines, x=task.swept[axis], y=y, title=title, y_range=(0.0, 1.0) if whole else None)


def told(name: str, *values: object) -> list[str]:
    """The lines of a macro of `templates/words.j2`: plain text, to be escaped by who shows it."""
    lines = text_lines("report/templates/words.j2", name, *values)
    return [line for one in lines if (line := " ".join(one.split()))]


def served_lines(task: TaskSummary) -> list[str]:
    """Who is served worst, and which cell is best for whom."""
    return told("served", task.served, {cell.id: cell_name(cell) for cell in task.cells})


def meanings(task: TaskSummary) -> list[tuple[str, list[str]]]:
    """(name, sentences) of each metric, as its task declares it; else only what results tell."""
    results = {one.name: one for cell in reversed(task.cells) for one in cell.metrics if not one.slice}
    declared = {
        row.name: (row, one_line(metric.about), metric.__doc__)
        for metric in task.scores.declared(task.name)
        for row in metric.measures()
    }
    unknown = (None, "", "")
    return [(name, told("meaning", one, *declared.get(name, unknown))) for name, one in results.items()]
