"""A program can never make a failing test count as passed; an honest one notices nothing."""

import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from suite_vibechecker.harness import run_function_cases, run_stdin_cases, run_unittest

from suite import Limits, Program, Sandbox, SandboxResult

pytestmark = pytest.mark.asyncio(loop_scope="session")
LIMITS = Limits(wall_s=60, cpu_s=6, memory_mib=256, processes=24, scratch_mib=32)
FORGERIES = {
    row["name"]: "def wrong(x): return 'no'\n" + row["code"]
    for row in tomllib.loads(Path(__file__).with_name("forgeries.toml").read_text())["program"]
}
RIGHT = "right-answer-7f3a"
TESTS = f"""
import unittest
class TestCases(unittest.TestCase):
    def test_text(self):
        self.assertEqual(task_func(2), "{RIGHT}")
    def test_list(self):
        self.assertEqual(task_func(3), [9, 3])
"""
HONEST = f"def task_func(x): return '{RIGHT}' if x == 2 else [x * x, x]"
ONE_TEST = "import unittest\nclass TestCases(unittest.TestCase):\n    def test(self):\n        "


@pytest.mark.parametrize("name", FORGERIES)
async def test_no_forgery_passes_unittests(name: str, warm: Sandbox) -> None:
    result = await run_unittest(warm, FORGERIES[name], TESTS, LIMITS, functions=("task_func",))
    assert not result.passed, result
    assert result.isolated


@pytest.mark.parametrize("name", FORGERIES)
async def test_no_forgery_passes_function_cases(name: str, warm: Sandbox) -> None:
    cases = [([2], RIGHT), ([3], [9, 3])]
    result = await run_function_cases(warm, FORGERIES[name], "task_func", cases, LIMITS)
    assert not result.passed, result


async def test_an_honest_program_passes(warm: Sandbox) -> None:
    result = await run_unittest(warm, HONEST, TESTS, LIMITS, functions=("task_func",))
    assert (result.passed, result.word, result.detail) == (True, "passed", "2 tests")
    cases = [([2], RIGHT), ([3], [9, 3])]
    assert (await run_function_cases(warm, HONEST, "task_func", cases, LIMITS)).passed


async def test_failures_are_named(warm: Sandbox) -> None:
    result = await run_unittest(warm, "def task_func(x): return 'a'", TESTS, LIMITS, functions=("task_func",))
    assert result.word == "failed"
    assert "test_list: AssertionError: 'a' != [9, 3]" in result.detail


CROSSING = [
    # (program, test body): all must pass
    ("def task_func(x): return (1, 2.0, True, None, b'x', {1}, {'a': [1j]})",
     "self.assertEqual(task_func(0), (1, 2.0, True, None, b'x', {1}, {'a': [1j]}))"),
    ("def task_func(x): x.append(4); x[0] = 9", "v = [1]; task_func(v); self.assertEqual(v, [9, 4])"),
    ("def task_func(x): x['n'] = 1", "v = {}; task_func(v); self.assertEqual(v, {'n': 1})"),
    ("def task_func(x): raise FileNotFoundError(2, 'none', x)",
     "self.assertRaises(FileNotFoundError, task_func, 'f')"),
    ("class Mine(ValueError): pass\ndef task_func(x): raise Mine('bad')",
     "with self.assertRaisesRegex(ValueError, 'bad'): task_func(1)"),
    ("import random\ndef task_func(x): return random.random()",
     "import random; random.seed(5); a = task_func(0); random.seed(5); self.assertEqual(a, random.random())"),
    ("import random\ndef task_func(x): return random.random()",
     "import random; random.seed(5); a = [task_func(0), random.random()]; random.seed(5); "
     "self.assertEqual(a, [random.random(), random.random()])"),
    ("def task_func(x): print('said', x)",
     "import io, contextlib\n        s = io.StringIO()\n        with contextlib.redirect_stdout(s):\n"
     "            task_func(1)\n        self.assertEqual(s.getvalue(), 'said 1\\n')"),
    ("def task_func(x): return open(x).read()",
     "import tempfile, os\n        with tempfile.TemporaryDirectory() as d:\n            os.chdir(d)\n"
     "            open('f', 'w').write('hi')\n            self.assertEqual(task_func('f'), 'hi')"),
    ("import os\ndef task_func(x): return os.environ.get('MINE')",
     "import os; os.environ['MINE'] = 'y'; self.assertEqual(task_func(0), 'y')"),
    ("import collections, datetime, decimal\ndef task_func(x):\n"
     "    return collections.Counter('aab'), datetime.date(2024, 1, 2), decimal.Decimal('1.10')",
     "import collections, datetime, decimal; self.assertEqual(task_func(0), "
     "(collections.Counter('aab'), datetime.date(2024, 1, 2), decimal.Decimal('1.10')))"),
    ("import numpy\ndef task_func(x): x *= 2; return x.sum()",
     "import numpy; a = numpy.arange(3); self.assertEqual(task_func(a), 6); "
     "self.assertEqual(a.tolist(), [0, 2, 4])"),
    ("import collections\nP = collections.namedtuple('P', 'a b')\ndef task_func(x):\n    return P(1, 2)",
     "self.assertEqual((task_func(0).b, task_func(0)), (2, (1, 2)))"),
    ("import collections\ndef task_func(x): return collections.defaultdict(list, a=[1])",
     "v = task_func(0); v['b'].append(2); self.assertEqual(v, {'a': [1], 'b': [2]})"),
    ("import json\ndef task_func(x): return json.loads(x)", "self.assertRaises(ValueError, task_func, '{')"),
    ("def task_func(x): raise KeyError(x)",
     "with self.assertRaises(LookupError) as told: task_func(1)\n"
     "        self.assertEqual(told.exception.args, (1,))"),
    ("import urllib.error\ndef task_func(x): raise urllib.error.HTTPError('u', 404, 'no', {}, None)",
     "import urllib.error\n        with self.assertRaises(urllib.error.HTTPError) as told: task_func(1)\n"
     "        self.assertEqual(told.exception.code, 404)"),
    ("def task_func(x): return 10 ** 6000", "self.assertEqual(task_func(0), 10 ** 6000)"),
]  # fmt: skip


