"""What is imported is declared, and what is declared is imported: of the suite and of each plugin."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = [ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
ALLOWED = {
    "suite-eval": (
        "DEP002=datasets|pip|vllm,"  # rows that a later version loads; programs that run as processes
        "DEP003=pandas,"  # only where the reader brought it
        "DEP004=pytest"  # a plugin of pytest's: only pytest imports it
    ),
    "suite-vibechecker": (
        "DEP001=callee|channel|values,"  # the harness runs them side by side in a sandbox, as no package
        "DEP002=suite-sandbox,"  # found by its entries: no plugin imports another
        "DEP003=numpy|pandas"  # only where the code under test brought it
    ),
}


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_what_is_imported_is_declared_and_the_other_way_round(project: Path) -> None:
    name = tomllib.loads((project / "pyproject.toml").read_text())["project"]["name"]
    package = "suite" if project == ROOT else name.replace("-", "_")
    command = [sys.executable, "-m", "deptry", package, "--no-ansi", "--known-first-party", package]
    command += ["--package-module-name-map", "suite-eval=suite,mlflow-skinny=mlflow,any-llm-sdk=any_llm"]
    command += ["--per-rule-ignores", ALLOWED[name]] if name in ALLOWED else []
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
