"""What is sent to the Messages API, and how what it answers is read."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

import suite

LACKING = "anthropic and suite-anthropic are not installed here: `tox -e providers` has them"
pytest.importorskip("anthropic", reason=LACKING)
pytest.importorskip("suite_anthropic", reason=LACKING)

from suite_anthropic.engine import provider  # noqa: E402

from suite.testing import LoopbackServer, WireReply, WireRequest  # noqa: E402

Body = dict[str, Any]
Play = Callable[..., AbstractAsyncContextManager["Played"]]
SAID: Body = {
    "model": "claude-test", "content": [{"type": "text", "text": "Amber."}], "stop_reason": "end_turn",
    "usage": {"input_tokens": 8, "output_tokens": 2},
}  # fmt: skip


class Played:
    """An engine that is started, and what its server was asked."""

    def __init__(self, engine: suite.Engine, server: LoopbackServer) -> None:
        self.engine, self.server = engine, server

    @property
    def bodies(self) -> list[Body]:
        posts = [one for one in self.server.requests if one.method == "POST"]
        return [msgspec.json.decode(one.body) for one in posts]

    async def ask(self, *messages: suite.Message, **more: Any) -> suite.Reply:
        tools = more.pop("tools", ())
        options = suite.Options(**{"max_tokens": 4000, **more})
        request = suite.Request("chat", messages or (suite.user("Colour?"),), tools=tools, options=options)
        return await self.engine.call(request, suite.Asking())


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Play:
    """`async with play(answer, …, model=…, logs=…, **options) as played`: the last answer stays."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-loopback-key-0123456789")

    @asynccontextmanager
    async def playing(
        *answers: Body | WireReply, model: str = "claude-sonnet-4-5", logs: Path | None = None, **options: Any
    ) -> AsyncIterator[Played]:
        left = list(answers or [SAID])

        def answer(request: WireRequest) -> WireReply:
            if request.method == "GET":
                return WireReply.of(
                    {"type": "error", "error": {"type": "not_found_error", "message": "no"}}, 404
                )
            told = left.pop(0) if len(left) > 1 else left[0]
            return told if isinstance(told, WireReply) else WireReply.of({**SAID, **told})

        with LoopbackServer(answer) as server:
            spec = suite.ModelSpec("anthropic", model, {"base_url": server.url, **options})
            engine = provider.engine(spec)
            try:
                await engine.start(suite.Surroundings(logs=logs))
                yield Played(engine, server)
            finally:
                await engine.close()

    return playing


