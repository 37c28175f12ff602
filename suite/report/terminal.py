"""A run's results in a terminal, or as plain text where the output is no terminal.

All text from tasks, models and data is cleaned and drawn as it is, never as markup. Tables wider than
the screen are split by columns; on a narrow one each cell becomes a few lines.
"""

import io
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from suite.journal.run import Run
from suite.report import matrix
from suite.report.hostile_text import one_line
from suite.report.numbers import number
from suite.report.run_facts import fact_lines, parameter_rows, run_facts
from suite.report.summary import summarise
from suite.report.text_templates import Macros

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PLAIN_WIDTH = 100  # where there is no terminal to ask
MOST_COLUMNS = 12  # cells shown of a further table; the HTML report has them all
MOST_SLICES = 40


def print_results(folder: Path, scoring: str = "", *, details: bool = False) -> None:
    """Print a run's results. details: clusters and the interval's method too. Raises RunError."""
    from rich.text import Text

    run = Run(folder, scoring)
    facts, summary = run_facts(run), summarise(run)
    more = any(len(task.parameters) > len(task.shown) for task in facts.tasks)
    with printing() as console:

        def whole(line: str) -> str:
            console.print(Text(f"  {one_line(line, 20_000)}", style="dim", no_wrap=True), soft_wrap=True)
            return ""

        def draw(found: "Iterable[RenderableType]") -> str:
            for one in found:
                console.print(one)
            return ""

        how = (console.width, details, printed(console, styled), whole, draw)
        _TEXTS.text("results", run, facts, more, summary, *how)


def print_grid(grid: matrix.Grid, width: int | None = None) -> None:
    """Print one table."""
    with printing(width=width) as console:
        console.print(table(grid, range(len(grid.columns)), grid.title))


@contextmanager
def printing(file: TextIO | None = None, width: int | None = None) -> Iterator["Console"]:
    """A console that collects, coloured if the output is a terminal, else plain; in the end all is handed
    over. A character that the output's encoding lacks becomes "?"."""
    from rich.console import Console

    out = file or sys.stdout
    terminal = bool(getattr(out, "isatty", lambda: False)())
    if width is None:
        told = os.environ.get("COLUMNS", "")
        fallback = int(told) if told.isdigit() else 0
        width = shutil.get_terminal_size().columns if terminal else fallback or PLAIN_WIDTH
    held = io.StringIO()
    yield Console(
        file=held,
        force_terminal=terminal,
        force_jupyter=False,
        width=max(width, 20),
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
    )
    text = "\n".join(line.rstrip() for line in held.getvalue().split("\n"))
    encoding = getattr(out, "encoding", None) or "utf-8"
    out.write(text.encode(encoding, "replace").decode(encoding))
    out.flush()


def tables(grid: matrix.Grid, width: int, fixed: int = 1) -> Iterator["RenderableType"]:
    """A grid as tables no wider than the screen: the first columns repeated, the others split."""
    left = max(fixed, 1) if grid.left else 0
    others = len(grid.columns) - left
    texts = zip(grid.columns, *grid.rows, strict=False)
    widths, title = [max(len(one_line(text)) for text in column) for column in texts], grid.title
    for chunk in _chunks(widths, left, width, most=MOST_COLUMNS if fixed == 1 else others):
        columns = [*range(left), *chunk]
        yield table(grid, columns, title)
        title = ""
    if fixed == 1 and others > MOST_COLUMNS:
        yield styled(f"{others - MOST_COLUMNS} more columns in report.html", "dim", 2)
    if len(grid.rows) > MOST_SLICES:
        yield styled(f"{len(grid.rows) - MOST_SLICES} more rows in report.html", "dim", 2)


def _chunks(widths: Sequence[int], left: int, width: int, most: int) -> Iterator[list[int]]:
    base = sum(widths[:left]) + 2 * left + 2
    chunk: list[int] = []
    used = base
    for column in range(left, min(len(widths), left + most)):
        if chunk and used + widths[column] + 2 > width:
            yield chunk
            chunk, used = [], base
        chunk.append(column)
        used += widths[column] + 2
    if chunk:
        yield chunk


def table(grid: matrix.Grid, columns: Sequence[int], title: str = "") -> "RenderableType":
    """Some columns of a grid as one table: names to the left, numbers to the right."""
    from rich.table import Table
    from rich.text import Text

    found = Table(
        box=None,
        title=Text(one_line(title)) if title else None,
        title_justify="left",
        title_style="italic",
        padding=(0, 2, 0, 0),
        pad_edge=False,
        header_style="bold",
    )
    for column in columns:
        name = Text(one_line(grid.columns[column]))
        found.add_column(name, justify="left" if column < grid.left else "right", overflow="fold")
    for row in grid.rows[:MOST_SLICES] if grid.left == 1 else grid.rows:
        found.add_row(*(Text(one_line(row[column])) for column in columns))
    return found


def stacked(grid: matrix.Grid) -> Iterator["RenderableType"]:
    """A grid for narrow screens: for each row its names on a line, then name and value on lines below."""
    yield styled(grid.title, "italic")
    for row in grid.rows:
        if grid.left:
            names = zip(grid.columns[: grid.left], row, strict=False)
            yield styled(", ".join(f"{name}={value}" for name, value in names), "bold")
        for name, value in list(zip(grid.columns, row, strict=True))[grid.left :]:
            yield styled(f"{name}: {value}", "", 2)


def printed(console: "Console", made: Callable[..., "RenderableType"]) -> Callable[..., str]:
    """For a template: a `call` of it prints its body, as it is made with the arguments given."""

    def put(*how: object, caller: Callable[[], str]) -> str:
        console.print(made(caller(), *how))
        return ""

    return put


def styled(text: str, style: str = "", indent: int = 0) -> "RenderableType":
    """A line of cleaned text."""
    from rich.padding import Padding
    from rich.text import Text

    line = Text(one_line(text, 2000), style=style)
    return Padding(line, (0, 0, 0, indent)) if indent else line


_TEXTS = Macros(
    "report/templates/terminal.j2", fact_lines, number, parameter_rows, stacked, tables, matrix=matrix
)
