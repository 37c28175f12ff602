import pytest

from suite.chat import Reply, Request
from suite.errors import CallFailed, ConfigError
from suite.task import Output
from suite.testing import ScriptedModel, open_model


async def test_a_text_a_function_or_replies_in_turn_answer() -> None:
    assert (await ScriptedModel("Hello.").chat("Hi.")).text == "Hello."
    assert (await ScriptedModel(lambda request: request.last_text.upper()).chat("Hi.")).text == "HI."
    model = ScriptedModel(["one", Reply(finish="refused")])
    assert (await model.chat("a")).text == "one"
    assert (await model.chat("b")).output() == Output(finish="refused")
    assert model.asked == ["a", "b"]


async def test_a_text_without_a_word_is_an_empty_reply() -> None:
    reply = await ScriptedModel(" ").chat("Hi.")
    assert (reply.finish, reply.output(3)) == ("empty", Output(" ", 3, "empty"))


async def test_requests_and_keys_are_kept() -> None:
    model = ScriptedModel("yes", "judge", capabilities=["chat", "complete"])
    await model.complete("Once", max_tokens=3)
    await model.chat("Again?", key="second")
    assert [(one.kind, one.options.max_tokens) for one in model.requests] == [("complete", 3), ("chat", None)]
    assert model.keys == ["", "second"]
    assert (model.member, model.name) == ("judge", "judge")


async def test_it_cannot_do_more_than_it_says() -> None:
    with pytest.raises(CallFailed, match="json_schema"):
        await ScriptedModel("{}", capabilities=["chat"]).chat("Hi.", json_schema={"type": "object"})


async def test_it_rates_as_in_a_run() -> None:
    def score(request: Request) -> Reply:
        return Reply(scores=tuple(float(len(text)) for text in request.texts))

    ratings = await ScriptedModel(score, capabilities=["rate"]).rate("Q?", ["ab", "abc"])
    assert (ratings.kind, ratings.scores, ratings.prefers) == ("classifier", (2.0, 3.0), 1)


async def test_a_spec_opens_the_model_that_a_run_would_ask() -> None:
    async with open_model("scripted/constant?text=Yes.", "judge") as model:
        assert (await model.chat("Is it?")).text == "Yes."
        assert model.member == "judge"
    with pytest.raises(ConfigError, match="no model spec|not a model spec"):
        async with open_model("nothing"):
            pass
