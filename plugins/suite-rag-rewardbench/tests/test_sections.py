"""The report's sections over runs in memory, and the pure statistics behind them."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite_rag_rewardbench import margins
from suite_rag_rewardbench.sections import ANALYSIS

import suite


def metric(
    name: str, n: int, value: float | None, low: float | None = None, high: float | None = None, **slice_: str
) -> suite.MetricResult:
    return suite.MetricResult(
        name=name, slice=slice_, headline=False, value=value, low=low, high=high, level=0.95, method="", n=n,
        unscored=0, not_applicable=0, coverage=None, bounds=None, clusters=None, n_effective=None,
        direction="higher", note="", unit="",
    )  # fmt: skip


def run_of(spec: str, won: Sequence[float], gaps: Sequence[float] = ()) -> Any:
    metrics = [
        metric("correct", len(won), 0.5, 0.4, 0.6),
        metric("correct", 4, 0.4, 0.3, 0.5, scenario="citation"),
        metric("correct_by", 4, 0.4, 0.3, 0.5, source="citation/x"),
        metric("correct_by", 4, 0.9, 0.8, 1.0, longer="better"),
        metric("baseline_citations", 4, 0.7, scenario="citation"),
        metric("prefers_longer", 4, 0.8, 0.7, 0.9),
        metric("tie", 0, None),
    ]
    scores = [
        SimpleNamespace(
            cell="c",
            sample=str(i),
            trial=0,
            values={
                "correct_half": one,
                "margin": gaps[i] if i < len(gaps) else suite.Unscored("not-finite"),
            },
        )
        for i, one in enumerate(won)
    ]
    cell = SimpleNamespace(cell="c", task="rag-rewardbench", parameters={"kind": ""}, metrics=metrics)
    return SimpleNamespace(
        name="r",
        candidate=SimpleNamespace(spec=spec),
        results=SimpleNamespace(cells=[cell]),
        scores=lambda: iter(scores),
    )


def test_one_run_shows_accuracy_habits_margins_and_calibration() -> None:
    gaps = [0.1 * i for i in range(-20, 41) if i]
    (section,) = ANALYSIS([run_of("vllm/org/rm", [float(one > 0) for one in gaps], gaps)])
    assert section.title == "rag-rewardbench: vllm/org/rm"
    tables = {block.title: block for block in section.blocks if isinstance(block, suite.Table)}
    assert [row[0] for row in tables["Accuracy"].rows] == ["all", "citation", "citation/x"]
    assert [row[0] for row in tables["Habits"].rows] == ["prefers the longer answer"]
    (warning,) = [block for block in section.blocks if isinstance(block, suite.Text)]
    assert "citation: accuracy 0.400 is below 0.700" in warning.text
    plots = {block.title: block for block in section.blocks if isinstance(block, suite.Plot)}
    assert sum(y for _, y in plots["Margins"].lines[0].points) == len(gaps)
    assert plots["Calibration of margins"].diagonal
    counts = [row[0] for row in tables["Calibration of margins, read as log-odds"].rows]
    assert sum(int(one or 0) for one in counts) == len(gaps)


def test_several_runs_are_compared_and_few_margins_are_not_calibrated() -> None:
    one, two = run_of("a", [1, 1, 0, 0], [1.0]), run_of("b", [1, 0, 0, 0.5])
    *_, last = ANALYSIS([one, two])
    assert last.title == "rag-rewardbench: agreement"
    (table,) = last.blocks
    assert isinstance(table, suite.Table)
    ((a, b, n, same, kappa, *counts),) = table.rows
    assert (a, b, n, same, counts) == ("a", "b", 4, 0.5, [1, 1, 0, 2])
    assert kappa == pytest.approx((0.5 - 0.375) / (1 - 0.375))
    first, *_ = ANALYSIS([one])
    assert not [block for block in first.blocks if getattr(block, "title", "").startswith("Calibration")]


def test_other_tasks_are_left_alone() -> None:
    other: Any = SimpleNamespace(
        results=SimpleNamespace(cells=[SimpleNamespace(cell="x", task="prefeval/generation")]),
        scores=lambda: iter(()),
    )
    assert ANALYSIS([other]) == ()


def test_agreement_of_models_that_never_differ_has_no_kappa() -> None:
    found = margins.agreement({"a": 1.0, "b": 1.0}, {"a": 1.0, "b": 1.0})
    assert found is not None
    assert (found.same, found.kappa, found.both) == (1.0, None, 2)
    assert margins.agreement({"a": 1.0}, {"b": 1.0}) is None


def test_calibrated_margins_have_no_error() -> None:
    # log-odds of 0.75: three of four won
    size = 1.0986122886681098
    bins = margins.calibration([size, size, size, -size] * 10)
    assert margins.calibration_error(bins) == pytest.approx(0.0, abs=0.06)
    (one,) = margins.calibration([size, size, size, -size] * 10, most=1)
    assert (one.n, one.observed) == (40, 0.75)
    assert one.expected == pytest.approx(0.75)
    assert margins.calibration([0.0, 0.0]) == []
    assert margins.calibration_error([]) is None


numbers = st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False)


@given(st.lists(numbers, max_size=60))
def test_every_margin_is_in_one_bar_and_zero_is_a_border(values: list[float]) -> None:
    bars = margins.histogram(values)
    assert sum(count for _, count in bars) == len(values)
    assert len(bars) <= 24
    below = sum(count for middle, count in bars if middle < 0)
    if max(map(abs, values), default=0.0) >= 1e-300:  # below, there is nothing to divide
        assert below == sum(one < 0 for one in values)


@given(st.lists(numbers, max_size=80), st.integers(1, 12))
def test_bins_hold_every_decided_margin(values: list[float], most: int) -> None:
    bins = margins.calibration(values, most)
    assert sum(one.n for one in bins) == sum(one != 0 for one in values)
    assert len(bins) <= most
    assert all(0.5 <= one.expected <= 1 and 0 <= one.observed <= 1 for one in bins)
    assert [one.margin for one in bins] == sorted(one.margin for one in bins)
