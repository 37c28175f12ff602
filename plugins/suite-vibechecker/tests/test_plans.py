import subprocess
import sys
from pathlib import Path

from suite_vibechecker.plans import FunctionPlan, StdinPlan, UnittestPlan, plan
from suite_vibechecker.rows import BigRow, LiveRow


def test_a_big_plan_runs_program_between_stub_and_tests(big_rows: list[BigRow], tmp_path: Path) -> None:
    row = big_rows[0]
    made = plan(row, row.reference)
    assert isinstance(made, UnittestPlan)
    (tmp_path / "module.py").write_text(made.module)
    command = [sys.executable, "-m", "unittest", f"module.{made.test_class}"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0


def test_the_stub_lends_its_imports(big_rows: list[BigRow], tmp_path: Path) -> None:
    row = next(row for row in big_rows if "import re\n" in row.code_prompt)
    made = plan(row, row.canonical_solution and row.reference.replace("import re\n", ""))
    assert isinstance(made, UnittestPlan)
    (tmp_path / "module.py").write_text(made.module)
    command = [sys.executable, "-m", "unittest", f"module.{made.test_class}"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0


def test_live_plans_hold_the_hidden_cases_only(live_rows: list[LiveRow]) -> None:
    by_id = {row.question_id: row for row in live_rows}
    stdin = plan(by_id["mini-sum-pairs"], "x = 1")
    called = plan(by_id["mini-target"], "def helper(): ...\ndef solve(a, b): ...\n")
    assert isinstance(stdin, StdinPlan)
    assert isinstance(called, FunctionPlan)
    assert (stdin.cases[0], len(stdin.cases), stdin.limits.wall_s) == (("1\n-5 5\n", "0"), 2, 31.0)
    assert (called.entry, called.cases[0]) == ("solve", ([[1, 2], 9], []))
