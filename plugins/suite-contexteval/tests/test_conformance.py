"""Every task keeps the contract, on its bundled data. Slow; the embedded model is left out."""

import pytest
from suite_contexteval.plugin import suite_register

from suite.testing import conformance

TASKS = [entry.name for entry in suite_register() if entry.kind == "task"]


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_the_contract(name: str) -> None:
    conformance.check(name, conformance.WITHOUT_MODEL).require()
