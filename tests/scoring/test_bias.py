"""Position bias of judged pairs, from the judge's replies to the numbers; and what imports what."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from suite.blocks import Section, Text
from suite.chat import Request, user
from suite.journal.run import Run
from suite.scoring.analysis import Analysis
from suite.scoring.bias import length_metrics, pair_metrics
from suite.scoring.computation import compute, wanted
from suite.scoring.pair_verdicts import compare_pair
from suite.scoring.table import TableBuilder
from tests.scoring.measuring import table_of


@pytest.mark.parametrize(
    ("judge", "expected"),
    [
        (
            "first slot",
            {
                "win": 0.5,
                "win_consistent": 0.0,
                "win_flip_first": 1.0,
                "win_first_slot": 1.0,
                "win_position_effect": 1.0,
            },
        ),
        (
            "longer",
            {
                "win": 0.7,
                "win_consistent": 1.0,
                "win_flip_first": 0.0,
                "win_first_slot": 0.5,
                "win_position_effect": 0.0,
            },
        ),
    ],
)
async def test_position_bias_of_a_judge_is_seen(
    scripted: Callable[..., Any], record: Callable[..., Any], judge: str, expected: dict[str, float]
) -> None:
    def longer(request: Request) -> str:
        one, two = request.messages[0].content.split("|")
        return "Choose 1" if len(one) > len(two) else "Choose 2"

    model = scripted("Choose 1" if judge == "first slot" else longer)
    builder = TableBuilder()
    for i in range(10):
        first, second = ("a longer one", "short") if i < 7 else ("short", "a longer one")
        pair = await compare_pair(model, lambda one, two: [user(f"{one}|{two}")], first, second)
        builder.add(*record(f"s{i}", pair.values(), parts=pair.parts()))
    rows = {row.name: row for row in compute(pair_metrics(), "win", builder.build())}
    assert {name: rows[name].value for name in expected} == pytest.approx(expected)
    assert (rows["win_first_slot"].n, rows["win_first_slot"].clusters) == (20, 10)
    assert rows["win_unparsed"].value == 0.0


def test_an_analysis_is_called_with_runs() -> None:
    class Count(Analysis):
        name = "count"

        def sections(self, runs: Sequence[Run]) -> Iterable[Section]:
            yield Section("Runs", [Text(str(len(runs)))])

    assert Count()([]) == (Section("Runs", [Text("0")]),)


@pytest.mark.parametrize(
    "module",
    [
        "metrics",
        "measures",
        "headline",
        "judges",
        "pair_verdicts",
        "bias",
        "answer_ratings",
        "analysis",
    ],
)
def test_declarations_and_judges_need_no_numpy(module: str) -> None:
    code = (
        f"import suite.scoring.{module}, sys; "
        "print([name for name in ('numpy', 'scipy', 'pandas', 'aiohttp') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_length_is_held_equal_beside_a_win_rate(record: Any) -> None:
    golden = Path(__file__).resolve().parents[1] / "golden" / "statistics"
    case = json.loads((golden / "inputs.json").read_text())["length_control"]
    expected = json.loads((golden / "expected.json").read_text())["length_control"]
    metrics = length_metrics("win", draws=40)
    lengths = zip(case["preference"], case["len_model"], case["len_base"], strict=True)
    records = [
        record(f"s{i}", {"win": x, "characters_difference": a - b}) for i, (x, a, b) in enumerate(lengths)
    ]
    table = table_of(records, wanted(metrics))
    controlled, effect = compute(metrics, "win", table)
    assert controlled.value == pytest.approx(expected["lc_win_rate"], abs=1e-7)
    assert effect.value == pytest.approx(expected["length_coef"], abs=1e-7)
    assert controlled.low < controlled.value < controlled.high


def test_equal_lengths_have_no_controlled_rate(record: Any) -> None:
    metrics = length_metrics("win", draws=5)
    records = [record(f"s{i}", {"win": i % 2, "characters_difference": 4}) for i in range(6)]
    rows = compute(metrics, "win", table_of(records, wanted(metrics)))
    assert [row.value for row in rows] == [None, None]
