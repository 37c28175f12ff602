"""Strict readers: each row fails or passes for one reason."""

import time
from collections.abc import Callable
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from suite.scoring import parsers
from suite.scoring.verdicts import TIE, Unparsed


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
    ("text", "verdict"),
    [
        ("<answer>Yes</answer>", True),
        ("<ANSWER>\n no.\n</ANSWER>", False),
        ("<answer kind='x'>yes</answer> and so <answer>YES</answer>", Unparsed),  # not one text
        ("<answer>yes</answer> <answer>yes</answer>", True),
        ("<answer>yes</answer> or <answer>no</answer>", Unparsed),
        ("<answer>Yes", True),  # never closed
        ("<answer>Yes/No</answer>", Unparsed),
        ("<answer>unknown</answer>", Unparsed),  # holds "no", is not no
        ("<answer><b>no</b></answer>", False),
        ("<answer></answer>", Unparsed),
        ("<answers>yes</answers>", Unparsed),
        ("yes", Unparsed),
        ("", Unparsed),
    ],
)
def test_yes_or_no_in_a_tag(text: str, verdict: object) -> None:
    assert read(parsers.yes_no(), text) is verdict


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Satisfied", "satisfied"),
        ("Some thoughts.\n**not satisfied**", "not satisfied"),
        ("It is satisfied.", Unparsed),
        ("satisfied\nBut then again", Unparsed),
    ],
)
def test_a_label_stands_alone(text: str, label: object) -> None:
    assert read(parsers.one_of(("satisfied", "not satisfied")), text) == label


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("(b)", "B"),
        ("[[C]] because", "C"),
        ("I weigh them.\nFinal answer: **D**", "D"),
        ("[[A]] or [[B]]", Unparsed),
        ("[[E]]", Unparsed),  # was not on offer
        ("The answer a person would give", Unparsed),  # "a" is a word here
        ("A better one is B", Unparsed),
    ],
)
def test_a_letter(text: str, letter: object) -> None:
    assert read(parsers.choice("ABCD"), text) == letter


def test_a_letter_in_its_tag() -> None:
    parse = parsers.choice("ABCD", tag="choice")
    assert read(parse, "A or <choice> C. </choice>") == "C"
    assert read(parse, "C") is Unparsed


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
    found = read(parsers.json_object(Judgement), text)
    assert (found.winner if isinstance(found, Judgement) else found) == winner


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7.0),
        ("Good work.\n\n  **8/10**  \n", 8.0),
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
    assert read(parsers.number_on_last_line(1, 10, whole=True), text) == number


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
    assert read(parsers.numbered(2), text) == number


def test_a_tie_only_where_it_is_on_offer() -> None:
    assert parsers.numbered(2, ties=True)("Tie.") is TIE


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
    assert parsers.without_reasoning(text) == left


@given(st.text(max_size=200))
def test_no_text_raises_anything_but_unparsed(text: str) -> None:
    for parse in (
        parsers.yes_no(),
        parsers.one_of(("a", "b")),
        parsers.choice("AB"),
        parsers.json_object(Judgement),
        parsers.number_on_last_line(0, 5),
        parsers.numbered(3, ties=True),
    ):
        read(parse, text)


@pytest.mark.parametrize("text", ["[[" + "\n" * 200_000, "answer:" + "- " * 100_000, "\n\n" * 100_000])
def test_a_hostile_reply_costs_little(text: str) -> None:
    """Time in proportion to its length: its square would be minutes."""
    began = time.process_time()
    with pytest.raises(Unparsed):
        parsers.choice("ABCD")(text)
    assert time.process_time() - began < 5
