"""Sections of reports, from runs made by hand."""

from types import SimpleNamespace
from typing import Any

from suite_contexteval.analysis import ATTRIBUTE_SECTIONS, SETTINGS_SECTIONS

import suite


def metric(name: str, value: float | None, **slice_: str) -> suite.MetricResult:
    low, high = (None, None) if value is None else (value - 0.1, value + 0.1)
    return suite.MetricResult(
        name=name, slice=slice_, headline=False, value=value, low=low, high=high, level=0.95, method="",
        n=4, unscored=1, not_applicable=0, coverage=None, bounds=None, clusters=None, n_effective=None,
        direction="higher", note="", unit="",
    )  # fmt: skip


def cell(task: str, identity: str, metrics: list[suite.MetricResult], **parameters: Any) -> suite.CellResult:
    return suite.CellResult(
        cell=identity, task=task, version=1, parameters=parameters, score_parameters={}, headline="x",
        prompts="own", samples=1, solved=1, scored=1, pending=0, finishes={}, unscored={}, metrics=metrics,
    )  # fmt: skip


def run(cells: list[suite.CellResult], scores: list[Any], outputs: tuple[Any, ...] = ()) -> Any:
    return SimpleNamespace(
        results=SimpleNamespace(cells=cells), scores=lambda: iter(scores), outputs=lambda: iter(outputs)
    )


def score(cell: str, sample: str, parts: Any = (), **values: Any) -> Any:
    return SimpleNamespace(cell=cell, sample=sample, trial=0, values=values, parts=list(parts))


def tables(section: suite.Section) -> dict[str, suite.Table]:
    return {block.title: block for block in section.blocks if isinstance(block, suite.Table)}


def test_settings_and_flips() -> None:
    cells = [
        cell(
            "contexteval/pairwise",
            setting,
            [metric("win", win), metric("win_flip_first", 0.25), metric("vote_alpha", None)],
            setting=setting,
        )
        for setting, win in (("judge", 0.5), ("none", 0.75))
    ]
    scores = [
        *(score("none", f"q{n}", win=win) for n, win in enumerate((1, 1, 0.5, 0))),
        *(score("judge", f"q{n}", win=win) for n, win in enumerate((0, 0.25, 0.5, suite.Unscored("lost")))),
    ]
    (section,) = SETTINGS_SECTIONS([run(cells, scores)])
    found = tables(section)
    rates = found["Win rate of the candidate"].rows
    assert [row[0] for row in rates] == ["NoCtxGen-NoCtxEval", "NoCtxGen-CtxEval"]
    assert rates[0][1:5] == (0.75, "0.650 to 0.850", 4, 1)
    assert found["What position did"].rows[0][2] == 0.25
    moves = found["Queries whose winner changes"].rows
    assert moves == [("NoCtxGen-NoCtxEval", "NoCtxGen-CtxEval", "candidate", "baseline", 2, 3)]
    plot = section.blocks[0]
    assert isinstance(plot, suite.Plot)
    assert plot.lines[0].points == [(0.0, 0.75), (1.0, 0.5)]


def test_a_setting_that_is_there_twice_has_no_flips() -> None:
    cells = [
        cell("contexteval/judge", name, [metric("win", 1)], setting="none") for name in ("aaaaaa1", "bbbbbb2")
    ]
    (section,) = SETTINGS_SECTIONS([run(cells, [])])
    assert "Queries whose winner changes" not in tables(section)
    assert tables(section)["What position did"].rows[1][0] == "NoCtxGen-NoCtxEval (bbbbbb)"


def test_answers_of_an_attribute_are_tested_in_pairs() -> None:
    one = cell(
        "contexteval/default",
        "c",
        [
            metric("relevance", 4.5, answer="budget: plenty"),
            metric("relevance", 2.0, answer="budget: none"),
        ],
    )

    def parts(plenty: Any, none: Any) -> list[Any]:
        return [
            SimpleNamespace(tags={"answer": f"budget: {name}"}, values={"relevance": value})
            for name, value in (("plenty", plenty), ("none", none))
        ]

    rated = [(5, 2), (4, 2), (5, 1), (4, suite.Unscored("unparsed"))]
    scores = [score("c", f"q{n}/budget", parts(*one)) for n, one in enumerate(rated)]
    (section,) = ATTRIBUTE_SECTIONS([run([one], scores)])
    found = tables(section)
    assert found["Range within an attribute"].rows == [("budget", "plenty", "none", 2.5)]
    (row,) = next(table.rows for title, table in found.items() if title.startswith("Paired tests"))
    assert row[:2] == ("budget: none", "budget: plenty")
    assert row[2] == -3.0
    assert row[3] == 3
    assert row[4] == row[5]
    assert isinstance(row[4], float)
    assert 0 < row[4] < 0.05


def test_adapted_responses_take_their_answer_from_the_output() -> None:
    one = cell(
        "contexteval/adapted",
        "c",
        [
            metric("relevance", 4.0, answer="budget: plenty"),
            metric("relevance", 3.0, answer="budget: none"),
        ],
        adapt=True,
    )
    names = ("budget: plenty", "budget: none")
    outputs = tuple(
        SimpleNamespace(cell="c", trial=0, sample=f"q{n}/budget/{place}", tags={"answer": name})
        for n in range(3)
        for place, name in enumerate(names)
    )
    scores = [
        score("c", f"q{n}/budget/{place}", relevance=value)
        for n, pair in enumerate(((5, 3), (4, 3), (3, 3)))
        for place, value in enumerate(pair)
    ]
    (section,) = ATTRIBUTE_SECTIONS([run([one], scores, outputs)])
    assert section.title == "Whom responses serve when adapted"
    (row,) = next(table.rows for title, table in tables(section).items() if title.startswith("Paired tests"))
    assert row[2:4] == (-1.0, 3)


def test_nothing_rated() -> None:
    one = cell("contexteval/default", "c", [metric("relevance", None)])
    (section,) = ATTRIBUTE_SECTIONS([run([one], [])])
    assert isinstance(section.blocks[0], suite.Text)
