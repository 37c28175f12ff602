"""Tests as a unittest class: in a process of their own, the program in another, both in the sandbox.

Calls cross as plain data in both directions (`inside.values`); randomness, prints, changed arguments, the
working folder and the environment come along, so most tests do not notice. Tests that patch modules or
look into plots need the program in their own process: `shared`, whose verdict a program could forge.
"""

import json
import secrets

from suite.sandbox.harness.cases import NOT_RUN, TestRun, ended_by, inside_program, no_verdict
from suite.sandbox.interpreters import executable
from suite.sandbox.program import Limits, Sandbox


async def run_unittest(
    sandbox: Sandbox,
    code: str,
    tests: str,
    limits: Limits,
    *,
    functions: tuple[str, ...],
    stub: str = "",
    test_class: str = "TestCases",
    python: str = "",
    shared: bool = False,
) -> TestRun:
    """Run a unittest class on a program.

    stub: code that brings imports and constants before program and tests. functions: what the tests call
    of the program. python: interpreter that has the packages. shared: one process for both (see the module).
    """
    token = secrets.token_hex(16)
    question = {
        "token": token,
        "code": code.removeprefix("\ufeff"),
        "tests": tests,
        "stub": stub,
        "functions": list(functions),
        "test_class": test_class,
        "shared": shared,
    }
    program = inside_program(executable(python), "tester.py", json.dumps(question).encode())
    result = await sandbox.run(program, limits)
    ready, _, verdict = result.stdout.partition(b"\n")
    if ready != b"ready" or result.ended in NOT_RUN:
        return no_verdict(result, not shared)
    try:
        told = json.loads(verdict)
        known = told["token"] == token
        passed, run, failed, opaque = told["passed"], told["run"], told["failed"], told["opaque"]
    except (ValueError, KeyError, TypeError):
        known = False
    if known and told.get("harness"):
        return TestRun(False, "error", isolated=not shared, harness=str(told["harness"])[:300])
    if not known or not result.ok:
        return TestRun(False, ended_by(result), "the tests gave no verdict", not shared)
    if passed is True and run and not failed:
        return TestRun(True, "passed", f"{run} tests", not shared, str(opaque))
    word = "failed" if run else "error"
    return TestRun(False, word, "; ".join(map(str, failed))[:1000], not shared, str(opaque))
