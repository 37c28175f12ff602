"""How a task's numbers are drawn: the scale of its headlines' bars, and the plot of a sweep."""

import math
from collections.abc import Sequence

from suite.blocks import Line, Plot
from suite.journal.documents import MetricResult
from suite.report import matrix
from suite.report.numbers import percent, plain
from suite.report.summary import CellSummary, TaskPart, is_number

MOST_CATEGORIES = 40  # of the plot of a sweep


def ends(task: TaskPart) -> tuple[float, float]:
    """The scale of the headlines' bars: 0 to 1 where everything lies in it, else what is needed."""
    values = [end for end in _ends(task.cells) if end is not None]
    if not values or (min(values) >= 0 and max(values) <= 1):
        return 0.0, 1.0
    low, high = min(0.0, *values), max(0.0, *values)
    return (low, high) if high > low else (low, low + 1)


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
    columns = enumerate(zip(*(cell.values for cell in task.cells), strict=True))
    counts = {index: len(set(map(repr, values))) for index, values in columns if all(map(is_number, values))}
    return max((index for index, n in counts.items() if n > 1), key=counts.__getitem__, default=None)


def _headlines(cells: list[CellSummary]) -> list[MetricResult]:
    return [cell.headline for cell in cells if cell.headline is not None]


def _range(cells: list[CellSummary]) -> tuple[float, float] | None:
    """0 to 1 if everything lies there, so that small differences do not look large."""
    return (0.0, 1.0) if all(end is None or 0 <= end <= 1 for end in _ends(cells)) else None


def _ends(cells: Sequence[CellSummary]) -> list[float | None]:
    """Values of the headlines and ends of their intervals."""
    return [end for cell in cells if (head := cell.headline) for end in (head.value, head.low, head.high)]
