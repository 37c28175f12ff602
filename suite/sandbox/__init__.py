"""Untrusted programs, contained: no network, no home, no keys, bounded in everything, killed as a tree.

    sandbox = await suite.sandbox.open_sandbox()
    result = await sandbox.run(Program(("python3", "solution.py"), files={"solution.py": code}), Limits())

Not here: whether a program passes tests, which whoever runs it decides. What it says itself proves nothing.
"""

from suite.sandbox.choice import open_sandbox as open_sandbox
from suite.sandbox.choice import probe as probe
from suite.sandbox.choice import prove as prove
from suite.sandbox.interpreters import python_program as python_program
from suite.sandbox.program import WORK as WORK
from suite.sandbox.program import Limits as Limits
from suite.sandbox.program import Mount as Mount
from suite.sandbox.program import Program as Program
from suite.sandbox.program import Sandbox as Sandbox
from suite.sandbox.program import SandboxResult as SandboxResult
