"""The headline over a sweep as a plot: against the numeric parameter, a line for each other setting."""

from suite.blocks import Line, Plot
from suite.report.formatting import percent, plain
from suite.report.labels import is_number
from suite.report.matrix import cell_name
from suite.report.summary import Cell, TaskPart

MOST_CATEGORIES = 40


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
        line = Line(task.headline, [(float(i), _value(cell)) for i, cell in enumerate(shown)], _ends(shown))
        names = [cell_name(cell) for cell in shown]
        return Plot(
            [line],
            y=y,
            kind="points",
            title=f"{task.headline} by cell",
            x_labels=names,
            y_range=_range(cells),
        )
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        others = [plain(value) for index, value in enumerate(cell.values) if index != axis]
        groups.setdefault(" · ".join(others) or task.headline, []).append(cell)
    lines = []
    for name, members in groups.items():
        members.sort(key=lambda cell: float(cell.values[axis]))
        points = [(float(cell.values[axis]), _value(cell)) for cell in members]
        lines.append(Line(name, points, _ends(members)))
    title = f"{task.headline} against {task.swept[axis]}"
    return Plot(lines, x=task.swept[axis], y=y, title=title, y_range=_range(cells))


def _numeric_axis(task: TaskPart) -> int | None:
    best: tuple[int, int] | None = None
    for index in range(len(task.swept)):
        values = [cell.values[index] for cell in task.cells]
        distinct = len(set(map(repr, values)))
        if distinct > 1 and all(map(is_number, values)) and (best is None or distinct > best[0]):
            best = (distinct, index)
    return None if best is None else best[1]


def _value(cell: Cell) -> float:
    return float("nan") if cell.headline is None or cell.headline.value is None else cell.headline.value


def _ends(cells: list[Cell]) -> list[tuple[float, float] | None]:
    return [
        (head.low, head.high)
        if (head := cell.headline) and head.low is not None and head.high is not None
        else None
        for cell in cells
    ]


def _range(cells: list[Cell]) -> tuple[float, float] | None:
    """0 to 1 if everything lies there, so that small differences do not look large."""
    ends = [end for cell in cells if (head := cell.headline) for end in (head.value, head.low, head.high)]
    return (0.0, 1.0) if all(end is None or 0 <= end <= 1 for end in ends) else None
