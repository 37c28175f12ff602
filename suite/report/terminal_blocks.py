"""Typed blocks for a terminal, as rich renderables; all text is cleaned and never markup."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from suite.blocks import Block, Code, Dialogue, Facts, Plot, Table, Text
from suite.report.cleaning import clean, cut, one_line
from suite.report.markdown_blocks import cell_text, plot_grid, table_grid
from suite.report.terminal import styled, table

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST_TEXT = 4_000
MOST_ROWS = 100
MOST_LINES = 400


def paragraph(text: str, indent: int = 2) -> "RenderableType":
    """Text with its line ends, cut if it is very long."""
    from rich.padding import Padding
    from rich.text import Text as RichText

    shown, left = cut(text, MOST_TEXT)
    more = f"\n… {left:,} characters more" if left else ""
    return Padding(RichText(clean(shown) + more), (0, 0, 0, indent))


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
        case Table():
            grid = table_grid(found)
            yield table(grid, range(len(grid.columns)))
        case Plot():  # a terminal gets the numbers
            grid = plot_grid(found)
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
    for number, line in enumerate(lines[:MOST_LINES], 1):
        yield paragraph(f"{number:4} {line}", 0)
        for text in at.get(number, ()):
            yield styled(f"^ {text}", "yellow", 5)
    if len(lines) > MOST_LINES:
        yield styled(f"{len(lines) - MOST_LINES:,} more lines", "dim", 5)
