"""Does a program work? The hidden tests of a problem, run in the sandbox.

Big: the problem's unittest class, in the environment that has its packages; the program sits in a process
of its own, which it can't do where tests patch modules or look into plots. Which problems those are is
found out with their reference solutions, once each. There a failure counts, but a pass could be forged,
so it is unscored unless asked for.
Live: the program against its hidden cases by the rules in `live`.
What a program prints or exits with proves nothing; only the harness's own word counts.
"""

import asyncio
from collections.abc import Mapping
from typing import Literal, NamedTuple

import suite
from suite_vibechecker import harness, official
from suite_vibechecker.environment import Environment
from suite_vibechecker.plans import FunctionPlan, StdinPlan, UnittestPlan, live_limits, plan
from suite_vibechecker.rows import BigRow, LiveRow

Way = Literal["apart", "shared", "broken"]


class HiddenTests(NamedTuple):
    """Whether all hidden tests passed, and a word for how it ended ("passed", "failed", a limit, …)."""

    passed: bool | suite.Unscored
    word: str


NOT_RUN = HiddenTests(False, "no program")


def _result(run: harness.TestRun) -> HiddenTests:
    """What a run says of the program, if it says anything."""
    if run.harness:
        return HiddenTests(suite.Unscored("not run", run.harness), "not run")
    if run.opaque and run.isolated:
        return HiddenTests(suite.Unscored("result can't cross", run.opaque), run.word)
    return HiddenTests(run.passed, run.word)


class Functional:
    """Runs hidden tests. shared_tests: count passes of tests that need the program in their own process.

    seconds: per hidden test in place of the benchmark's own limit, 0 for its own.
    """

    def __init__(
        self,
        sandbox: suite.Sandbox,
        environment: Environment,
        *,
        shared_tests: bool = False,
        seconds: float = 0.0,
    ) -> None:
        self._sandbox = sandbox
        self._python = str(environment.python)
        self._shared_tests = shared_tests
        self._seconds = seconds
        self._ways: dict[str, asyncio.Task[Way]] = {}

    async def __call__(self, row: BigRow | LiveRow, code: str) -> HiddenTests:
        """Run the hidden tests of a problem on a program.

        Raises DataError if they can't be decoded, SandboxUnavailable if the sandbox fails.
        """
        asked = plan(row, code, self._seconds)
        if isinstance(asked, StdinPlan):
            run = await harness.run_stdin_cases(
                self._sandbox, code, asked.cases, asked.limits, python=self._python, case_s=asked.case_s
            )
        elif isinstance(asked, FunctionPlan):
            if not asked.entry:
                return HiddenTests(False, "no function")
            run = await harness.run_function_cases(
                self._sandbox, code, asked.entry, asked.cases, asked.limits, python=self._python
            )
        else:
            assert isinstance(row, BigRow)
            return await self._unittest(row, asked)
        return _result(run)

    async def official(
        self, row: BigRow | LiveRow, solution: str, reply: str, code: str, ours: HiddenTests
    ) -> bool | suite.Unscored:
        """Whether the authors' harness passes an answer; a program can forge that.

        solution, reply: the program and the whole answer as they take them. code: the program of `ours`,
        whose pass in isolation is not run again.
        """
        if isinstance(row, BigRow):
            if not solution.strip():
                return False
            if ours.passed is True and solution == code:
                return True
            asked = plan(row, solution, self._seconds)
            assert isinstance(asked, UnittestPlan)
            run = await self._run(asked, row.entry_point, shared=True)
        else:
            theirs = official.asked(row, official.program(solution, reply))
            if theirs is None or not theirs.expected:
                return theirs is not None
            limits = live_limits(len(theirs.expected), self._seconds)
            case = (theirs.arguments, theirs.expected)
            run = await harness.run_function_cases(
                self._sandbox, official.runner(), "run", [case], limits, python=self._python
            )
        return suite.Unscored("not run", run.harness) if run.harness else run.passed

    async def _unittest(self, row: BigRow, asked: UnittestPlan) -> HiddenTests:
        way = await self.way(row)
        run = await self._run(asked, row.entry_point, shared=way != "apart")
        if run.isolated and run.opaque and not run.harness:  # what did not cross is judged in one process
            run = await self._run(asked, row.entry_point, shared=True)
        if way == "broken" and not run.harness:
            return HiddenTests(suite.Unscored("reference fails", run.detail[:300]), run.word)
        if run.passed and not run.isolated and not self._shared_tests:
            return HiddenTests(suite.Unscored("could be forged"), "passed, not isolated")
        return _result(run)

    async def way(self, row: BigRow) -> Way:
        """How a Big problem can be judged, by its reference solution; found out once a problem."""
        if row.task_id not in self._ways:
            task = asyncio.get_running_loop().create_task(self._find_way(row))
            self._ways[row.task_id] = task
        return await asyncio.shield(self._ways[row.task_id])

    async def _find_way(self, row: BigRow) -> Way:
        asked = plan(row, row.reference, self._seconds)
        assert isinstance(asked, UnittestPlan)
        apart = await self._run(asked, row.entry_point, shared=False)
        if apart.passed and not apart.opaque:
            return "apart"
        return "shared" if (await self._run(asked, row.entry_point, shared=True)).passed else "broken"

    async def _run(self, asked: UnittestPlan, entry: str, *, shared: bool) -> harness.TestRun:
        return await harness.run_unittest(
            self._sandbox,
            asked.program,
            asked.tests,
            asked.limits,
            functions=(entry,),
            stub=asked.stub,
            test_class=asked.test_class,
            python=self._python,
            shared=shared,
        )

    def facts(self) -> Mapping[str, str]:
        """What decided about passing, for the manifest."""
        shown = {"shared_tests": str(self._shared_tests).lower(), **self._sandbox.facts()}
        return {**shown, "test_seconds": f"{self._seconds:g}"} if self._seconds else shown
