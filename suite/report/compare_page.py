"""Sections of typed blocks drawn by themselves: a comparison, a rating, an audit of a judge.

As text for a terminal, as Markdown, or as one HTML file that opens offline under the same strict
Content-Security-Policy as a run's report. Not here: what the sections say.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TextIO

from markupsafe import Markup

from suite.blocks import Block, Code, Dialogue, Facts, Plot, Section, Table, Text
from suite.report import markdown, terminal_sample
from suite.report.hostile_text import clean, one_line
from suite.report.html import page
from suite.report.html_blocks import Drawer
from suite.report.markdown import cell_text, table_grid
from suite.report.terminal import printing, styled, tables

MOST_SAID = 1200  # characters of one turn in a terminal


class SamplePairs(NamedTuple):
    """Samples of two runs to click through: which and how many in words, the names of the two sources, places
    of the cells that belong together, and the elements that hold the samples."""

    title: str
    about: str
    sources: str
    cells: str
    parts: Iterator[Markup]


def html_page(
    title: str, over: str, sections: Sequence[Section], pairs: Iterable[SamplePairs] = ()
) -> Iterator[str]:
    """The page in pieces. over: a short line above the title."""
    import suite

    shown = list(pairs)
    yield from page(
        "sections.html.j2",
        viewer=bool(shown),
        pairs=shown,
        title=one_line(title),
        over=one_line(over),
        sections=sections,
        drawer=Drawer(),
        version=suite.__version__,
    )
    yield "\n"


def markdown_page(title: str, sections: Sequence[Section]) -> str:
    """The same as a Markdown document."""
    parts = [f"# {markdown.escaped(title)}"]
    parts += [markdown.section(one, 2) for one in sections]
    return "\n\n".join(parts) + "\n"


def print_sections(title: str, sections: Sequence[Section], file: TextIO | None = None) -> None:
    """The same in a terminal; plots are left to the HTML page."""
    with printing(file) as console:
        console.print(styled(title, "bold"))
        for section in sections:
            console.print("")
            console.print(styled(section.title, "bold"))
            for block in section.blocks:
                for part in _terminal(block, console.width):
                    console.print(part)


def _terminal(block: Block, width: int) -> Iterator[object]:
    if isinstance(block, Plot):
        return
    if block.title:
        yield styled(block.title, "italic")
    match block:
        case Table():
            yield from tables(table_grid(block), width)
        case Text():
            yield from (styled(line, "") for line in clean(block.text).split("\n"))
        case Facts():
            yield from terminal_sample.facts((name, cell_text(one)) for name, one in block.facts.items())
        case Code():
            yield from terminal_sample.code(block)
        case Dialogue():  # a turn on one line
            for turn in block.turns:
                yield styled(f"{turn.speaker}: {one_line(turn.text, MOST_SAID)}", "dim", 2)
