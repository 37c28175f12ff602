"""Rows of values on one axis: zero stays in sight, labels differ, whatever the numbers are."""

import math
import re

import pytest

from suite.blocks import Line
from suite.report.dot_plots import DotPlot, axis, marks, ticks
from suite.report.html_blocks import Drawer


def plot(*values: float, labels: tuple[str, ...] = (), sides: bool = True) -> DotPlot:
    line = Line("A minus B", [*enumerate(values)], [(one - 0.1, one + 0.1) for one in values])
    named = labels or tuple(f"row {index}" for index in range(len(values)))
    return DotPlot([line], x_labels=named, sides=("B better", "A better") if sides else None)


@pytest.mark.parametrize("values", [(0.5, 0.9), (-0.9, -0.5), (0.0,), (0.3, -0.3), (1e200,), (-1e-9,)])
def test_zero_lies_inside_the_axis_with_room_on_either_side(values: tuple[float, ...]) -> None:
    found = plot(*values)
    low, high = axis(found, marks(found))
    assert (high - low) * 0.1 < min(-low, high)


def test_without_sides_the_axis_holds_the_values_and_no_more() -> None:
    found = plot(0.5, 0.9, sides=False)
    low, high = axis(found, marks(found))
    assert 0.3 < low < 0.4
    assert 1.0 < high < 1.1


@pytest.mark.parametrize("ends", [(0.0, 1.0), (-0.3, 0.02), (899.0, 1201.0), (1e-12, 3e-12), (-1e290, 1e290)])
def test_ticks_are_few_and_inside(ends: tuple[float, float]) -> None:
    found = list(ticks(*ends))
    assert 2 <= len(found) <= 7
    assert all(ends[0] <= one <= ends[1] for one in found)


def test_rows_that_would_look_the_same_are_numbered() -> None:
    labels = [label for label, _ in marks(plot(0.1, 0.2, 0.3, labels=("a\n", "a", "b")))]
    assert labels == ["a (1)", "a (2)", "b"]


def test_what_is_no_finite_number_has_no_mark_and_a_dash() -> None:
    found = plot(math.nan, math.inf, 1e308, 0.5)
    assert [len(own) for _, own in marks(found)] == [0, 0, 0, 1]
    assert Drawer().block(found).count('<span class="numbers">–</span>') == 3


def test_nothing_to_draw_is_drawn() -> None:
    assert "<figure" in Drawer().block(DotPlot([Line("A", [])], x_labels=["<b>"], sides=("a", "b")))


def test_two_values_of_a_row_are_told_apart_without_colour() -> None:
    lines = [Line("A", [(0, 0.2)]), Line("B", [(0, 0.7)])]
    drawn = str(Drawer().block(DotPlot(lines, x_labels=["row"])))
    forms = re.findall(r'<path class="fill-c([01])" d="([^"]+)"', drawn)
    assert len(forms) == 4  # in the row and in the legend
    assert len(set(forms)) == len({form for _, form in forms}) == 2
    assert "A 0.200" in drawn
    assert 'class="join"' in drawn
