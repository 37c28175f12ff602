"""Hidden tests really run in the sandbox: right programs pass, others fail, forgeries too."""

from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from suite_vibechecker.environment import Environment, find
from suite_vibechecker.functional import Functional
from suite_vibechecker.rows import BigRow, LiveRow

import suite
from suite.sandbox import open_sandbox

SOLUTIONS = Path(__file__).parent / "solutions"
pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def functional() -> AsyncIterator[Functional]:
    try:
        sandbox = await open_sandbox()
    except suite.SandboxUnavailable as error:
        pytest.skip(str(error))
    yield Functional(sandbox, find("", Path("/nonexistent"), ()), seconds=5)
    await sandbox.close()


async def test_big_references_pass_apart_from_their_tests(
    functional: Functional, big_rows: list[BigRow]
) -> None:
    for row in big_rows:
        assert await functional.way(row) == "apart", row.task_id
        assert await functional(row, row.reference) == (True, "passed")


async def test_a_wrong_big_program_fails(functional: Functional, big_rows: list[BigRow]) -> None:
    for row in big_rows[:3]:
        wrong = f"def {row.entry_point}(*args, **kwargs):\n    return None"
        assert (await functional(row, wrong)).passed is False
        faked = "import unittest\nunittest.TestCase.assertEqual = lambda *a: None\n" + wrong
        assert (await functional(row, faked)).passed is False
        assert (await functional(row, "import sys; sys.exit(0)")).passed is False


async def test_live_references_pass_and_wrong_ones_fail(
    functional: Functional, live_rows: list[LiveRow]
) -> None:
    for row in live_rows:
        solution = (SOLUTIONS / f"{row.question_id}.py").read_text()
        assert await functional(row, solution) == (True, "passed"), row.question_id
        other = "print('OK')" if row.kind == "stdin" else "def solve(*args): return 'no such answer'"
        assert (await functional(row, other)).passed is False


async def test_a_program_without_a_function(functional: Functional, live_rows: list[LiveRow]) -> None:
    row = next(row for row in live_rows if row.kind == "functional")
    assert await functional(row, "x = 1") == (False, "no function")


def _row(test: str, body: str) -> BigRow:
    return BigRow(
        task_id=f"Test/{hash(test + body)}",
        instruct_prompt="",
        complete_prompt="import os\ndef task_func(x):",
        canonical_solution=body,
        code_prompt="import os\ndef task_func(x):\n",
        test="import unittest\nfrom unittest.mock import patch\nclass TestCases(unittest.TestCase):\n" + test,
        entry_point="task_func",
        instruction_list=(),
    )


PATCHING = """
    def test_it(self):
        with patch("os.getlogin", return_value="me"):
            self.assertEqual(task_func(1), "me")
"""


async def test_tests_that_patch_modules_share_a_process_and_say_so(functional: Functional) -> None:
    row = _row(PATCHING, "    return os.getlogin()")
    assert await functional.way(row) == "shared"
    good = await functional(row, "import os\ndef task_func(x): return os.getlogin()")
    assert good == (suite.Unscored("could be forged"), "passed, not isolated")
    assert (await functional(row, "def task_func(x): return 'you'")).passed is False


async def test_shared_tests_count_when_asked(functional: Functional) -> None:
    counting = Functional(
        functional._sandbox, Environment(Path(functional._python), "own"), shared_tests=True, seconds=5
    )
    row = _row(PATCHING, "    return os.getlogin()")
    assert await counting(row, "import os\ndef task_func(x): return os.getlogin()") == (True, "passed")


async def test_a_problem_whose_reference_fails_is_unscored(functional: Functional) -> None:
    row = _row("\n    def test_it(self):\n        self.assertEqual(task_func(1), 2)\n", "    return 3")
    found: Any = await functional(row, "def task_func(x): return 2")
    assert found.passed.reason == "reference fails"


async def test_endless_programs_are_named_by_their_limit(
    functional: Functional, live_rows: list[LiveRow], big_rows: list[BigRow]
) -> None:
    hasty = Functional(functional._sandbox, Environment(Path(functional._python), "own"), seconds=0.3)
    row = next(row for row in live_rows if row.kind == "stdin")
    assert (await hasty(row, "while True: pass")).word in ("cpu", "wall")
    spin = f"def {big_rows[0].entry_point}(*a, **k):\n    while True: pass"
    assert (await hasty(big_rows[0], spin)).word in ("cpu", "wall")


async def test_a_program_cannot_read_the_mini_data(functional: Functional, live_rows: list[LiveRow]) -> None:
    row = next(row for row in live_rows if row.kind == "stdin")
    mini = str(files("suite_vibechecker").joinpath("mini", "live.jsonl"))
    code = f"""
import json, os, sys
given = sys.stdin.read()
places = [{mini!r}, *(os.path.join(one, "suite_vibechecker/mini/live.jsonl") for one in sys.path)]
for folder, _, names in [*os.walk("/run"), *os.walk("/tmp")]:
    places += [os.path.join(folder, name) for name in names if name.endswith(".jsonl")]
for place in filter(os.path.exists, places):
    for row in map(json.loads, open(place)):
        for case in json.loads(row["private_test_cases"]):
            if case["input"] == given:
                print(case["output"])
                sys.exit()
print("nothing found")
"""
    assert (await functional(row, code)).word == "failed"
