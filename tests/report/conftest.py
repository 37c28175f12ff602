"""Run folders to report on, and a strict reader of pages."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from suite.cli.main import cli
from suite.journal.run import Run
from tests.report.making_runs import Build, build_run
from tests.report.strict_page import Page


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Builds a run folder; keyword arguments as in `Build`."""

    def make(**options: Any) -> Path:
        build = Build(**options)
        return build_run(tmp_path / "runs" / build.name, build)

    return make


@pytest.fixture
def reader(make_run: Callable[..., Path]) -> Run:
    """The journal of a plain run."""
    return Run(make_run())


@pytest.fixture
def page() -> type[Page]:
    """Reads a page strictly."""
    return Page


@pytest.fixture(scope="session")
def _mini_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PrefEval on its bundled data: both tasks, two trials, a judge that often cannot be understood."""
    pytest.importorskip("suite_prefeval")
    place = tmp_path_factory.mktemp("mini")
    folder, judge = place / "run", place / "judge.jsonl"
    quoted = "<quote>words</quote>\n<answer>No</answer>"
    judge.write_text(json.dumps({"texts": [quoted, "hm"]}) + "\n", "utf-8")  # a reply a trial
    words = [
        "--task",
        "prefeval/generation",
        "--task",
        "prefeval/classification",
        "--mini",
        "--limit",
        "8",
        "-P",
        "inter_turns=0,1",
    ]
    models = ["--model", "scripted/words", "--judge", f"scripted/{judge}", "--trials", "2", "--no-cache"]
    done = CliRunner().invoke(
        cli, ["eval", *words, *models, "--output", str(folder), "--quiet"], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def mini_run(_mini_runs: Path, tmp_path: Path) -> Path:
    """A copy of a real run, to be changed at will."""
    return Path(shutil.copytree(_mini_runs, tmp_path / "mini-run"))
