"""Plots of numbers against numbers, laid out in percents of their area.

Drawn by `templates/plot.html.j2` as an SVG without a size of its own, so that lines, marks and text stay
as large on a phone as on a large screen, in both colour schemes, under a policy without style attributes.
Rows of categories are dot plots (`dot_plots`).
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from suite.blocks import Line, Plot
from suite.report.dot_plots import ticks

MOST_LINES = 12
MOST_POINTS = 5000
SERIES = 8  # colours; lines beyond are told apart by dash and mark
MOST_TICKS = 8  # at the values themselves; where there are more, round numbers
BINS = 30
MARGIN = 0.05  # of an axis, beyond what is drawn
BAR = 0.8  # of the room between two bars

Point = tuple[float, ...]  # x, y, and the ends of its interval where it has one


class Spot(NamedTuple):
    """A point with the ends of its interval, in percents from the left and from the top."""

    x: float
    y: float
    ends: tuple[float, float] | None


class Layout(NamedTuple):
    """Where all lies. lines: of each its spots. bar: half the width of one; floor: where it stands.

    x_ticks, y_ticks: (place, number). diagonal: places of its two ends.
    """

    lines: Sequence[Sequence[Spot]]
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    bar: float
    floor: float
    diagonal: tuple[Spot, Spot]


def series_class(index: int) -> str:
    """CSS class of the nth line's colour, for a legend outside the plot."""
    return f"c{index % SERIES}"


def layout(plot: Plot, most: int | None = MOST_LINES) -> Layout:
    """The plot in percents. Points that are no finite numbers are left out. most: lines, all if None."""
    lines = [_points(line) for line in plot.lines[:most]]
    lines = [_binned(line) for line in lines] if plot.kind == "histogram" else lines
    upright = plot.kind in ("bars", "histogram")
    xs = sorted({point[0] for line in lines for point in line})
    ys = [y for line in lines for point in line for y in point[1:]] + [0.0] * upright
    gap = min((b - a for a, b in pairwise(xs)), default=1.0) * upright
    left, right = _widened(xs[0] - gap / 2, xs[-1] + gap / 2) if xs else (0.0, 1.0)
    bottom, top = _widened(min(ys, default=0.0), max(ys, default=1.0))
    if plot.y_range and _drawable(*plot.y_range) and plot.y_range[0] < plot.y_range[1]:
        bottom, top = plot.y_range

    def spot(x: float, y: float, *ends: float) -> Spot:
        places = [100 * (top - one) / (top - bottom) for one in (y, *ends)]
        return Spot(100 * (x - left) / (right - left), places[0], (places[1], places[2]) if ends else None)

    at = list(xs)
    if len(xs) > MOST_TICKS or any(b - a < (right - left) / MOST_TICKS for a, b in pairwise(xs)):
        whole = all(x.is_integer() for x in xs)
        at = [one for one in ticks(left, right) if float(one).is_integer() or not whole]
    low, high = max(left, bottom), min(right, top)
    return Layout(
        [[spot(*point) for point in line] for line in lines],
        [(spot(x, bottom).x, f"{x:.6g}") for x in at],
        [(spot(left, y).y, f"{y:.6g}") for y in ticks(bottom, top)],
        100 * gap / (right - left) * BAR / 2 / max(len(lines), 1),
        spot(left, max(bottom, 0.0)).y,
        (spot(low, low), spot(high, high)),
    )


def _points(line: Line) -> list[Point]:
    ends = [*line.intervals[:MOST_POINTS], *[None] * MOST_POINTS]
    return [
        (float(x), float(y), *(given if given and _drawable(*given) else ()))
        for (x, y), given in zip(line.points[:MOST_POINTS], ends, strict=False)
        if _drawable(x, y)
    ]


def _binned(points: Sequence[Point]) -> list[Point]:
    """Sums of y over equal bins of x, at their middles."""
    if not points:
        return []
    low, high = _widened(min(p[0] for p in points), max(p[0] for p in points))
    count = min(BINS, len({p[0] for p in points}))
    sums = [0.0] * count
    for x, y, *_ in points:
        sums[min(int((x - low) / (high - low) * count), count - 1)] += y
    return [(low + (high - low) * (i + 0.5) / count, one) for i, one in enumerate(sums)]


def _widened(low: float, high: float) -> tuple[float, float]:
    """An axis a little longer than what is drawn on it, and never of no length."""
    size = max(abs(low), abs(high))
    room = MARGIN * (high - low) if high - low > 1e-9 * size and size > 1e-200 else max(size, 1e-9) / 2
    return low - room, high + room


def _drawable(*numbers: float) -> bool:
    return all(isinstance(one, int | float) and math.isfinite(one) and abs(one) < 1e290 for one in numbers)
