"""Plain text by Jinja templates that lie beside the code: the lines of their macros."""

import json
from collections.abc import Callable, Iterable
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING

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


@cache
def _plain(template: str) -> Macros:
    return Macros(template, as_json, counted, interval, listed, number, one_line, percent, plain, shown_usd)


def text_lines(template: str, macro: str, *values: object) -> list[str]:
    """The lines that a macro makes. template: its file within `suite`."""
    return _plain(template).text(macro, *values).split("\n")[:-1]
