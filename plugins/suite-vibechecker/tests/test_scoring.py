from typing import Any

import pytest
from suite_vibechecker.rows import Requirement
from suite_vibechecker.scoring import items, score
from suite_vibechecker.vericode import Verdict

import suite

REQUIREMENTS = [
    Requirement(instruction_idx=name, generation_prompt="", edit_prompt="", parameters=parameters)
    for name, parameters in (("style_3", {"line_length": 79, "max_locals": None}), ("doc_4", {}))
]
YES, NO, UNKNOWN = Verdict(True), Verdict(False), Verdict(None, error="exit 2")
UNSCORED = suite.Unscored("verifier")


def test_both_modes_are_asked_about_every_requirement() -> None:
    asked = [(one.mode, one.instruction, one.parameters) for one in items("x", "y", REQUIREMENTS, False)]
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
    values = score(REQUIREMENTS, strict, [YES, YES], passed, "passed").values
    assert [values[name] for name in ("followed", "all_followed", "joint")] == [followed, everything, joint]


def test_without_instructions_only_working_counts() -> None:
    values = score([], [], [], True, "passed").values
    assert (values["followed"], values["all_followed"], values["joint"]) == (None, None, True)


def test_parts_carry_place_and_category() -> None:
    made = score(REQUIREMENTS, [NO, Verdict(True, applicable=False)], [YES, YES], True, "passed")
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
