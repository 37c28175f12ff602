"""Strict readers: each row fails or passes for one reason."""

import time
from collections.abc import Callable
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from suite.scoring import judges
from suite.scoring.judges import TIE, Unparsed


class Judgement(BaseModel):
    model_config = ConfigDict(extra="forbid")

    winner: Literal["one", "two", "tie"]
    why: str = ""


def read(parse: Callable[[str], object], text: str) -> object:
    try:
        return parse(text)
    except Unparsed:
        return Unparsed


@pytest.mark.parametrize(
    ("text", "winner"),
    [
        ('{"winner": "two"}', "two"),
        ('Here:\n```json\n{"winner": "tie", "why": "}"}\n```\nDone', "tie"),
        ('Thus {"winner": "one", "why": "a {b}"} is my verdict', "one"),
        ('{"winner": "three"}', Unparsed),  # a third answer
        ('{"winner": "one", "extra": 1}', Unparsed),
        ('{"winner": NaN}', Unparsed),
        ('["one"]', Unparsed),
        ('{"winner": "one"', Unparsed),
        ("{" * 5000, Unparsed),
    ],
)
def test_a_json_object(text: str, winner: object) -> None:
    found = read(judges.json_object(Judgement), text)
    assert (found.winner if isinstance(found, Judgement) else found) == winner


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7.0),
        ("Good work.\n\n  **8/10**  \n", 8.0),
        ('{"grade": 7}', 7.0),
        ('{"grade": 70}', Unparsed),
        ("9/5", Unparsed),
        ("8.5", Unparsed),  # whole numbers only
        ("11", Unparsed),
        ("0", Unparsed),
        ("Rating: 7", Unparsed),
        ("7\nThanks", Unparsed),
        ("", Unparsed),
    ],
)
def test_a_number_alone_on_the_last_line(text: str, number: object) -> None:
    assert read(judges.grade(1, 10), text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Choose 1", 1),
        ("choose  2.", 2),
        ("Choose 1? No. Choose 2", 2),  # the last one counts
        ("2", 2),
        ("Choose 3", Unparsed),
        ("Choose 12", Unparsed),
        ("I prefer answer 1", Unparsed),
        ("²", Unparsed),  # a digit to str.isdigit, no number
        ("Tie", Unparsed),
    ],
)
def test_a_choice_by_number(text: str, number: object) -> None:
    assert read(judges.numbered(2), text) == number


def test_a_tie_only_where_it_is_on_offer() -> None:
    assert judges.numbered(2, ties=True)("Tie.") is TIE


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<think>Choose 1</think>Choose 2", "Choose 2"),
        ("Choose 1 it may be</think>\nChoose 2", "Choose 2"),  # the template opened the block
        ("<think>Choose 1 and then", ""),
        ("plain", "plain"),
    ],
)
def test_reasoning_is_left_out(text: str, left: str) -> None:
    assert judges.without_reasoning(text) == left


@given(st.text(max_size=200))
def test_no_text_raises_anything_but_unparsed(text: str) -> None:
    for parse in (
        judges.json_object(Judgement),
        judges.grade(0, 5),
        judges.numbered(3, ties=True),
    ):
        read(parse, text)


@pytest.mark.parametrize("text", ["{" * 200_000, "Choose " + "- " * 100_000, "\n\n" * 100_000, "1" * 200_000])
def test_a_hostile_reply_costs_little(text: str) -> None:
    """Time in proportion to its length: its square would be minutes."""
    began = time.process_time()
    for parse in (judges.json_object(Judgement), judges.grade(0, 5), judges.numbered(3)):
        assert read(parse, text) is Unparsed
    assert time.process_time() - began < 5
