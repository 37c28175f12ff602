"""The pytest plugin that comes with suite: `pytest --suite-task NAME` runs the conformance checks.

Everybody who has suite installed loads this module with every pytest run, so it imports nothing of suite
until a check is wanted. One test is added for each check of each named task; an author's own tests may use
the fixture `suite_conformance` or `suite.testing.conformance` instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from suite.testing.bench import Bench, Subject
    from suite.testing.conformance import Report
    from suite.testing.provider_case import ProviderCase


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that names the tasks to check."""
    told = "check that a task of an installed plugin keeps suite's contract (repeatable)"
    parser.getgroup("suite").addoption("--suite-task", action="append", default=[], metavar="NAME", help=told)


@pytest.hookimpl(tryfirst=True)  # before -k and -m choose
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the checks of the named tasks to what was collected."""
    names: list[str] = config.getoption("--suite-task")
    for task in dict.fromkeys(names):
        from suite.testing.conformance import CHECKS

        bench = cache(partial(_bench, task, config))  # the checks share the run that they compare with
        for check in CHECKS:
            name = f"{task}::{check}"
            item = ConformanceItem.from_parent(session, name=name, nodeid=name, check=check, bench=bench)
            items.append(item)


def _bench(task: str, config: pytest.Config) -> Bench:
    import tempfile

    from suite.testing.bench import Bench, Subject

    scratch = tempfile.TemporaryDirectory(prefix="suite-check-")
    config.add_cleanup(scratch.cleanup)
    return Bench(Subject(task), Path(scratch.name))


class ConformanceItem(pytest.Item):
    """One check of one task as a test."""

    def __init__(
        self, name: str, parent: pytest.Session, *, nodeid: str, check: str, bench: Callable[[], Bench]
    ) -> None:
        super().__init__(name, parent, nodeid=nodeid)
        self._check, self._bench = check, bench

    def runtest(self) -> None:
        from suite.testing.conformance import one

        result = one(self._check, self._bench())
        if result.problems:
            pytest.fail(result.line(), pytrace=False)
        if result.skipped:
            pytest.skip(result.skipped)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it comes from: there is no file."""
        return self.path, None, self.name


@pytest.fixture
def suite_conformance() -> Callable[[Subject | ProviderCase | str], Report]:
    """Checks a task by name or as a `Subject`, or a `ProviderCase`: `suite_conformance(NAME).require()`."""

    from suite.testing import conformance

    return conformance.check
