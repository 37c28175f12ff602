"""Settings that an endpoint refuses: left out where that is unambiguous, else the option is named."""

import json
from typing import Any

import pytest
from aiohttp import web

from suite.chat import Options, Request, assistant, system, user
from suite.errors import CallFailed
from suite.models.engine import Surroundings
from tests.models.endpoints import ASKING, chat, engine

Body = dict[str, Any]


class Fussy:
    """An endpoint that refuses what `refuses` finds in a body, and answers all else."""

    def __init__(self, *rules: tuple[Any, int, Any], text: str = "yes") -> None:
        self.rules, self.text, self.bodies = rules, text, []  # type: ignore[var-annotated]

    async def __aenter__(self) -> str:
        self.runner = web.ServerRunner(web.Server(self.answer))
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self.runner.addresses[0][1]}/v1"

    async def __aexit__(self, *_: object) -> None:
        await self.runner.cleanup()

    async def answer(self, request: web.BaseRequest) -> web.Response:
        body = json.loads(await request.read() or b"{}")
        self.bodies.append(body)
        for is_refused, status, said in self.rules:
            if is_refused(body):
                return web.json_response(said, status=status)
        choice = {"index": 0, "message": {"role": "assistant", "content": self.text}, "finish_reason": "stop"}
        if body.get("stream"):
            del choice["message"]
            chunk = json.dumps({"choices": [{**choice, "delta": {"content": self.text}}]})
            return web.Response(text=f"data: {chunk}\n\ndata: [DONE]\n\n", content_type="text/event-stream")
        return web.json_response({"choices": [choice]})


def error(message: str, **more: Any) -> Body:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


def has(name: str) -> Any:
    return lambda body: name in body


def whole(body: Body) -> bool:
    return not body.get("stream")


def has_system(body: Body) -> bool:
    return any(one["role"] == "system" for one in body["messages"])


FULL = Request(
    "chat",
    (system("Be brief."), user("Hello")),
    options=Options(temperature=0.0, max_tokens=9, json_schema={"enum": ["yes", "no"]}),
)
FORBIDDEN = {
    "detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]
}
RENAME = error(
    "Unsupported parameter: 'max_tokens' is not supported with this model. "
    "Use 'max_completion_tokens' instead."
)
FOLD = ("system-role", {"system": "fold"})
NO_SCHEMA = ("schema", {"schema": "off"})
ADAPTED = [
    (has("max_tokens"), 400, RENAME, "max-completion-tokens", {"max_tokens": "max_completion_tokens"}),
    (has("seed"), 422, FORBIDDEN, "seed-field", {"seed": False}),
    (has("seed"), 400, error("Unrecognized request argument supplied: seed"), "seed-field", {"seed": False}),
    (has_system, 400, error("System role not supported"), *FOLD),
    (has_system, 500, error("System role not supported"), *FOLD),
    (has_system, 422, {"error": "Template error: Conversation roles must alternate user/assistant/…"}, *FOLD),
    (has_system, 400, error("Only user, assistant and tool roles are supported, got system."), *FOLD),
    (has_system, 400, error("Developer instruction is not enabled for models/gemma-3-27b-it"), *FOLD),
    (has_system, 400, error("'messages[0].role' does not support 'system' with this model."), *FOLD),
    (has("response_format"), 400, error("Invalid schema for response_format 'answer': …"), *NO_SCHEMA),
    (has("response_format"), 400, error("This response_format type is unavailable now"), *NO_SCHEMA),
    (whole, 400, error("This model only supports streaming."), "only-streams", {"stream": True}),
]  # fmt: skip


@pytest.mark.parametrize(("refuses", "status", "said", "row", "change"), ADAPTED)
async def test_what_can_be_left_out_is_left_out_and_noted_once(
    refuses: Any, status: int, said: Any, row: str, change: Body
) -> None:
    notes: list[tuple[str, str]] = []
    fussy = Fussy((refuses, status, said))
    async with fussy as url:
        one = engine(url, "m", check=False)
        await one.start(Surroundings(note=lambda what, words: notes.append((what, words))))
        first, second = await one.call(FULL, ASKING), await one.call(FULL, ASKING)
        await one.close()
    assert first == second
    assert (first.text, first.details) == ("yes", {"adapted": change})
    assert [what for what, _ in notes] == [row]
    assert "goes on as with -o " in notes[0][1]
    assert len(fussy.bodies) == 3


async def test_several_refusals_are_met_one_after_the_other() -> None:
    fussy = Fussy(
        *((refuses, status, said) for refuses, status, said, _, _ in (ADAPTED[0], ADAPTED[1], ADAPTED[3]))
    )
    async with fussy as url:
        one = engine(url, "m", check=False)
        await one.start(Surroundings())
        assert (await one.call(FULL, ASKING)).text == "yes"
        await one.close()
    assert fussy.bodies[-1]["messages"] == [{"role": "user", "content": "Be brief.\n\nHello"}]


NAMED = [
    ("Unsupported value: 'temperature' does not support 0.0 with this model.", "-o temperature=null"),
    ("temperature: Only the default (1) value is supported.", "-o temperature=null"),
    ("Input validation error: `temperature` must be strictly positive", "-o temperature=null"),
    ("`top_p` is deprecated for this model", "-o top_p=null"),
    ("Unsupported parameter: 'stop' is not supported with this model.", "-o stop=null"),
    ("You are not allowed to request logprobs from this model", "-o capabilities=-logprobs"),
    ("System role not supported", "-o system=fold"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "option"), NAMED)
