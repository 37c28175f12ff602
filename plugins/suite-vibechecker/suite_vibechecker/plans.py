"""What must be run to know whether a program works: a plan, made from a problem and a program.

Plans are data; running them in the sandbox is `functional`. Limits are the benchmark's own where it
states them (Big: 240 s and 30 GiB of address space; Live: one limit for all cases together).
"""

from dataclasses import dataclass
from typing import Any

import suite
from suite_vibechecker import live
from suite_vibechecker.rows import BigRow, LiveRow

BIG_SECONDS = 240.0
TEST_CLASS = "TestCases"


@dataclass(frozen=True, slots=True)
class UnittestPlan:
    """Run a unittest class over one module: stub, program and tests, in this order."""

    stub: str
    program: str
    tests: str
    limits: suite.Limits
    test_class: str = TEST_CLASS

    @property
    def module(self) -> str:
        """The whole module. The stub defines the entry point and brings its imports, in case the
        program, which defines it anew, forgot them."""
        return "\n".join((self.stub, self.program, self.tests))


@dataclass(frozen=True, slots=True)
class StdinPlan:
    """Run a program once per case: (standard input, text that stripped standard output must equal).

    case_s: seconds of one case, None without a limit of its own.
    """

    program: str
    cases: tuple[tuple[str, str], ...]
    limits: suite.Limits
    case_s: float | None = None


@dataclass(frozen=True, slots=True)
class FunctionPlan:
    """Call one function once per case: (arguments, value that the result must equal by `==`).

    entry: its name, "" if the program defines none, which fails every case.
    """

    program: str
    entry: str
    cases: tuple[tuple[list[Any], Any], ...]
    limits: suite.Limits


Plan = UnittestPlan | StdinPlan | FunctionPlan


def plan(row: BigRow | LiveRow, code: str, seconds: float = 0.0) -> Plan:
    """The plan for a problem and a program. Raises DataError if hidden tests can't be decoded.

    seconds: per hidden test in place of the benchmark's own limits; 0 for its own.
    """
    if isinstance(row, BigRow):
        tests = row.test.count("def test")
        limits = big_limits(seconds * max(1, tests) if seconds else BIG_SECONDS)
        return UnittestPlan(f"{row.code_prompt.rstrip()}\n    pass\n", code, row.test, limits)
    cases = row.private()
    limits = live_limits(len(cases), seconds)
    if row.kind == "stdin":
        shown = tuple((case.input, live.expected_text(case.output)) for case in cases)
        return StdinPlan(code, shown, limits, seconds or None)
    called = tuple((live.arguments(case.input), live.value(case.output)) for case in cases)
    return FunctionPlan(code, live.entry_point(code), called, limits)


def big_limits(seconds: float = BIG_SECONDS) -> suite.Limits:
    """Of one Big problem."""
    return suite.Limits(
        wall_s=seconds + 1,
        cpu_s=seconds + 1,
        memory_mib=4096,
        processes=128,
        file_mib=256,
        scratch_mib=512,
        address_mib=30 * 1024,
        stack_mib=10,
    )


def live_limits(cases: int, seconds: float = 0.0) -> suite.Limits:
    """Of all cases of one Live problem together; a runner that starts one process a case shares them out."""
    most = seconds * max(1, cases) if seconds else live.wall_limit(cases)
    return suite.Limits(wall_s=most, cpu_s=most, memory_mib=4096, processes=64, output_kib=16 * 1024)
