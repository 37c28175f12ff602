"""Every task of this plugin keeps the contract."""

import json
from pathlib import Path

import pytest
from suite_judge_audit.plugin import suite_register

from suite.testing import Subject, conformance

TASKS = [entry.name for entry in suite_register() if entry.kind == "task"]
WINNERS = ("first", "second", "tie")


def labelled(path: Path) -> str:
    """A file of pairs with what people said of them."""
    pairs = [{"id": f"p{n}", "question": f"Question {n}?", "human": WINNERS[n % 3]} for n in range(12)]
    answers = {"first": "An answer.", "second": "Another."}
    path.write_text("".join(json.dumps({**one, **answers}) + "\n" for one in pairs), "utf-8")
    return str(path)


@pytest.mark.parametrize("task", TASKS)
def test_the_contract_is_kept(task: str, tmp_path: Path) -> None:
    data = {"labels": labelled(tmp_path / "labels.jsonl")} if task == "judge-audit/labels" else {}
    conformance.check(Subject(task, data=data, groups=2, cells=2), conformance.WITHOUT_MODEL).require()
