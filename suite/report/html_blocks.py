"""Each typed block as HTML. Everything a block says is escaped; nothing it says can be markup or style.

Markup comes from format strings written here, whose arguments `Markup.format` escapes.
"""

from collections.abc import Callable, Iterable
from itertools import count

from markupsafe import Markup, escape

from suite.blocks import Block, Code, Dialogue, Facts, Finding, Plot, Section, Table, Text
from suite.report import plots
from suite.report.hostile_text import clean, cut, one_line
from suite.report.markdown import cell_text, plot_grid
from suite.report.matrix import Grid

MOST_TEXT = 20_000
MOST_ROWS = 500
MOST_CELL = 1_000
MOST_TURNS = 400
EMPTY = Markup("")


class Drawer:
    """Draws blocks for one page; numbers its plots so that their ids are unique."""

    def __init__(self, prefix: str = "plot") -> None:
        self._numbers = count(1)
        self._prefix = prefix

    def section(self, found: Section) -> Markup:
        """A titled section."""
        blocks = Markup("").join(self.block(one) for one in found.blocks)
        return Markup("<section><h2>{}</h2>{}</section>").format(one_line(found.title), blocks)

    def block(self, found: Block) -> Markup:
        """One block with its title."""
        draw: dict[type, Callable[..., Markup]] = {
            Text: text_block,
            Facts: facts_block,
            Table: table_block,
            Plot: self.plot,
            Code: code_block,
            Dialogue: dialogue_block,
        }
        head = Markup("<h4>{}</h4>").format(one_line(found.title)) if found.title else EMPTY
        return Markup('<div class="block">{}{}</div>').format(head, draw[type(found)](found))

    def plot(self, found: Plot) -> Markup:
        """A plot with its legend, and the numbers behind it as a table to unfold."""
        identity = f"{self._prefix}-{next(self._numbers)}"
        try:
            svg = Markup(plots.draw_plot(found, identity))  # made here, its text escaped by the XML writer
        except Exception as error:  # what a plugin may hand over is not ours to foresee
            svg = Markup('<p class="failed">This plot cannot be drawn: {}</p>').format(
                one_line(f"{type(error).__name__}: {error}")
            )
        shown = found.lines[: plots.MOST_LINES]
        keys = Markup("").join(
            Markup('<li><span class="key bg-{}"></span>{}</li>').format(
                plots.series_class(index), one_line(line.name, 100)
            )
            for index, line in enumerate(shown)
            if len(shown) > 1
        )
        legend = Markup('<ul class="legend">{}</ul>').format(keys) if keys else EMPTY
        return Markup(
            '<figure>{}{}<details class="numbers"><summary>Numbers</summary>{}</details></figure>'
        ).format(svg, legend, grid_table(plot_grid(found)))


def left_out(count: int, what: str) -> Markup:
    """A line that says how many of something are not shown; nothing for none."""
    return Markup('<p class="cut">{:,} {}</p>').format(count, what) if count > 0 else EMPTY


def text_block(found: Text) -> Markup:
    """Plain text, line ends kept."""
    return body(found.text)


def body(text: str, most: int = MOST_TEXT) -> Markup:
    """Text that somebody or some model wrote: as it is, in its own direction, cut if it is very long."""
    shown, left = cut(text, most)
    more = left_out(left, "characters more are not shown here.")
    return Markup('<div class="text" dir="auto">{}</div>{}').format(clean(shown), more)


def facts_block(found: Facts) -> Markup:
    """Names and values."""
    return definitions((name, cell_text(value)) for name, value in found.facts.items())


def definitions(pairs: Iterable[tuple[str, str]]) -> Markup:
    """A definition list."""
    rows = Markup("").join(
        Markup('<dt>{}</dt><dd dir="auto">{}</dd>').format(one_line(name), clean(cut(value, MOST_CELL)[0]))
        for name, value in pairs
    )
    return Markup('<dl class="facts">{}</dl>').format(rows) if rows else EMPTY


