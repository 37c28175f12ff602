"""Every metric against a reference computed another way: by hand, by scipy, by brute force."""

import math
import random
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from suite.errors import ConfigError, PluginError
from suite.journal.records import CellPlan, OutputRecord, ScoreRecord
from suite.scoring.computing import compute, compute_across, wanted
from suite.scoring.metrics import (
    Across,
    Agreement,
    Custom,
    Mean,
    PassAt,
    Rate,
    Ratio,
    WinRate,
    row_names,
)
from suite.scoring.results import MetricResult
from suite.scoring.table import Table, TableBuilder
from suite.task import Output, Part, Unscored

Record = tuple[OutputRecord, ScoreRecord]
Make = Callable[..., Record]


def table_of(records: list[Record]) -> Table:
    return TableBuilder().extend(records).build()


def rows_of(metric: Any, records: list[Record], **how: Any) -> dict[Any, MetricResult]:
    """Results by name, or by (name, category) for slices."""
    found = compute([metric], metric.name, table_of(records), **how)
    return {(one.name, *one.slice.values()) if one.slice else one.name: one for one in found}


def wilson(p: float, n: float) -> tuple[float, float]:
    z = float(scipy_stats.norm.ppf(0.975))
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return middle - half, middle + half


def interval(result: MetricResult) -> tuple[float | None, float | None]:
    return result.low, result.high


# --- Rate and Mean


def test_a_rate_is_a_share_with_wilsons_interval(record: Make) -> None:
    result = rows_of(Rate("kept"), [record(f"s{i}", {"kept": i < 7}) for i in range(10)])["kept"]
    assert result.value == 0.7
    assert interval(result) == pytest.approx((0.396778, 0.892209), abs=1e-6)
    assert (result.headline, result.method, result.n, result.clusters) == (True, "wilson", 10, 10)
    assert (result.unscored, result.not_applicable, result.coverage, result.bounds) == (0, 0, 1.0, None)
    assert (result.direction, result.level, result.slice) == ("higher", 0.95, {})


def test_three_outcomes_are_counted_apart(record: Make) -> None:
    values: list[Any] = [True] * 6 + [False] * 2 + [Unscored("unparsed")] * 2 + [None] * 5
    result = rows_of(Rate("kept"), [record(f"s{i}", {"kept": v}) for i, v in enumerate(values)])["kept"]
    assert (result.value, result.n, result.unscored, result.not_applicable) == (0.75, 8, 2, 5)
    assert result.coverage == 0.8
    assert result.bounds == (0.6, 0.8)  # 6 of 10, 8 of 10
    assert "coverage 80.0%" in result.note


def test_graded_scores_get_a_t_interval_clipped_to_the_range(record: Make) -> None:
    # the textbook's formula, restated
    values = [0.1, 0.2, 0.35, 0.4, 0.55, 0.6, 0.7, 0.8, 0.9, 1.0]
    sd, m = float(np.std(values, ddof=1)), float(np.mean(values))
    half = float(scipy_stats.t.ppf(0.975, 9)) * sd / math.sqrt(10)
    result = rows_of(
        Mean("score", range=(0, 1)), [record(f"s{i}", {"score": v}) for i, v in enumerate(values)]
    )
    assert result["score"].value == pytest.approx(m)
    assert interval(result["score"]) == pytest.approx((m - half, m + half))
    high = rows_of(
        Mean("score", range=(0, 1)), [record(f"s{i}", {"score": v}) for i, v in enumerate([1, 1, 0.9])]
    )
    assert high["score"].high == 1.0


def test_clusters_widen_the_interval(record: Make) -> None:
    values = [1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 1, 0]
    clusters = [f"k{i // 3}" for i in range(12)]
    records = [
        record(f"s{i}", {"x": float(v)}, cluster=c)
        for i, (v, c) in enumerate(zip(values, clusters, strict=True))
    ]
    result = rows_of(Mean("x", range=(0, 1)), records)["x"]
    m = sum(values) / 12
    sums = [sum(values[3 * g + i] - m for i in range(3)) for g in range(4)]
    cr1 = math.sqrt(sum(u * u for u in sums)) / 12 * math.sqrt(4 / 3)
    half = float(scipy_stats.t.ppf(0.975, 3)) * cr1
    assert interval(result) == pytest.approx((max(0, m - half), min(1, m + half)))
    assert (result.clusters, result.n) == (4, 12)
    assert rows_of(Rate("x"), records)["x"].n_effective is not None


