"""The user played by a model: prompts, schemas, and replies that break them."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from suite_userbench.scenario import Scenario
from suite_userbench.users import Judgement, Line, Said, Search, Speak, Utterance, Verdict, find
from suite_userbench.users.llm import ModelUser, history_text, read_object
from suite_userbench.wording import PROMPTS

from suite.testing import ScriptedModel


def view(trip: Scenario) -> SimpleNamespace:
    return SimpleNamespace(
        scenario=trip,
        history=[Line("user", trip.request), Line("agent", "Hi", "judged: chat")],
        remaining=list(trip.preferences),
        rng=None,
    )


def user_of(
    *texts: str, capabilities: frozenset[str] = frozenset({"chat", "json_schema"})
) -> tuple[ModelUser, ScriptedModel]:
    model = ScriptedModel(texts, "user", capabilities=capabilities)
    user = find("llm").make(model, PROMPTS)
    assert isinstance(user, ModelUser)
    return user, model


async def test_a_search_is_judged(trip: Scenario) -> None:
    user, model = user_of('{"matches": "yes", "aspect": "Hotel"}')
    assert await user.answer(Search(view(trip), "a hotel")) == Verdict(True, "Hotel")
    (request,) = model.requests
    schema: Any = request.options.json_schema
    assert schema["properties"]["matches"] == {"enum": ["yes", "no", "neither"]}
    text = request.messages[0].content
    assert all(
        json.dumps(one.arguments["city"])[1:-1] in text for one in trip.aspects if "city" in one.arguments
    )
    assert not any(one.text in text for one in trip.preferences)


@pytest.mark.parametrize(("word", "matches"), [("no", False), ("neither", None)])
async def test_other_verdicts(trip: Scenario, word: str, matches: bool | None) -> None:
    user, _ = user_of(json.dumps({"matches": word, "aspect": ""}))
    assert await user.answer(Search(view(trip), "x")) == Verdict(matches, "")


async def test_an_utterance_is_judged_with_everything_known(trip: Scenario) -> None:
    user, model = user_of('```json\n{"kind": "hit", "preference": "P2"}\n```')
    assert await user.answer(Utterance(view(trip), "Which?")) == Judgement("hit", "P2")
    text = model.requests[0].messages[0].content
    assert trip.story in text and all(one.text in text for one in trip.preferences) and "judged: chat" in text


async def test_one_correction_then_no_answer(trip: Scenario) -> None:
    user, model = user_of("hm", '{"kind": "chat", "preference": ""}')
    assert await user.answer(Utterance(view(trip), "x")) == Judgement("chat", "")
    assert [one.role for one in model.requests[1].messages] == ["user", "assistant", "user"]
    for reply in ("hm", '{"kind": "surprised"}', "[1]", '{"kind": 3}'):
        user, _ = user_of(reply, reply)
        assert await user.answer(Utterance(view(trip), "x")) is None
    user, _ = user_of('{"matches": "perhaps"}')
    assert await user.answer(Search(view(trip), "x")) is None


async def test_speech(trip: Scenario) -> None:
    first = trip.preferences[0]
    user, model = user_of('{"response": "Hmm, mornings."}')
    assert await user.answer(Speak(view(trip), "hit", "Which?", first)) == Said("Hmm, mornings.")
    assert first.text in model.requests[0].messages[0].content
    user, model = user_of()
    for kind in ("miss", "vague"):
        said = await user.answer(Speak(view(trip), kind, "x"))
        assert isinstance(said, Said) and said.text
    assert model.requests == []
    user, _ = user_of('{"response": " "}')
    assert await user.answer(Speak(view(trip), "chat", "x")) is None


async def test_without_guided_replies_no_schema_is_sent(trip: Scenario) -> None:
    user, model = user_of('{"response": "ok"}', capabilities=frozenset({"chat"}))
    await user.answer(Speak(view(trip), "chat", "x"))
    assert model.requests[0].options.json_schema is None


def test_reading_objects() -> None:
    assert read_object('say {"a": {"b": 1}} now') == {"a": {"b": 1}}
    assert read_object("[]") is None and read_object("}{") is None and read_object("") is None


def test_history() -> None:
    assert history_text([]) == "(nothing has been said yet)"
    assert history_text([Line("database", "x")]) == "Database: x"
