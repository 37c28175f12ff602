import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from suite.journal.documents import MetricResult
from suite.journal.records import OutputRecord, ScoreRecord
from suite.scoring.computation import compute, wanted
from suite.scoring.headline import RunningHeadline
from suite.scoring.metrics import Agreement, Custom, Mean, PassAt, Rate, Ratio, WinRate
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.intervals import wilson
from suite.task import Part, Unscored, Value
from tests.scoring.measuring import table_of


def fed(metrics: list[Any], headline: str, records: list[tuple[OutputRecord, ScoreRecord]]) -> Estimate:
    running = RunningHeadline(metrics, headline)
    for output, score in records:
        running.add(score, output)
    return running.value()


def final(metrics: list[Any], headline: str, records: list[tuple[OutputRecord, ScoreRecord]]) -> MetricResult:
    table = table_of(records, wanted(metrics))
    return next(row for row in compute(metrics, headline, table) if row.headline)


@pytest.fixture
def records(record: Callable[..., Any]) -> list[tuple[OutputRecord, ScoreRecord]]:
    values: list[Value] = [True, False, True, True, Unscored("refused"), None, True, False]
    return [
        record(
            f"s{i}",
            {"kept": x, "grade": i / 8, "win": (i % 5) / 4, "hits": i % 3, "tries": 3},
            tags={"topic": "ab"[i % 2]},
            parts=[Part("p", {"kept": x}, {"kind": "x"}), Part("q", {"kept": True}, {"kind": "y"})],
        )
        for i, x in enumerate(values)
    ]


SAME = [
    (Rate("kept"), "kept"),
    (Mean("grade", range=(0, 1)), "grade"),
    (Mean("grade", where={"topic": "a"}), "grade"),
    (Mean("grade", where={"topic": ["a", "b"]}), "grade"),
    (Mean("grade", by="topic", average="macro"), "grade"),
    (Mean("grade", by="topic"), "grade"),
    (Mean("grade", by="topic"), "grade_macro"),
    (Rate("kept", over="parts", where={"kind": "x"}), "kept"),
    (Ratio("hits", "tries"), "hits_per_tries"),
    (PassAt("kept", k=(1,)), "kept@1"),
    (WinRate("win"), "win"),
    (WinRate("win"), "win_excluded"),
    (WinRate("win"), "win_strict"),
    (WinRate("win"), "win_net"),
]


@pytest.mark.parametrize(("metric", "headline"), SAME)
def test_the_running_value_ends_at_the_computed_one(
    records: list[tuple[OutputRecord, ScoreRecord]], metric: Any, headline: str
) -> None:
    so_far, computed = fed([metric], headline, records), final([metric], headline, records)
    assert so_far.value == pytest.approx(computed.value, rel=1e-12)
    assert so_far.n == computed.n
    assert so_far.low < so_far.value < so_far.high


def test_a_rate_has_wilsons_interval_which_is_close_to_the_final_one(
    records: list[tuple[OutputRecord, ScoreRecord]],
) -> None:
    so_far, computed = fed([Rate("kept")], "kept", records), final([Rate("kept")], "kept", records)
    assert computed.method == "beta"
    assert (so_far.low, so_far.high) == pytest.approx(wilson(so_far.value, so_far.n), abs=1e-6)
    assert (so_far.low, so_far.high) == pytest.approx((computed.low, computed.high), abs=0.08)


def test_the_interval_of_a_mean_is_close_to_the_computed_one_and_in_range(record: Callable[..., Any]) -> None:
    some = [record(f"s{i}", {"grade": ((i * 37) % 100) / 99}) for i in range(400)]
    metric = Mean("grade", range=(0.0, 1.0))
    so_far, computed = fed([metric], "grade", some), final([metric], "grade", some)
    assert (so_far.low, so_far.high) == pytest.approx((computed.low, computed.high), abs=1e-3)
    two = fed([metric], "grade", [record("a", {"grade": 0}), record("b", {"grade": 1})])
    assert (two.low, two.high) == (0, 1)


@pytest.mark.parametrize(
    ("metric", "headline"),
    [
        (Agreement("kept"), "kept_percent"),
        (Custom("f", lambda _: 1.0, needs=("grade",)), "f"),
        (PassAt("kept", k=(4,)), "kept@4"),
        (Rate("kept"), "unheard-of"),
        (Mean("absent"), "absent"),
    ],
)
def test_a_headline_without_a_running_form_has_no_value(
    records: list[tuple[OutputRecord, ScoreRecord]], metric: Any, headline: str
) -> None:
    assert fed([metric], headline, records) is None


def test_before_anything_is_scored_there_is_no_value_and_one_mean_has_no_interval(
    record: Callable[..., Any],
) -> None:
    assert fed([Rate("kept")], "kept", []) is None
    assert fed([Mean("grade")], "grade", [record("a", {"grade": 3})]) == Estimate(3.0, n=1)
    assert fed([Ratio("hits", "tries")], "hits_per_tries", [record("a", {"hits": 1, "tries": 0})]) is None


def test_labels_are_not_numbers(record: Callable[..., Any]) -> None:
    assert fed([Mean("grade")], "grade", [record("a", {"grade": "good"})]) is None


def test_it_costs_little_and_imports_no_numpy(record: Callable[..., Any]) -> None:
    code = "import suite.scoring.headline, sys; assert 'numpy' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    output, score = record("a", {"kept": True})
    running = RunningHeadline([Rate("kept")], "kept")
    start = time.process_time()
    for _ in range(20_000):
        running.add(score, output)
    assert time.process_time() - start < 1
    assert running.value().n == 20_000
