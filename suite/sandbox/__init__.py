"""Untrusted programs, contained: no network, no home, no keys, bounded in everything, killed as a tree.

    sandbox = await suite.sandbox.open_sandbox()
    result = await sandbox.run(Program(("python3", "solution.py"), files={"solution.py": code}), Limits())

`suite.sandbox.harness` decides whether a program passes tests; what a program itself says proves nothing.
"""

from suite.sandbox.choice import open_sandbox, probe, prove
from suite.sandbox.program import ENVIRONMENT, WORK, Limits, Mount, Program, Sandbox, SandboxResult

__all__ = [
    "ENVIRONMENT",
    "WORK",
    "Limits",
    "Mount",
    "Program",
    "Sandbox",
    "SandboxResult",
    "open_sandbox",
    "probe",
    "prove",
]
