"""Real runs of PrefEval's bundled data by scripted models, to be looked at, compared and changed at will."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from suite.cli.main import cli
from suite.view.run_rows import RunListing
from suite.view.site import ViewSite
from tests.report.making_runs import Build, build_run

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)> \u202e"
ANSWERS = {"model-a": ["(A)", "(B)"], "model-b": ["(B)", f"(A) {HOSTILE}"]}


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("suite_prefeval")
    root = tmp_path_factory.mktemp("view")
    for name, texts in ANSWERS.items():
        (root / f"{name}.jsonl").write_text(json.dumps({"texts": texts}) + "\n", "utf-8")
        words = [
            "eval",
            "--task",
            "prefeval/classification",
            "--mini",
            "--limit",
            "14",
            "--no-cache",
            "--quiet",
        ]
        words += [
            "-P",
            "inter_turns=0",
            "-P",
            "method=zero-shot",
            "--model",
            f"scripted/{root / name}.jsonl",
            "--output",
            str(root / "runs" / name),
        ]
        done = CliRunner().invoke(cli, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        (root / "runs" / name / "report.html").unlink()
    third = Path(shutil.copytree(root / "runs" / "model-b", root / "runs" / "model-c"))
    manifest = json.loads((third / "manifest.json").read_text("utf-8"))
    manifest["created"] = "2999-01-01T00:00:00+00:00"
    manifest["roles"]["candidate"][0]["spec"] = "scripted/model-c.jsonl"
    (third / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return root / "runs"


@pytest.fixture
def runs(_made: Path, tmp_path: Path) -> Path:
    """A folder of three finished runs: model-a, model-b, model-c."""
    return Path(shutil.copytree(_made, tmp_path / "runs"))


@pytest.fixture
def site(runs: Path, tmp_path: Path) -> ViewSite:
    """The site of these runs, as it is served."""
    (tmp_path / "scratch").mkdir()
    return ViewSite(RunListing(runs), tmp_path / "scratch")


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Builds a run with a sweep, of tasks that are not installed; keyword arguments as in `Build`."""

    def make(**options: Any) -> Path:
        build = Build(**options)
        return build_run(tmp_path / "made" / build.name, build)

    return make
