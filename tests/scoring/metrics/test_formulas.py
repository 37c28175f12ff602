"""Ratios, pass@k, win rates and formulas, against a reference computed another way."""

import random
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from suite.errors import PluginError
from suite.journal.records import OutputRecord, ScoreRecord
from suite.scoring.metrics import (
    Custom,
    PassAt,
    Ratio,
    WinRate,
)
from suite.task import Output, Unscored
from tests.scoring.measuring import Make, beta, interval, rows_of


def test_a_ratio_is_of_sums(record: Make) -> None:
    pairs = [(1, 4), (3, 3), (0, 0), (2, 5), (5, 6), (1, 1), (0, 3), (4, 4)]
    records = [record(f"s{i}", {"valid": a, "searches": b}) for i, (a, b) in enumerate(pairs)]
    row = rows_of(Ratio("valid", "searches", range=(0, 1)), records, seed=1)["valid_per_searches"]
    assert row.value == pytest.approx(16 / 26)

    def ratio(a: Any, b: Any, axis: int = -1) -> Any:
        return a.sum(axis) / b.sum(axis)

    data = tuple(np.array(one, dtype=float) for one in zip(*pairs, strict=True))
    reference = scipy_stats.bootstrap(
        data, ratio, paired=True, method="percentile", n_resamples=9999, rng=np.random.default_rng(1)
    ).confidence_interval
    assert 0 <= row.low < reference.low + 0.01 < reference.high - 0.01 < row.high <= 1
    assert row.high - row.low < 2 * (reference.high - reference.low)
    assert row.method == "ratio-t-unseen"


def test_a_ratio_without_a_denominator_is_no_number(record: Make) -> None:
    row = rows_of(Ratio("a", "b"), [record("s", {"a": 0, "b": 0})])["a_per_b"]
    assert (row.value, row.note) == (None, "the sum of b is zero")
    lost = [record("s", {"a": 1, "b": 2}), record("t", {"a": 1, "b": Unscored("u")}), record("v", {"a": 1})]
    row = rows_of(Ratio("a", "b"), lost)["a_per_b"]
    assert (row.value, row.n, row.unscored, row.not_applicable, row.low) == (0.5, 1, 1, 1, None)


def brute_force(right: list[bool], k: int, power: bool) -> float:
    picks = [all(one) if power else any(one) for one in combinations(right, k)]
    return sum(picks) / len(picks)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=6))
def test_pass_at_k_equals_brute_force(answers: list[list[bool]]) -> None:
    records = []
    for i, trials in enumerate(answers):
        for t, right in enumerate(trials):
            name = f"s{i}"
            records.append(
                (
                    OutputRecord(
                        cell="c",
                        sample=name,
                        trial=t,
                        group=name,
                        cluster=name,
                        payload_sha256="",
                        output=Output(),
                    ),
                    ScoreRecord(cell="c", sample=name, trial=t, output_sha256="", values={"solved": right}),
                )
            )
    rows = rows_of(PassAt("solved", k=(1, 2, 5), power=True), records)
    assert list(rows) == ["solved@1", "solved@2", "solved@5", "solved^1", "solved^2", "solved^5"]
    for k in (1, 2, 5):
        for sign, power in (("@", False), ("^", True)):
            expected = sum(brute_force(trials, k, power) for trials in answers) / len(answers)
            assert rows[f"solved{sign}{k}"].value == pytest.approx(expected)


def test_more_draws_than_trials_are_refused_and_lost_answers_make_a_sample_unscored(record: Make) -> None:
    records = [record(name, {"solved": True}, trial=t) for name in "ab" for t in range(3)]
    row = rows_of(PassAt("solved", k=(4,)), records)["solved@4"]
    assert (row.value, row.note) == (None, "k = 4 needs 4 trials of every sample; one has 3")
    records[-1] = record("b", {"solved": Unscored("u")}, trial=2)
    rows = rows_of(PassAt("solved", k=(2, 3)), records)
    assert (rows["solved@3"].n, rows["solved@3"].unscored, rows["solved@3"].bounds) == (1, 1, (0.5, 1.0))
    assert (rows["solved@2"].n, rows["solved@2"].unscored) == (2, 0)


