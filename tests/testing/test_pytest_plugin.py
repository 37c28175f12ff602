"""The pytest plugin: nothing heavy unless asked for, one test a check if it is."""

import subprocess
import sys
from pathlib import Path

from suite.testing.conformance import CHECKS

PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "ignore", "--rootdir", "."]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PYTEST, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_people_who_merely_have_suite_installed_pay_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(
        "import sys\n\n"
        "def test_theirs():\n"
        "    assert 'suite.testing.pytest_plugin' in sys.modules\n"
        "    heavy = ('suite.run', 'suite.task', 'suite.errors')\n"
        "    assert not [m for m in sys.modules if m.startswith(heavy)]\n",
        "utf-8",
    )
    done = run(tmp_path, "-q")
    assert done.returncode == 0, done.stdout


def test_one_test_is_added_for_each_check_and_an_unknown_task_fails(tmp_path: Path) -> None:
    done = run(tmp_path, "-q", "--suite-task", "no/such-task", "--suite-task", "no/such-task")
    assert done.returncode == 1
    assert "no task named 'no/such-task'" in done.stdout
    assert f"{len(CHECKS)} failed" in done.stdout


def test_an_authors_test_may_use_the_fixture(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        "def test_own(suite_conformance):\n    assert not suite_conformance('no/such-task').ok\n", "utf-8"
    )
    assert run(tmp_path, "-q").returncode == 0


def test_checks_are_chosen_by_name_like_other_tests(tmp_path: Path) -> None:
    done = run(tmp_path, "-q", "--suite-task", "no/such-task", "-k", "solves")
    assert done.stdout.splitlines()[-1].startswith(f"1 failed, {len(CHECKS) - 1} deselected")
