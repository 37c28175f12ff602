"""Sections of typed blocks by Jinja templates: prose and plain tables stand there, numbers come from code."""

from collections.abc import Callable, Mapping

from suite.blocks import Block, Facts, Section, Shown, Table, Text
from suite.report.text_templates import Macros


class SectionWriter:
    """What a template calls to add blocks; bodies of calls are their texts, rows and blocks.

    `{% call to.section("Title") %}{% call to.text() %}A paragraph.{% endcall %}{% endcall %}`. A section
    without blocks is left out.
    """

    def __init__(self) -> None:
        self.sections: list[Section] = []
        self._blocks: list[Block] = []
        self._rows: list[tuple[Shown, ...]] = []

    def section(self, title: str, *, caller: Callable[[], str]) -> str:
        self._blocks = []
        caller()
        if self._blocks:
            self.sections.append(Section(title, tuple(self._blocks)))
        return ""

    def block(self, one: Block) -> str:
        """A block as the code made it."""
        self._blocks.append(one)
        return ""

    def text(self, title: str = "", *, caller: Callable[[], str]) -> str:
        return self.block(Text(caller(), title))

    def facts(self, values: Mapping[str, Shown]) -> str:
        return self.block(Facts(values))

    def table(self, *columns: str, title: str = "", caller: Callable[[], str]) -> str:
        self._rows = []
        caller()
        return self.block(Table(columns, self._rows, title))

    def row(self, *cells: Shown) -> str:
        self._rows.append(cells)
        return ""


def sections_of(macros: Macros, macro: str, *values: object) -> list[Section]:
    """The sections that a macro adds to the writer, which it takes last."""
    writer = SectionWriter()
    macros.text(macro, *values, writer)
    return writer.sections
