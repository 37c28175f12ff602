"""Rows of values on one axis, a row a label: differences beside a line at zero, or the values of two sides.

Drawn by `templates/dots.html.j2` as HTML whose labels wrap and are never cut, with a small SVG in each row
whose places are percents of its width: it fits phones, large screens, both colour schemes, a strict policy.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import NamedTuple

from suite.blocks import Plot
from suite.report.hostile_text import one_line

MOST_ROWS = 200
TICKS = 5  # about so many
MARGIN = 0.06  # of the axis, beyond the outermost mark
BESIDE_ZERO = 0.15  # of the axis at least, on either side of the line at zero


class DotPlot(Plot, frozen=True):
    """`x_labels` names the rows, each of `lines` has a mark in every row, at the place of its x.

    sides: what it means to lie left and right of zero, which then is always on the axis. folded: shown when
    it is asked for.
    """

    sides: tuple[str, str] | None = None
    folded: bool = False


class Mark(NamedTuple):
    """A value with the ends of its interval, all the same where it has none."""

    series: int
    value: float
    low: float
    high: float


def marks(plot: DotPlot) -> list[tuple[str, list[Mark]]]:
    """(label, marks) of each row; no two labels look the same. What is no finite number has no mark."""
    shown = [one_line(label) for label in plot.x_labels]
    times = Counter(shown)
    labels = (f"{one} ({place})" if times[one] > 1 else one for place, one in enumerate(shown, 1))
    rows: list[tuple[str, list[Mark]]] = [(label, []) for label in labels]
    for series, line in enumerate(plot.lines):
        for (x, y), ends in zip(line.points, chain(line.intervals, repeat(None)), strict=False):
            drawable = all(math.isfinite(one) and abs(one) < 1e300 for one in (x, y, *(ends or ())))
            if drawable and 0 <= round(x) < len(rows):
                rows[round(x)][1].append(Mark(series, y, *(ends or (y, y))))
    return rows


def axis(plot: DotPlot, rows: Sequence[tuple[str, list[Mark]]]) -> tuple[float, float]:
    """Where the axis begins and ends."""
    numbers = [one for _, row in rows for mark in row for one in mark[1:]] or [0.0, 1.0]
    numbers += [one for one in plot.y_range or () if math.isfinite(one) and abs(one) < 1e300]
    low, high = min(numbers), max(numbers)
    if plot.sides:
        beside = BESIDE_ZERO * (max(high, 0.0) - min(low, 0.0))
        low, high = min(low, -beside), max(high, beside)
    margin = MARGIN * ((high - low) or abs(high) or 1.0)
    return low - margin, high + margin


def ticks(low: float, high: float) -> Iterator[float]:
    """Round numbers on an axis."""
    rough = (high - low) / TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(one * size for one in (1, 2, 5, 10) if one * size >= rough)
    return (step * index for index in range(math.ceil(low / step), math.floor(high / step) + 1))
