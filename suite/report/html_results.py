"""A task's numbers as HTML: headline with its interval drawn, the sweep as a plot, tables."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from suite.blocks import Line, Plot
from suite.journal.documents import MetricResult
from suite.report import matrix
from suite.report.html_blocks import EMPTY, Drawer, grid_table
from suite.report.numbers import number, percent, plain
from suite.report.summary import CellSummary, TaskPart, is_number

MOST_CATEGORIES = 40  # of the plot of a sweep


@dataclass(frozen=True)
class TaskView:
    """What the template shows of a task."""

    part: TaskPart
    headline: Markup
    deviations: Sequence[str]
    notes: Sequence[str]
    plot: Markup
    tables: Sequence[tuple[str, Markup]]
    folded: Sequence[tuple[str, Markup]]  # slices of metrics beside the headline


def task_view(task: TaskPart, level: float, drawer: Drawer) -> TaskView:
    """Everything about a task's numbers."""
    plot = sweep_plot(task, level)
    left_out = [f"Left out: {plain(one.parameters)}: {one.reason}" for one in task.skipped]
    grids = [matrix.metrics_grid(task)] if task.metric_names else []
    grids += [matrix.slice_grid(task, one) for one in task.slices if one.metric == task.headline]
    grids += [matrix.across_grid(task)] if task.across else []
    folded = [matrix.slice_grid(task, one) for one in task.slices if one.metric != task.headline]
    return TaskView(
        part=task,
        headline=_hero(task, level) if len(task.cells) == 1 else _table(task, level),
        deviations=matrix.shared_deviations(task),
        notes=[*matrix.notes(task), *left_out],
        plot=drawer.block(plot) if plot else EMPTY,
        tables=[(grid.title, grid_table(matrix.turned(grid))) for grid in grids],
        folded=[(grid.title, grid_table(matrix.turned(grid))) for grid in folded],
    )


def _hero(task: TaskPart, level: float) -> Markup:
    head = task.cells[0].headline
    if head is None:
        return Markup("<p>No result yet.</p>")
    value, *texts = matrix.headline_texts(head)
    names = (f"{percent(level)} interval", "n", "unscored", "coverage (bounds)")
    facts = list(zip(names, texts, strict=True))
    if pending := task.cells[0].pending:
        facts.append(("pending", number(pending)))
    facts += [("clusters", number(head.clusters)), ("method", head.method)]
    listed = Markup("").join(Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(*fact) for fact in facts)
    return Markup(
        '<div class="hero"><div><span class="name">{}</span><span class="value">{}</span></div>'
        "<dl>{}</dl></div>{}"
    ).format(matrix.headline_title(task), value, listed, _bar(head, _ends([head])))