def test_trials_are_averaged_within_a_sample(record: Make) -> None:
    trials = {"a": [1, 0, 1, 1], "b": [0, 0, 0, 1], "c": [1, 1, 1, 1]}
    records = [record(name, {"x": bool(v)}, trial=t) for name, vs in trials.items() for t, v in enumerate(vs)]
    result = rows_of(Rate("x"), records)["x"]
    means = [0.75, 0.25, 1.0]
    half = float(scipy_stats.t.ppf(0.975, 2)) * float(np.std(means, ddof=1)) / math.sqrt(3)
    assert (result.value, result.n) == (pytest.approx(2 / 3), 3)
    assert interval(result) == pytest.approx((max(0, 2 / 3 - half), min(1, 2 / 3 + half)))
    assert result.method != "wilson"  # the means of trials are graded


def test_unscored_trials_of_a_scored_sample_are_in_coverage_and_bounds(record: Make) -> None:
    lost = Unscored("unparsed")
    records = [
        record("a", {"x": True}),
        record("a", {"x": lost}, trial=1),
        record("b", {"x": False}),
        record("b", {"x": False}, trial=1),
        record("c", {"x": lost}),
        record("c", {"x": lost}, trial=1),
        record("d", {"x": None}),
        record("d", {"x": None}, trial=1),
    ]
    result = rows_of(Rate("x"), records)["x"]
    assert (result.value, result.n, result.unscored, result.not_applicable) == (0.5, 2, 1, 1)
    assert result.coverage == pytest.approx(1.5 / 3)
    assert result.bounds == pytest.approx((0.5 / 3, 2 / 3))


def test_macro_and_micro_stand_beside_each_other(record: Make) -> None:
    groups = {"en": (160, 200), "de": (70, 100), "sw": (12, 30), "ar": (30, 50)}
    records = [
        record(f"{name}{i}", {"kept": i < k}, tags={"lang": name})
        for name, (k, n) in groups.items()
        for i in range(n)
    ]
    rows = rows_of(Rate("kept", by="lang", average="macro"), records)
    assert list(rows) == ["kept", "kept_micro", *(("kept", name) for name in ("ar", "de", "en", "sw"))]
    assert rows["kept"].value == pytest.approx(0.625)
    half = float(scipy_stats.norm.ppf(0.975)) * 0.03172051137902889
    assert rows["kept"].low is not None
    assert rows["kept"].high is not None
    # t with the smallest group's degrees of freedom is allowed where a group is small: never narrower than z
    assert rows["kept"].low <= 0.625 - half + 1e-9
    assert rows["kept"].high >= 0.625 + half - 1e-9
    assert rows["kept"].high - rows["kept"].low < 2.2 * half
    assert rows["kept_micro"].value == pytest.approx(272 / 380)
    assert interval(rows["kept_micro"]) == pytest.approx((0.6684565749, 0.7588031601))
    assert interval(rows[("kept", "sw")]) == pytest.approx(wilson(0.4, 30))
    assert [one.headline for one in rows.values()] == [True] + [False] * 5
    plain = rows_of(Rate("kept", by="lang"), records)
    assert (plain["kept"].value, plain["kept_macro"].value) == pytest.approx((272 / 380, 0.625))


def test_a_group_without_a_score_leaves_no_macro_number(record: Make) -> None:
    records = [
        record("a", {"x": True}, tags={"t": "one"}),
        record("b", {"x": Unscored("u")}, tags={"t": "two"}),
        record("c", {"x": None}, tags={"t": "three"}),
    ]
    rows = rows_of(Rate("x", by="t", average="macro"), records)
    assert rows["x"].value is None
    assert "two" in rows["x"].note
    assert rows["x_micro"].value == 1.0


def test_a_cluster_over_several_groups_is_resampled_whole(record: Make) -> None:
    chance = random.Random(5)
    records = [
        record(f"s{i}-{t}", {"x": chance.random() < 0.6}, cluster=f"k{i}", tags={"t": t})
        for i in range(40)
        for t in ("one", "two")
    ]
    row = rows_of(Rate("x", by="t", average="macro"), records, seed=3)["x"]
    assert "bootstrap" in row.method
    assert row.low is not None
    assert row.high is not None
    assert row.value is not None
    assert row.low < row.value < row.high
    assert row.clusters == 40