@pytest.mark.parametrize(("program", "body"), CROSSING)
async def test_values_cross_as_they_are(program: str, body: str, warm: Sandbox) -> None:
    limits = Limits(wall_s=60, cpu_s=8, memory_mib=512)
    result = await run_unittest(warm, program, ONE_TEST + body, limits, functions=("task_func",))
    assert result.passed, result


async def test_types_are_told_apart(warm: Sandbox) -> None:
    for returned, expected in (("(1, 2)", [1, 2]), ("[1, 2]", (1, 2)), ("'1'", 1), ("{}", [])):
        code = f"def f(x): return {returned}"
        assert (await run_function_cases(warm, code, "f", [([0], expected)], LIMITS)).word == "failed"


async def test_what_cannot_cross_is_named(warm: Sandbox) -> None:
    result = await run_unittest(
        warm,
        "def task_func(x): return lambda: 1",
        ONE_TEST + "self.assertEqual(task_func(0)(), 1)",
        LIMITS,
        functions=("task_func",),
    )
    assert not result.passed
    assert result.opaque == "result: builtins.function is no plain data"


EVALUATED = "def task_func(x: NotImported) -> int:\n    return x"
LOOKING = "def task_func(x: int) -> int:\n    return task_func.__annotations__['x'](x)"


async def test_a_program_is_compiled_as_it_stands(warm: Sandbox) -> None:
    """A missing import is an error, annotations are objects: nothing of the harness is inherited."""
    tests = ONE_TEST + "self.assertEqual(task_func(3), 3)"
    for code, right in ((EVALUATED, False), (LOOKING, True)):
        assert (await run_function_cases(warm, code, "task_func", [([3], 3)], LIMITS)).passed is right
        for shared in (False, True):
            told = await run_unittest(warm, code, tests, LIMITS, functions=("task_func",), shared=shared)
            assert told.passed is right, told


async def test_every_case_loads_the_program_anew(warm: Sandbox) -> None:
    code = "seen = []\ndef f(x, y=[]):\n    seen.append(x)\n    y.append(x)\n    return len(seen) + len(y)"
    assert (await run_function_cases(warm, code, "f", [([1], 2), ([2], 2), ([3], 2)], LIMITS)).passed


async def test_what_stub_and_tests_import_is_there_for_the_program(warm: Sandbox) -> None:
    code = "def task_func(x): return math.floor(x) + SIDE + len(collections.Counter('ab'))"
    tests = "import collections\n" + ONE_TEST + "self.assertEqual(task_func(3.5), 9)"
    stub = "import math\nSIDE = 4\ndef task_func(x):\n    pass\n"
    for shared in (False, True):
        told = await run_unittest(
            warm, code, tests, LIMITS, functions=("task_func",), stub=stub, shared=shared
        )
        assert told.passed, told


async def test_a_value_that_cannot_cross_satisfies_no_test(warm: Sandbox) -> None:
    """A test that waits for a TypeError must not take the harness's own refusal for it."""
    tests = ONE_TEST + "self.assertRaises(TypeError, task_func, 1)"
    told = await run_unittest(
        warm, "def task_func(x): return iter(())", tests, LIMITS, functions=("task_func",)
    )
    assert (told.passed, bool(told.opaque)) == (False, True)


@pytest.mark.parametrize(
    ("returned", "opaque"),
    [("iter([1])", ""), ("'a' * (80 << 20)", ""), ("(v := []).append(v) or v", ""),
     ("(i for i in [1])", ""), ("{1: 1}.keys()", ""), ("type('Own', (), {})()", ""),
     ("__import__('collections').UserList([1])", "collections.UserList is no plain data")],
)  # fmt: skip
async def test_cases_tell_what_equals_no_data_from_what_might(
    returned: str, opaque: str, warm: Sandbox
) -> None:
    told = await run_function_cases(warm, f"def f(): return {returned}", "f", [([], [1])], LIMITS)
    assert (told.passed, told.opaque) == (False, opaque)


