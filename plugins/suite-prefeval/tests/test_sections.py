"""The plugin's part of a report, from results and records as a run leaves them."""

from types import SimpleNamespace
from typing import Any

from suite_prefeval.sections import CLASSIFICATION, GENERATION, SECTIONS, label

import suite


def metric(name: str, value: float | None, **slice_: str) -> suite.MetricResult:
    return suite.MetricResult(
        name=name, slice=slice_, headline=False, value=value, low=None, high=None, level=0.95, method="",
        n=4, unscored=0, not_applicable=0, coverage=None, bounds=None, clusters=None, n_effective=None,
        direction="higher", note="", unit="",
    )  # fmt: skip


def cell(task: str, identity: str, metrics: list[suite.MetricResult], **parameters: Any) -> suite.CellResult:
    values = {"method": "zero-shot", "inter_turns": 0, "paper_turns": 2, "form": "explicit", **parameters}
    return suite.CellResult(
        cell=identity, task=task, version=1, parameters=values, score_parameters={}, headline="x",
        prompts="own", samples=1, solved=1, scored=1, pending=0, finishes={}, unscored={}, metrics=metrics,
    )  # fmt: skip


def run(cells: list[suite.CellResult], outputs: Any = (), scores: Any = ()) -> Any:
    return SimpleNamespace(
        name="r",
        results=SimpleNamespace(cells=cells),
        outputs=lambda: iter(outputs),
        scores=lambda: iter(scores),
    )


def test_error_types_stand_beside_each_other() -> None:
    first = cell(
        GENERATION, "a", [metric("kept", 0.5), metric("kept", 0.9, topic="t"), metric("unaware", 0.5)]
    )
    second = cell(GENERATION, "b", [metric("kept", None)], inter_turns=3)
    (section,) = SECTIONS([run([first, second])])
    table, plot = section.blocks
    assert isinstance(table, suite.Table)
    assert [row[:2] for row in table.rows] == [("zero-shot, N=0", 0.5), ("zero-shot, N=3", None)]
    assert isinstance(plot, suite.Plot)
    assert {line.name: list(line.points) for line in plot.lines} == {
        "kept": [(0.0, 0.5)],
        "unaware": [(0.0, 0.5)],
    }


def test_picks_are_counted_by_right_letter_with_unread_ones() -> None:
    outputs = [
        SimpleNamespace(cell=one, sample=sample, tags={"gold": gold})
        for one in ("a", "other")
        for sample, gold in (("t/0", "C"), ("t/1", "D"))
    ]
    scores = [
        SimpleNamespace(cell="a", sample="t/0", values={"letter": "C"}),
        SimpleNamespace(cell="a", sample="t/1", values={"letter": None}),
        SimpleNamespace(cell="other", sample="t/1", values={"letter": "A"}),
    ]
    (section,) = SECTIONS([run([cell(CLASSIFICATION, "a", [])], outputs, scores)])
    (table,) = section.blocks
    assert isinstance(table, suite.Table)
    assert table.rows == [
        ("A", 0, 0, 0, 0, 0),
        ("B", 0, 0, 0, 0, 0),
        ("C", 0, 0, 1, 0, 0),
        ("D", 0, 0, 0, 0, 1),
    ]


def test_a_cell_is_named_by_what_differs() -> None:
    one, two = cell(GENERATION, "a", [], form="explicit"), cell(GENERATION, "b", [], form="implicit-choice")
    assert label(one, [one]) == "zero-shot, N=0"
    assert label(two, [one, two]) == "zero-shot, N=0, form=implicit-choice"
