"""A judge's verdict: its states, retries that are new requests, schemas where the engine can."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from suite.chat import Reply, Request, user
from suite.errors import CallFailed, ConfigError
from suite.prompts import Prompts
from suite.scoring.judges import TIE, Unparsed, Verdict, judge, numbered
from suite.task import Unscored

Make = Callable[..., Any]


def yes_no(text: str) -> bool:
    found = re.findall("<answer>(yes|no)", text)
    if not found:
        raise Unparsed("it holds no <answer> element")
    return found == ["yes"]


class Kept(BaseModel):
    kept: bool


async def test_a_verdict_is_typed_and_counted(scripted: Make) -> None:
    model = scripted("<answer>yes</answer>", member="judge/2")
    verdict = await judge(model, "Well?", parse=yes_no)
    assert verdict == Verdict("valid", True, "<answer>yes</answer>", "", 1, "judge/2", "<answer>yes</answer>")
    assert verdict.value_or_unscored() is True


async def test_a_bad_reply_is_corrected_in_a_new_request(scripted: Make) -> None:
    model = scripted(["Perhaps", "", "<answer>no</answer>"])
    verdict = await judge(model, [user("Well?")], parse=yes_no, retries=2)
    assert (verdict.state, verdict.value, verdict.attempts) == ("valid", False, 3)
    assert (verdict.first_text, verdict.text) == ("Perhaps", "<answer>no</answer>")
    first, second, third = [request.messages for request in model.requests]
    assert second[:2] == (*first, type(first[0])("assistant", "Perhaps"))
    assert "no <answer> element" in second[2].content
    assert third[: len(second)] == second
    assert third[3].content == "(no answer)"  # an empty message breaks chat templates


async def test_a_wording_of_ones_own(scripted: Make) -> None:
    model = scripted(["?", "?", "<answer>no</answer>"])
    prompts = Prompts(again="No: {problem}!")
    await judge(model, "Well?", parse=yes_no, correction=prompts.again)
    assert model.requests[1].messages[-1].content == "No: it holds no <answer> element!"
    model = scripted(["?", "<answer>no</answer>"])
    await judge(model, "Well?", parse=yes_no, correction="Once more.")
    assert model.requests[1].messages[-1].content == "Once more."


@pytest.mark.parametrize(
    ("reply", "state", "reason", "attempts"),
    [
        (Reply("maybe"), "unparsed", "it holds no <answer> element", 3),
        (Reply("", finish="empty"), "unparsed", "it is empty", 3),
        (Reply("", finish="refused"), "refused", "refused", 1),
        (Reply("", finish="overflow"), "unparsed", "overflow", 1),
        (Reply("<answer>yes", finish="length"), "truncated", "cut off before it ended", 1),
        (Reply("<think>yes", finish="stop"), "unparsed", "it is empty", 3),
    ],
)
async def test_states_are_kept_apart_and_never_a_number(
    scripted: Make, reply: Reply, state: str, reason: str, attempts: int
) -> None:
    verdict = await judge(scripted(lambda _: reply), "Well?", parse=yes_no)
    assert (verdict.state, verdict.value, verdict.reason, verdict.attempts) == (
        state,
        None,
        reason,
        attempts,
    )
    assert verdict.value_or_unscored() == Unscored(state, reason)
    assert verdict.counts()[f"judge_{state}"] is True


async def test_after_a_cut_reply_it_is_asked_again_where_that_is_wanted(scripted: Make) -> None:
    said = [Reply("I wonder <answer>no</answer>, but", finish="length"), Reply("<answer>yes</answer>")]

    def answer(request: Request) -> Reply:
        return said[len(request.messages) // 2]

    asked: dict[str, Any] = {"parse": yes_no, "retry_cut": True, "retry_schema": {"type": "string"}}
    found = await judge(scripted(answer), "?", **asked)
    assert (found.value, found.attempts, found.first_text) == (True, 2, said[0].text)
    said[1] = said[0]
    found = await judge(scripted(answer), "?", retries=1, **asked)
    assert (found.state, found.value, found.attempts) == ("truncated", None, 2)


async def test_a_tie_is_valid_and_has_the_value_its_asker_gives_it(scripted: Make) -> None:
    verdict = await judge(scripted("Tie"), "Which?", parse=numbered(2, ties=True))
    assert (verdict.state, verdict.valid) == ("tie", True)
    assert verdict.value_or_unscored(tie=0) == 0
    assert verdict.value_or_unscored() == Unscored("tie")
    assert repr(TIE) == "TIE"


async def test_an_unreachable_judge_yields_no_verdict(scripted: Make) -> None:
    def fail(_: object) -> str:
        raise CallFailed("connect", "refused", retryable=True)

    with pytest.raises(CallFailed):
        await judge(scripted(fail), "?", parse=yes_no)


@pytest.mark.parametrize("capabilities", [{"chat"}, {"chat", "json_schema"}])
async def test_a_schema_guides_where_the_engine_can(scripted: Make, capabilities: set[str]) -> None:
    model = scripted('{"kept": true}', capabilities=capabilities)
    verdict = await judge(model, "?", schema=Kept)
    assert verdict.value == Kept(kept=True)
    sent = model.requests[0].options.json_schema
    assert (sent == Kept.model_json_schema()) if "json_schema" in capabilities else sent is None


async def test_without_a_reader_nothing_is_asked(scripted: Make) -> None:
    model = scripted("x")
    with pytest.raises(ConfigError):
        await judge(model, "?", schema={"type": "object"})  # type: ignore[call-overload]
    assert model.requests == []
