"""Tests as cases: run the program on the input, compare the answer here.

Expected values never enter the sandbox.
"""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from suite.sandbox.base import Sandbox
from suite.sandbox.harness.inside.channel import LARGEST
from suite.sandbox.harness.inside.values import pack, unpack
from suite.sandbox.interpreters import python_mounts
from suite.sandbox.program import Limits, Mount, Program, SandboxResult

INSIDE = "/run/harness"


@dataclass(frozen=True, slots=True)
class TestRun:
    """Whether all tests passed. word: "passed", "failed", "error" (it raised or gave no answer), or the
    limit that ended it. detail: for people. isolated: the program could not reach what judged it.
    opaque: why a value could not cross between program and tests, "" if all did."""

    __test__ = False  # no test class of pytest's

    passed: bool
    word: str
    detail: str = ""
    isolated: bool = True
    opaque: str = ""


def harness_mount() -> Mount:
    """The harness's own code, read-only."""
    return Mount(str(Path(str(files("suite.sandbox.harness").joinpath("inside")))), INSIDE)


def ended_by(result: SandboxResult) -> str:
    """The word for a run that gave no verdict."""
    return "error" if result.ended == "exited" else result.ended


async def run_stdin_cases(
    sandbox: Sandbox,
    code: str,
    cases: Sequence[tuple[str, str]],
    limits: Limits,
    *,
    python: str = "",
    case_s: float | None = None,
) -> TestRun:
    """Run a program once per case on its standard input; stripped output must equal the expected text.

    limits: wall and CPU seconds are of all cases together, everything else of each; case_s: seconds of
    one case, None: no limit of its own. The first failure ends it. No cases: not passed.
    """
    interpreter = python or sys.executable
    left = limits.wall_s
    for number, (given, expected) in enumerate(cases, 1):
        seconds = left if case_s is None else min(left, case_s)
        if seconds <= 0:
            return TestRun(False, "wall", f"case {number} was not reached")
        program = Program(
            (interpreter, "-I", "program.py"),
            {"program.py": code.encode("utf-8", "replace")},
            given.encode("utf-8", "replace"),
            mounts=python_mounts(interpreter),
        )
        began = time.monotonic()
        result = await sandbox.run(program, replace(limits, wall_s=seconds, cpu_s=min(limits.cpu_s, seconds)))
        left -= min(result.wall_s, time.monotonic() - began)
        if not result.ok:
            said = result.stderr.decode("utf-8", "replace").strip().splitlines()
            return TestRun(False, ended_by(result), f"case {number}: {said[-1][:300] if said else ''}")
        if result.stdout.decode("utf-8", "replace").strip() != expected:
            return TestRun(False, "failed", f"case {number}: another output")
    return TestRun(True, "passed") if cases else TestRun(False, "error", "there are no cases")


async def run_function_cases(
    sandbox: Sandbox,
    code: str,
    entry: str,
    cases: Sequence[tuple[Sequence[Any], Any]],
    limits: Limits,
    *,
    python: str = "",
) -> TestRun:
    """Call one function of a program once per case, all in one process; results must equal by `==`.

    Only plain data comes back; a program's own types arrive as what they derive from, so no comparison is
    the program's. limits: of all cases together. No cases: not passed.
    """
    interpreter = python or sys.executable
    questions: list[dict[str, Any]] = [
        {"call": entry, "args": pack(tuple(arguments)), "kwargs": pack({})} for arguments, _ in cases
    ]
    sent = b"".join(_frame(one) for one in [{"code": code}, *questions])
    program = Program(
        (interpreter, "-I", f"{INSIDE}/callee.py"),
        stdin=sent,
        mounts=(*python_mounts(interpreter), harness_mount()),
    )
    result = await sandbox.run(program, limits)
    replies = _frames(result.stdout)
    if not replies or not isinstance(replies[0], dict) or "loaded" not in replies[0]:
        return TestRun(False, ended_by(result), _told(replies[0] if replies else None))
    for number, (_, expected) in enumerate(cases, 1):
        reply = replies[number] if number < len(replies) else None
        if not isinstance(reply, dict) or "value" not in reply:
            word = ended_by(result) if reply is None else "error"
            return TestRun(False, word, f"case {number}: {_told(reply)}")
        if not _equal(reply["value"], expected):
            return TestRun(False, "failed", f"case {number}: another result")
    return TestRun(True, "passed") if cases else TestRun(False, "error", "there are no cases")


def _equal(packed: Any, expected: Any) -> bool:
    try:
        return bool(unpack(packed) == expected)
    except Exception:  # whatever a nonsense value makes of a comparison, it is not equal
        return False


def _told(reply: Any) -> str:
    if not isinstance(reply, dict):
        return "no answer"
    if "opaque" in reply:
        return str(reply["opaque"])[:300]
    error = reply.get("error")
    return f"{error.get('name')}: {error.get('args')}"[:300] if isinstance(error, dict) else "no answer"


def _frame(content: Any) -> bytes:
    data = json.dumps(content).encode()
    return len(data).to_bytes(4, "little") + data


def _frames(data: bytes) -> list[Any]:
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
