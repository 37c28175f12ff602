import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from suite.cli.judge import judge as command
from suite.comparisons.correction import as_data, correct_file, read_labels, sections
from suite.errors import ConfigError, DataError

ROGAN_GLADEN = "Rogan-Gladen, from error rates alone"


def laid_out(n: int = 400, labelled: int = 100) -> tuple[Any, ...]:
    """A judge that misses one yes in five and one no in ten."""
    truth = [float(i % 10 < 6) for i in range(n)]
    judge = [1 - x if i % 50 in (0, 11, 22, 33, 44, 8, 29) else x for i, x in enumerate(truth)]
    return [x if i % (n // labelled) == 0 else None for i, x in enumerate(truth)], judge


def test_a_judge_is_corrected_by_labels() -> None:
    human, judge = laid_out()
    found = correct_file(human, judge)
    assert (found.find("corrected").n, found.find("labels used").value) == (400, 100)
    for name in ("corrected", "human labels alone", "PPI++, verdicts together", ROGAN_GLADEN):
        assert found.find(name).low < 0.6 < found.find(name).high
    assert found.find("sensitivity").n + found.find("specificity").n == 100
    assert found.find("agreement, percent").value > 0.8
    json.dumps(as_data(correct_file(human, judge)), allow_nan=False)


def test_samples_of_one_cluster_widen_the_interval() -> None:
    human, judge = laid_out()
    apart, together = (
        correct_file(human, judge, names).find("corrected")
        for names in (None, [f"c{i // 40}" for i in range(400)])
    )
    assert (apart.clusters, together.clusters) == (400, 10)
    assert apart.low != together.low


def test_a_judge_that_is_always_wrong_is_corrected_all_the_same() -> None:
    found = correct_file([1.0, 0.0] * 20, [0.0, 1.0] * 20)
    assert found.find(ROGAN_GLADEN).value is None
    assert (found.find("corrected").value, found.find("sensitivity").value) == (pytest.approx(0.5), 0.0)
    assert sections(found)


def test_a_verdict_that_chance_left_without_a_label_is_corrected_by_the_others() -> None:
    found = correct_file([1.0, 0.0, 1.0, None, None], [1.0, 1.0, 1.0, 1.0, 0.0]).find("corrected")
    assert found.value == pytest.approx(2 / 3)
    assert found.low is not None


def test_samples_without_a_verdict_are_counted_on_the_page() -> None:
    human, judge = laid_out()
    remarks = correct_file(human, [None, *judge[1:]]).remarks
    assert "1 of 400 samples have no verdict and are left out." in remarks


def test_nothing_to_correct_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no verdict"):
        correct_file([1.0], [None])
    with pytest.raises(ConfigError, match="human label"):
        correct_file([None], [1.0])


def test_labels_are_read_or_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("judge,human,cluster\nyes,1,a\nno,,b\n,no,b\n")
    assert read_labels(path) == ([1.0, None, 0.0], [1.0, 0.0, None], ["a", "b", "b"])
    lines = tmp_path / "labels.jsonl"
    lines.write_text('{"judge": true, "human": false}\n\n{"judge": 0, "human": null}\n')
    assert read_labels(lines) == ([0.0, None], [1.0, 0.0], None)
    path.write_text("judge,human\nyes,maybe\n")
    with pytest.raises(DataError, match="line 2, human: 'maybe'"):
        read_labels(path)
    path.write_text("judge\nyes\n")
    with pytest.raises(DataError, match="no 'human'"):
        read_labels(path)
    path.write_text("judge,human\n")
    with pytest.raises(DataError, match="no rows"):
        read_labels(path)
    lines.write_text("[1]\n")
    with pytest.raises(DataError, match="element 1 is a number, no object"):
        read_labels(lines)
    lines.write_text('{"id": "a", "judge": 1, "human": 1}\n{"id": "a", "judge": 0, "human": 1}\n')
    with pytest.raises(
        DataError, match=r"sample 'a' is given twice\n  in labels\.jsonl line 1 and in .* line 2"
    ):
        read_labels(lines)
    lines.write_bytes(b"\xff\n")
    with pytest.raises(DataError, match="UTF-8"):
        read_labels(lines)


def test_the_command_prints_and_writes(tmp_path: Path) -> None:
    human, judge = laid_out()
    path = tmp_path / "labels.csv"
    rows = ["judge,human", *(f"{j},{'' if h is None else h}" for h, j in zip(human, judge, strict=True))]
    path.write_text("\n".join(rows) + "\n")
    found = CliRunner().invoke(command, ["correct", str(path), "--html", str(tmp_path / "j.html")])
    assert found.exit_code == 0, found.output
    assert "corrected for the judge" in found.output
    assert "<svg" in (tmp_path / "j.html").read_text()
    data = json.loads(CliRunner().invoke(command, ["correct", str(path), "--json"]).output)
    assert {one["what"]: one["value"] for one in data["estimates"]}["labels used"] == 100


def test_an_audit_runs_and_is_shown_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"id": "p", "question": "Q?", "first": "a", "second": "b", "human": "first"}\n')
    arguments = [
        "audit", "--judge", "scripted/constant", "-o", "text=Choose 1", "--limit", "2",
        "--labels", str(labels), "--output", "audit", "--json",
    ]  # fmt: skip
    found = CliRunner().invoke(command, arguments)
    assert found.exit_code == 0, found.output
    cells = {cell["task"]: cell for cell in json.loads(found.output)["cells"]}
    rows = {row["name"]: row["value"] for row in cells["judge-audit/biases"]["metrics"] if not row["slice"]}
    assert (rows["first_slot"], rows["longer"], rows["sound"]) == (1.0, 0.0, 0.0)
    assert "judge-audit/labels" in cells
    again = CliRunner().invoke(command, arguments)
    assert again.exit_code == 0
    report = (tmp_path / "audit" / "report.html").read_text()
    assert "Bias profile of a judge" in report
    assert "suite judge audit --judge scripted/constant" in report
    dry = CliRunner().invoke(command, [*arguments[:5], "--dry-run"])
    assert "judge-audit/biases" in dry.output
