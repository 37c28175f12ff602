"""The conformance checks of a task or a provider: in any test, or by `suite plugin check`.

    from suite.testing import conformance

    def test_the_contract_is_kept() -> None:
        conformance.check("units/questions").require()

Everything is synchronous: the checks run their own event loop, so call them outside of one.
"""

import pkgutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import indent

from suite.errors import SuiteError
from suite.plugins import catalogue
from suite.testing import declared, task_runs
from suite.testing.bench import Bench, Skip, Subject
from suite.testing.provider_case import ProviderCase
from suite.testing.provider_checks import problems_of
from suite.testing.provider_checks import provider_checks as provider_checks

Finder = Callable[[Bench], Iterator[str]]

_FINDERS: tuple[Finder, ...] = (
    declared.metadata, declared.parameters, declared.light, declared.data,
    declared.samples, declared.stable_ids, declared.lazy,
    task_runs.offline, task_runs.solves, task_runs.order, task_runs.resume, task_runs.replay,
    task_runs.infrastructure, task_runs.candidate_failure, task_runs.judge_failure,
    task_runs.embedded,
)  # fmt: skip
CHECKS = {one.__name__.replace("_", "-"): one for one in _FINDERS}
WITHOUT_MODEL = tuple(name for name in CHECKS if name != "embedded")  # quick: scripted models only


class Broken(AssertionError):
    """A task or provider does not keep the contract; the message lists what is wrong."""


@dataclass(frozen=True)
class Result:
    """One check. task: or provider. problems: what is wrong. skipped: why all of it; left_out: this of it."""

    task: str
    check: str
    problems: tuple[str, ...] = ()
    skipped: str = ""
    seconds: float = 0.0
    left_out: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """passed, failed or skipped."""
        return "failed" if self.problems else "skipped" if self.skipped else "passed"

    def line(self) -> str:
        """One line, and one more for each problem."""
        head = f"{self.status:8}{self.check:18}"
        if self.status == "skipped":
            return f"{head}{self.skipped}"
        left = f" (not applicable: {'; '.join(self.left_out)})" if self.left_out else ""
        return "\n".join([head + about(self.check) + left, *(indent(one, " " * 8) for one in self.problems)])


@dataclass(frozen=True)
class Report:
    """All checks of a task or provider."""

    results: tuple[Result, ...]

    @property
    def ok(self) -> bool:
        """Whether none failed."""
        return not any(one.problems for one in self.results)

    def require(self) -> None:
        """Raises Broken if any check failed."""
        if failed := [one for one in self.results if one.problems]:
            raise Broken("\n".join(f"{one.task}: {one.line()}" for one in failed))


def about(check: str) -> str:
    """What a check proves: the first line of its docstring."""
    text = CHECKS[check].__doc__ or "" if check in CHECKS else provider_checks()[check]
    return text.strip().partition("\n")[0]


def one(check: str, bench: Bench | ProviderCase) -> Result:
    """One check of a provider, or on a bench, which keeps the run that several of them compare with."""
    name, started = bench.subject.name if isinstance(bench, Bench) else bench.spec, time.monotonic()
    problems, left, skipped = list[str](), list[str](), ""
    try:
        found = CHECKS[check](bench) if isinstance(bench, Bench) else problems_of(check, bench, left)
        for problem in found:
            problems.append(problem)  # what was found stays, whatever comes after
    except Skip as skip:
        skipped = str(skip)
    except Exception as error:  # third-party code: anything may come out
        problems.append(str(error) if isinstance(error, SuiteError) else f"{type(error).__name__}: {error}")
    return Result(name, check, tuple(problems), skipped, time.monotonic() - started, tuple(left))


def each(subject: Subject | ProviderCase | str, checks: Sequence[str] = ()) -> Iterator[Result]:
    """The results, one after the other. checks: () means all; those of another kind are left out."""
    if isinstance(subject, ProviderCase):
        yield from (one(name, subject) for name in provider_checks() if not checks or name in checks)
        return
    subject = Subject(subject) if isinstance(subject, str) else subject
    chosen = [one for one in checks or CHECKS if one in CHECKS]
    try:
        subject.task  # noqa: B018  a task that cannot be loaded is said once, not by every check
    except SuiteError as error:
        yield Result(subject.name, next(iter(chosen or CHECKS)), (str(error),))
        return
    with tempfile.TemporaryDirectory(prefix="suite-check-") as folder:
        bench = Bench(subject, Path(folder))
        said: dict[str, str] = {}  # problem -> the check that told it
        for name in chosen:
            found = one(name, bench)
            if found.problems and said.keys() >= {*found.problems}:
                found = replace(found, problems=(), skipped=f"as said by {said[found.problems[0]]}")
            said |= {problem: said.get(problem, name) for problem in found.problems}
            yield found


def each_of_provider(name: str, checks: Sequence[str] = ()) -> Iterator[Result]:
    """The results of an installed provider by the case that it names, or why there is none."""
    try:
        case = catalogue().load("provider", name).case
        told = Result(name, "engine", skipped="it names no case to try it by: set `Provider.case`")
        yield from each(pkgutil.resolve_name(case), checks) if case else [told]
    except (SuiteError, ImportError, AttributeError) as error:
        yield Result(name, "engine", (f"{type(error).__name__}: {error}",))


def check(subject: Subject | ProviderCase | str, checks: Sequence[str] = ()) -> Report:
    """All checks of a task, by name or as a Subject that says how to try it, or of a provider."""
    return Report(tuple(each(subject, checks)))
