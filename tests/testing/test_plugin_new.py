"""`suite plugin new`: what it writes installs, runs, tests and passes the check at once."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from suite.cli.plugin import new
from suite.errors import ConfigError, SuiteError
from suite.testing.conformance import CHECKS

ROOT = Path(__file__).resolve().parents[2]
ONE_FILE = ROOT / "docs/one-file"


def test_it_writes_a_distribution_with_a_task_of_about_50_lines(tmp_path: Path) -> None:
    done = CliRunner().invoke(new, ["try-units", "--output", str(tmp_path / "d")])
    assert done.exit_code == 0, done.output
    written = sorted(str(path.relative_to(tmp_path / "d")) for path in (tmp_path / "d").rglob("*.*"))
    assert written == [
        "README.md",
        "pyproject.toml",
        "suite_try_units/__init__.py",
        "suite_try_units/mini/questions.json",
        "suite_try_units/plugin.py",
        "suite_try_units/py.typed",
        "suite_try_units/registry/datasets/try-units-questions.yaml",
        "suite_try_units/registry/schemas/try-units-questions.json",
        "suite_try_units/task.py",
        "tests/test_task.py",
    ]
    task = (tmp_path / "d/suite_try_units/task.py").read_text("utf-8")
    assert len(task.splitlines()) < 70
    assert "$" not in task


@pytest.mark.parametrize("name", ["Units", "my_units", "-units", "9lives", "a--b", "a/b", "", "prefeval"])
def test_a_bad_or_taken_name_is_refused(name: str, tmp_path: Path) -> None:
    if name == "prefeval":
        pytest.importorskip("suite_prefeval")
    done = CliRunner().invoke(new, ["--output", str(tmp_path / "d"), "--", name])
    assert isinstance(done.exception, ConfigError)
    assert not (tmp_path / "d").exists()


def test_a_folder_with_anything_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", "utf-8")
    done = CliRunner().invoke(new, ["try-units", "--output", str(tmp_path)])
    assert isinstance(done.exception, ConfigError)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_of_a_file_it_takes_the_task_and_its_rows_as_they_are(tmp_path: Path) -> None:
    place = tmp_path / "d"
    done = CliRunner().invoke(new, ["--from", f"{ONE_FILE}/plain.py", "--output", str(place)])
    assert done.exit_code == 0, done.output
    written = sorted(str(path.relative_to(place)) for path in place.rglob("*.*"))
    assert written == [
        "README.md",
        "pyproject.toml",
        "suite_plain/__init__.py",
        "suite_plain/plain.csv",
        "suite_plain/plugin.py",
        "suite_plain/py.typed",
        "suite_plain/task.py",
        "tests/test_task.py",
    ]
    assert (place / "suite_plain/task.py").read_bytes() == (ONE_FILE / "plain.py").read_bytes()
    assert (place / "suite_plain/plain.csv").read_bytes() == (ONE_FILE / "plain.csv").read_bytes()


@pytest.mark.parametrize(
    ("rows", "told"),
    [("gone.csv", "no file gone.csv"), ("../plain.csv", "cannot go with it"), (None, "needs a name")],
)
def test_of_a_file_nothing_is_written_where_its_rows_cannot_go_with_it(
    rows: str | None, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "plain.py"
    file.write_text((ONE_FILE / "plain.py").read_text("utf-8").replace("plain.csv", rows or ""), "utf-8")
    command = ["--output", str(tmp_path / "d"), *(["--from", str(file)] if rows else [])]
    done = CliRunner().invoke(new, command)
    assert isinstance(done.exception, SuiteError)
    assert told in str(done.exception)
    assert not (tmp_path / "d").exists()


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="hatchling is not installed")
def test_of_a_file_it_installs_tests_checks_and_runs_at_once(tmp_path: Path) -> None:
    place, target = tmp_path / "suite-try-units", tmp_path / "installed"
    command = ["try-units", "--from", f"{ONE_FILE}/units.py", "--output", str(place)]
    assert CliRunner().invoke(new, command).exit_code == 0
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    told(place, *pip, "--target", str(target), str(place))
    environment = {"PYTHONPATH": os.pathsep.join([str(target), str(ROOT)])}
    python = [sys.executable, "-m"]
    tests = told(place, *python, "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", **environment)
    assert "1 passed" in tests
    checked = told(tmp_path, *python, "suite", "plugin", "check", "try-units", "--no-model", **environment)
    assert (checked.count("passed") + checked.count("skipped"), checked.count("failed")) == (
        len(CHECKS) - 1,
        0,
    )
    run = [*python, "suite", "eval", "--task", "units", "--model", "scripted/words", "--quiet", "--json"]
    assert "correct" in told(tmp_path, *run, "--output", str(tmp_path / "run"), **environment)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="hatchling is not installed")
def test_it_installs_tests_checks_and_runs_at_once(tmp_path: Path) -> None:
    place, target = tmp_path / "suite-try-units", tmp_path / "installed"
    assert CliRunner().invoke(new, ["try-units", "--output", str(place)]).exit_code == 0
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    told(place, *pip, "--target", str(target), str(place))
    environment = {"PYTHONPATH": os.pathsep.join([str(target), str(ROOT)])}
    python = [sys.executable, "-m"]
    pytest_ = [*python, "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore"]
    assert "6 passed" in told(place, *pytest_, **environment)
    checked = told(tmp_path, *python, "suite", "plugin", "check", "try-units", "--no-model", **environment)
    assert (checked.count("passed"), checked.count("failed")) == (len(CHECKS) - 2, 0)
    told(place, *python, "mypy", "--strict", "suite_try_units", "tests", **environment)
    told(place, *python, "ruff", "check", ".", **environment)
    run = [*python, "suite", "eval", "--task", "try-units", "--mini", "--model", "scripted/words", "--quiet"]
    assert "kept" in told(tmp_path, *run, "--json", "--output", str(tmp_path / "run"), **environment)


def told(folder: Path, *command: str, **environment: str) -> str:
    """What a command printed; it must succeed."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
