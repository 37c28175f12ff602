"""`suite report` and `suite runs` as they are typed."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from suite.cli.report import report
from suite.cli.runs import runs
from suite.errors import ConfigError, NotFound

Make = Callable[..., Path]


def call(command: Any, *arguments: object) -> Result:
    return CliRunner().invoke(command, list(map(str, arguments)), catch_exceptions=False)


def fails(command: Any, *arguments: object) -> BaseException:
    result = CliRunner().invoke(command, list(map(str, arguments)))
    assert result.exception is not None
    return result.exception


def test_show_prints_results_and_finds_runs_by_name(
    make_run: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run()
    monkeypatch.chdir(tmp_path)
    by_name = call(report, "show", "run-1").output
    assert "kept (higher is better)" in by_name
    assert by_name == call(report, "show", folder).output
    assert "beta" in call(report, "show", folder, "--details").output
    assert "solve call 1" in call(report, "show", folder, "--sample", "pets/4").output


def test_show_writes_other_forms(make_run: Make, tmp_path: Path) -> None:
    folder = make_run()
    results = json.loads((folder / "scorings/abc12345/results.json").read_text())
    shown = json.loads(call(report, "show", folder, "--json").output)
    assert next(iter(shown)) == "what_was_run"
    assert shown.pop("what_was_run")["seed"] == 7
    assert shown == results
    assert call(report, "show", folder, "--markdown", "-").output.startswith("# run-1\n")
    path = tmp_path / "page.html"
    assert call(report, "show", folder, "--html", path).output == f"wrote {path}\n"
    assert path.read_text().startswith("<!doctype html>")


def test_contradictions_and_unknown_names_are_refused(make_run: Make, tmp_path: Path) -> None:
    folder = make_run()
    assert isinstance(fails(report, "show", folder, "--markdown", "-", "--json"), ConfigError)
    assert isinstance(fails(report, "show", tmp_path / "nothing"), NotFound)
    assert "abc12345" in str(fails(report, "show", folder, "--scoring", "abc"))


def test_export_writes_and_says_where(make_run: Make, tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    result = call(report, "export", make_run(pending=0), "--to", "csv", "-O", path)
    assert result.output == f"wrote {path}\n"
    assert len(path.read_text().splitlines()) == 7 * 12 + 1


@pytest.mark.parametrize(
    ("words", "warns"),
    [
        (("--to", "jsonl"), True),
        (("--to", "csv", "--table", "values"), False),
    ],
)
def test_an_export_of_closed_data_says_that_answers_may_repeat_it(
    make_run: Make, tmp_path: Path, words: tuple[str, ...], warns: bool
) -> None:
    closed = {"data": {"prefs": {"licence": {"name": "CC-BY-NC-4.0"}}}}
    said = call(report, "export", make_run(pending=0, manifest=closed), *words, "-O", tmp_path / "out").output
    assert ("prefs may not be passed on" in said) is warns


def test_runs_are_listed_with_their_state(
    make_run: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    make_run(name="done", pending=0, turns=(0,), methods=("plain",))
    make_run(name="partly")
    make_run(name="unscored", scored=False, pending=0)
    broken = tmp_path / "runs/broken"
    broken.mkdir()
    (broken / "manifest.json").write_text("{")
    found = json.loads(call(runs, "list", "--dir", tmp_path / "runs", "--json").output)
    assert {one["run"]: one["state"] for one in found} == {
        "broken": "unreadable",
        "done": "finished",
        "partly": "partial",
        "unscored": "solved, not scored",
    }
    text = call(runs, "list", "--dir", tmp_path / "runs").output
    assert "partial (2 pending)" in text
    assert call(runs, "list", "--dir", tmp_path / "none").output == f"no runs in {tmp_path / 'none'}\n"


def test_show_tells_state_roles_scorings_and_reasons(make_run: Make) -> None:
    folder = make_run()
    text = call(runs, "show", folder).output
    assert "run-1: partial, 2 pending" in text
    assert "pending 2: solve: timeout" in text
    assert "scoring abc12345: 2 pending" in text
    assert "openai/judge-1" in text
    shown = json.loads(call(runs, "show", folder, "--json").output)
    assert (shown["pending_reasons"], shown["shown_scoring"]) == ({"solve: timeout": 2}, "abc12345")


def test_prefeval_files_are_imported(tmp_path: Path) -> None:
    pytest.importorskip("suite_prefeval")
    place = tmp_path / "explicit/generation_results/zero-shot/shop_home/m_shop_home_8interturn.json"
    place.parent.mkdir(parents=True)
    row = {"preference": "p", "question": "q", "explanation": "e", "response_to_q": "Drink tea."}
    place.write_text(json.dumps([row]))
    result = call(runs, "import", tmp_path / "explicit", "--from", "prefeval", "-O", tmp_path / "run")
    assert "run: partial, 1 pending, imported" in result.output
    assert (tmp_path / "run/report.html").exists()


def test_commands_import_nothing_heavy() -> None:
    code = (
        "import sys, suite.cli.report, suite.cli.runs; "
        "heavy = ('numpy', 'matplotlib', 'jinja2', 'rich', 'pyarrow', 'pydantic'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
