"""Every task of the plugin keeps the contract, on its bundled data; the embedded model is left out."""

import pytest
from suite_rag_rewardbench.plugin import suite_register

from suite.testing import Subject, conformance

TASKS = [entry.name for entry in suite_register() if entry.kind == "task"]


@pytest.mark.parametrize("name", TASKS)
def test_the_contract_is_kept(name: str) -> None:
    conformance.check(Subject(name, groups=2, cells=2), conformance.WITHOUT_MODEL).require()
