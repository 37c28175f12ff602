"""What the figures of the site draw: intervals as lines, who is significantly better than whom in words, and
the small bars of the big table, on an axis that all rows share. Their markup: `templates/figures.html.j2`.
"""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from suite.board.rank.ranking import Position, Standing
from suite.board.rank.state import RankTable
from suite.board.site.page_words import model

MOST_LINES = 30
MOST_PAIRS = 30
PLOT = 500  # width of the plot
Bar = tuple[float | None, ...]
"""(low, value, high) as shares of the axis, 0 to 1; the ends are None where no interval is known."""


@dataclass(frozen=True)
class Forest:
    """Values with their intervals, best first: (label, entry) a line. more: how many are left out.

    ends: of the axis. left: where the plot begins, in units of the drawing.
    """

    lines: Sequence[tuple[str, Position]]
    more: int
    ticks: Sequence[float]
    ends: tuple[float, float]
    left: int

    @property
    def width(self) -> int:
        """In units of the drawing."""
        return self.left + PLOT + 32

    def at(self, value: float) -> str:
        """Where a value lies."""
        low, high = self.ends
        return f"{self.left + 12 + (PLOT - 12) * (value - low) / ((high - low) or 1):.1f}"


def forest(table: RankTable, standing: Standing) -> Forest | None:
    """The figure of a standing of a table's entries, at most 30 of them; None where there is no value."""
    shown = [(i, standing.at(i)) for i in standing.leading[:MOST_LINES]]
    lines = [(model(table.ranked[i], 32), one) for i, one in shown if one.value is not None]
    if not lines:
        return None
    ends = [x for _, one in lines for x in (one.low, one.value, one.high) if x is not None]
    ticks = nice(min(ends), max(ends))
    axis = min([ticks[0], *ends]), max([ticks[-1], *ends])
    left = max(_breadth(label) for label, _ in lines)
    return Forest(lines, len(standing.leading) - len(lines), ticks, axis, left)


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


def compared(standing: Standing) -> list[tuple[int, list[str]]]:
    """The first 30 entries, each with its word against every one of them, "" for itself; [] if untested."""
    shown = standing.leading[:MOST_PAIRS]
    if len(shown) < 2 or standing.pairs is None or standing.pairs.critical is None:
        return []
    better, where = standing.pairs.better, {index: k for k, index in enumerate(standing.members)}

    def word(i: int, j: int) -> str:
        if better[where[i], where[j]]:
            return "better"
        return "worse" if better[where[j], where[i]] else "tied" if i != j else ""

    return [(i, [word(i, j) for j in shown]) for i in shown]


def around(values: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis: round numbers around all values, 0 to 1 if there are none."""
    ticks = nice(min(values, default=0.0), max(values, default=1.0))
    if ticks[-1] > ticks[0]:
        return ticks[0], ticks[-1]
    pad = max(0.5, abs(ticks[0]) * 1e-3)  # a half alone vanishes beside the largest floats
    return ticks[0] - pad, ticks[0] + pad


def shares(one: Position, axis: tuple[float, float]) -> Bar | None:
    """Where on the axis a value and the ends of its interval lie; None without a value."""
    if one.value is None:
        return None
    ends = (one.low, one.value, one.high)
    return tuple(None if end is None else round((end - axis[0]) / (axis[1] - axis[0]), 4) for end in ends)
