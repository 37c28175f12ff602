"""Plain text by Jinja templates that lie beside the code: the lines of their macros."""

import json
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from suite.chat import Json
from suite.models.prices import shown_usd
from suite.report.hostile_text import one_line
from suite.report.numbers import counted, interval, number, percent, plain

if TYPE_CHECKING:
    from jinja2.environment import TemplateModule


def as_json(value: Json) -> str:
    """A value as JSON, text without its quotes."""
    return json.dumps(value, ensure_ascii=False).strip('"')


def text_macros(
    template: str, filters: Iterable[Callable[..., object]], kinds: Iterable[type] = (), **known: object
) -> "TemplateModule":
    """The macros of a template. filters: by their own names. kinds: to ask for with `is`. known: globals."""
    from jinja2 import Environment, StrictUndefined

    made = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters |= {one.__name__: one for one in filters}
    made.tests |= {one.__name__: lambda value, kind=one: isinstance(value, kind) for one in kinds}
    return made.from_string((files("suite") / template).read_text("utf-8"), known).module


@cache
def _macros(template: str) -> "TemplateModule":
    filters = (as_json, counted, interval, number, one_line, percent, plain, shown_usd)
    return text_macros(template, filters)


def text_lines(template: str, macro: str, *values: object) -> list[str]:
    """The lines that a macro makes. template: its file within `suite`."""
    return text_of(_macros(template), macro, *values).split("\n")[:-1]


def text_of(macros: "TemplateModule", macro: str, *values: object) -> str:
    """The text that one of the macros makes."""
    text: str = getattr(macros, macro)(*values)
    return text


def said(macros: "TemplateModule", macro: str, *values: object) -> list[tuple[str, str]]:
    """(label, text) of each `{% call say(label) %}text{% endcall %}` of a macro; it takes `say` last."""
    found: list[tuple[str, str]] = []

    def say(label: str, caller: Callable[[], str]) -> str:
        found.append((label, caller()))
        return ""

    text_of(macros, macro, *values, say)
    return found
