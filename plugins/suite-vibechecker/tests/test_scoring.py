from typing import Any

import pytest
from suite_vibechecker.functional import HiddenTests
from suite_vibechecker.rows import Requirement
from suite_vibechecker.scoring import Answer, items, score
from suite_vibechecker.vericode import Verdict

import suite

REQUIREMENTS = [
    Requirement(instruction_idx=name, generation_prompt="", edit_prompt="", parameters=parameters)
    for name, parameters in (("style_3", {"line_length": 79, "max_locals": None}), ("doc_4", {}))
]
YES, NO, UNKNOWN = Verdict(True), Verdict(False), Verdict(None, error="exit 2")
UNSCORED = suite.Unscored("verifier")


def test_both_modes_are_asked_about_every_requirement() -> None:
    asked = [(one.mode, one.instruction, one.parameters) for one in items(Answer.of("x"), REQUIREMENTS)]
    assert asked == [
        ("strict", "style_3", {"line_length": 79}),
        ("strict", "doc_4", {}),
        ("official", "style_3", {"line_length": 79}),
        ("official", "doc_4", {}),
    ]


@pytest.mark.parametrize(
    ("strict", "passed", "followed", "everything", "joint"),
    [
        ([YES, YES], True, 1.0, True, True),
        ([YES, YES], False, 1.0, True, False),
        ([YES, NO], True, 0.5, False, False),
        ([UNKNOWN, NO], True, UNSCORED, False, False),
        ([UNKNOWN, YES], True, UNSCORED, UNSCORED, UNSCORED),
        ([UNKNOWN, YES], False, UNSCORED, UNSCORED, False),
        ([YES, YES], suite.Unscored("sandbox"), 1.0, True, suite.Unscored("sandbox")),
        ([YES, NO], suite.Unscored("sandbox"), 0.5, False, False),
    ],
)
def test_what_is_known_settles_what_it_can(
    strict: list[Verdict], passed: Any, followed: Any, everything: Any, joint: Any
) -> None:
    values = score(REQUIREMENTS, strict, [YES, YES], HiddenTests(passed, "passed"), False).values
    assert [values[name] for name in ("followed", "all_followed", "joint")] == [followed, everything, joint]


def test_without_instructions_only_working_counts() -> None:
    values = score([], [], [], HiddenTests(True, "passed"), False).values
    assert (values["followed"], values["all_followed"], values["joint"]) == (None, None, True)
    assert (values["composite_part"], values["composite_part_official"]) == (True, False)


def test_what_the_authors_judge_of_an_answer_is_what_they_take_from_it() -> None:
    reply = "```python-3\nx = 1\n```"
    answer = Answer.of(reply)
    assert (answer.code, answer.solution, answer.failed) == ("x = 1\n", "python-3\nx = 1\n", False)
    assert [(one.mode, one.code) for one in items(answer, REQUIREMENTS[:1])] == [
        ("strict", answer.code),
        ("official", answer.solution),
    ]


def test_a_failed_answer_is_an_error_text_to_the_authors() -> None:
    """An empty reply is a program to the parser; the text of an error, which they judge, is none."""
    answer = Answer.of("", "empty")
    assert (answer.solution, answer.failed) == ("", True)
    with pytest.raises(SyntaxError):
        compile(answer.full, "", "exec")


def test_parts_carry_place_and_category() -> None:
    made = score(
        REQUIREMENTS, [NO, Verdict(True, applicable=False)], [YES, YES], HiddenTests(True, "passed"), True
    )
    assert [(part.id, dict(part.values), dict(part.tags)) for part in made.parts] == [
        (
            "1:style_3",
            {"followed": False, "followed_official": True, "applicable": True},
            {"category": "style", "instruction": "style_3", "position": "1"},
        ),
        (
            "2:doc_4",
            {"followed": True, "followed_official": True, "applicable": False},
            {"category": "documentation", "instruction": "doc_4", "position": "2"},
        ),
    ]
