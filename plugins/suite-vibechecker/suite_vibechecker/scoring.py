"""From verdicts and test results to the values of one score.

Both ways of following are given side by side: `*_official` as the authors' scorer counts, the plain
names by strict rules, which are the ones to rank by. A verdict that the verifier could not give makes
values that rest on it unscored, unless another verdict has settled them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import suite
from suite_vibechecker.extraction import extract, extract_official
from suite_vibechecker.functional import HiddenTests
from suite_vibechecker.official import FAILED
from suite_vibechecker.rows import Requirement
from suite_vibechecker.vericode import Item, Mode, Verdict

NO_PROGRAM = ("overflow", "refused", "empty", "invalid")  # finishes after which there is nothing to judge
Value = float | bool | str | suite.Unscored | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply as both sides read it. code, response: by the sound reading. solution, full: what the authors
    would judge; a reply without any text is an error's text to them. failed: there is nothing to judge."""

    code: str
    response: str
    solution: str
    full: str
    failed: bool

    @classmethod
    def of(cls, text: str, finish: str = "") -> "Answer":
        """From an output."""
        code = extract(text)
        failed = finish in NO_PROGRAM or not code.strip()
        return cls(code, text, extract_official(text), text or FAILED, failed)


def items(answer: Answer, requirements: Sequence[Requirement]) -> list[Item]:
    """The checks of one answer: strict ones first, then official ones, each in the order of requirements."""
    sides: tuple[tuple[Mode, str, str], ...] = (
        ("strict", answer.code, answer.response),
        ("official", answer.solution, answer.full),
    )
    return [
        Item(code, response, one.instruction_idx, one.known_parameters(), mode, answer.failed)
        for mode, code, response in sides
        for one in requirements
    ]


def score(
    requirements: Sequence[Requirement],
    strict: Sequence[Verdict],
    official: Sequence[Verdict],
    tests: HiddenTests,
    tests_official: bool | suite.Unscored,
) -> suite.Score:
    """The score of one answer.

    tests: whether the hidden tests pass, and how they ended. tests_official: by the authors' harness.
    `followed` is the share of instructions, `all_followed` all of them; both None without any.
    `joint` is passing and following all at once; without instructions it is passing alone.
    `composite_part` is what the composite takes from a cell: passing of the base question, else following;
    its official twin counts an answer without instructions as following.
    """
    passed = tests.passed
    ours = [one.followed for one in strict]
    theirs = [bool(one.followed) for one in official]
    values: dict[str, Value] = {
        "passed": passed,
        "passed_official": tests_official,
        "followed": _share(ours),
        "followed_official": _share(theirs),
        "all_followed": _all(ours) if ours else None,
        "all_followed_official": all(theirs) if theirs else None,
        "joint": _both(passed, _all(ours)),
        "composite_part": _all(ours) if ours else passed,
        "composite_part_official": all(theirs) if theirs else tests_official,
        "test_result": tests.word,
    }
    parts = [
        suite.Part(
            f"{position}:{one.instruction_idx}",
            {
                "followed": _verdict(strict[position - 1]),
                "followed_official": theirs[position - 1],
                "applicable": strict[position - 1].applicable,
            },
            {
                "category": one.instruction.category,
                "instruction": one.instruction_idx,
                "position": str(position),
            },
        )
        for position, one in enumerate(requirements, 1)
    ]
    return suite.Score(values, parts)


def _verdict(verdict: Verdict) -> bool | suite.Unscored:
    if verdict.followed is None:
        return suite.Unscored("verifier", verdict.error)
    return verdict.followed


def _share(followed: Sequence[bool | None]) -> float | suite.Unscored | None:
    if not followed:
        return None
    if any(one is None for one in followed):
        return suite.Unscored("verifier")
    return sum(bool(one) for one in followed) / len(followed)


def _all(followed: Sequence[bool | None]) -> bool | suite.Unscored:
    if any(one is False for one in followed):
        return False
    return suite.Unscored("verifier") if any(one is None for one in followed) else True


def _both(passed: bool | suite.Unscored, followed: bool | suite.Unscored) -> bool | suite.Unscored:
    if passed is False or followed is False:
        return False
    return next((one for one in (passed, followed) if isinstance(one, suite.Unscored)), True)
