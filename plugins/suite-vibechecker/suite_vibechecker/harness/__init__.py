"""Does a program pass tests? Verdicts that a hostile program can't fake.

A program and what decides about it never share a process. Outputs and results are compared where the
program can't reach: here, outside, for cases; in a closed process inside the sandbox for unittest classes.
What a program prints, returns or exits with is only ever its answer.

    await run_stdin_cases(sandbox, code, [("1 2\\n", "3")], limits)
    await run_function_cases(sandbox, code, "solve", [([1, 2], 3)], limits)
    await run_unittest(sandbox, code, tests, limits, functions=("task_func",))
"""

from suite_vibechecker.harness.cases import TestRun, run_function_cases, run_stdin_cases, run_unittest

__all__ = ["TestRun", "run_function_cases", "run_stdin_cases", "run_unittest"]
