"""Figures of the site: intervals as lines, who is significantly better than whom as a table with words, and
the small bars of the big table, on an axis that all rows share.

Drawn with presentation attributes and classes only, since the pages' policy forbids style attributes.
"""

import math
import unicodedata
from collections.abc import Sequence

from markupsafe import Markup

from suite.board.rank.state import Listed
from suite.board.rank.ranking import Standing
from suite.board.site.markup import name
from suite.report.numbers import number

MOST_LINES = 30
MOST_PAIRS = 30
PLOT, STEP = 500, 22  # width of the plot, height of a line
SCALE = 1.2  # pixels of a page to one of the drawing
WIDTH = 120
Bar = tuple[float | None, float, float | None]
"""(low, value, high) as shares of the axis; the ends are None where no interval is known."""


def leading(standing: Standing) -> list[int]:
    """Places of the entries that have a rank, best first."""
    ranked = [i for i, rank in enumerate(standing.rank) if rank is not None]
    return sorted(ranked, key=lambda i: (standing.rank[i] or 0, i))


def forest(standing: Standing, entries: Sequence[Listed], title: str, level: str) -> Markup:
    """Values with their intervals, best first, at most 30. The numbers are in the table of the same page.

    level: of the intervals, in words. The figure can be scrolled where it is wider than the page.
    """
    shown = [i for i in leading(standing)[:MOST_LINES] if standing.value[i] is not None]
    if not shown:
        return Markup("")
    ends = [x for i in shown for x in (standing.low[i], standing.value[i], standing.high[i]) if x is not None]
    ticks = nice(min(ends), max(ends))
    low, high = min([ticks[0], *ends]), max([ticks[-1], *ends])

    labels = [name(entries[i].entry.submission.model.display_name, 32) for i in shown]
    left = max(map(_breadth, labels))
    width = left + PLOT + 32

    def at(value: float) -> str:
        return f"{left + 12 + (PLOT - 12) * (value - low) / ((high - low) or 1):.1f}"

    height = STEP * len(shown) + 34
    parts = [
        Markup(
            '<path class="g" d="M{0} 6V{1}"/><text class="k" x="{0}" y="{2}" text-anchor="middle">{3}</text>'
        ).format(at(tick), height - 24, height - 8, number(tick))
        for tick in ticks
    ]
    known = {i for i in shown if standing.low[i] is not None and standing.high[i] is not None}
    for line, i in enumerate(shown):
        y = 16 + line * STEP
        text = Markup('<text x="{}" y="{}" text-anchor="end">{}</text>')
        parts.append(text.format(left, y + 4, labels[line]))
        if i in known:
            parts.append(
                Markup('<path class="i" d="M{} {}H{}"/>').format(
                    at(standing.low[i] or 0.0), y, at(standing.high[i] or 0.0)
                )
            )
        dot = Markup('<circle{} cx="{}" cy="{}" r="4"/>')
        style = Markup("" if i in known else ' class="u"')
        parts.append(dot.format(style, at(standing.value[i] or 0.0), y))
    more = len(leading(standing)) - len(shown)
    said = f"A dot is a value, its line the interval at {level}."
    if len(known) < len(shown):
        said += " A hollow dot has no interval."
    if more:
        said += f" The first {len(shown)} of {len(shown) + more} entries."
    return Markup(
        '<figure class="forest" tabindex="0" aria-label="{2}">'
        '<svg viewBox="0 0 {0} {1}" width="{5}" role="img"><title>{2}</title>{3}</svg>'
        "<figcaption>{4}</figcaption></figure>"
    ).format(width, height, title, Markup("").join(parts), said, round(width * SCALE))


def _breadth(label: str) -> int:
    """About how broad a label is, in units of the drawing."""
    return 8 + sum(12 if unicodedata.east_asian_width(one) in "WF" else 7 for one in label)


def nice(low: float, high: float, most: int = 7) -> list[float]:
    """Round numbers that hold low and high between them, at most `most` + 1 of them."""
    if not high - low > max(1e-9 * max(abs(low), abs(high)), 1e-10):  # ticks have 12 decimals
        return [low]
    rough = (high - low) / most
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * one for one in (1, 2, 2.5, 5, 10) if size * one >= rough)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(one * step, 12) for one in range(first, last + 1)]


def matrix(standing: Standing, entries: Sequence[Listed], href: str) -> Markup:
    """Who is better than whom, all pairs tested at once: words, not colours alone. At most 30 entries."""
    where = {index: k for k, index in enumerate(standing.members)}
    shown = [i for i in leading(standing)[:MOST_PAIRS] if i in where]
    if len(shown) < 2 or standing.pairs.critical is None:
        return Markup("")
    head = Markup("").join(
        Markup('<th scope="col"><abbr title="{}">{}</abbr></th>').format(_name(entries[j]), n)
        for n, j in enumerate(shown, 1)
    )
    body = []
    for n, i in enumerate(shown, 1):
        cells = []
        for j in shown:
            better, worse = (
                standing.pairs.better[where[i], where[j]],
                standing.pairs.better[where[j], where[i]],
            )
            word, style = ("better", "b") if better else ("worse", "w") if worse else ("tied", "t")
            cells.append(
                Markup('<td class="s">·</td>')
                if i == j
                else Markup('<td class="{}">{}</td>').format(style, word)
            )
        body.append(
            Markup('<tr><th scope="row">{}. <a href="{}{}.html">{}</a></th>{}</tr>').format(
                n, href, entries[i].entry.short, _name(entries[i]), Markup("").join(cells)
            )
        )
    more = len(leading(standing)) - len(shown)
    caption = "Row against column: significantly better, significantly worse, or tied"
    caption += f" (the first {len(shown)} of {len(shown) + more} entries)." if more else "."
    return Markup(
        '<div class="wide" role="region" tabindex="0" aria-label="Pairs">'
        '<table class="pairs"><caption>{}</caption>'
        "<thead><tr><td></td>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(caption, head, Markup("").join(body))


def _name(listed: Listed) -> str:
    return name(listed.entry.submission.model.display_name, 40)


def around(values: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis: round numbers around all values, 0 to 1 if there are none."""
    ticks = nice(min(values, default=0.0), max(values, default=1.0))
    if ticks[-1] > ticks[0]:
        return ticks[0], ticks[-1]
    pad = max(0.5, abs(ticks[0]) * 1e-3)  # a half alone vanishes beside the largest floats
    return ticks[0] - pad, ticks[0] + pad


def shares(low: float | None, value: float, high: float | None, axis: tuple[float, float]) -> Bar:
    """Where on the axis they lie, 0 to 1."""

    def share(one: float) -> float:
        return round((one - axis[0]) / (axis[1] - axis[0]), 4)

    return None if low is None else share(low), share(value), None if high is None else share(high)


def drawn(bar: Bar | None) -> str:
    """As SVG; the dot is hollow where no interval is known.

    The numbers stand beside it, so it says nothing to a reader's ear.
    """
    if bar is None:
        return ""
    low, value, high = bar
    dot = f'cx="{_at(value)}" cy="6" r="3"'
    line = f'<circle class="u" {dot}/>'
    if low is not None and high is not None:
        line = f'<path class="i" d="M{_at(low)} 6H{_at(high)}"/><circle {dot}/>'
    return f'<svg viewBox="-4 0 128 12" aria-hidden="true"><path d="M0 6H{WIDTH}"/>{line}</svg>'


def _at(share: float) -> float:
    return round(share * WIDTH, 1)