def _table(task: TaskPart, level: float) -> Markup:
    heads = [cell.headline for cell in task.cells]
    ends = _ends([head for head in heads if head])
    pending = any(cell.pending for cell in task.cells)
    names = [task.headline, "", f"{percent(level)} interval", "n", "unscored", "coverage (bounds)"]
    names += ["pending"] if pending else []
    names += ["clusters", "method"]
    head_row = Markup("").join(
        [Markup('<th scope="col">{}</th>').format(name) for name in task.swept]
        + [
            Markup('<th scope="col" class="{}">{}</th>').format("n" if name else "bar", name)
            for name in names
        ]
    )
    rows = []
    for cell, head in zip(task.cells, heads, strict=True):
        cells = [Markup("<td>{}</td>").format(plain(value)) for value in cell.values]
        value, *texts = matrix.headline_texts(head)
        cells.append(Markup('<td class="n strong">{}</td>').format(value))
        cells.append(Markup('<td class="bar">{}</td>').format(_bar(head, ends) if head else EMPTY))
        texts += [number(cell.pending)] if pending else []
        texts += matrix.made_by(head)
        cells += [Markup('<td class="n">{}</td>').format(text) for text in texts]
        rows.append(Markup("<tr>{}</tr>").format(Markup("").join(cells)))
    return Markup(
        '<p class="dim">{}</p><div class="wide" tabindex="0"><table><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(matrix.headline_title(task), head_row, Markup("").join(rows))


def _ends(heads: Sequence[MetricResult]) -> tuple[float, float]:
    """The scale of the bars: 0 to 1 where everything lies in it, else what is needed."""
    values = [end for head in heads for end in (head.value, head.low, head.high) if end is not None]
    if not values or (min(values) >= 0 and max(values) <= 1):
        return 0.0, 1.0
    low, high = min(0.0, *values), max(0.0, *values)
    return (low, high) if high > low else (low, low + 1)


def _bar(head: MetricResult, ends: tuple[float, float]) -> Markup:
    """The value and its interval on a line; decoration: the numbers stand beside it."""

    def at(value: float) -> str:
        return f"{3 + 138 * (value - ends[0]) / (ends[1] - ends[0]):.1f}"

    if head.value is None:
        return EMPTY
    span = EMPTY
    if head.low is not None and head.high is not None:
        span = Markup('<line class="span" x1="{}" x2="{}" y1="8" y2="8"/>').format(
            at(head.low), at(head.high)
        )
    return Markup(
        '<svg class="bar" viewBox="0 0 144 16" aria-hidden="true" focusable="false">'
        '<line class="track" x1="3" x2="141" y1="8" y2="8"/>{}'
        '<circle class="dot" cx="{}" cy="8" r="3"/></svg>'
    ).format(span, at(head.value))


def sweep_plot(task: TaskPart, level: float) -> Plot | None:
    """The plot of a task's cells; None for a single cell, or where no cell has a number.

    The x axis is the numeric swept parameter with the most values; without one, the cells are categories.
    """
    cells = [cell for cell in task.cells if cell.headline and cell.headline.value is not None]
    if len(task.cells) < 2 or not cells:
        return None
    y = f"{task.headline} ({percent(level)} interval)"
    axis = _numeric_axis(task)
    if axis is None:
        shown = cells[:MOST_CATEGORIES]
        names = [matrix.cell_name(cell) for cell in shown]
        return Plot(
            [Line.of(task.headline, _headlines(shown))],
            y=y,
            kind="points",
            title=f"{task.headline} by cell",
            x_labels=names,
            y_range=_range(cells),
        )
    groups: dict[str, list[CellSummary]] = {}
    for cell in cells:
        others = [plain(value) for index, value in enumerate(cell.values) if index != axis]
        groups.setdefault(" · ".join(others) or task.headline, []).append(cell)
    lines = []
    for name, members in groups.items():
        members.sort(key=lambda cell: _along(cell, axis))
        lines.append(Line.of(name, _headlines(members), [_along(cell, axis) for cell in members]))
    title = f"{task.headline} against {task.swept[axis]}"
    return Plot(lines, x=task.swept[axis], y=y, title=title, y_range=_range(cells))


def _along(cell: CellSummary, axis: int) -> float:
    value = cell.values[axis]
    return float(value) if is_number(value) else math.nan


def _numeric_axis(task: TaskPart) -> int | None:
    best: tuple[int, int] | None = None
    for index in range(len(task.swept)):
        values = [cell.values[index] for cell in task.cells]
        distinct = len(set(map(repr, values)))
        if distinct > 1 and all(map(is_number, values)) and (best is None or distinct > best[0]):
            best = (distinct, index)
    return None if best is None else best[1]


def _headlines(cells: list[CellSummary]) -> list[MetricResult]:
    return [cell.headline for cell in cells if cell.headline is not None]


def _range(cells: list[CellSummary]) -> tuple[float, float] | None:
    """0 to 1 if everything lies there, so that small differences do not look large."""
    ends = [end for cell in cells if (head := cell.headline) for end in (head.value, head.low, head.high)]
    return (0.0, 1.0) if all(end is None or 0 <= end <= 1 for end in ends) else None
