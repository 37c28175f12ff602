"""Figures of the site: intervals as lines, and who is significantly better than whom as a table with words.

Drawn with presentation attributes and classes only, since the pages' policy forbids style attributes.
"""

import math
from collections.abc import Sequence

from markupsafe import Markup

from suite.board.listing import Listed
from suite.board.ranking import Standing
from suite.board.site.markup import name
from suite.report.formatting import number

MOST_LINES = 30
MOST_PAIRS = 30
WIDTH, LEFT, STEP = 720, 220, 22


def leading(standing: Standing) -> list[int]:
    """Places of the entries that have a rank, best first."""
    ranked = [i for i, rank in enumerate(standing.rank) if rank is not None]
    return sorted(ranked, key=lambda i: (standing.rank[i] or 0, i))


def forest(standing: Standing, entries: Sequence[Listed], title: str) -> Markup:
    """Values with their intervals, best first, at most 30. The numbers are in the table of the same page."""
    shown = [i for i in leading(standing)[:MOST_LINES] if standing.value[i] is not None]
    if not shown:
        return Markup("")
    ends = [x for i in shown for x in (standing.low[i], standing.value[i], standing.high[i]) if x is not None]
    ticks = nice(min(ends), max(ends))
    low, high = min([ticks[0], *ends]), max([ticks[-1], *ends])

    def at(value: float) -> str:
        return f"{LEFT + 12 + (WIDTH - LEFT - 32) * (value - low) / ((high - low) or 1):.1f}"

    height = STEP * len(shown) + 34
    parts = [
        Markup(
            '<path class="g" d="M{0} 6V{1}"/><text class="k" x="{0}" y="{2}" text-anchor="middle">{3}</text>'
        ).format(at(tick), height - 24, height - 8, number(tick))
        for tick in ticks
    ]
    for line, i in enumerate(shown):
        y = 16 + line * STEP
        label = name(entries[i].entry.submission.model.display_name, 32)
        parts.append(Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(LEFT, y + 4, label))
        if standing.low[i] is not None and standing.high[i] is not None:
            parts.append(
                Markup('<path class="i" d="M{} {}H{}"/>').format(
                    at(standing.low[i] or 0.0), y, at(standing.high[i] or 0.0)
                )
            )
        parts.append(Markup('<circle cx="{}" cy="{}" r="4"/>').format(at(standing.value[i] or 0.0), y))
    more = len(leading(standing)) - len(shown)
    note = Markup("<figcaption>The first {} of {} entries.</figcaption>").format(
        len(shown), len(shown) + more
    )
    return Markup(
        '<figure class="forest"><svg viewBox="0 0 {} {}" role="img"><title>{}</title>{}</svg>{}</figure>'
    ).format(WIDTH, height, title, Markup("").join(parts), note if more else Markup(""))


def nice(low: float, high: float, most: int = 7) -> list[float]:
    """Round numbers that hold low and high between them, at most `most` + 1 of them."""
    if not high - low > 1e-9 * max(abs(low), abs(high)):
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