def test_samples_without_the_tag_are_a_slice_of_their_own(record: Make) -> None:
    records = [record("a", {"x": True}, tags={"t": "one"}), record("b", {"x": False})]
    rows = rows_of(Mean("x", by="t"), records)
    assert rows[("x", "(none)")].n == 1


def test_parts_by_category_with_their_samples_as_clusters(record: Make) -> None:
    def parts(*followed: bool) -> list[Part]:
        return [
            Part(f"p{i}", {"followed": one}, {"category": "style" if i % 2 else "logic"})
            for i, one in enumerate(followed)
        ]

    records = [
        record("a", {}, parts=parts(True, True, False), tags={"tier": "easy"}),
        record("b", {}, parts=parts(False, True), tags={"tier": "hard"}),
        record("c", {}, parts=[]),
    ]
    rows = rows_of(Mean("followed", range=(0, 1), over="parts", by="category"), records)
    assert (rows["followed"].value, rows["followed"].n, rows["followed"].clusters) == (0.6, 5, 2)
    assert rows[("followed", "logic")].value == pytest.approx(1 / 3)
    assert rows[("followed", "style")].value == 1.0
    tiers = rows_of(Mean("followed", over="parts", by="tier"), records)  # a tag of the sample
    assert tiers[("followed", "hard")].value == 0.5


def test_parts_are_averaged_over_trials_by_their_id(record: Make) -> None:
    records = [
        record("a", {}, trial=t, parts=[Part("p", {"x": v}), Part("q", {"x": True})])
        for t, v in enumerate([True, False, False, False])
    ]
    result = rows_of(Mean("x", over="parts"), records)["x"]
    assert (result.value, result.n) == (0.625, 2)


def test_only_rows_with_the_tags_asked_for(record: Make) -> None:
    records = [
        record(f"{topic}{tier}", {"x": topic == "food"}, tags={"topic": topic, "tier": tier})
        for topic in ("food", "pets", "work")
        for tier in ("easy", "hard")
    ]
    assert rows_of(Rate("x", where={"topic": "food"}), records)["x"].n == 2
    both = rows_of(Rate("x", where={"topic": ("food", "pets"), "tier": "easy"}), records)["x"]
    assert (both.n, both.value) == (2, 0.5)
    assert rows_of(Rate("x", where={"nowhere": "x"}), records)["x"].value is None


def test_a_value_that_never_occurs_is_no_number(record: Make) -> None:
    result = rows_of(Rate("kept"), [record("a", {"other": 1})])["kept"]
    assert (result.value, result.low, result.n, result.not_applicable) == (None, None, 0, 1)
    assert result.note == "no sample has this value"
    assert rows_of(Rate("kept"), [])["kept"].coverage is None


def test_labels_under_a_mean_are_unscored_and_said(record: Make) -> None:
    result = rows_of(Mean("x"), [record("a", {"x": 1}), record("b", {"x": "yes"})])["x"]
    assert (result.value, result.unscored) == (1.0, 1)
    assert "1 labels" in result.note


# --- Ratio


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
    assert interval(row) == pytest.approx((reference.low, reference.high), abs=0.03)
    assert row.method == "cluster-bootstrap-percentile"


def test_a_ratio_without_a_denominator_is_no_number(record: Make) -> None:
    row = rows_of(Ratio("a", "b"), [record("s", {"a": 0, "b": 0})])["a_per_b"]
    assert (row.value, row.note) == (None, "the sum of b is zero")
    lost = [record("s", {"a": 1, "b": 2}), record("t", {"a": 1, "b": Unscored("u")}), record("v", {"a": 1})]
    row = rows_of(Ratio("a", "b"), lost)["a_per_b"]
    assert (row.value, row.n, row.unscored, row.not_applicable, row.low) == (0.5, 1, 1, 1, None)


# --- PassAt


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
                    OutputRecord("c", name, t, name, name, {}, "", Output()),
                    ScoreRecord("c", name, t, "", {"solved": right}, []),
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


# --- WinRate


