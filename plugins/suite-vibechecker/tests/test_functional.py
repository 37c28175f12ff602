"""Hidden tests really run in the sandbox: right programs pass, others fail, forgeries too."""

import json
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from suite_vibechecker.environment import Environment, find
from suite_vibechecker.functional import NOT_RUN, Functional
from suite_vibechecker.rows import BigRow, LiveRow

import suite

SOLUTIONS = Path(__file__).parent / "solutions"
pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def functional() -> AsyncIterator[Functional]:
    try:
        sandbox = await suite.open_sandbox()
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


def live_row(cases: list[tuple[str, str]], kind: str = "functional") -> LiveRow:
    tests = json.dumps([{"input": given, "output": output, "testtype": kind} for given, output in cases])
    return LiveRow(
        question_id=f"Test/{hash(tests)}", question_title="", question_content="", platform="",
        difficulty="easy", public_test_cases=tests, private_test_cases=tests, instruction_list=(),
    )  # fmt: skip


DOUBLE = "n = int(input())\nprint(n * 2)\n"
GUARDED = "def main():\n    print(int(input()) * 2)\n\n\nif __name__ {} '__main__':\n    main()\n"
# (program, whether it passes here, whether the authors' harness passes it): facts from running theirs
STDIN_VECTORS = [
    (DOUBLE, True, True),
    (GUARDED.format("=="), True, False),  # only one spelling of the guard is known there
    (GUARDED.format("==").replace("'", '"'), True, True),
    (DOUBLE + "import sys\nsys.exit()\n", True, False),
    (DOUBLE + "exit()\n", True, False),
    ("import sys\nprint(int(sys.stdin.buffer.read()) * 2)\n", True, False),
    ("print(int(open(0).read()) * 2)\n", True, False),
    ("import resource\n" + DOUBLE, True, False),
    ("import os\nos.getcwd()\n" + DOUBLE, True, False),
    ("from __future__ import annotations\n" + DOUBLE, True, True),
    ("print(3)\n", False, False),
]
CALLED_VECTORS = [
    ("def solve(x):\n    return x * 2\n", "4", "8", True, True),
    ("if True:\n    def solve(x):\n        return x * 2\n", "4", "8", True, True),
    ("solve = lambda x: x * 2\n", "4", "8", True, False),
    ("def solve(x):\n    return not x\n", "false", "true", True, False),  # a text there
    ("def solve(x):\n    return x is None\n", "null", "true", True, False),
    ("def solve(x):\n    return len(x)\n", '"a\\n"', "2", True, False),  # escapes are not read there
    ("def solve(a, k):\n    return len(a) + k\n", "a = [1, 2], k = 3", "5", True, False),
    ("def solve(x):\n    return (x, x)\n", "1", "[1, 1]", False, False),
    (
        "n = []\ndef solve(x):\n    n.append(x)\n    return len(n)\n",
        "1",
        "1",
        True,
        True,
    ),
    ("def solve(x: List[int]):\n    return x\n", "1", "1", False, False),
    ("import sys\ndef solve(x):\n    sys.exit()\n", "1", "1", False, False),
]


@pytest.mark.parametrize(("code", "ours", "theirs"), STDIN_VECTORS)
async def test_standard_input_by_both_harnesses(
    functional: Functional, code: str, ours: bool, theirs: bool
) -> None:
    row = live_row([("4\n", "8\n"), ("5\n", "10\n")], "stdin")
    found = await functional(row, code)
    assert (found.passed, await functional.official(row, code, code, code, found)) == (ours, theirs)


@pytest.mark.parametrize(("code", "given", "output", "ours", "theirs"), CALLED_VECTORS)
async def test_functions_by_both_harnesses(
    functional: Functional, code: str, given: str, output: str, ours: bool, theirs: bool
) -> None:
    row = live_row([(given, output), (given, output)])
    found = await functional(row, code)
    assert (found.passed, await functional.official(row, code, code, code, found)) == (ours, theirs)


async def test_the_authors_cut_left_over_fences_and_take_the_last_block(functional: Functional) -> None:
    row = live_row([("4", "8")])
    code = "def solve(x):\n    return x * 2\n"
    for solution, reply in (
        (f"```python\n{code}", ""),
        (f"<code>{code}</code>", ""),
        ("", f"```\n1\n```\n```\n{code}```"),
    ):
        assert await functional.official(row, solution, reply, "", NOT_RUN) is True
    assert await functional.official(row, "", "no answer: every attempt failed", "", NOT_RUN) is False


async def test_a_forged_big_pass_is_the_authors_alone(functional: Functional, big_rows: list[BigRow]) -> None:
    row = big_rows[0]
    forged = f"def {row.entry_point}(*a):\n    return None\nimport unittest\nunittest.TestCase.assertEqual = "
    forged += (
        "unittest.TestCase.assertRaises = lambda *a, **k: __import__('contextlib').suppress(BaseException)\n"
    )
    found = await functional(row, forged)
    assert (found.passed, await functional.official(row, forged, forged, forged, found)) == (False, True)
    right = await functional(row, row.reference)
    assert await functional.official(row, row.reference, "", row.reference, right) is True


OPAQUE = [
    "def task_func(x):\n    return (i for i in [x])",
    "def task_func(x):\n    return {x: 1}.keys()",
    "class Own(int):\n    half = 1\ndef task_func(x):\n    return [Own(x)]",
]


@pytest.mark.parametrize("code", OPAQUE)
async def test_what_does_not_cross_is_judged_in_one_process(functional: Functional, code: str) -> None:
    right = "\n    def test_it(self):\n        self.assertEqual(list(task_func(1)), [1])\n"
    wrong = "\n    def test_it(self):\n        self.assertEqual(list(task_func(1)), [2])\n"
    if "Own" in code:
        right = right.replace("list(task_func(1)), [1]", "getattr(task_func(1)[0], 'half', 1), 1")
        right += "        self.assertTrue(hasattr(task_func(1)[0], 'half') or task_func(1) == [2])\n"
    reference = "    return [1]" if "Own" not in code else "    return [2]"
    found: Any = await functional(_row(right, reference), code)
    assert found.passed == suite.Unscored("could be forged")
    assert (await functional(_row(wrong, "    return [2]"), code)).passed is False


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
