"""A finished run given again: shown as it was made while nothing has changed, looked at whole otherwise."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from suite.cli.main import run_command
from suite.journal.run import Run
from suite.run.seal import SEAL

EVAL = ("eval", "--task", "prefeval/classification", "--mini", "--limit", "2", "--model", "scripted/words")
Change = Callable[[Path], object]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUITE_CACHE", str(folder.parent / "cache"))
        assert run_command(*EVAL, "--output", str(folder), "--quiet") == 0
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def again(run: Path, *more: str) -> int:
    return run_command(*EVAL, "--output", str(run), "--quiet", *more)


def written(run: Path) -> set[str]:
    """The files that the command given again made or wrote anew."""
    before = {path: path.stat().st_ino for path in run.rglob("*") if path.is_file()}
    assert again(run) == 0
    return {path.name for path in run.rglob("*") if path.is_file() and before.get(path) != path.stat().st_ino}


def scoring(run: Path) -> Path:
    return Run(run).judged.folder


def swap(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_nothing_is_written_where_nothing_changed(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert written(run) == set()
    assert "prefeval/classification" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "anew"),
    [
        (lambda run: (run / "report.html").unlink(), {"report.html", "report.md", SEAL}),
        (lambda run: swap(run / "report.md", "correct", "wrong"), {"report.html", "report.md", SEAL}),
        (
            lambda run: swap(scoring(run) / "results.json", '"complete": true', '"complete": false'),
            {"results.json", "report.html", "report.md", SEAL},
        ),
    ],
    ids=["no page", "another report", "other results"],
)
def test_what_changed_is_made_again(run: Path, change: Change, anew: set[str]) -> None:
    change(run)
    assert written(run) == anew
    assert Run(run).results.complete


@pytest.mark.parametrize("name", ["blocks.jsonl", "attempts.jsonl"])
def test_a_changed_journal_is_named(run: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    swap(run / name, '"', "'")
    assert again(run) == 2
    assert f"{name} line 1 was changed or damaged" in capsys.readouterr().err


def test_a_record_that_is_gone_is_made_again(run: Path) -> None:
    path = scoring(run) / "scores.jsonl"
    whole = sorted(path.read_text().splitlines())
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    assert again(run) == 0
    assert sorted(path.read_text().splitlines()) == whole


def test_another_level_gives_other_results(run: Path) -> None:
    assert again(run, "--level", "0.8") == 0
    assert Run(run).results.level == 0.8


def test_other_prices_draw_the_reports_anew(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.parent)
    price = '[[prices]]\nprovider = "scripted"\nmodel = "words"\ninput = 1\noutput = 1\n'
    Path("suite.toml").write_text(price)
    assert "report.html" in written(run)