async def test_what_changes_the_answer_is_left_to_the_user_by_name(said: str, option: str) -> None:
    async with Fussy((lambda _: True, 400, error(said))) as url:
        one = engine(url, "m", check=False)
        await one.start(Surroundings())
        with pytest.raises(CallFailed) as caught:
            await one.call(chat("x", temperature=0.0), ASKING)
        await one.close()
    assert (caught.value.kind, caught.value.retryable) == ("setting", False)
    assert f"; {option} helps" in caught.value.message


async def test_options_say_at_once_how_to_ask() -> None:
    fussy = Fussy()
    async with fussy as url:
        one = engine(url, "m", check=False, system="fold", structured="off", stream=True, send_seed=False)
        await one.start(Surroundings())
        reply = await one.call(FULL, ASKING)
        await one.close()
    assert (reply.text, reply.details) == ("yes", None)
    assert fussy.bodies == [
        {
            "model": "m",
            "messages": [{"role": "user", "content": "Be brief.\n\nHello"}],
            "temperature": 0.0,
            "max_tokens": 9,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]


def test_system_messages_are_folded_into_the_users_message_after_them() -> None:
    from suite.models.wire import folded

    said = (system("a"), system("b"), user("c"), assistant("d"), system("e"), user("f"), system("g"))
    assert folded(said) == [user("a\n\nb\n\nc"), assistant("d"), user("e\n\nf"), user("g")]
    assert folded((system("a"), assistant("b"))) == [user("a"), assistant("b")]


async def test_a_redirect_says_where_to() -> None:
    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(status=307, headers={"Location": "https://host/v1/chat/completions"})

    fussy = Fussy()
    fussy.answer = answer  # type: ignore[method-assign, assignment]
    async with fussy as url:
        one = engine(url, "m", check=False)
        await one.start(Surroundings())
        with pytest.raises(CallFailed, match="status-307: the endpoint redirects to https://host/v1/chat"):
            await one.call(chat("x"), ASKING)
        await one.close()


UNKNOWN = (
    (400, error("Unrecognized request argument supplied: {}")),
    (
        422,
        {
            "detail": [
                {"type": "extra_forbidden", "loc": ["body", "{}"], "msg": "Extra inputs are not permitted"}
            ]
        },
    ),
    (400, {"error": 'json: unknown field "{}"'}),
    (422, {"message": "unknown field `{}`, expected one of `model`, `messages`"}),
    (400, {"message": "Additional properties are not allowed ('{}' was unexpected)"}),
    (400, error("Unsupported parameter: '{}' is not supported with this model.")),
)


def naming(said: Any, field: str) -> Any:
    return json.loads(json.dumps(said).replace("{}", field))


@pytest.mark.parametrize(("status", "said"), UNKNOWN)
async def test_a_limit_of_an_unknown_name_is_sent_under_the_other(status: int, said: Any) -> None:
    fussy = Fussy((has("max_tokens"), status, naming(said, "max_tokens")))
    async with fussy as url:
        one = engine(url, "m", check=False)
        await one.start(Surroundings())
        reply = await one.call(FULL, ASKING)
        await one.close()
    assert reply.details == {"adapted": {"max_tokens": "max_completion_tokens"}}
    assert fussy.bodies[-1]["max_completion_tokens"] == 9


@pytest.mark.parametrize(("status", "said"), UNKNOWN)
async def test_where_no_limit_is_taken_the_option_that_sends_none_is_named(status: int, said: Any) -> None:
    names = ("max_tokens", "max_completion_tokens")
    async with Fussy(*((has(name), status, naming(said, name)) for name in names)) as url:
        one = engine(url, "m", check=False)
        await one.start(Surroundings())
        with pytest.raises(CallFailed, match="; -o max_tokens=null, which sends no limit, helps"):
            await one.call(FULL, ASKING)
        await one.close()


async def test_a_refusal_without_a_reason_is_met_without_seed_and_schema_only_at_first() -> None:
    fussy = Fussy((has("response_format"), 400, {"error": "bad request"}))
    notes: list[str] = []
    async with fussy as url:
        one = engine(url, "m", check=False)
        await one.start(Surroundings(note=lambda _, words: notes.append(words)))
        reply = await one.call(FULL, ASKING)
        fussy.rules = ((lambda _: True, 400, {"error": "no"}),)
        asked = len(fussy.bodies)
        with pytest.raises(CallFailed, match="^status-400: no$"):  # it answers, so it is this request
            await one.call(FULL, ASKING)
        await one.close()
    assert (reply.text, reply.details) == ("yes", {"adapted": {"seed": False, "schema": "off"}})
    assert (asked, len(fussy.bodies)) == (3, 4)
    assert notes == ["goes on without seed and schema: the endpoint said 'bad request'"]


async def test_what_goes_on_without_a_seed_still_gives_the_value_that_was_asked_for() -> None:
    fussy = Fussy((has("seed"), 400, {"error": "bad request"}), text='{"answer": "yes"}')
    async with fussy as url:
        one = engine(url, "m", check=False)
        await one.start(Surroundings())
        replies = [await one.call(FULL, ASKING) for _ in range(2)]
        await one.close()
    assert [reply.text for reply in replies] == ['"yes"', '"yes"']


async def test_a_refusal_without_a_reason_names_the_options_that_leave_fields_out() -> None:
    async with Fussy((has("temperature"), 400, {"error": "bad request"})) as url:
        one = engine(url, "m", check=False)
        await one.start(Surroundings())
        with pytest.raises(CallFailed, match="bad request .*-o temperature=null, -o max_tokens=null"):
            await one.call(FULL, ASKING)
        await one.close()
