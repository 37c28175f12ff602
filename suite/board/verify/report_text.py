"""A verification as plain text, for people: the macros of `report.j2`."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from suite.board.bundle.rungs import shown
from suite.report.hostile_text import one_line
from suite.report.numbers import counted

if TYPE_CHECKING:
    from jinja2.environment import TemplateModule


@cache
def _macros() -> "TemplateModule":
    from jinja2 import Environment, StrictUndefined

    made = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters |= {"counted": counted, "one_line": one_line, "shown": shown}
    return made.from_string((files(__package__) / "report.j2").read_text("utf-8")).module


def report_lines(macro: str, *values: object) -> list[str]:
    """The lines that a macro makes: `as_text`, `told_of`, `comment`."""
    text: str = getattr(_macros(), macro)(*values)
    return text.split("\n")[:-1]
