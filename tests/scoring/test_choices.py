"""Multiple choice by log-likelihood: which answer is picked by which measure, and what is no number."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.chat import Output, Reply, Request, user
from suite.errors import ConfigError
from suite.scores import Unscored
from suite.scoring.choices import choice_values, choose

Make = Callable[..., Any]
ASK = (user("Where does she live?"),)
CAN = {"prompt_logprobs"}


def told(sums: dict[str, float | None], tokens: dict[str, int], **more: Any) -> Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        details = {"tokens": [tokens[text] for text in request.texts], **more}
        return Reply(scores=tuple(sums[text] for text in request.texts), details=details)

    return answer


async def test_lengths_in_tokens_and_bytes_can_change_what_is_picked(scripted: Make) -> None:
    sums: dict[str, float | None] = {"A": -2.0, "in Lyon": -2.5, "ü" * 20: -3.0}
    model = scripted(told(sums, {"A": 1, "in Lyon": 5, "ü" * 20: 5}), capabilities=CAN)
    output = await choose(model, ASK, list(sums))
    assert (output.text, output.finish) == ("A", "stop")
    assert [choice_values(output, right) for right in range(3)] == [
        {"correct": True, "correct_per_token": False, "correct_per_byte": False},
        {"correct": False, "correct_per_token": True, "correct_per_byte": False},
        {"correct": False, "correct_per_token": False, "correct_per_byte": True},
    ]


async def test_what_is_likely_without_the_question_gains_least(scripted: Make) -> None:
    def answer(request: Request) -> Reply:
        return Reply(scores=(-1.0, -2.0) if request.prompt else (-1.0, -9.0))

    model = scripted(lambda one: answer(one), capabilities=CAN)
    output = await choose(
        model, "Paris or Rome? Answer:", [" Paris", " Rome"], raw=True, unconditional=ASK[0].content
    )
    assert choice_values(output, 0, "right")["right_pmi"] is False
    requests = [(one.prompt, one.messages, one.texts) for one in model.requests]
    assert requests == [
        ("Paris or Rome? Answer:", (), (" Paris", " Rome")),
        (ASK[0].content, (), (" Paris", " Rome")),
    ]


async def test_of_equal_answers_none_is_picked(scripted: Make) -> None:
    model = scripted(told({"a": -1.0, "b": -1.0, "c": -3.0}, {"a": 1, "b": 1, "c": 1}), capabilities=CAN)
    output = await choose(model, ASK, ["a", "b", "c"])
    assert output.text == ""
    assert [choice_values(output, right)["correct"] for right in range(3)] == [False] * 3


@pytest.mark.parametrize(
    ("reasons", "finish", "value"),
    [
        (["", "overflow"], "overflow", False),  # too long for the candidate: its failure
        (["not-finite", "overflow"], "overflow", False),
        (["", "refused"], "refused", False),
        (["", "not-finite"], "stop", Unscored("not-finite")),
        (["no-span", ""], "stop", Unscored("no-span")),
    ],
)
async def test_an_answer_without_a_number(
    scripted: Make, reasons: list[str], finish: str, value: object
) -> None:
    sums = {name: None if reason else -1.0 for name, reason in zip("ab", reasons, strict=True)}
    model = scripted(told(sums, {"a": 1, "b": 1}, reasons=reasons), capabilities=CAN)
    output = await choose(model, ASK, ["a", "b"])
    assert output.finish == finish
    assert set(choice_values(output, 0).values()) == {value}


@pytest.mark.parametrize("scores", [(math.nan, -1.0), (-1.0,), ()])
async def test_a_broken_reply_is_unscored(scripted: Make, scores: Any) -> None:
    output = await choose(scripted(lambda _: Reply(scores=scores), capabilities=CAN), ASK, ["a", "b"])
    assert choice_values(output, 0)["correct"] == Unscored("no-score")


async def test_without_counts_of_tokens_there_is_no_value_per_token(scripted: Make) -> None:
    output = await choose(scripted(lambda _: Reply(scores=(-1.0, -2.0)), capabilities=CAN), ASK, ["a", "b"])
    assert choice_values(output, 0) == {"correct": True, "correct_per_token": None, "correct_per_byte": True}


def test_what_stopped_before_the_choice_is_wrong() -> None:
    assert set(choice_values(Output(finish="overflow"), 0).values()) == {False}


@pytest.mark.parametrize("answers", [["a"], [], ["a", ""]])
async def test_one_answer_or_an_empty_one_is_no_choice(scripted: Make, answers: list[str]) -> None:
    with pytest.raises(ConfigError, match="two answers or more"):
        await choose(scripted("", capabilities=CAN), ASK, answers)


async def test_messages_are_no_raw_prompt(scripted: Make) -> None:
    with pytest.raises(ConfigError, match="a raw prompt is a text"):
        await choose(scripted("", capabilities=CAN), ASK, ["a", "b"], raw=True)


@given(st.lists(st.floats(-50, 0), min_size=2, max_size=6), st.randoms())
async def test_the_order_of_answers_changes_no_value(sums: list[float], chance: Any) -> None:
    from suite.testing import ScriptedModel

    names = [f"{place} {'x' * place}" for place in range(len(sums))]
    known: dict[str, float | None] = dict(zip(names, sums, strict=True))
    model = ScriptedModel(told(known, {name: len(name) for name in names}), "candidate", capabilities=CAN)
    shown = chance.sample(names, len(names))
    before, after = await choose(model, ASK, names), await choose(model, ASK, shown)
    assert choice_values(before, 0) == choice_values(after, shown.index(names[0]))


async def test_an_answer_that_stands_twice_is_refused_by_name(scripted: Make) -> None:
    with pytest.raises(ConfigError, match="the answer 'b' twice"):
        await choose(scripted("", capabilities=CAN), ASK, ["a", "b", "b"])
