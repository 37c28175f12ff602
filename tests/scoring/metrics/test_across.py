"""Metrics across cells, and of raters, against a reference computed another way."""

import math
import random
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from suite.journal.records import CellPlan
from suite.scoring.computation import compute, compute_across
from suite.scoring.metrics import (
    Across,
    Agreement,
)
from suite.task import Part, Unscored
from tests.scoring.measuring import Make, interval, rows_of, table_of


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


def test_agreement_in_the_only_category_seen_is_not_certain(record: Make) -> None:
    records = [record(f"s{i}", {"one": True, "other": True}) for i in range(10)]
    seen, declared = (
        rows_of(Agreement("kept", raters=("one", "other"), categories=among), records)["kept_percent"]
        for among in ((), (0.0, 1.0))
    )
    assert (seen.value, seen.low, seen.high) == (1.0, declared.low, 1.0)
    assert seen.low is not None and 0.6 < seen.low < 0.8


def test_raters_who_always_part_agree_no_less_than_minus_one(record: Make) -> None:
    records = [record(f"s{i}", {"one": i % 2 == 0, "other": i % 2 == 1}) for i in range(60)]
    rows = rows_of(Agreement("kept", raters=("one", "other"), coefficients=("alpha", "ac1")), records)
    assert [row.low for row in rows.values()] == [-1.0, -1.0]


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
