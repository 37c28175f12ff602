"""The small bars of the big table: an interval as a line with a dot, on an axis that all rows share."""

from collections.abc import Sequence

from suite.board.site.figures import nice

WIDTH = 120
Bar = tuple[float | None, float, float | None]
"""(low, value, high) as shares of the axis; the ends are None where no interval is known."""


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
