"""Tests as cases, whose answers are compared here, and as a unittest class, which runs inside.

Expected values of cases never enter the sandbox. A unittest class runs in a process of its own, the program
in another, both in the sandbox. Calls cross as plain data in both directions (`inside.values`); randomness,
prints, changed arguments, the working folder and the environment come along, so most tests do not notice.
Tests that patch modules or look into plots need the program in their own process: `shared`, whose verdict a
program could forge.
"""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import suite
from suite_vibechecker.harness.inside.channel import LARGEST, Json, framed
from suite_vibechecker.harness.inside.values import Value, pack, unpack

INSIDE = "/run/harness"
# values that did not cross and equal no expected data anyway: of the program's own class (whose word does not
# count), a generator, a view, a match, one deeper or larger than what crosses, …
UNLIKE = ("solution.", "builtins.", "re.", "types.", "itertools.", "functools.", "_io.", "nested too",
          "more than")  # fmt: skip
_NOT_RUN = ("unstarted", "killed")  # endings that say nothing of a program


@dataclass(frozen=True, slots=True)
class TestRun:
    """Whether all tests passed. word: "passed", "failed", "error" (it raised or gave no answer), or the
    limit that ended it. detail: for people. isolated: the program could not reach what judged it.
    opaque: why a value could not cross between program and tests as it is, "" if all did; what then passed
    or failed is no verdict of an isolated run. harness: why nothing is known of the program (it was not
    started, the sandbox died), "" for a verdict; then `passed` says nothing and nobody may count it."""

    __test__ = False  # no test class of pytest's

    passed: bool
    word: str
    detail: str = ""
    isolated: bool = True
    opaque: str = ""
    harness: str = ""


def _inside_program(python: str, file: str, stdin: bytes) -> suite.Program:
    """A program that runs a file of the harness's own code, which is shown read-only."""
    own = suite.Mount(str(Path(__file__).with_name("inside")), INSIDE)
    return suite.python_program(suite.Program((f"{INSIDE}/{file}",), stdin=stdin, mounts=(own,)), python)


def _ended_by(result: suite.SandboxResult) -> str:
    """The word for a run that gave no verdict."""
    return "error" if result.ended == "exited" else result.ended


def _no_verdict(result: suite.SandboxResult, isolated: bool = True) -> TestRun:
    """The answer for a run in which the program did not get its turn."""
    why = result.last_word[:300] or "the harness did not start inside the sandbox"
    return TestRun(False, _ended_by(result), isolated=isolated, harness=why)


