"""A run's results, typed blocks and grids as Markdown: every text escaped, so that none of it can be markup.

GitHub's flavour: pipe tables, fenced code.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
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
from suite.report.summary import Summary, TaskSummary, is_number, summarise

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
    summary = summarise(run)
    return "\n\n".join(paragraphs(run, summary, plugin_sections(run))) + "\n"


def paragraphs(run: Run, summary: Summary, sections: Sequence[Section]) -> Iterator[str]:
    """Everything in order."""
    yield f"# {escaped(summary.name)}"
    yield from _ran(run, summary.scoring)
    for remark in summary.remarks:
        text = escaped(remark.text, 2000)
        yield f"> **{text}**" if remark.weight == "warning" else f"> {text}"
    for task in summary.tasks:
        yield from _task(task, summary.level)
    for one in sections:
        yield section(one, 2)
    yield f"## What happened\n\n{grid(matrix.happened_grid(summary.tasks))}"
    if summary.calls:
        yield grid(matrix.calls_grid(summary.calls))
    yield "## The run\n\n" + "\n".join(_facts(run))


def _ran(run: Run, scoring: str) -> Iterator[str]:
    facts = run_facts(run)
    told = [*fact_lines(facts), ("scoring", scoring or "not scored")]
    for label, text in told:
        if "command" in label:
            yield f"{escaped(label)}:\n\n{fence(one_line(text, MOST_TEXT), 'sh')}"
    lines = [f"- {escaped(label)}: {escaped(text, 2000)}" for label, text in told if "command" not in label]
    yield "\n".join(lines)
    rows = Grid("", ("task", "parameter (* not the default)", "value"), parameter_rows(facts), 3)
    yield f"<details><summary>All parameters</summary>\n\n{grid(rows)}\n\n</details>"


def _task(task: TaskSummary, level: float) -> Iterator[str]:
    yield f"## {escaped(task.name)} (version {task.version})\n\n{escaped(task.title)}"
    yield f"### {escaped(matrix.headline_title(task))}"
    yield grid(matrix.headline_grid(task, level, details=True))
    if lines := matrix.shared_deviations(task):
        yield "With " + "; ".join(map(escaped, lines)) + "."
    listed = [escaped(note) for note in matrix.notes(task)]
    listed += [f"left out: {escaped(plain(one.parameters))}: {escaped(one.reason)}" for one in task.skipped]
    if listed:
        yield "\n".join(f"- {line}" for line in listed)
    for further in matrix.further(task):
        yield f"### {escaped(further.title)}\n\n{grid(further)}"
    for place, one in enumerate(task.breakdowns):
        found = matrix.turned(matrix.breakdown_grid(task, one))
        yield f"### {escaped(found.title)}"
        if not place and (said := matrix.served_lines(task)):
            yield "\n".join(f"- {escaped(line, 2000)}" for line in said)
        yield grid(found)
        yield from map(escaped, matrix.told("at_once", one))
    meant = [f"- {escaped(name)}: {escaped(' '.join(lines), 1000)}" for name, lines in matrix.meanings(task)]
    if meant:
        docs = escaped(task.scores.docs(task.name), 2000)
        yield "\n".join(["### How these numbers are made", "", docs, "", *meant])


def _facts(run: Run) -> Iterator[str]:
    manifest = msgspec.to_builtins(run.manifest)
    for name in ("plan_sha256", "data", "hardware"):
        yield f"- {name}: {escaped(plain(manifest[name]), 1000)}"


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


def section(found: Section, level: int = 3) -> str:
    """A titled section."""
    blocks = "\n\n".join(text for one in found.blocks for text in block(one))
    return f"{'#' * level} {escaped(found.title)}\n\n{blocks}".rstrip()


def block(found: Block) -> Iterator[str]:
    """One block as paragraphs."""
    if found.title:
        yield f"**{escaped(found.title)}**"
    match found:
        case Text():
            shown, left = cut(clean(found.text), MOST_TEXT)
            yield "\n".join(f"> {escaped(line, MOST_TEXT)}" for line in shown.split("\n"))
            if left:
                yield f"{left:,} characters more"
        case Facts():
            yield grid(
                Grid("", ("", ""), [(name, cell_text(value)) for name, value in found.facts.items()], 2)
            )
        case Table():
            yield grid(table_grid(found))
        case Plot():
            yield grid(plot_grid(found))
        case Code():
            yield fence(found.code, found.language)
            if found.findings:
                rows = [(str(one.line), one.text) for one in found.findings]
                yield grid(Grid("", ("line", "finding"), rows, 0))
        case Dialogue():
            for turn in found.turns:
                notes = f" ({'; '.join(escaped(note) for note in turn.notes)})" if turn.notes else ""
                yield f"**{escaped(turn.speaker)}**{notes}:"
                yield fence(turn.text)


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