LOOK = suite.Tool("look", "Looks.", {"type": "object", "properties": {}})
TOOL_TURN: Body = {
    "content": [
        {"type": "thinking", "thinking": "I must look.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "b3BhcXVl"},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}},
    ],
    "stop_reason": "tool_use",
}


def engine(model: str, **options: Any) -> suite.Engine:
    return provider.engine(suite.ModelSpec("anthropic", model, options))


@pytest.mark.parametrize(
    ("model", "prefills"),
    [
        ("claude-3-7-sonnet-20250219", True),
        ("claude-opus-4-20250514", True),
        ("claude-opus-4-5-20251101", True),
        ("claude-haiku-4-5", True),
        ("anthropic/claude-sonnet-4-5", True),  # behind a gateway
        ("claude-opus-4-6", False),
        ("claude-sonnet-5", False),
        ("another", False),
    ],
)
def test_a_turn_is_continued_by_models_that_take_it(model: str, prefills: bool) -> None:
    assert ("continue_final" in engine(model).capabilities()) is prefills
    assert "continue_final" in engine(model, prefill=True).capabilities()


async def test_a_space_at_the_end_of_a_turn_that_is_continued_is_not_sent_and_not_doubled(play: Play) -> None:
    begun = suite.assistant("The colour is ")
    async with play({"content": [{"type": "text", "text": " amber."}]}) as played:
        reply = await played.ask(suite.system(""), suite.user("Colour?"), begun, continue_final=True)
    assert played.bodies[0]["messages"][1]["content"][0]["text"] == "The colour is"
    assert (reply.text, "system" in played.bodies[0]) == ("amber.", False)


@pytest.mark.parametrize(
    ("model", "thinking", "sent", "effort"),
    [
        ("claude-opus-4-5", "off", {"type": "disabled"}, None),
        ("claude-opus-4-5", "low", {"type": "enabled", "budget_tokens": 1024}, None),
        ("claude-opus-4-5", 2000, {"type": "enabled", "budget_tokens": 2000}, None),
        ("claude-opus-4-6", 2000, {"type": "enabled", "budget_tokens": 2000}, None),
        ("claude-opus-4-6", "high", {"type": "adaptive", "display": "summarized"}, "high"),
        ("claude-opus-5", "on", {"type": "adaptive", "display": "summarized"}, None),
    ],
)
async def test_thinking_is_said_in_the_words_of_the_model(
    play: Play, model: str, thinking: str | int, sent: object, effort: str | None
) -> None:
    async with play(model=model) as played:
        await played.ask(thinking=thinking)
    assert played.bodies[0]["thinking"] == sent
    assert played.bodies[0].get("output_config", {}).get("effort") == effort


@pytest.mark.parametrize(
    ("model", "thinking", "why"),
    [("claude-opus-4-5", 1000, "1024 tokens"), ("claude-opus-5", 2000, "say low, medium or high")],
)
def test_thinking_that_a_model_cannot_be_told_is_refused_when_planning(
    model: str, thinking: int, why: str
) -> None:
    assert why in engine(model).thinks(thinking)


async def test_thinking_goes_back_unchanged_with_the_results_of_its_tools(play: Play, tmp_path: Path) -> None:
    asked = suite.user("Look!")
    async with play(TOOL_TURN, logs=tmp_path) as played:
        reply = await played.ask(asked, tools=(LOOK,), thinking="on")
    assert (reply.text, reply.reasoning, reply.tool_calls[0].id) == ("", "I must look.", "toolu_1")
    turns = (asked, suite.replied(reply), suite.tool_result("blue", "toolu_1"))
    async with play(logs=tmp_path, cache=False) as later:  # another process, after an interruption
        await later.ask(*turns, tools=(LOOK,), thinking="on")
    assistant = later.bodies[0]["messages"][1]
    assert assistant == {"role": "assistant", "content": TOOL_TURN["content"]}


async def test_the_cache_is_marked_where_the_shared_parts_end(play: Play) -> None:
    said = [suite.system("Rules."), suite.user("Hi"), suite.assistant("Hello."), suite.user("Colour?")]
    async with play() as played:
        await played.ask(*said, tools=(LOOK,))
        await played.ask(*said[:2])
        await played.ask(said[3], tools=(LOOK,))
    first, single, tools = played.bodies
    mark = {"cache_control": {"type": "ephemeral"}}
    assert first["system"] == [{"type": "text", "text": "Rules.", **mark}]
    assert [turn["content"][-1].get("cache_control") for turn in first["messages"]] == [
        None, mark["cache_control"], None,
    ]  # fmt: skip
    assert (
        "cache_control" in single["system"][0] and "cache_control" not in single["messages"][0]["content"][0]
    )
    assert "cache_control" in tools["tools"][0]


async def test_nothing_is_marked_where_the_cache_is_off(play: Play) -> None:
    async with play(cache=False) as played:
        await played.ask(
            suite.system("Rules."), suite.user("Hi"), suite.assistant("Hello."), suite.user("So?")
        )
    assert "cache_control" not in str(played.bodies)


async def test_tokens_read_from_and_written_to_the_cache_are_of_the_prompt(play: Play) -> None:
    usage = {
        "input_tokens": 5,
        "output_tokens": 7,
        "cache_read_input_tokens": 90,
        "cache_creation_input_tokens": 20,
    }
    async with play({"usage": {**usage, "output_tokens_details": {"thinking_tokens": 3}}}) as played:
        reply = await played.ask()
    assert reply.usage == suite.Usage(prompt=115, completion=7, cached=90, reasoning=3)
    assert reply.details == {"cache_written": 20}


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "refused"),
    ],
)
async def test_each_reason_to_stop_has_its_ending(play: Play, reason: str, finish: str) -> None:
    async with play({"stop_reason": reason}) as played:
        assert (await played.ask()).finish == finish


