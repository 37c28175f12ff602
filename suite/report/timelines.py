"""Values by the day they were measured: marks of several kinds, levels, lines to hold them to, and events.

Drawn by `templates/timeline.html.j2`, laid out as every plot is (`plots`).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from suite.blocks import Line, Plot
from suite.report import plots

DAY = 86_400
APART = 0.4  # of the axis, between two dates: as a phone has room


class Timeline(Plot, frozen=True):
    """Each of `lines` is a kind of mark, x is days since 1970.

    paths: curves through marks, which hold no marks of their own. rules: (name, y) of lines across.
    events: (name of one or two letters, x) of lines upright.
    """

    paths: Sequence[Line] = ()
    rules: Sequence[tuple[str, float]] = ()
    events: Sequence[tuple[str, float]] = ()


class Drawing(NamedTuple):
    """All places in percents. marks: of each line. paths: of each path. rules, events, dates: with names."""

    marks: Sequence[Sequence[plots.Spot]]
    paths: Sequence[Sequence[plots.Spot]]
    y_ticks: Sequence[tuple[float, str]]
    rules: Sequence[tuple[float, str]]
    events: Sequence[tuple[float, str]]
    dates: Sequence[tuple[float, str]]


def day_of(time: datetime) -> float:
    """Days since 1970."""
    return time.timestamp() / DAY


def drawing(it: Timeline) -> Drawing:
    """The timeline in percents."""
    days = sorted({x for line in it.lines for x, _ in line.points})
    if not days:
        return Drawing((), (), (), (), (), ())
    across = [Line(name, [(days[0], y)]) for name, y in it.rules]
    level = next(y for line in it.lines for _, y in line.points)
    upright = [Line(name, [(x, level)]) for name, x in it.events]
    dated: list[Line] = []
    for x in reversed(days):
        if not dated or dated[-1].points[0][0] - x >= APART * (days[-1] - days[0]):
            dated.append(Line(_date(x), [(x, level)]))
    parts = [it.lines, it.paths, across, upright, dated]
    found = plots.layout(Plot([line for part in parts for line in part]), most=None)
    spots = iter(found.lines)
    marks, paths, rules, events, dates = ([next(spots) for _ in part] for part in parts)
    return Drawing(
        marks,
        paths,
        found.y_ticks,
        [(spot.y, line.name) for line, (spot,) in zip(across, rules, strict=True)],
        [(spot.x, line.name) for line, (spot,) in zip(upright, events, strict=True)],
        [(spot.x, line.name) for line, (spot,) in zip(dated, dates, strict=True)],
    )


def _date(day: float) -> str:
    return datetime.fromtimestamp(day * DAY, UTC).strftime("%Y-%m-%d")
