"""What a figure of the site draws: values with their intervals. Its markup: `templates/figures.html.j2`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from suite.board.rank.ranking import Position, Standing
from suite.board.rank.state import Listed, RankTable

MOST_LINES = 30


@dataclass(frozen=True)
class Forest:
    """Values with their intervals, best first. more: how many are left out. ends: of the axis."""

    lines: Sequence[tuple[Listed, Position]]
    more: int
    ticks: Sequence[float]
    ends: tuple[float, float]


def forest(table: RankTable, standing: Standing, most: int = MOST_LINES) -> Forest | None:
    """The figure of a standing of a table's entries; None where there is no value."""
    lines = [(table.ranked[i], standing.at(i)) for i in standing.leading[:most]]
    if not lines:
        return None
    ends = [x for _, one in lines for x in (one.low, one.value, one.high) if x is not None]
    ticks = nice(min(ends), max(ends), 5)
    axis = min([ticks[0], *ends]), max([ticks[-1], *ends])
    return Forest(lines, len(standing.leading) - len(lines), ticks, axis)


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
