"""The reports in a run's folder: both written in one step, never at the cost of the run."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from suite.errors import RunError
from suite.report import html
from suite.report.run_reports import replace_file, write_reports

Make = Callable[..., Path]


def test_both_reports_are_written_and_replaced(make_run: Make) -> None:
    folder = make_run()
    said: list[str] = []
    paths = write_reports(folder, say=said.append)
    assert [path.name for path in paths] == ["report.md", "report.html"]
    assert said == []
    assert (folder / "report.md").read_text().startswith("# run-1\n")
    (folder / "report.html").write_text("old")
    write_reports(folder, say=said.append)
    assert (folder / "report.html").read_text().startswith("<!doctype html>")
    assert not list(folder.glob("*.part"))


def test_a_failure_in_drawing_is_one_line_and_costs_nothing(
    make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run()
    results = (folder / "scorings/abc12345/results.json").read_bytes()
    (folder / "report.html").write_text("what was there before")

    def breaks(*_: Any, **__: Any) -> Iterator[str]:
        yield "<!doctype html>"
        raise ValueError("boom\nsecond line")

    monkeypatch.setattr(html, "html_report", breaks)
    said: list[str] = []
    assert [path.name for path in write_reports(folder, say=said.append)] == ["report.md"]
    assert said == ["report.html could not be written: ValueError: boom second line"]
    assert (folder / "report.html").read_text() == "what was there before"
    assert (folder / "scorings/abc12345/results.json").read_bytes() == results
    assert not list(folder.glob("*.part"))


def test_a_folder_without_a_run_is_said_and_survived(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write_reports(tmp_path) == []
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "report.md could not be written",
        "report.html could not be written",
    ]


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/dev/full").exists(), reason="needs a full device")
def test_a_place_that_cannot_be_written_leaves_no_half_file(tmp_path: Path) -> None:
    blocked = tmp_path / "taken"
    blocked.mkdir()
    with pytest.raises(RunError, match="cannot write taken"):
        replace_file(blocked, ["x"])
    assert list(tmp_path.iterdir()) == [blocked]


def test_the_markdown_says_the_same_numbers(make_run: Make) -> None:
    folder = make_run(samples=30)
    write_reports(folder)
    text = (folder / "report.md").read_text()
    results = json.loads((folder / "scorings/abc12345/results.json").read_text())
    for cell in results["cells"]:
        head = next(one for one in cell["metrics"] if one["headline"])
        assert f"{head['value']:.3f} | \\[{head['low']:.3f}, {head['high']:.3f}\\]" in text
    assert "### kept by topic" in text
    assert "beta" in text
