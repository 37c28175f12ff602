"""Tables and the sweep's plot, before anything is drawn."""

from collections.abc import Callable
from pathlib import Path

import pytest

from suite.journal.run import Run
from suite.report.matrix import Grid, headline_grid, notes, shared_deviations, some, sweep_plot, turned
from suite.report.summary import TaskSummary, summarise

Make = Callable[..., Path]


def task_of(folder: Path) -> TaskSummary:
    return summarise(Run(folder)).tasks[0]


def test_the_headline_has_a_row_a_cell_with_everything_beside_it(make_run: Make) -> None:
    folder = make_run()
    grid = headline_grid(task_of(folder), 0.95)
    assert list(grid.columns) == [
        "method", "inter_turns", "kept", "95 % interval", "n", "unscored", "coverage (bounds)", "pending",
    ]  # fmt: skip
    first = Run(folder).results.cells[0].metrics[0]
    assert grid.rows[0][:5] == [
        "plain", "0", f"{first.value:.3f}", f"[{first.low:.3f}, {first.high:.3f}]", str(first.n),
    ]  # fmt: skip
    assert "pending" not in headline_grid(task_of(make_run(pending=0, name="whole")), 0.95).columns


def test_one_remark_on_many_numbers_is_said_once(make_run: Make) -> None:
    lines = list(notes(task_of(make_run(samples=30))))
    assert lines == ["kept: macro over 3 slices"]
    assert some(list("abcdef"), 2) == "a; b; 4 more cells"


def test_facts_that_repeat_a_parameter_are_left_out(make_run: Make) -> None:
    assert shared_deviations(task_of(make_run())) == ["protocol: paper", "prompts: own", "index: bm25 0.3"]


def test_a_wide_table_is_turned_and_a_tall_one_is_not() -> None:
    wide = Grid("t", ["metric", *"abcdefg"], [["m", *"1234567"], ["k", *"7654321"]])
    found = turned(wide)
    assert (found.columns, found.rows[0], len(found.rows)) == (["cell", "m", "k"], ["a", "1", "7"], 7)
    tall = Grid("t", ["topic", *"abcdefg"], [[str(i), *"1234567"] for i in range(9)])
    assert turned(tall) is tall


def test_a_sweep_over_a_number_is_a_line_for_each_other_setting(make_run: Make) -> None:
    folder = make_run()
    plot = sweep_plot(task_of(folder), 0.95)
    assert plot is not None
    assert (plot.x, plot.kind, plot.y_range) == ("inter_turns", "line", (0.0, 1.0))
    assert [line.name for line in plot.lines] == ["plain", "remind"]
    cells = Run(folder).results.cells[:3]
    heads = [cell.metrics[0] for cell in cells]
    assert plot.lines[0].points == [
        (turns, head.value) for turns, head in zip((0, 3, 40), heads, strict=True)
    ]
    assert plot.lines[0].intervals == [(head.low, head.high) for head in heads]


@pytest.mark.parametrize("methods", [("plain",), ("plain", "remind")])
def test_without_a_number_on_its_axis_there_is_no_plot(make_run: Make, methods: tuple[str, ...]) -> None:
    assert sweep_plot(task_of(make_run(turns=(0,), methods=methods)), 0.95) is None


def test_nothing_scored_is_no_plot(make_run: Make) -> None:
    assert sweep_plot(task_of(make_run(scored=False)), 0.95) is None
