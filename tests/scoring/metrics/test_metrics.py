"""Rates and means against a reference computed another way, and what holds for every metric."""

import math
import random
from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats

from suite.errors import ConfigError, PluginError
from suite.scoring.computation import compute, wanted
from suite.scoring.metrics import (
    Across,
    Agreement,
    Custom,
    Mean,
    PassAt,
    Rate,
    Ratio,
    WinRate,
)
from suite.scoring.metrics.declared import row_names
from suite.scoring.table import TableBuilder
from suite.task import Part, Unscored
from tests.scoring.measuring import Make, Record, beta, interval, rows_of, table_of

# --- Rate and Mean


def test_a_rate_is_a_share_with_a_beta_interval(record: Make) -> None:
    result = rows_of(Rate("kept"), [record(f"s{i}", {"kept": i < 7}) for i in range(10)])["kept"]
    assert result.value == 0.7
    assert interval(result) == pytest.approx(beta(7, 10))
    assert (result.headline, result.method, result.n, result.clusters) == (True, "beta", 10, 10)
    assert (result.unscored, result.not_applicable, result.coverage, result.bounds) == (0, 0, 1.0, None)
    assert (result.direction, result.level, result.slice) == ("higher", 0.95, {})


def test_three_outcomes_are_counted_apart(record: Make) -> None:
    values: list[Any] = [True] * 6 + [False] * 2 + [Unscored("unparsed")] * 2 + [None] * 5
    result = rows_of(Rate("kept"), [record(f"s{i}", {"kept": v}) for i, v in enumerate(values)])["kept"]
    assert (result.value, result.n, result.unscored, result.not_applicable) == (0.75, 8, 2, 5)
    assert result.coverage == 0.8
    assert result.bounds == (0.6, 0.8)  # 6 of 10, 8 of 10
    assert "coverage 80.0%" in result.note


def test_graded_scores_get_at_least_a_t_interval_within_the_range(record: Make) -> None:
    # the textbook's formula, restated
    values = [0.1, 0.2, 0.35, 0.4, 0.55, 0.6, 0.7, 0.8, 0.9, 1.0]
    sd, m = float(np.std(values, ddof=1)), float(np.mean(values))
    half = float(scipy_stats.t.ppf(0.975, 9)) * sd / math.sqrt(10)
    result = rows_of(
        Mean("score", range=(0, 1)), [record(f"s{i}", {"score": v}) for i, v in enumerate(values)]
    )
    assert result["score"].value == pytest.approx(m)
    low, high = interval(result["score"])
    assert m - 1.1 * half < low <= m - half < m + half <= high < m + 1.1 * half
    most = [1, 1, 1, 1, 0.9]
    top = rows_of(Mean("score", range=(0, 1)), [record(f"s{i}", {"score": v}) for i, v in enumerate(most)])
    assert top["score"].high == 1.0


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
    trials = {"a": [1, 0, 1, 1], "b": [0, 0, 0, 1], "c": [1, 1, 1, 1], "d": [1, 1, 0, 0], "e": [0, 1, 0, 1]}
    records = [record(name, {"x": bool(v)}, trial=t) for name, vs in trials.items() for t, v in enumerate(vs)]
    result = rows_of(Rate("x"), records)["x"]
    means = [0.75, 0.25, 1.0, 0.5, 0.5]
    half = float(scipy_stats.t.ppf(0.975, 4)) * float(np.std(means, ddof=1)) / math.sqrt(5)
    assert (result.value, result.n) == (pytest.approx(0.6), 5)
    assert interval(result) == pytest.approx((0.6 - half, 0.6 + half), abs=0.05)
    assert result.method == "t-unseen"  # the means of trials are graded


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
    assert rows["kept"].method == "macro-beta"
    assert interval(rows["kept"]) == pytest.approx((0.625 - half, 0.625 + half), abs=0.1 * half)
    assert rows["kept_micro"].value == pytest.approx(272 / 380)
    assert interval(rows["kept_micro"]) == pytest.approx(beta(272, 380))
    assert interval(rows[("kept", "sw")]) == pytest.approx(beta(12, 30))
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


def test_a_cluster_over_several_groups_is_kept_whole(record: Make) -> None:
    chance = random.Random(5)
    records = [
        record(f"s{i}-{t}", {"x": chance.random() < 0.6}, cluster=f"k{i}", tags={"t": t})
        for i in range(40)
        for t in ("one", "two")
    ]
    row = rows_of(Rate("x", by="t", average="macro"), records, seed=3)["x"]
    assert row.method == "macro-beta"
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
    small = table_of(records, wanted(ALL))
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
        lambda: Custom("x", len, needs=("tag:t",)),
        lambda: Across("x", len, cells={"base": {}}, needs=("a",)),
        lambda: Across("x", len, cells={"a": {}, "b": {}}),
        lambda: row_names([Rate("x"), Mean("x")]),
    ):
        with pytest.raises(ConfigError):
            bad()
    with pytest.raises(PluginError):
        compute([object()], "x", TableBuilder().build())
