"""Position bias of judged pairs, from the judge's replies to the numbers; and what imports what."""

import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from suite.blocks import Section, Text
from suite.chat import Request, user
from suite.scoring.analysis import Analysis, RunView
from suite.scoring.bias import pair_metrics
from suite.scoring.computing import compute
from suite.scoring.pairwise import compare_pair
from suite.scoring.table import TableBuilder


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

        def sections(self, runs: Sequence[RunView]) -> Iterable[Section]:
            yield Section("Runs", [Text(str(len(runs)))])

    assert Count()([]) == (Section("Runs", [Text("0")]),)


@pytest.mark.parametrize(
    "module",
    [
        "metrics",
        "results",
        "judges",
        "verdicts",
        "parsers",
        "pairwise",
        "panel",
        "bias",
        "rating",
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