def test_the_readings_of_a_tie(record: Make) -> None:
    values = [1.0] * 15 + [0.5] * 6 + [0.0] * 9
    rows = rows_of(WinRate("x"), [record(f"s{i}", {"x": v}) for i, v in enumerate(values)])
    assert rows["x"].value == pytest.approx(0.6)
    assert interval(rows["x"]) == pytest.approx((0.4344535470, 0.7655464530))
    assert rows["x_excluded"].value == pytest.approx(0.625)
    assert interval(rows["x_excluded"]) == pytest.approx((0.4270996, 0.7884064), abs=1e-6)
    assert rows["x_strict"].value == pytest.approx(0.5)
    assert interval(rows["x_strict"]) == pytest.approx((0.331541, 0.668459), abs=1e-6)
    assert rows["x_net"].value == pytest.approx(0.2)
    assert rows["x"].note.startswith("15 wins, 6 ties, 9 losses")


def test_all_ties_have_no_decided_rate(record: Make) -> None:
    rows = rows_of(WinRate("x"), [record(f"s{i}", {"x": 0.5}) for i in range(4)])
    assert (rows["x"].value, rows["x_excluded"].value, rows["x_strict"].value) == (0.5, None, 0.0)


# --- Custom


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
    assert interval(row) == pytest.approx(tuple(np.percentile(draws, [2.5, 97.5])), abs=0.02)
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
    assert (row.low, row.note) == (None, "no variation; coverage 75.0%")  # two clusters, numbered apart


def test_a_formula_that_yields_nothing_or_nan_is_no_number(record: Make) -> None:
    records = [record("a", {"x": 1}), record("b", {"x": 2})]
    for formula in (lambda _: None, lambda _: float("nan")):
        row = rows_of(Custom("c", formula, needs=("x",)), records)["c"]
        assert (row.value, row.low) == (None, None)
    with pytest.raises(PluginError, match="ZeroDivisionError"):
        rows_of(Custom("c", lambda _: 1 / 0, needs=("x",)), records)


# --- Across


def cell(name: str, **parameters: Any) -> CellPlan:
    return CellPlan(name, "t", 1, parameters, {}, "own", "", "")


def regression(columns: Any) -> float | None:
    base, now = columns["base"]["passed"].mean(), columns["now"]["passed"].mean()
    return None if base == 0 else float((base - now) / base)


REGRESSION = Across("regression_5", regression, cells={"base": {"k": 0}, "now": {"k": 5}}, needs=("passed",))


def test_across_cells_on_the_samples_they_share(record: Make) -> None:
    chance = random.Random(2)
    records, base, now = [], [], []
    for i in range(50):
        a, b = chance.random() < 0.8, chance.random() < 0.6
        base.append(a)
        now.append(b)
        records += [record(f"s{i}", {"passed": a}, cell="c0"), record(f"s{i}", {"passed": b}, cell="c5")]
    records.append(record("only-base", {"passed": True}, cell="c0"))
    records += [record(f"s{i}", {"passed": i % 2 == 0}, cell="d0") for i in range(50)]
    plans = [cell("c0", k=0, mode="one"), cell("c5", k=5, mode="one"), cell("d0", k=0, mode="two")]
    (found,) = compute_across([REGRESSION], "", table_of(records), plans, seed=1)
    assert (found.cells, found.parameters, found.task) == ({"base": "c0", "now": "c5"}, {"mode": "one"}, "t")
    row = found.result
    assert row.value == pytest.approx((sum(base) - sum(now)) / sum(base))
    assert (row.n, row.unscored) == (50, 1)
    rng = np.random.default_rng(3)
    data = np.array([base, now], dtype=float)
    draws = []
    for _ in range(3000):
        picked = data[:, rng.integers(0, 50, 50)].mean(axis=1)
        draws.append((picked[0] - picked[1]) / picked[0])
    assert interval(row) == pytest.approx(tuple(np.percentile(draws, [2.5, 97.5])), abs=0.03)


def test_across_without_its_cells_yields_nothing(record: Make) -> None:
    table = table_of([record("a", {"passed": True}, cell="c0")])
    assert compute_across([REGRESSION], "", table, [cell("c0", k=0)]) == []
    assert compute([REGRESSION], "", table) == []


