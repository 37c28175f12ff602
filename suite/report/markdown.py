"""A run's results, typed blocks and grids as Markdown: every text escaped, so that none of it can be markup.

GitHub's flavour: pipe tables, fenced code.
"""

import math
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from suite.blocks import Block, Code, Dialogue, Facts, Plot, Section, Table, Text
from suite.journal.run import Run
from suite.report import matrix
from suite.report.hostile_text import clean, cut, one_line
from suite.report.matrix import Grid
from suite.report.numbers import DASH, interval, number, plain
from suite.report.plugin_sections import plugin_sections
from suite.report.run_facts import fact_lines, parameter_rows, run_facts
from suite.report.summary import is_number, summarise
from suite.report.text_templates import Macros

MOST_ROWS = 200
MOST_TEXT = 4000

# also: a colon that could begin an emoji or a link, an underscore that is not inside a word
_SPECIAL = re.compile(
    r"[\\`*\[\]<>|~$&@]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?<![0-9]):(?=[/A-Za-z0-9+-])|^[-+#=]"
)
_ITEM = re.compile(r"^(\d+)([.)])(?=\s|$)")


def markdown_report(folder: Path, scoring: str = "") -> str:
    """The report as a document. Raises RunError if the folder holds no run."""
    run = Run(folder, scoring)
    facts, manifest = run_facts(run), msgspec.to_builtins(run.manifest)
    ran = [*fact_lines(facts), ("scoring", run.scoring or "not scored")]
    rows = Grid("", ("task", "parameter (* not the default)", "value"), parameter_rows(facts), 3)
    told = {name: manifest[name] for name in ("plan_sha256", "data", "hardware")}
    return _TEXTS.text("document", summarise(run), ran, rows, plugin_sections(run), told)


def section(found: Section, level: int = 3) -> str:
    """A titled section."""
    return _TEXTS.text("section", found, level)


def block(found: Block) -> str:
    """One block as paragraphs."""
    return _TEXTS.text("block", found)


def escaped(text: str, most: int = 500) -> str:
    """Text on one line in which nothing is markup."""
    shown = _SPECIAL.sub(lambda match: "\\" + match.group(), one_line(text, most))
    return _ITEM.sub(r"\1\\\2", shown)


def fence(text: str, language: str = "", most: int = MOST_TEXT) -> str:
    """A fenced block whose fence is longer than any run of backticks in the text."""
    shown, left = cut(clean(text), most)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    ticks = "`" * max(3, longest + 1)
    name = language if re.fullmatch(r"[A-Za-z0-9+#-]{1,20}", language) else ""
    more = f"\n… {left:,} characters more" if left else ""
    return f"{ticks}{name}\n{shown}{more}\n{ticks}"


def grid(table: Grid) -> str:
    """A grid as a pipe table."""
    aligned = ["---" if index < table.left else "---:" for index in range(len(table.columns))]
    lines = [_row(table.columns), "|" + "|".join(aligned) + "|", *map(_row, table.rows[:MOST_ROWS])]
    if len(table.rows) > MOST_ROWS:
        lines += ["", f"{len(table.rows) - MOST_ROWS:,} more rows are left out here."]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(escaped(cell) or " " for cell in cells) + " |"


def cell_text(value: object) -> str:
    """A block's cell as text."""
    if value is None or isinstance(value, bool):
        return DASH if value is None else "yes" if value else "no"
    return number(value) if isinstance(value, float) else str(value)


def block_grid(found: Facts | Table | Plot) -> Grid:
    """A block of names and values, a table or the numbers of a plot as a grid."""
    if isinstance(found, Facts):
        return Grid("", ("", ""), [(name, cell_text(value)) for name, value in found.facts.items()], 2)
    return table_grid(found) if isinstance(found, Table) else plot_grid(found)


def findings_grid(found: Code) -> Grid:
    """What is found in a program, by line."""
    return Grid("", ("line", "finding"), [(str(one.line), one.text) for one in found.findings], 0)


def table_grid(found: Table) -> Grid:
    """A table block as text; columns of numbers to the right."""
    numbers = number_columns(found)
    left = next((index for index in range(len(found.columns)) if index in numbers), len(found.columns))
    return Grid("", found.columns, [[cell_text(value) for value in row] for row in found.rows], left)


def number_columns(found: Table) -> list[int]:
    """The columns of a table that hold numbers and nothing else."""
    columns = [[row[i] for row in found.rows if i < len(row)] for i in range(len(found.columns))]
    kept = [[value for value in values if value is not None] for values in columns]
    return [i for i, values in enumerate(kept) if values and all(map(is_number, values))]


def plot_grid(found: Plot) -> Grid:
    """The numbers behind a plot: a row a point."""
    rows = []
    for line in found.lines:
        for index, (x, y) in enumerate(line.points):
            given = line.intervals[index] if index < len(line.intervals) else None
            labelled = math.isfinite(x) and 0 <= round(x) < len(found.x_labels)
            at = found.x_labels[round(x)] if labelled else f"{x:.6g}"
            rows.append((line.name, at, number(float(y)), interval(*given) if given else DASH))
    return Grid(found.title, ("line", found.x or "x", found.y or "y", "interval"), rows, 1)


_FILTERS = (block_grid, clean, cut, escaped, fence, findings_grid, grid, one_line, plain)
_TEXTS = Macros("report/templates/report.md.j2", *_FILTERS, kinds=(Text, Code, Dialogue), matrix=matrix)
