"""Samples of a run in a terminal: question, answer, verdict; of one in full its own view and calls, too.

Typed blocks as rich renderables; all text is cleaned and never markup.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from suite.blocks import Block, Code, Dialogue, Facts, Plot, Table, Text
from suite.journal.run import Run
from suite.report.hostile_text import clean, one_line, shortened
from suite.report.markdown import cell_text, plot_grid, table_grid
from suite.report.numbers import number
from suite.report.plugin_sections import own_views
from suite.report.sample_choice import FoundSamples, SamplesWanted, find_samples
from suite.report.summary import summarise
from suite.report.terminal import printed, printing, styled, table
from suite.report.text_templates import Macros
from suite.report.traces import answer, question, traces, value_text, with_calls

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST_TEXT = 4_000
MOST_LINES = 400
_TEXTS = Macros(
    "report/templates/sample.j2", answer, number, one_line, question, traces, value_text, with_calls
)


def print_sample(folder: Path, sample: str, scoring: str = "") -> None:
    """Print a sample in every cell and trial. Raises NotFound for an id that the run does not have."""
    run = Run(folder, scoring)
    print_samples(run, find_samples(run, SamplesWanted(sample=sample)), full=True)


def print_samples(run: Run, found: FoundSamples, *, full: bool) -> None:
    """Print samples: question, answer, verdict; full: with their own views and all calls."""
    cells = ((task.name, cell) for task in summarise(run).tasks for cell in task.cells)
    labels = {cell.id: f"{task} {cell.label}".strip() for task, cell in cells}
    views, why = own_views(run, found.picked) if full else ({}, "")
    with printing() as console:
        say, told = (printed(console, one) for one in (styled, paragraph))
        for one in found.picked:
            name = f"{labels.get(one.key.cell, one.key.cell)}, {one.key.sample}, trial {one.key.trial}"
            console.print(styled(f"{name}: {one.outcome}", "bold"))
            for line in chain.from_iterable(map(block, views.get(one.key, ()))):
                console.print(line)
            _TEXTS.text("sample", run, one, full, say, told)
        if why:
            console.print(styled(f"the task's own view is left out: {why}", "dim"))
        if not full:
            more = "; --limit N shows more" if len(found.picked) < found.total else ""
            shown = f"{len(found.picked):,} of {found.total:,} samples that match{more}"
            console.print(styled(shown if found.total else run.unmerged or "no sample matches", "dim"))


def paragraph(text: str, indent: int = 2) -> "RenderableType":
    """Text with its line ends, cut if it is very long."""
    from rich.padding import Padding
    from rich.text import Text as RichText

    return Padding(RichText(shortened(text, MOST_TEXT)), (0, 0, 0, indent))


def facts(pairs: Iterator[tuple[str, str]]) -> Iterator["RenderableType"]:
    """Names and values, a line each."""
    for name, value in pairs:
        yield styled(f"{one_line(name)}: {one_line(value, 500)}", "", 2)


def block(found: Block) -> Iterator["RenderableType"]:
    """One block with its title."""
    if found.title:
        yield styled(found.title, "bold")
    match found:
        case Text():
            yield paragraph(found.text)
        case Facts():
            yield from facts((name, cell_text(value)) for name, value in found.facts.items())
        case Table() | Plot():  # of a plot, a terminal gets the numbers
            grid = table_grid(found) if isinstance(found, Table) else plot_grid(found)
            yield table(grid, range(len(grid.columns)))
        case Code():
            yield from code(found)
        case Dialogue():
            for turn in found.turns:
                notes = f" ({'; '.join(turn.notes)})" if turn.notes else ""
                yield styled(f"{turn.speaker}{notes}", "dim")
                yield paragraph(turn.text)


def code(found: Code) -> Iterator["RenderableType"]:
    """Numbered lines, with findings below theirs."""
    lines = clean(found.code).split("\n")
    at: dict[int, list[str]] = {}
    for finding in found.findings:
        at.setdefault(min(max(finding.line, 1), len(lines)), []).append(finding.text)
    for place, line in enumerate(lines[:MOST_LINES], 1):
        yield paragraph(f"{place:4} {line}", 0)
        for text in at.get(place, ()):
            yield styled(f"^ {text}", "yellow", 5)
    if len(lines) > MOST_LINES:
        yield styled(f"{len(lines) - MOST_LINES:,} more lines", "dim", 5)
