"""The pytest plugin that comes with suite: `pytest --suite-task NAME` runs the conformance checks.

Everybody who has suite installed loads this module with every pytest run, so it imports nothing of suite
until a check is wanted.
"""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that names the tasks to check."""
    parser.getgroup("suite").addoption(
        "--suite-task",
        action="append",
        default=[],
        metavar="NAME",
        help="check that a task of an installed plugin keeps suite's contract (repeatable)",
    )
