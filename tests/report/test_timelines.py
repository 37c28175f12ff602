"""Timelines: places of marks, dates that have room, and text that is only text."""

from suite.blocks import Line
from suite.report.html_blocks import Drawer
from suite.report.timelines import Timeline, drawing


def timeline(*days: float, name: str = "pass") -> Timeline:
    marks = Line(name, [(day, 0.1) for day in days], [(0.0, 0.2) for _ in days])
    return Timeline([marks], rules=[("at least", 0.05)], events=[("1", days[-1])], paths=[Line("level", [])])


def test_the_last_night_has_a_date_and_no_two_dates_are_near() -> None:
    _, dates = drawing(timeline(20_000, 20_001, 20_002, 20_100))
    assert dates == ["2025-01-12", "2024-10-06"]


def test_an_event_stands_where_its_night_does() -> None:
    found, _ = drawing(timeline(20_000, 20_010))
    marks, _, _, event, *_ = found.lines
    assert event[0].x == marks[-1].x


def test_one_night_alone_is_drawn() -> None:
    assert str(Drawer().block(timeline(20_000))).count('class="whisker') == 1


def test_a_name_is_never_markup() -> None:
    assert "<b>" not in str(Drawer().block(timeline(20_000, name="<b>")))
