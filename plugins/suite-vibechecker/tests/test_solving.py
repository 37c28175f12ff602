"""What a problem costs and what is asked, over all cells of the protocol."""

import asyncio
import itertools
from typing import Any

import pytest
from suite_vibechecker.conversation import PROMPTS
from suite_vibechecker.parameters import PRESETS, Parameters
from suite_vibechecker.rows import BigRow, LiveRow
from suite_vibechecker.solving import solve

import suite
from suite.testing import ScriptedModel

CODE = "```python\nx = 1\n```"


def answers(request: suite.Request) -> suite.Reply:
    """A reply that depends on the whole request, so that equal replies mean equal questions."""
    said = sum(len(one.content) for one in request.messages)
    return suite.Reply(text=f"```python\nx = {said}\n```")


def run(row: BigRow | LiveRow, model: Any, **cell: Any) -> suite.Output:
    return asyncio.run(solve(row, Parameters(**cell), 0.0, model, PROMPTS))


def test_the_whole_protocol_costs_11_different_calls_a_problem(
    big_rows: list[BigRow], live_rows: list[LiveRow]
) -> None:
    for row in (big_rows[0], live_rows[0], live_rows[-1]):
        model = ScriptedModel(answers)
        for cell in PRESETS["paper"]:
            run(row, model, **cell)
        different = set(map(str, zip(model.requests, model.keys, strict=True)))
        assert (len(PRESETS["paper"]), len(different)) == (11, 11)


def test_the_base_question_has_no_mode() -> None:
    assert Parameters(mode="multi", k=0) == Parameters(mode="single", k=0)


def test_a_longer_chain_extends_a_shorter_one(big_rows: list[BigRow]) -> None:
    model = ScriptedModel(answers)
    run(big_rows[0], model, mode="multi", k=3)
    asked = [request.messages for request in model.requests]
    assert [len(messages) for messages in asked] == [2, 4, 6, 8]
    assert all(longer[: len(shorter)] == shorter for shorter, longer in itertools.pairwise(asked))
    edits = [one.edit_prompt for one in big_rows[0].instruction_list[:3]]
    assert [messages[-1].content for messages in asked[1:]] == edits


def test_single_turn_asks_once_with_the_first_requirements(big_rows: list[BigRow]) -> None:
    model = ScriptedModel(answers)
    run(big_rows[0], model, mode="single", k=2)
    asked = model.requests[0].messages[-1].content
    texts = [one.generation_prompt for one in big_rows[0].instruction_list]
    assert (len(model.requests), [text in asked for text in texts]) == (1, [True, True, False, False, False])


@pytest.mark.parametrize("text", ["", "```python\n```"])
def test_a_reply_without_a_program_is_asked_again_and_then_kept(big_rows: list[BigRow], text: str) -> None:
    model = ScriptedModel(lambda request: suite.Reply(text=text))
    output = run(big_rows[0], model, mode="multi", k=5)
    assert model.keys == ["", "attempt-2", "attempt-3"]
    assert (output.text, output.finish) == (text, "empty")


def test_the_second_attempt_can_succeed(big_rows: list[BigRow]) -> None:
    replies = iter(["", CODE])
    model = ScriptedModel(lambda request: suite.Reply(text=next(replies)))
    assert run(big_rows[0], model, k=0) == suite.Output(text=CODE)


@pytest.mark.parametrize("finish", ["overflow", "refused", "length", "invalid"])
def test_a_chain_ends_where_the_model_fails(big_rows: list[BigRow], finish: suite.Finish) -> None:
    replies = iter([suite.Reply(text=CODE), suite.Reply(text="", finish=finish)])
    model = ScriptedModel(lambda request: next(replies))
    assert run(big_rows[0], model, mode="multi", k=5).finish == finish
    assert len(model.requests) == 2


def test_options_reach_the_call(live_rows: list[LiveRow]) -> None:
    model = ScriptedModel(answers)
    asyncio.run(solve(live_rows[0], Parameters(k=0, max_tokens=77), 0.2, model, PROMPTS))
    options = model.requests[0].options
    assert (options.temperature, options.max_tokens) == (0.2, 77)
