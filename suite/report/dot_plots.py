"""Rows of values on one axis, a row a label: differences beside a line at zero, or the values of two sides.

Drawn as HTML whose labels wrap and are never cut, with a small SVG in each row whose places are percents of
its width: so it fits a phone and a large screen, both colour schemes, and a page without style attributes.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from suite.blocks import Plot
from suite.report.hostile_text import one_line
from suite.report.numbers import number, signed

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
    """A value with its interval, in percent of the axis."""

    series: int
    at: str
    low: str
    high: str


class DotRow(NamedTuple):
    """One row. text: its numbers."""

    label: str
    marks: list[Mark]
    text: str


class Dots(NamedTuple):
    """A plot laid out. ticks: place in percent and number. zero: place of the line at zero, or ""."""

    rows: list[DotRow]
    ticks: list[tuple[str, str]]
    zero: str


def lay_out(plot: DotPlot) -> Dots:
    """Where everything of a plot lies. What is no finite number has no mark."""
    found: list[list[tuple[int, float, tuple[float, float]]]] = [[] for _ in plot.x_labels]
    for series, line in enumerate(plot.lines):
        for index, (x, y) in enumerate(line.points):
            ends = (line.intervals[index] if index < len(line.intervals) else None) or (y, y)
            if math.isfinite(x) and 0 <= round(x) < len(found) and all(map(_drawable, (y, *ends))):
                found[round(x)].append((series, y, ends))
    numbers = [one for row in found for _, y, ends in row for one in (y, *ends)]
    low, high = _axis(numbers, zero=plot.sides is not None)

    def at(value: float) -> str:
        return f"{100 * (value - low) / (high - low):.2f}%"

    rows = [
        DotRow(
            label,
            [Mark(series, at(y), *map(at, ends)) for series, y, ends in row],
            " ".join(_text(plot, *one) for one in row) or number(None),
        )
        for label, row in zip(_apart(plot.x_labels), found, strict=True)
    ]
    ticks = [(at(one), (signed if plot.sides else number)(one)) for one in _ticks(low, high)]
    return Dots(rows, ticks, at(0.0) if plot.sides else "")


def _drawable(value: float) -> bool:
    return math.isfinite(value) and abs(value) < 1e300


def _axis(numbers: Sequence[float], *, zero: bool) -> tuple[float, float]:
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
        beside = BESIDE_ZERO * (high - low)
        low, high = min(low, -beside), max(high, beside)
    span = (high - low) or abs(high) or 1.0
    return low - MARGIN * span, high + MARGIN * span


def _ticks(low: float, high: float) -> Iterator[float]:
    """Round numbers on the axis."""
    rough = (high - low) / TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(one * size for one in (1, 2, 5, 10) if one * size >= rough)
    first = math.ceil(low / step)
    return (step * index for index in range(first, math.floor(high / step) + 1))


def _text(plot: DotPlot, series: int, value: float, ends: tuple[float, float]) -> str:
    form = signed if plot.sides else number
    name = f"{one_line(plot.lines[series].name, 60)} " if len(plot.lines) > 1 else ""
    return f"{name}{form(value)}" + (f" [{form(ends[0])}, {form(ends[1])}]" if ends != (value, value) else "")


def _apart(labels: Sequence[str]) -> Iterator[str]:
    """Labels as they are shown; what would look the same gets a number."""
    shown = [one_line(label, 200) for label in labels]
    times, seen = Counter(shown), Counter[str]()
    for label in shown:
        seen[label] += 1
        yield f"{label} ({seen[label]})" if times[label] > 1 else label
