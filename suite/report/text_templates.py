"""Plain text, and sections of typed blocks, by Jinja templates that lie beside the code: what macros make.

Of sections, prose and plain tables stand in the templates, numbers come from code.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING

from suite.blocks import Block, Facts, Section, Shown, Table, Text
from suite.chat import Json
from suite.errors import listed
from suite.models.prices import shown_usd
from suite.report.hostile_text import one_line
from suite.report.numbers import counted, interval, number, percent, plain

if TYPE_CHECKING:
    from jinja2.environment import TemplateModule


def as_json(value: Json) -> str:
    """A value as JSON, text without its quotes."""
    return json.dumps(value, ensure_ascii=False).strip('"')


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


class Macros:
    """The macros of a template, read when the first is asked for.

    filters: by their own names. kinds: to ask for with `is`. known: globals.
    """

    def __init__(
        self, template: str, *filters: Callable[..., object], kinds: Iterable[type] = (), **known: object
    ) -> None:
        self._given = template, filters, kinds, known

    @cached_property
    def _module(self) -> "TemplateModule":
        from jinja2 import Environment, StrictUndefined

        template, filters, kinds, known = self._given
        made = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        made.filters |= {one.__name__: one for one in filters}
        made.tests |= {one.__name__: lambda value, kind=one: isinstance(value, kind) for one in kinds}
        return made.from_string((files("suite") / template).read_text("utf-8"), known).module

    def text(self, macro: str, *values: object) -> str:
        text: str = getattr(self._module, macro)(*values)
        return text

    def said(self, macro: str, *values: object) -> list[tuple[str, str]]:
        """(label, text) of each `{% call say(label) %}text{% endcall %}` of a macro; it takes `say` last."""
        found: list[tuple[str, str]] = []

        def say(label: str, caller: Callable[[], str]) -> str:
            found.append((label, caller()))
            return ""

        self.text(macro, *values, say)
        return found

    def sections(self, macro: str, *values: object) -> list[Section]:
        """The sections that a macro adds to the writer, which it takes last."""
        writer = SectionWriter()
        self.text(macro, *values, writer)
        return writer.sections


@cache
def _plain(template: str) -> Macros:
    return Macros(template, as_json, counted, interval, listed, number, one_line, percent, plain, shown_usd)


def text_lines(template: str, macro: str, *values: object) -> list[str]:
    """The lines that a macro makes. template: its file within `suite`."""
    return _plain(template).text(macro, *values).split("\n")[:-1]
