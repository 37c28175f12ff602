"""Each typed block as HTML. Everything a block says is escaped; nothing it says can be markup or style.

The markup stands in `templates/parts.html.j2`, which escapes and cleans whatever is put into it.
"""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup, escape
from msgspec import structs

from suite.blocks import Block, Code, Plot, Section
from suite.report import dot_plots, matrix, plots, timelines
from suite.report.dot_plots import DotPlot
from suite.report.hostile_text import clean, cut, one_line
from suite.report.markdown import cell_text, number_columns, plot_grid
from suite.report.numbers import interval, number, plain, signed

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_CELL = 1_000


@cache
def resource(name: str) -> str:
    """A template, style or script of the reports."""
    return (files("suite.report") / "templates" / name).read_text("utf-8")


@cache
def environment() -> "Environment":
    """Templates with escaping on and every text cleaned."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    made = Environment(
        loader=FunctionLoader(resource),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: clean(value) if type(value) is str else value,
        trim_blocks=False,
    )
    for one in (clean, cut, interval, number, number_columns, one_line, plain, plot_grid, signed):
        made.filters[one.__name__] = one
    made.filters["cell"] = lambda value: cut(cell_text(value), MOST_CELL)[0]
    made.filters["place"] = lambda percent: f"{percent:.2f}%"
    made.filters["zip"] = zip
    made.globals |= {"matrix": matrix, "plots": plots, "dot_plots": dot_plots, "timelines": timelines}
    made.globals["most_lines"] = plots.MOST_LINES
    return made


def part(name: str, /, *values: object, **named: object) -> Markup:
    """A macro of `parts.html.j2` with these values."""
    return Markup(getattr(environment().get_template("parts.html.j2").module, name)(*values, **named))


class Drawer:
    """Draws blocks for one page."""

    def section(self, found: Section) -> Markup:
        return part("section", found, self)

    def block(self, found: Block) -> Markup:
        """One block with its title, or why it cannot be drawn."""
        if type(found) is Plot and found.x_labels:
            found = DotPlot(**structs.asdict(found))
        try:
            return part("block", found, type(found).__name__, self)
        except Exception as error:  # what a plugin may hand over is not ours to foresee
            return part("failed", "A block", f"{type(error).__name__}: {error}")

    def lines(self, found: Code, shown: str) -> list[tuple[Markup, list[str]]]:
        """The lines of what is shown of a program, each with the findings at it."""
        lines: list[tuple[Markup, list[str]]] = [(one, []) for one in coloured(shown, found.language)]
        for one in found.findings:
            lines[min(max(one.line, 1), len(lines)) - 1][1].append(one.text)
        return lines


def coloured(code: str, language: str) -> list[Markup]:
    """The lines of a program with its tokens marked by pygments' short classes; at least one line."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    lines = code.split("\n")
    try:  # lexers may take very long over very long lines
        known = "" if max(map(len, lines)) > 2_000 else language
        lexer = get_lexer_by_name(known, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return [escape(line) for line in lines]
    drawn = highlight(code, lexer, HtmlFormatter(nowrap=True, classprefix="p-"))
    return [Markup(line) for line in drawn.removesuffix("\n").split("\n")]  # pygments has escaped it
