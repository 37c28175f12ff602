"""Ratings of every kind: what is preferred, what failed, and what a task needs for partial credit."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from suite.chat import Reply, Request, assistant, user
from suite.errors import ConfigError, NotFound
from suite.roles import Ratings
from suite.scoring.answer_ratings import conversation_text, kind_for, rate_answers, shown_order
from suite.scoring.wording import PROMPTS

Make = Callable[..., Any]
ASK = (user("Who wrote it?"),)


def answers_in(request: Request) -> list[str]:
    return re.findall(r"<answer[^>]*>\n(.*?)\n</answer>", request.messages[-1].content, re.DOTALL)


def best(request: Request) -> str:
    return f"Choose {answers_in(request).index('good') + 1}"


@pytest.mark.parametrize(
    ("chosen", "capabilities", "answers", "kind"),
    [
        ({"rate"}, {"rate", "chat"}, 2, "classifier"),
        ({"chat"}, {"rate", "chat"}, 2, "pairwise"),
        ({"chat"}, {"chat"}, 4, "rank"),
        ({"prompt_logprobs"}, {"chat", "prompt_logprobs"}, 2, "logp_mean"),
        (set(), {"rate", "chat"}, 2, "classifier"),
    ],
)
def test_the_plans_choice_decides_the_kind(
    scripted: Make, chosen: set[str], capabilities: set[str], answers: int, kind: str
) -> None:
    assert kind_for(scripted("", chosen=chosen, capabilities=capabilities), answers) == kind


@pytest.mark.parametrize(
    ("scores", "prefers", "failure"),
    [
        ((1.5, -2.0), 0, ""),
        ((40.0, 60.0), 1, ""),
        ((1.0, 1.0), None, ""),  # a tie is no failure
        ((1.0, None), None, "overflow"),
        ((1.0, float("inf")), None, "overflow"),
        ((1.0,), None, "overflow"),
        ((1.0, 3.0, 3.0, 2.0), None, ""),
        ((1.0, 3.0, 4.0, 2.0), 2, ""),
    ],
)
async def test_a_classifiers_scores(scripted: Make, scores: Any, prefers: Any, failure: str) -> None:
    details: Any = {"reasons": ["", "overflow"], "tokens": [5, 9]} if failure else {"tokens": [5, 9]}
    model = scripted(lambda _: Reply(scores=scores, details=details), capabilities={"rate"})
    count = 4 if len(scores) == 4 else 2
    found = await model.rate(ASK, ["x"] * count)
    assert (found.prefers, found.failure, found.kind) == (prefers, failure, "classifier")
    assert model.requests[0].texts == ("x",) * count
    assert len(model.requests) == 1
    assert all(one is None or one == one for one in found.scores)


async def test_a_chat_model_is_asked_in_both_orders(scripted: Make) -> None:
    model = scripted(best)
    found = await model.rate("Who wrote it?", ["bad", "good"])
    assert found == Ratings(
        (None, None),
        1,
        "pairwise",
        "",
        {
            "askings": [
                {"state": "valid", "attempts": 1, "choice": 1, "order": "first-second"},
                {"state": "valid", "attempts": 1, "choice": 1, "order": "second-first"},
            ],
            "consistent": True,
            "flip": "",
        },
    )
    assert [answers_in(request) for request in model.requests] == [["bad", "good"], ["good", "bad"]]
    assert '"Choose 1" or "Choose 2"' in model.requests[0].messages[-1].content


async def test_always_the_first_slot_is_a_tie(scripted: Make) -> None:
    found = await scripted("Choose 1").rate(ASK, ["a", "b"])
    assert (found.prefers, found.failure) == (None, "")
    assert found.diagnostics is not None
    assert [one["choice"] for one in found.diagnostics["askings"]] == [0, 1]
    assert found.diagnostics["flip"] == "first"


async def test_an_unreadable_verdict_is_a_failure_with_its_state(scripted: Make) -> None:
    model = scripted(["Choose 1", "well", "hm"])  # first order, second order, its correction
    found = await model.rate(ASK, ["a", "b"])
    assert (found.prefers, found.failure) == (None, "unparsed")
    assert found.diagnostics is not None
    assert [one["state"] for one in found.diagnostics["askings"]] == ["valid", "unparsed"]
    assert [one["choice"] for one in found.diagnostics["askings"]] == [0, None]


async def test_more_answers_are_ranked_in_an_order_that_tells_nothing(scripted: Make) -> None:
    model = scripted(best)
    texts = ["good", "b", "c", "d"]
    found = await model.rate(ASK, texts)
    assert (found.prefers, found.kind) == (0, "rank")
    assert found.diagnostics is not None
    order = found.diagnostics["order"]
    assert answers_in(model.requests[0]) == [texts[i] for i in order]
    again = await model.rate(ASK, texts[::-1])
    assert again.prefers == 3
    assert model.requests[1] == model.requests[0]  # the order given in does not matter
    assert (await scripted("Choose 5").rate(ASK, texts)).failure == "unparsed"


def test_slots_are_spread_evenly() -> None:
    places = [shown_order(f"request {i}", ["right", "b", "c", "d"]).index(0) for i in range(4000)]
    assert all(abs(places.count(slot) - 1000) < 120 for slot in range(4))


async def test_grades_one_by_one(scripted: Make) -> None:
    grades = {"good": "Fine.\n9", "bad": "2/10", "odd": "ten"}
    model = scripted(lambda request: grades[answers_in(request)[0]])
    found = await model.rate(ASK, ["bad", "good"], kind="rating")
    assert (found.scores, found.prefers, found.failure) == ((2.0, 9.0), 1, "")
    model = scripted(
        lambda request: grades.get(answers_in(request)[0], "?") if len(request.messages) < 4 else "?"
    )
    found = await model.rate(ASK, ["good", "odd"], kind="rating")
    assert (found.scores, found.prefers, found.failure) == ((9.0, None), None, "unparsed")
    found = await scripted("7").rate(ASK, ["a", "b"], kind="rating")
    assert (found.prefers, found.failure) == (None, "")


def likelihood(sums: dict[str, float], tokens: dict[str, int]) -> Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        scores = [
            sums[text] / (tokens[text] if request.options.normalise == "mean" else 1)
            for text in request.texts
        ]
        return Reply(scores=tuple(scores), details={"tokens": [tokens[text] for text in request.texts]})

    return answer


LOGP = {"prompt_logprobs", "logprobs"}


@pytest.mark.parametrize(("kind", "prefers"), [("logp_sum", 1), ("logp_mean", 0)])
async def test_likelihoods_summed_or_per_token(scripted: Make, kind: str, prefers: int) -> None:
    model = scripted(likelihood({"long": -20.0, "short": -6.0}, {"long": 20, "short": 2}), capabilities=LOGP)
    found = await model.rate(ASK, ["long", "short"], kind=kind)
    assert (found.prefers, found.kind) == (prefers, kind)


async def test_a_reference_is_subtracted(scripted: Make) -> None:
    tokens = {"a": 4, "b": 4}
    reference = scripted(likelihood({"a": -4.0, "b": -9.0}, tokens), capabilities=LOGP)
    model = scripted(likelihood({"a": -5.0, "b": -6.0}, tokens), capabilities=LOGP, reference=reference)
    found = await model.rate(ASK, ["a", "b"], kind="logp_reference")
    assert (found.scores, found.prefers) == ((-1.0, 3.0), 1)


async def test_another_tokenizer_gives_no_difference(scripted: Make) -> None:
    reference = scripted(likelihood({"a": -4.0, "b": -9.0}, {"a": 4, "b": 5}), capabilities=LOGP)
    model = scripted(
        likelihood({"a": -5.0, "b": -6.0}, {"a": 4, "b": 4}), capabilities=LOGP, reference=reference
    )
    found = await model.rate(ASK, ["a", "b"], kind="logp_reference")
    assert (found.scores, found.prefers, found.failure) == ((None, None), None, "other-tokens")


async def test_what_cannot_be_rated_is_refused(scripted: Make) -> None:
    model = scripted("x")
    with pytest.raises(ConfigError, match="two answers"):
        await rate_answers(model, ASK, ["only"])
    with pytest.raises(ConfigError, match="reference"):
        await rate_answers(model, ASK, ["a", "b"], "logp_reference")
    with pytest.raises(NotFound, match="'rank'"):
        await rate_answers(model, ASK, ["a", "b"], "ranks")
    with pytest.raises(ConfigError, match="takes two"):
        await rate_answers(model, ASK, ["a", "b", "c"], "pairwise")
    with pytest.raises(ConfigError, match="none of"):
        kind_for(scripted("x", capabilities={"rank"}), 2)


def test_a_longer_conversation_keeps_its_speakers() -> None:
    talk = (user("Hi"), assistant("Hello"), user("Why?"))
    assert conversation_text(talk) == "[user]\nHi\n\n[assistant]\nHello\n\n[user]\nWhy?"


def test_prompts_are_hashed() -> None:
    assert len(PROMPTS.sha256()) == 64
    assert set(PROMPTS.compare.fields) == {"request", "answers", "verdicts"}


async def test_a_chat_model_can_be_held_to_a_verdict(scripted: Make) -> None:
    model = scripted('{"verdict": "Choose 2"}', capabilities={"chat", "json_schema"})
    found = await model.rate(ASK, ["a", "b"], kind="pairwise?guided=true&max_tokens=16")
    assert (found.kind, found.prefers, found.failure) == ("pairwise", None, "")
    options = model.requests[0].options
    assert options.max_tokens == 16
    assert options.json_schema["properties"]["verdict"]["enum"] == ["Choose 1", "Choose 2"]
    free = scripted("Choose 2", capabilities={"chat", "json_schema"})
    await free.rate(ASK, ["a", "b"])
    assert free.requests[0].options.json_schema is None
    assert free.requests[0].options.max_tokens == 2048
    unable = scripted("Choose 2")
    await unable.rate(ASK, ["a", "b"], kind="?guided=true")
    assert unable.requests[0].options.json_schema is None


async def test_a_grade_can_be_held_to_a_number(scripted: Make) -> None:
    model = scripted('{"grade": 7}', capabilities={"chat", "json_schema"})
    found = await model.rate(ASK, ["a", "b"], kind="rating?guided=true")
    assert (found.scores, found.prefers, found.failure) == ((7.0, 7.0), None, "")
    assert model.requests[0].options.json_schema["properties"]["grade"]["maximum"] == 10
    assert (await scripted('{"grade": 11}').rate(ASK, ["a", "b"], kind="rating")).failure == "unparsed"


async def test_the_order_given_is_kept_where_asked_for(scripted: Make) -> None:
    texts = ["good", "b", "c", "d"]
    for given in (texts, texts[::-1]):
        model = scripted(best)
        await model.rate(ASK, given, kind="rank?order=given")
        assert answers_in(model.requests[0]) == given


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("pairwise?ordr=given", NotFound, "'order'"),
        ("pairwise?max_tokens=0", ConfigError, "bad value '0'"),
        ("pairwise?guided=maybe", ConfigError, "bad value 'maybe'"),
        ("rank?order=", ConfigError, "bad value ''"),
    ],
)
async def test_options_of_a_kind_are_checked(
    scripted: Make, kind: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        await scripted("x").rate(ASK, ["a", "b"], kind=kind)