def table_block(found: Table) -> Markup:
    """A table; numbers to the right, None as a dash."""
    numbers = [
        bool(values) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
        for values in (
            [row[i] for row in found.rows if i < len(row) and row[i] is not None]
            for i in range(len(found.columns))
        )
    ]
    rows = [[cell_text(value) for value in row] for row in found.rows[:MOST_ROWS]]
    return _table(found.columns, rows, numbers, len(found.rows))


def grid_table(found: Grid) -> Markup:
    """A grid: its leading columns are names, the others numbers."""
    numbers = [index >= found.left for index in range(len(found.columns))]
    return _table(found.columns, found.rows[:MOST_ROWS], numbers, len(found.rows))


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]], numbers: list[bool], total: int) -> Markup:
    def cell(tag: str, index: int, value: str) -> Markup:
        numeric = index < len(numbers) and numbers[index]
        kind = Markup(' class="n"') if numeric else Markup(' dir="auto"')
        scope = Markup(' scope="col"') if tag == "th" else EMPTY
        return Markup("<{0}{1}{2}>{3}</{0}>").format(
            Markup(tag), scope, kind, clean(cut(value, MOST_CELL)[0])
        )

    head = Markup("").join(cell("th", index, name) for index, name in enumerate(columns))
    lines = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(cell("td", i, value) for i, value in enumerate(row)))
        for row in rows
    )
    more = left_out(total - MOST_ROWS, "more rows are not shown here.")
    return Markup(
        '<div class="wide" tabindex="0"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>{}'
    ).format(head, lines, more)


def code_block(found: Code) -> Markup:
    """Source code, coloured, with line numbers and its findings below their lines."""
    shown, left = cut(clean(found.code), MOST_TEXT)
    at: dict[int, list[Finding]] = {}
    lines = coloured(shown, found.language)
    for finding in found.findings:
        at.setdefault(min(max(finding.line, 1), len(lines)), []).append(finding)
    rows = Markup("").join(
        Markup('<li value="{}"><code>{}</code>{}</li>').format(
            number,
            line,
            Markup("").join(
                Markup('<p class="finding">{}</p>').format(clean(cut(one.text, MOST_CELL)[0]))
                for one in at.get(number, ())
            ),
        )
        for number, line in enumerate(lines, 1)
    )
    more = left_out(left, "characters more are not shown.")
    return Markup('<div class="wide" tabindex="0"><ol class="code">{}</ol></div>{}').format(rows, more)


def coloured(code: str, language: str) -> list[Markup]:
    """The lines of a program with its tokens marked by pygments' short classes; at least one line."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    lines = code.split("\n")
    if max(map(len, lines)) > 2_000:  # lexers may take very long over such lines
        return [escape(line) for line in lines]
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return [escape(line) for line in lines]
    drawn = highlight(code, lexer, HtmlFormatter(nowrap=True, classprefix="p-"))
    return [Markup(line) for line in drawn.removesuffix("\n").split("\n")]  # pygments has escaped it


def dialogue_block(found: Dialogue) -> Markup:
    """Turns as a timeline."""
    turns = Markup("").join(
        message(turn.speaker, turn.text, tuple(turn.notes)) for turn in found.turns[:MOST_TURNS]
    )
    more = left_out(len(found.turns) - MOST_TURNS, "more turns are not shown.")
    return Markup('<div class="dialogue">{}</div>{}').format(turns, more)


def message(speaker: str, text: str, notes: tuple[str, ...] = (), most: int = MOST_TEXT) -> Markup:
    """One message: who, what, and notes beside it."""
    who = speaker if speaker in ("system", "user", "assistant", "tool") else "other"
    beside = Markup("").join(Markup('<span class="note">{}</span>').format(one_line(note)) for note in notes)
    return Markup('<div class="turn {}"><div class="who">{}{}</div>{}</div>').format(
        who, one_line(speaker, 60), beside, body(text, most)
    )
