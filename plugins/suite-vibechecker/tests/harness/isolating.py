"""Judges all programs of `isolated_programs` in every way; prints the verdicts as JSON.

The plain ways are a process each that knows nothing of the harness: cases as the benchmark's authors run
them (the program executed anew for every case), tests as unittest runs them (one module).
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from isolated_programs import PROGRAMS, Cases
from suite_vibechecker.harness import run_function_cases, run_unittest

from suite import Limits, Sandbox, open_sandbox

LIMITS = Limits(wall_s=60, cpu_s=20, memory_mib=512)
PLAIN_CASES = """
import json, sys
job = json.load(sys.stdin)
sys.stdout, real = sys.stderr, sys.stdout
passed = True
for arguments, expected in job["cases"]:
    names = {}
    try:
        exec(job["code"], names)
        passed = passed and bool(names["f"](*arguments) == expected)
    except Exception:
        passed = False
    if not passed:
        break
real.write(str(passed))
real.flush()
__import__("os")._exit(0)
"""
PLAIN_TESTS = """
import sys, types, unittest
module = types.ModuleType("tests")
sys.modules["tests"] = module
code = sys.stdin.read()
sys.stdout, real = sys.stderr, sys.stdout
try:
    exec(code, module.__dict__)
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(module.TestCases).run(result)
    real.write(str(result.wasSuccessful() and result.testsRun > 0))
except Exception:
    real.write("False")
real.flush()
__import__("os")._exit(0)
"""


def tests_of(cases: Cases) -> str:
    """The cases as a unittest class, a method each."""
    lines = ["import unittest", "class TestCases(unittest.TestCase):"]
    for number, (arguments, expected) in enumerate(cases):
        lines += [
            f"    def test_{number}(self):",
            f"        self.assertEqual(f(*{arguments!r}), {expected!r})",
        ]
    return "\n".join(lines)


def plain(script: str, given: str) -> bool:
    """What a bare process says."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-I", "-c", script],
            input=given,
            capture_output=True,
            text=True,
            cwd=folder,
            check=False,
        )
    return done.stdout == "True"


async def judge(sandbox: Sandbox, code: str, cases: Cases, python: str) -> dict[str, Any]:
    """Verdicts of one program, in every way; "opaque" where a way refuses one."""

    async def tested(shared: bool) -> bool | str:
        told = await run_unittest(
            sandbox, code, tests_of(cases), LIMITS, functions=("f",), shared=shared, python=python
        )
        return "opaque" if told.opaque else told.passed

    called = await run_function_cases(sandbox, code, "f", cases, LIMITS, python=python)
    again = await run_function_cases(sandbox, code, "f", cases, LIMITS, python=python)
    given = json.dumps({"code": code, "cases": cases})
    return {
        "cases": called.passed,
        "cases in a used sandbox": again.passed,
        "cases in a plain process": await asyncio.to_thread(plain, PLAIN_CASES, given),
        "tests apart": await tested(False),
        "tests in one process": await tested(True),
        "tests in a plain process": await asyncio.to_thread(
            plain, PLAIN_TESTS, "\n".join((code, tests_of(cases)))
        ),
    }


async def judge_all(names: list[str]) -> dict[str, dict[str, Any]]:
    """Verdicts of the named programs."""
    sandbox = await open_sandbox(workers=2)
    found: dict[str, dict[str, Any]] = {}

    async def one(name: str) -> None:
        found[name] = await judge(sandbox, *PROGRAMS[name], sys.executable)

    await asyncio.gather(*map(one, names))
    await sandbox.close()
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(judge_all(sys.argv[1:] or list(PROGRAMS)))))