def test_unpaired_cells_keep_all_their_samples(record: Make) -> None:
    def sizes(columns: Any) -> float:
        return float(len(columns["base"]["x"]) * 100 + len(columns["now"]["x"]))

    metric = Across(
        "n", sizes, cells={"base": {"k": 0}, "now": {"k": 1}}, needs=("x",), pair="none", draws=50
    )
    records = [
        record("a", {"x": 1}, cell="c0"),
        record("b", {"x": 1}, cell="c0"),
        record("c", {"x": 1}, cell="c1"),
    ]
    (found,) = compute_across([metric], "", table_of(records), [cell("c0", k=0), cell("c1", k=1)])
    assert found.result.value == 201.0


# --- Agreement


def test_agreement_of_a_panel_is_that_of_its_votes(record: Make) -> None:
    votes = ["1112T", "2211T", "TTT11", "22222", "1111I", "12TT2"]
    records = [
        record(
            f"s{i}",
            {},
            parts=[
                Part(f"judge/{j}", {"label": Unscored("unparsed") if vote == "I" else vote})
                for j, vote in enumerate(row)
            ],
        )
        for i, row in enumerate(votes)
    ]
    metric = Agreement(
        "label", categories=("1", "2", "T"), coefficients=("percent", "alpha", "ac1", "randolph")
    )
    rows = rows_of(metric, records)
    pairs = []
    for row in votes:
        valid = [vote for vote in row if vote != "I"]
        same = sum(a == b for a, b in combinations(valid, 2))
        pairs.append(same / math.comb(len(valid), 2))
    percent = sum(pairs) / len(pairs)
    assert rows["label_percent"].value == pytest.approx(percent)
    assert rows["label_randolph"].value == pytest.approx((percent - 1 / 3) / (2 / 3))
    alpha = pytest.importorskip("krippendorff").alpha(
        reliability_data=[[{"1": 1, "2": 2, "T": 3, "I": np.nan}[row[j]] for row in votes] for j in range(5)],
        level_of_measurement="nominal",
    )
    assert rows["label_alpha"].value == pytest.approx(alpha)
    assert rows["label_alpha"].n == 6
    assert rows["label_alpha"].low is not None


def test_agreement_of_a_judge_with_a_human(record: Make) -> None:
    pairs = [(True, True)] * 6 + [(True, False)] * 2 + [(False, False)] * 4 + [(False, None)]
    records = [record(f"s{i}", {"judge": a, "human": b}) for i, (a, b) in enumerate(pairs)]
    metric = Agreement("kept", raters=("judge", "human"), coefficients=("percent", "cohen"))
    rows = rows_of(metric, records)
    assert (rows["kept_percent"].value, rows["kept_percent"].n) == (pytest.approx(10 / 12), 12)
    expected = (8 / 12) * (6 / 12) + (4 / 12) * (6 / 12)
    assert rows["kept_cohen"].value == pytest.approx((10 / 12 - expected) / (1 - expected))


def test_a_third_answer_is_a_lost_rating(record: Make) -> None:
    def parts(*labels: str) -> list[Part]:
        return [Part(f"j{i}", {"label": one}) for i, one in enumerate(labels)]

    records = [
        record("s1", {}, parts=parts("a", "a", "a")),
        record("s2", {}, parts=parts("a", "c", "b")),
        record("s3", {}, parts=parts("c", "b")),
        record("s4", {}, parts=parts("a")),
    ]
    row = rows_of(Agreement("label", categories=("a", "b"), coefficients=("percent",)), records)
    result = row["label_percent"]
    assert (result.value, result.n, result.unscored, result.not_applicable) == (0.5, 2, 1, 1)


def test_only_parts_that_rate_are_raters(record: Make) -> None:
    parts = [Part("j1", {"vote": 1.0}), Part("j1/first", {"win": 1.0}), Part("j2", {"vote": 0.0})]
    records = [record(f"s{i}", {}, parts=parts) for i in range(3)]
    row = rows_of(Agreement("vote", coefficients=("cohen",)), records)["vote_cohen"]
    assert (row.value, row.n) == (0.0, 3)


def test_a_single_judge_agrees_with_nobody(record: Make) -> None:
    records = [record(f"s{i}", {}, parts=[Part("judge", {"label": "a"})]) for i in range(4)]
    for row in rows_of(Agreement("label"), records).values():
        assert (row.value, row.low) == (None, None)
        assert row.note