async def run_stdin_cases(
    sandbox: suite.Sandbox,
    code: str,
    cases: Sequence[tuple[str, str]],
    limits: suite.Limits,
    *,
    python: str = "",
    case_s: float | None = None,
) -> TestRun:
    """Run a program once per case on its standard input; stripped output must equal the expected text.

    limits: wall and CPU seconds are of all cases together, everything else of each; case_s: seconds of
    one case, None: no limit of its own. The first failure ends it. No cases: not passed.
    """
    files = {"program.py": code.removeprefix("\ufeff").encode("utf-8", "replace")}
    program = suite.python_program(suite.Program(("program.py",), files), python)
    left = limits.wall_s
    for number, (given, expected) in enumerate(cases, 1):
        seconds = left if case_s is None else min(left, case_s)
        if seconds <= 0:
            return TestRun(False, "wall", f"case {number} was not reached")
        began = time.monotonic()
        room = max(limits.output_kib, len(expected) // 512)
        of_case = replace(limits, wall_s=seconds, cpu_s=min(limits.cpu_s, seconds), output_kib=room)
        result = await sandbox.run(replace(program, stdin=given.encode("utf-8", "replace")), of_case)
        left -= min(result.wall_s, time.monotonic() - began)
        if result.ended in _NOT_RUN:
            return _no_verdict(result)
        if not result.ok:
            return TestRun(False, _ended_by(result), f"case {number}: {result.last_word[:300]}")
        if result.stdout.decode("utf-8", "replace").strip() != expected:
            return TestRun(False, "failed", f"case {number}: another output")
    return TestRun(True, "passed") if cases else TestRun(False, "error", "there are no cases")


async def run_function_cases(
    sandbox: suite.Sandbox,
    code: str,
    entry: str,
    cases: Sequence[tuple[Sequence[Value], Value]],
    limits: suite.Limits,
    *,
    python: str = "",
) -> TestRun:
    """Call one function of a program once per case; results must equal by `==`.

    Every case gets a process that loads the program anew, so nothing is carried from one to the next. Only
    plain data comes back; a program's own types arrive as what they derive from, so no comparison is the
    program's. limits: of all cases together. No cases: not passed.
    """
    questions = [{"call": entry, "args": pack(tuple(given)), "kwargs": pack({})} for given, _ in cases]
    job = {"code": code.removeprefix("\ufeff"), "anew": True}
    wanted = sum(len(json.dumps(pack(expected))) for _, expected in cases)
    program = _inside_program(python, "callee.py", b"".join(framed(one) for one in [job, *questions]))
    room = max(limits.output_kib, wanted // 512)
    result = await sandbox.run(program, replace(limits, output_kib=room))
    ready, *replies = _frames(result.stdout) or [None]
    if ready != {"ready": True} or result.ended in _NOT_RUN:
        return _no_verdict(result)
    for number, (_, expected) in enumerate(cases, 1):
        reply = replies[number - 1] if number <= len(replies) else None
        if isinstance(reply, dict) and "opaque" in reply and not str(reply["opaque"]).startswith(UNLIKE):
            return TestRun(False, "error", f"case {number}: {_told(reply)}", opaque=_told(reply))
        if not isinstance(reply, dict) or "value" not in reply:
            word = _ended_by(result) if reply is None else "error"
            return TestRun(False, word, f"case {number}: {_told(reply)}")
        if not _equal(reply["value"], expected):
            return TestRun(False, "failed", f"case {number}: another result")
    return TestRun(True, "passed") if cases else TestRun(False, "error", "there are no cases")


def _equal(packed: Json, expected: Value) -> bool:
    try:
        return bool(unpack(packed) == expected)
    except Exception:  # whatever a nonsense value makes of a comparison, it is not equal
        return False


def _told(reply: Json) -> str:
    if not isinstance(reply, dict):
        return "no answer"
    if "opaque" in reply:
        return str(reply["opaque"])[:300]
    error = reply.get("error")
    if not isinstance(error, dict):
        return "no answer"
    kinds = error.get("kinds") or [["", "an exception"]]
    return f"{kinds[0][-1]}: {error.get('args')}"[:300]


def _frames(data: bytes) -> list[Json]:
    """Whole frames at the start; the rest is the program's own noise or cut off."""
    found = []
    while len(data) >= 4:
        size = int.from_bytes(data[:4], "little")
        if size > LARGEST or len(data) < 4 + size:
            break
        try:
            found.append(json.loads(data[4 : 4 + size]))
        except (ValueError, RecursionError):
            break
        data = data[4 + size :]
    return found


async def run_unittest(
    sandbox: suite.Sandbox,
    code: str,
    tests: str,
    limits: suite.Limits,
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
    program = _inside_program(python, "tester.py", json.dumps(question).encode())
    result = await sandbox.run(program, limits)
    ready, _, verdict = result.stdout.partition(b"\n")
    if ready != b"ready" or result.ended in _NOT_RUN:
        return _no_verdict(result, not shared)
    try:
        told = json.loads(verdict)
        known = told["token"] == token
        passed, run, failed, opaque = told["passed"], told["run"], told["failed"], told["opaque"]
    except (ValueError, KeyError, TypeError):
        known = False
    if known and told.get("harness"):
        return TestRun(False, "error", isolated=not shared, harness=str(told["harness"])[:300])
    if not known or not result.ok:
        return TestRun(False, _ended_by(result), "the tests gave no verdict", not shared)
    if passed is True and run and not failed:
        return TestRun(True, "passed", f"{run} tests", not shared, str(opaque))
    word = "failed" if run else "error"
    return TestRun(False, word, "; ".join(map(str, failed))[:1000], not shared, str(opaque))
