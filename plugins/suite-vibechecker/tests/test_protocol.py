"""What is asked and what is taken from an answer."""

import pytest
from suite_vibechecker.conversation import base_messages, edit_messages, single_messages
from suite_vibechecker.extraction import extract_official
from suite_vibechecker.vericode import instruction, instructions

import suite


@pytest.mark.parametrize(
    ("response", "code"),
    [
        ("x = 1\n", "x = 1\n"),
        ("", ""),
        ("Text\n```python\nx = 1\n```\nmore", "x = 1\n"),
        ("```\nx = 1\n```", "x = 1\n"),
        ("```python\nx = 1\n```\n```python\ny = 2\n```", "x = 1\n"),
        ("```python\n\n```\n```python\ny = 2\n```", "y = 2\n"),
        ("```python\n```", ""),
        ("```python\nx = 1\n", "```python\nx = 1\n"),
        ("```x = 1```", "x = 1"),
        ("```python x = 1```", "python x = 1"),
        ("A ``` alone", "A ``` alone"),
    ],
)
def test_the_authors_take_the_first_block_that_is_not_empty(response: str, code: str) -> None:
    assert extract_official(response) == code


def test_a_base_question_of_each_kind() -> None:
    assert [message.role for message in base_messages("big", "Add {two} numbers.")] == ["system", "user"]
    assert base_messages("big", "Add {two} numbers.")[1].content == "Add {two} numbers."
    assert "`solve`" in base_messages("functional", "S")[1].content
    assert "standard input" in base_messages("stdin", "S")[1].content


@pytest.mark.parametrize(
    ("requirements", "end"),
    [
        ([], "Add."),
        (["Be short."], "Add.\n\nThe code must also meet this requirement: Be short."),
        (["A.", "B."], "Add.\n\nThe code must also meet these requirements:\n1. A.\n2. B."),
    ],
)
def test_single_turn_states_the_first_k_requirements(requirements: list[str], end: str) -> None:
    messages = single_messages("big", "Add.", requirements)
    assert (len(messages), messages[1].content) == (2, end)


def test_multi_turn_replays_whole_answers() -> None:
    first = edit_messages(base_messages("big", "Add."), suite.Reply("```\nx\n```"), "Be short.")
    second = edit_messages(first, suite.Reply("y"), "Sort.")
    assert [(one.role, one.content) for one in second[1:]] == [
        ("user", "Add."),
        ("assistant", "```\nx\n```"),
        ("user", "Be short."),
        ("assistant", "y"),
        ("user", "Sort."),
    ]


def test_no_constraint_is_the_base_question() -> None:
    assert single_messages("stdin", "S", []) == base_messages("stdin", "S")


def test_every_prompt_names_its_parameter_and_no_other() -> None:
    for row in instructions().values():
        holes = {row.parameter.name} if row.parameter else set()
        for text in (row.generation, row.edit):
            assert {name for name in ("line_length", *holes) if "{" + name + "}" in text} == holes
        assert "{" not in "".join(row.prompts({}))


def test_prompts_take_their_values() -> None:
    assert instruction("logic_3").prompts({"max_branches": 4}) == (
        "Give each function no more than 4 branches.",
        "Restructure the code so each function has no more than 4 branches.",
    )


def test_the_table_has_the_published_shape() -> None:
    rows = list(instructions().values())
    categories = [row.category for row in rows]
    counts = {name: categories.count(name) for name in dict.fromkeys(categories)}
    assert counts == {"style": 9, "logic": 9, "documentation": 6, "error": 4, "library": 2}
    assert sum(bool(row.select) for row in rows) == 27
