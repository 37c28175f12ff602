import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import suite.plugins
from suite.cli.compare import compare, rate
from suite.cli.main import run
from suite.journal.commands import note_command
from suite.journal.records import CommandRecord
from suite.plugins import Catalogue

VOTES = str(Path(__file__).parents[1] / "golden" / "statistics" / "votes.csv")


@pytest.fixture
def two_runs(
    write_run: Callable[..., Any],
    score_all: Callable[..., Any],
    plugins: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:
    monkeypatch.setattr("suite.comparisons.comparison.catalogue", lambda: plugins)
    return [str(write_run("a", score_all())), str(write_run("b", score_all(3)))]


def test_a_comparison_is_printed_and_written(two_runs: list[str], tmp_path: Path) -> None:
    written, markdown = tmp_path / "out" / "c.html", tmp_path / "c.md"
    found = CliRunner().invoke(
        compare, [*two_runs, "--html", str(written), "--markdown", str(markdown), "--metric", "all"]
    )
    assert found.exit_code == 0, found.output
    assert "scripted/a against scripted/b" in found.output
    assert "\x1b" not in found.output
    page = written.read_text()
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert "<svg" in page
    assert "<b>" not in page  # an answer cannot be markup
    assert not re.search(r"https?://(?!www\.w3\.org)", page.split("</style>")[1])
    assert "default-src 'none'" in page
    assert "# scripted/a against scripted/b" in markdown.read_text()


def test_a_comparison_as_json(two_runs: list[str]) -> None:
    found = CliRunner().invoke(compare, [*two_runs, "--json", "--margin", "0.1"])
    data = json.loads(found.output)
    assert data["format"] == "suite-compare/1"
    assert data["comparisons"][0]["metric"] == "kept"
    assert data["comparisons"][0]["difference"]["n"] == 40
    assert data["comparisons"][0]["equivalent"] in (True, False)


def test_a_comparison_starts_with_what_was_run_and_every_caveat_of_each_run(
    two_runs: list[str],
    write_run: Callable[..., Any],
    score_all: Callable[..., Any],
    tmp_path: Path,
) -> None:
    mini = str(write_run("c", score_all(), mini=True, limit=20, imported=True, seed=3))
    note_command(Path(two_runs[0]), CommandRecord("suite eval --task tiny/one --model 'scripted/a b'"))
    written, markdown = tmp_path / "c.html", tmp_path / "c.md"
    files = ["--html", str(written), "--markdown", str(markdown)]
    found = CliRunner().invoke(compare, [two_runs[0], mini, *files, "--anyway"])
    assert found.exit_code == 0, found.output
    page = html_text(written.read_text())
    for shown in (" ".join(found.output.split()), page, markdown.read_text()):
        assert "command: suite eval --task tiny/one --model 'scripted/a b'" in shown
        assert "equivalent command: suite eval --task tiny/one" in shown
        assert "What to know of scripted/c" in shown
        for caveat in ("bundled mini data: a demonstration", "scripted/a answers by script", "Imported: the"):
            assert caveat in shown
        assert shown.index("What differs") < shown.index("What to know of scripted/a")
        assert shown.index("What to know of scripted/c") < shown.index("Headline")
    data = json.loads(CliRunner().invoke(compare, [two_runs[0], mini, "--json", "--anyway"]).output)
    assert [one["what_was_run"]["seed"] for one in data["runs"]] == [0, 3]
    told = [one["text"] for one in data["runs"][1]["remarks"] if one["weight"] == "warning"]
    assert len(told) == 3


def html_text(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", page.split("</style>")[1].partition("</nav>")[2]))


def test_wrong_input_exits_2(two_runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", two_runs[0]]) == 2
    assert run(["compare", two_runs[0], "nowhere"]) == 2
    assert run(["rate", "nowhere.csv"]) == 2
    assert "error:" in capsys.readouterr().err


def test_ratings_are_printed_and_written(tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    found = CliRunner().invoke(rate, [VOTES, "--rounds", "50", "--style", "len_diff", "--html", str(page)])
    assert found.exit_code == 0, found.output
    assert re.search(r"alpha +1 +1 +2 +1,133", found.output)
    assert "Style held equal" in page.read_text()


def test_ratings_as_json_do_not_depend_on_chance() -> None:
    outputs = [CliRunner().invoke(rate, [VOTES, "--rounds", "40", "--json", "--no-elo"]).output for _ in "ab"]
    assert outputs[0] == outputs[1]
    data = json.loads(outputs[0])
    assert (data["votes"], data["elo"]) == (300, None)
    assert data["models"][0]["model"] == "alpha"


def test_help_has_an_example() -> None:
    for command in (compare, rate):
        text = CliRunner().invoke(command, ["--help"]).output
        assert "Example:" in text
    assert suite.plugins is not None
