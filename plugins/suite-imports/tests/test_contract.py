"""The tasks of imported values are declared as the contract says; nothing can be solved by them."""

import pytest
from suite_imports.plugin import suite_register

from suite.testing import Subject, conformance

TASKS = [entry.name for entry in suite_register() if entry.kind == "task"]


@pytest.mark.parametrize("name", TASKS)
def test_what_is_declared_keeps_the_contract(name: str) -> None:
    conformance.check(Subject(name), ("metadata", "parameters", "light")).require()