@pytest.mark.parametrize("reason", ["pause_turn", None, "something_new"])
async def test_an_answer_that_is_not_at_its_end_is_a_failed_call(play: Play, reason: str | None) -> None:
    async with play({"stop_reason": reason}) as played:
        with pytest.raises(suite.CallFailed, match="half-body") as failed:
            await played.ask()
    assert failed.value.retryable


async def test_an_error_in_the_middle_of_a_stream_is_what_its_type_says(play: Play) -> None:
    started: Body = {
        "type": "message_start",
        "message": {**SAID, "content": [], "stop_reason": None, "role": "assistant"},
    }
    error: Body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    async with play(WireReply.events([started, error]), stream=True) as played:
        with pytest.raises(suite.CallFailed, match="status-529: Overloaded") as failed:
            await played.ask()
    assert (failed.value.retryable, failed.value.overload) == (True, True)


@pytest.mark.parametrize(
    ("message", "help_"),
    [
        ("This model does not support assistant message prefill.", "-o prefill=false helps"),
        ("`temperature` is deprecated for this model.", "-o temperature=null helps"),
        ("`temperature` and `top_p` cannot both be specified for this model.", "-o top_p=null helps"),
    ],
)
async def test_a_setting_that_a_model_does_not_take_names_the_option(
    play: Play, message: str, help_: str
) -> None:
    error: Body = {"type": "error", "error": {"type": "invalid_request_error", "message": message}}
    async with play(WireReply.of(error, 400)) as played:
        with pytest.raises(suite.CallFailed, match=help_) as failed:
            await played.ask(temperature=0.0)
    assert not failed.value.retryable
    assert played.bodies[0]["temperature"] == 0.0


async def test_a_schema_that_is_no_object_is_put_into_one_and_taken_out_again(play: Play) -> None:
    schema = {"type": "string", "enum": ["Yes", "No"]}
    async with play({"content": [{"type": "text", "text": '{"answer": "Yes"}'}]}) as played:
        reply = await played.ask(json_schema=schema)
    assert reply.text == '"Yes"'
    sent = played.bodies[0]["output_config"]["format"]["schema"]
    assert (sent["properties"]["answer"], sent["additionalProperties"]) == ({"enum": ["Yes", "No"]}, False)


async def test_a_schema_of_any_keys_is_not_sent(play: Play) -> None:
    async with play() as played:
        await played.ask(json_schema={"type": "object", "properties": {"notes": {"type": "object"}}})
    assert "output_config" not in played.bodies[0]


async def test_a_long_answer_is_streamed_and_one_without_a_limit_has_the_models(play: Play) -> None:
    async with play() as played:
        await played.ask(max_tokens=None)
        with pytest.raises(suite.CallFailed):  # the answer is no stream
            await played.ask(max_tokens=32000)
    assert [(one["max_tokens"], one.get("stream", False)) for one in played.bodies] == [
        (4096, False),
        (32000, True),
    ]


async def test_a_key_that_is_refused_at_the_start_ends_the_run_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error: Body = {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}}
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-loopback-key-0123456789")
    refused = pytest.raises(suite.SuiteError, match="invalid x-api-key.*\n.*comes from ANTHROPIC_API_KEY")
    with LoopbackServer(lambda _: WireReply.of(error, 401)) as server, refused:
        await engine("claude-haiku-4-5", base_url=server.url).start(suite.Surroundings())