async def test_a_command_that_did_not_start_says_nothing_of_the_program(
    tmp_path: Path, warm: Sandbox
) -> None:
    """A sandbox in which the interpreter is hidden."""

    class Hidden(Sandbox):
        name = "hidden"

        async def run(self, program: Program, limits: Limits = LIMITS) -> SandboxResult:
            return await warm.run(replace(program, argv=("/nowhere/python", *program.argv[1:])), limits)

        async def close(self) -> None:
            pass

    runs = [
        await run_stdin_cases(Hidden(), "print(1)", [("", "1")], LIMITS),
        await run_function_cases(Hidden(), "def f(): return 1", "f", [([], 1)], LIMITS),
        await run_unittest(Hidden(), HONEST, TESTS, LIMITS, functions=("task_func",)),
    ]
    assert [(one.passed, "cannot start" in one.harness) for one in runs] == [(False, True)] * 3


async def test_a_program_that_leaves_with_the_code_of_a_missing_command_is_judged(warm: Sandbox) -> None:
    told = await run_stdin_cases(warm, "import sys; sys.exit(127)", [("", "1")], LIMITS)
    assert (told.word, told.harness) == ("error", "")


async def test_sharing_a_process_runs_what_cannot_cross_and_says_so(warm: Sandbox) -> None:
    body = ONE_TEST + "self.assertEqual(task_func(0)(), 1)"
    result = await run_unittest(
        warm, "def task_func(x): return lambda: 1", body, LIMITS, functions=(), shared=True
    )
    assert result.passed
    assert not result.isolated


async def test_a_pickle_that_the_program_wrote_is_not_run_by_the_tests(warm: Sandbox) -> None:
    program = """
import os, pickle
class Bomb:
    def __reduce__(self): return eval, ("__import__('os')._exit(0) or [1]",)
def task_func(x):
    with open(x, "wb") as file: pickle.dump(Bomb(), file)
"""
    body = "import pickle; task_func('/tmp/p'); self.assertEqual(pickle.load(open('/tmp/p', 'rb')), [1])"
    result = await run_unittest(warm, program, ONE_TEST + body, LIMITS, functions=("task_func",))
    assert result.word == "failed"
    assert "UnpicklingError" in result.detail


async def test_no_tests_are_no_pass(warm: Sandbox) -> None:
    empty = "import unittest\nclass TestCases(unittest.TestCase): pass"
    skipped = ONE_TEST + "self.skipTest('never')"
    for tests in (empty, skipped, "", "import nothing_of_that_name"):
        result = await run_unittest(warm, HONEST, tests, LIMITS, functions=("task_func",))
        assert not result.passed
    assert not (await run_function_cases(warm, HONEST, "task_func", [], LIMITS)).passed
    assert not (await run_stdin_cases(warm, HONEST, [], LIMITS)).passed


async def test_the_named_python_runs_program_and_tests(tmp_path: Path, warm: Sandbox) -> None:
    """One of a virtual environment, in a folder that only its owner may enter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path)], check=True)
    python = str(tmp_path / "bin" / "python")
    code = "import sys\ndef task_func(x):\n    return sys.executable"
    tests = ONE_TEST + f"self.assertEqual(task_func(0), {python!r})"
    runs = [
        await run_stdin_cases(warm, f"{code}\nprint(task_func(0))", [("", python)], LIMITS, python=python),
        await run_function_cases(warm, code, "task_func", [([0], python)], LIMITS, python=python),
        await run_unittest(warm, code, tests, LIMITS, functions=("task_func",), python=python),
    ]
    assert [(run.passed, run.harness) for run in runs] == [(True, "")] * 3


async def test_stdin_cases(warm: Sandbox) -> None:
    code = "print(sum(map(int, input().split())))"
    cases = [("1 2\n", "3"), ("4 5\n", "9")]
    assert (await run_stdin_cases(warm, code, cases, LIMITS)).passed
    wrong = await run_stdin_cases(warm, code, [*cases, ("1 1", "3")], LIMITS)
    assert (wrong.word, wrong.detail) == ("failed", "case 3: another output")
    crashed = await run_stdin_cases(warm, "print(input() + 1)", cases, LIMITS)
    assert (crashed.word, "TypeError" in crashed.detail) == ("error", True)
    quiet = await run_stdin_cases(warm, "import sys; print(3); sys.exit(1)", cases, LIMITS)
    assert not quiet.passed


async def test_limits_are_named(warm: Sandbox) -> None:
    brief = Limits(wall_s=60, cpu_s=0.4)
    spin = "def task_func(x):\n    while True: pass"
    assert (await run_unittest(warm, spin, TESTS, brief, functions=("task_func",))).word == "cpu"
    assert (await run_function_cases(warm, spin, "task_func", [([1], 1)], brief)).word == "cpu"
    assert (await run_stdin_cases(warm, "while True: pass", [("", "")], brief)).word == "cpu"
    slow = await run_stdin_cases(warm, "import time; time.sleep(600)", [("", "")], LIMITS, case_s=0.3)
    assert slow.word == "wall"
