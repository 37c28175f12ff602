"""Values by the day they were measured: marks of several kinds, levels, lines to hold them to, and events.

Drawn by `templates/timeline.html.j2`, laid out as every plot is (`plots`).
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from suite.blocks import Line, Plot
from suite.report import plots

DAY = 86_400
APART = 0.4  # of the axis, between two dates: as a phone has room


class Timeline(Plot, frozen=True):
    """Each of `lines` is a kind of mark, x is days since 1970. paths: curves through marks and, with a name,
    levels. rules: (name, y) of lines across. events: (name of one or two letters, x) of lines upright."""

    paths: Sequence[Line] = ()
    rules: Sequence[tuple[str, float]] = ()
    events: Sequence[tuple[str, float]] = ()


def drawing(it: Timeline) -> tuple[plots.Layout, Sequence[str]]:
    """The layout, its lines being the timeline's, then paths, rules, events and dates; and those dates."""
    days = sorted({x for line in it.lines for x, _ in line.points})
    level = next((y for line in it.lines for _, y in line.points), 0.0)
    dated: list[float] = []
    for x in reversed(days):
        if not dated or dated[-1] - x >= APART * (days[-1] - days[0]):
            dated.append(x)
    across = [Line(name, [(days[0], y)]) for name, y in it.rules if days]
    upright = [Line("", [(x, level)]) for x in [*(x for _, x in it.events), *dated]]
    found = plots.layout(Plot([*it.lines, *it.paths, *across, *upright]), most=None)
    return found, [datetime.fromtimestamp(x * DAY, UTC).strftime("%Y-%m-%d") for x in dated]
