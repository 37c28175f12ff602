"""A sample that data gives twice is refused when planning, with both places."""

import json
from pathlib import Path

import pytest

from suite.errors import DataError
from suite.run.plan import Plan, make_plan
from suite.run.request import EvalRequest


def planned(path: Path, *ids: object) -> Plan:
    rows = [{"id": one, "question": "q", "first": "x", "second": "y", "human": "first"} for one in ids]
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n", "utf-8")
    return make_plan(
        EvalRequest(
            ("judge-audit/labels",),
            models={"candidate": ["scripted/constant"]},
            data={"labels": str(path)},
        )
    )


@pytest.mark.parametrize("between", [[], ["b", "c"]])
def test_both_rows_are_named(tmp_path: Path, between: list[str]) -> None:
    last = len(between) + 3
    with pytest.raises(DataError) as caught:
        planned(tmp_path / "mine.jsonl", "z", "a", *between, "a")
    assert str(caught.value).split("\n  ")[:2] == [
        "judge-audit/labels: sample 'a' is given twice",
        f"labels: mine.jsonl, line 2 and labels: mine.jsonl, line {last}",
    ]


def test_ids_that_differ_are_two_samples_and_numbers_are_no_ids(tmp_path: Path) -> None:
    assert planned(tmp_path / "mine.jsonl", "a", "a/b", "A", "é", "e\u0301").counts.all_samples == 5
    with pytest.raises(DataError, match=r"mine\.jsonl, line 2 is no Labelled\n  field `id`"):
        planned(tmp_path / "mine.jsonl", "a", 1)