def test_votes_all_alike_have_no_kappa(record: Make) -> None:
    records = [
        record(f"s{i}", {}, parts=[Part("j1", {"label": "a"}), Part("j2", {"label": "a"})]) for i in range(5)
    ]
    rows = rows_of(Agreement("label", categories=("a", "b")), records)
    assert (rows["label_percent"].value, rows["label_alpha"].value, rows["label_ac1"].value) == (
        1.0,
        None,
        1.0,
    )


# --- all of them


ALL = (
    Rate("kept", by="topic", average="macro"),
    Mean("score", range=(0, 1), by=("topic",)),
    Ratio("score", "size"),
    Mean("followed", over="parts", by="category", name="followed_parts"),
    PassAt("kept", k=(1, 2), power=True, name="kept_pass"),
    Agreement("followed"),
    WinRate("score", name="win"),
    Custom("spread", lambda c: float(c["score"].max() - c["score"].min()), needs=("score",), draws=100),
)


def mixed(record: Make, n: int = 40) -> list[Record]:
    chance = random.Random(7)
    records = []
    for i in range(n):
        for trial in range(2):
            values: dict[str, Any] = {
                "kept": chance.choice([True, False, None, Unscored("u")]),
                "score": chance.choice([0.0, 0.5, 1.0, chance.random()]),
                "size": chance.randint(1, 5),
            }
            parts = [
                Part(f"p{j}", {"followed": chance.random() < 0.5}, {"category": f"c{j % 2}"})
                for j in range(3)
            ]
            records.append(
                record(
                    f"s{i}",
                    values,
                    trial=trial,
                    cluster=f"k{i // 2}",
                    tags={"topic": f"t{i % 3}"},
                    parts=parts,
                )
            )
    return records


def test_the_order_of_records_changes_nothing(record: Make) -> None:
    records = mixed(record)
    one = compute(ALL, "kept", table_of(records), seed=5)
    random.Random(1).shuffle(records)
    assert compute(ALL, "kept", table_of(records), seed=5) == one
    again = compute(ALL, "kept", table_of(records), seed=6)
    assert [row.value for row in again] == [row.value for row in one]
    assert again != one  # other draws


def test_what_metrics_do_not_read_changes_nothing(record: Make) -> None:
    records = mixed(record)
    small = TableBuilder(wanted(ALL)).extend(records).build()
    assert compute(ALL, "kept", small) == compute(ALL, "kept", table_of(records))


def test_no_row_has_a_nan_and_all_names_are_declared(record: Make) -> None:
    for n in (0, 1, 2, 40):
        rows = compute(ALL, "kept", table_of(mixed(record, n)))
        for row in rows:
            for number in (row.value, row.low, row.high, row.coverage, row.n_effective, *(row.bounds or ())):
                assert number is None or math.isfinite(number)
            assert (row.low is None) == (row.high is None)
        assert {row.name for row in rows} == set(row_names(ALL))
        assert [row.name for row in rows if row.headline] == ["kept"]


def test_a_table_of_several_cells_needs_to_know_which(record: Make) -> None:
    table = table_of([record("a", {"x": True}, cell="c"), record("a", {"x": False}, cell="d")])
    with pytest.raises(ValueError, match="2 cells"):
        compute([Rate("x")], "x", table)
    assert [compute([Rate("x")], "x", table, cell=one)[0].value for one in "cd"] == [1.0, 0.0]


def test_bad_declarations_are_refused() -> None:
    for bad in (
        lambda: Rate("x", average="macro"),
        lambda: Mean("x", range=(1, 0)),
        lambda: PassAt("x", k=(0,)),
        lambda: Agreement("x", coefficients=("kappa",)),
        lambda: Custom("x", f1, needs=("tag:t",)),
        lambda: Across("x", regression, cells={"base": {}}, needs=("a",)),
        lambda: Across("x", regression, cells={"a": {}, "b": {}}),
        lambda: row_names([Rate("x"), Mean("x")]),
    ):
        with pytest.raises(ConfigError):
            bad()
    with pytest.raises(PluginError):
        compute([object()], "x", TableBuilder().build())
