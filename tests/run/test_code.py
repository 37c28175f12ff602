"""A task whose code changes between making outputs and scoring them."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_tasks import Many, cells, plan_of, run

from suite.journal.documents import ResultFinding, Results
from suite.journal.run import Run
from suite.report.findings import sentences
from suite.run.code import source_sha256

SOURCE = "from small_tasks import Many\n\nclass Few(Many):\n    words = {words}\n"


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], type[Many]]]:
    """Writes the package of a task and imports it anew."""
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    folder = tmp_path / "code/changing_task"
    (folder / "deeper").mkdir(parents=True)
    (folder / "__init__.py").write_text("")

    def write(helper: str) -> type[Many]:
        (folder / "task.py").write_text(SOURCE.format(words=4))
        (folder / "deeper" / "helper.py").write_text(helper)
        for name in [name for name in sys.modules if name.startswith("changing_task")]:
            del sys.modules[name]
        importlib.invalidate_caches()
        found: type[Many] = importlib.import_module("changing_task.task").Few
        return found

    yield write
    for name in [name for name in sys.modules if name.startswith("changing_task")]:
        del sys.modules[name]


def code_findings(results: Results | None) -> list[ResultFinding]:
    assert results is not None
    return [one for one in results.findings if one.kind == "code"]


def plan(task: type[Many]) -> Any:
    return plan_of({"candidate": "scripted/echo"}, cells(task))


def test_the_whole_package_is_the_code(written: Callable[[str], type[Many]]) -> None:
    first, same, other = (source_sha256(written(text)) for text in ("A = 1\n", "A = 1\n", "A = 2\n"))
    assert first == same != other


async def test_unchanged_code_is_no_finding(written: Callable[[str], type[Many]], tmp_path: Path) -> None:
    outcome = await run(plan(written("A = 1\n")), tmp_path / "run")
    reader = Run(tmp_path / "run")
    task = reader.manifest.cells[0].task
    assert reader.manifest.code.keys() == {task}
    assert reader.manifest.code == reader.scoring_manifest.code
    assert code_findings(outcome.results) == []


async def test_outputs_of_other_code_are_scored_with_a_warning_though_quiet(
    written: Callable[[str], type[Many]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run(plan(written("A = 1\n")), tmp_path / "run", stages=("solve",))
    outcome = await run(plan(written("A = 2\n")), tmp_path / "run", stages=("score",))
    assert outcome.results is not None
    (found,) = code_findings(outcome.results)
    assert found.who == Run(tmp_path / "run").manifest.cells[0].task
    assert "has changed since this run was made" in capsys.readouterr().err
    assert any("is not what the outputs were made with" in text for text, _ in sentences(outcome.results))


async def test_a_finished_run_that_is_shown_says_that_its_code_has_changed(
    written: Callable[[str], type[Many]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run(plan(written("A = 1\n")), tmp_path / "run")
    await run(plan(written("A = 2\n")), tmp_path / "run")
    assert "has changed since this run was made" in capsys.readouterr().err
