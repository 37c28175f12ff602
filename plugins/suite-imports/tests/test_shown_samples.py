"""What an imported sample asked stands wherever samples of a run are shown or written."""

import json
from pathlib import Path

import pytest
from imported_runs import Import

import suite

Printed = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("importer", "log", "asked", "target"),
    [
        ("inspect", "poor.eval", "What is the capital of France?", "Paris"),
        ("lm-eval", "poor", "Q: What is 1 + 2?\n  A:", "3"),
    ],
)
def test_question_and_target_are_shown(
    imported: Import, capsys: Printed, importer: str, log: str, asked: str, target: str
) -> None:
    run = imported(importer, log)
    assert suite.run_command("runs", "samples", str(run.folder), "--limit", "100") == 0
    assert f"question\n  {asked}\ntarget\n  {target}\n" in capsys.readouterr().out


def test_the_question_is_in_exported_rows(imported: Import, tmp_path: Path, capsys: Printed) -> None:
    run, to = imported("inspect", "poor.eval"), tmp_path / "rows.jsonl"
    assert suite.run_command("report", "export", str(run.folder), "--to", "jsonl", "-O", str(to)) == 0
    rows = map(json.loads, to.read_text("utf-8").splitlines())
    lands = ("Chile", "France", "Japan", "Kenya", "Peru")
    assert {row["question"] for row in rows} == {f"What is the capital of {land}?" for land in lands}