def test_the_readings_of_a_tie(record: Make) -> None:
    values = [1.0] * 15 + [0.5] * 6 + [0.0] * 9
    rows = rows_of(WinRate("x"), [record(f"s{i}", {"x": v}) for i, v in enumerate(values)])
    assert rows["x"].value == pytest.approx(0.6)
    assert interval(rows["x"]) == pytest.approx((0.4344535470, 0.7655464530), abs=0.005)
    assert rows["x_excluded"].value == pytest.approx(0.625)
    assert interval(rows["x_excluded"]) == pytest.approx(beta(15, 24))
    assert rows["x_strict"].value == pytest.approx(0.5)
    assert interval(rows["x_strict"]) == pytest.approx(beta(15, 30))
    assert rows["x_net"].value == pytest.approx(0.2)
    assert rows["x"].note.startswith("15 wins, 6 ties, 9 losses")


def test_all_ties_have_no_decided_rate(record: Make) -> None:
    rows = rows_of(WinRate("x"), [record(f"s{i}", {"x": 0.5}) for i in range(4)])
    assert (rows["x"].value, rows["x_excluded"].value, rows["x_strict"].value) == (0.5, None, 0.0)


def f1(columns: Any) -> float | None:
    said, true = columns["said"] > 0, columns["true"] > 0
    total = int(said.sum() + true.sum())
    return None if total == 0 else 2 * int((said & true).sum()) / total


def test_a_custom_formula_over_clusters(record: Make) -> None:
    chance = random.Random(1)
    rows, records = [], []
    for i in range(60):
        true = chance.random() < 0.5
        said = true if chance.random() < 0.8 else not true
        rows.append((said, true))
        records.append(record(f"s{i}", {"said": said, "true": true}, cluster=f"k{i // 2}"))
    row = rows_of(Custom("f1", f1, needs=("said", "true"), range=(0, 1)), records, seed=4)["f1"]
    both = sum(a and b for a, b in rows)
    assert row.value == pytest.approx(2 * both / (sum(a for a, _ in rows) + sum(b for _, b in rows)))
    rng = np.random.default_rng(9)
    table = np.array(rows, dtype=float).reshape(30, 2, 2)
    draws = []
    for _ in range(2000):
        picked = table[rng.integers(0, 30, 30)].reshape(-1, 2)
        draws.append(f1({"said": picked[:, 0], "true": picked[:, 1]}))
    low, high = np.percentile(draws, [2.5, 97.5])
    assert interval(row) == pytest.approx((low, high), abs=0.04)
    assert row.low <= low + 0.01 < high - 0.01 <= row.high
    assert row.clusters == 30


def test_a_formula_sees_tags_labels_and_numbered_clusters(record: Make) -> None:
    seen: list[Any] = []

    def look(columns: Any) -> float:
        seen.append({name: column.tolist() for name, column in columns.items()})
        return float(len(set(columns["cluster"].tolist())))

    records = [
        record("a", {"label": "x", "n": 2}, tags={"t": "one"}, cluster="k"),
        record("b", {"label": "y", "n": 3}, tags={"t": "two"}, cluster="k"),
        record("c", {"label": True, "n": 4}, cluster="l"),
        record("d", {"label": "x", "n": Unscored("u")}),
    ]
    metric = Custom("look", look, needs=("label", "n", "tag:t"), draws=3)
    row = rows_of(metric, records)["look"]
    first = sorted(zip(*(seen[0][name] for name in ("n", "label", "tag:t")), strict=True))
    assert first == [(2.0, "x", "one"), (3.0, "y", "two"), (4.0, 1.0, "")]
    assert (row.value, row.n, row.unscored) == (2.0, 3, 1)
    assert (row.low, row.note) == (
        None,
        "fewer than five values; coverage 75.0%",
    )  # two clusters, numbered apart


def test_a_formula_that_yields_nothing_or_nan_is_no_number(record: Make) -> None:
    records = [record("a", {"x": 1}), record("b", {"x": 2})]
    for formula in (lambda _: None, lambda _: float("nan")):
        row = rows_of(Custom("c", formula, needs=("x",)), records)["c"]
        assert (row.value, row.low) == (None, None)
    with pytest.raises(PluginError, match="ZeroDivisionError"):
        rows_of(Custom("c", lambda _: 1 / 0, needs=("x",)), records)
