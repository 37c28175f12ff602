import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from suite_vibechecker.augment import Choice, augment, conflicts, model_selector, read_choice, requirement
from suite_vibechecker.rows import Requirement
from suite_vibechecker.vericode import Instruction, instruction


class Accepts:
    """Accepts the named instructions (all if none is named) and remembers what it was asked."""

    def __init__(self, *names: str, parameters: dict[str, Any] | None = None) -> None:
        self.names = names
        self.parameters = parameters or {}
        self.asked: list[str] = []

    async def __call__(self, problem: str, candidate: Instruction, accepted: Sequence[Requirement]) -> Choice:
        self.asked.append(candidate.id)
        return Choice(not self.names or candidate.id in self.names, self.parameters)


def chosen(selector: Accepts, problem: str = "p1", seed: int = 0) -> list[str]:
    return [one.instruction_idx for one in asyncio.run(augment("Add.", problem, selector, seed))]


def test_five_are_enough_and_order_depends_on_seed_and_problem_alone() -> None:
    first = Accepts()
    assert (len(chosen(first)), len(first.asked)) == (5, 5)
    assert chosen(Accepts()) == chosen(Accepts())
    assert len({tuple(chosen(Accepts(), name, seed)) for name in "ab" for seed in (0, 1)}) == 4


def test_every_instruction_is_asked_once_when_none_fits() -> None:
    selector = Accepts("none")
    assert (chosen(selector), len(set(selector.asked)), len(selector.asked)) == ([], 30, 30)


@pytest.mark.parametrize("pair", [("doc_4", "doc_6"), ("doc_5", "doc_2"), ("doc_5", "doc_3")])
def test_of_a_conflicting_pair_only_the_first_is_taken(pair: tuple[str, str]) -> None:
    selector = Accepts(*pair)
    found = chosen(selector)
    assert (len(found), {*selector.asked} & {*pair}) == (1, {*found})


@pytest.mark.parametrize(("length", "expected"), [(88, []), (100, [("style_1", "style_3")])])
def test_line_lengths_conflict_only_above_the_default(length: int, expected: list[tuple[str, str]]) -> None:
    long = Requirement(
        instruction_idx="style_3", generation_prompt="", edit_prompt="", parameters={"line_length": length}
    )
    assert conflicts([requirement(instruction("style_1"), {}), long]) == expected


@pytest.mark.parametrize(
    ("name", "wished", "given"),
    [
        ("style_3", {"line_length": 88}, {"line_length": 88}),
        ("style_3", {"line_length": "88"}, {"line_length": 88}),
        ("style_3", {"line_length": 300}, {"line_length": 79}),
        ("style_3", {"line_length": True, "wide": 1}, {"line_length": 79}),
        ("style_3", {}, {"line_length": 79}),
        ("doc_3", {"convention": "latex"}, {"convention": "pep257"}),
        ("style_1", {"line_length": 79}, {}),
    ],
)
def test_parameters_are_repaired(name: str, wished: dict[str, Any], given: dict[str, Any]) -> None:
    made = requirement(instruction(name), wished)
    assert (made.parameters, "{" in made.generation_prompt + made.edit_prompt) == (given, False)


def test_a_model_sees_the_problem_and_what_is_already_required() -> None:
    prompts: list[str] = []

    async def ask(prompt: str) -> str:
        prompts.append(prompt)
        return '```json\n{"accepted": true, "generation_prompt": "ignored"}\n```'

    made = asyncio.run(augment("Add {two} numbers.", "p", model_selector(ask)))
    assert len(made) == 5
    assert "Add {two} numbers." in prompts[0]
    assert "- nothing" in prompts[0]
    assert f"- {made[0].generation_prompt}" in prompts[1]
    assert "ignored" not in json.dumps([one.model_dump() for one in made])


@pytest.mark.parametrize(
    ("reply", "accepted"),
    [
        ('```json\n{"accepted": true}\n```', True),
        ('{"accepted": true, "parameters": null}', True),
        ('Thinking.\n```json\n{"accepted": false, "reason": "no"}\n```', False),
        ('{"accepted": "yes"}', False),
        ('{"accepted": true, "parameters": [1]}', False),
        ("[1]", False),
        ("sure", False),
        ("", False),
    ],
)
def test_a_reply_that_cannot_be_read_rejects(reply: str, accepted: bool) -> None:
    assert read_choice(reply).accepted is accepted
