import asyncio
import os
import re
from typing import Any

import pytest
from openai_server import OpenAIServer

from suite.chat import Message, Options, Request, Tool, ToolCall, assistant, system, tool_result, user
from suite.errors import CallFailed, ConfigError, EngineError, NotFound
from suite.models.engine import Surroundings
from suite.models.openai import provider
from suite.models.spec import parse_spec
from tests.models.endpoints import ASKING, asked, chat, engine


async def test_a_chat_is_sent_and_answered(server: OpenAIServer) -> None:
    request = Request(
        "chat",
        (system("Be brief."), user("Hello")),
        options=Options(
            temperature=0.0, top_p=0.5, max_tokens=3, stop=("\n",), logprobs=2, json_schema={"type": "object"}
        ),
    )
    reply = await asked(server.url, request)
    assert server.bodies == [
        {
            "model": "loopback",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
            "temperature": 0.0,
            "top_p": 0.5,
            "max_tokens": 3,
            "stop": ["\n"],
            "seed": 11,
            "logprobs": True,
            "top_logprobs": 2,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": False},
            },
        }
    ]
    assert reply.finish == "length"
    assert len(reply.text.split()) == 3
    assert (reply.usage.prompt, reply.usage.completion, reply.model) == (7, 3, "loopback")
    assert [len(one.top) for one in reply.logprobs] == [2, 2, 2]


async def test_what_is_not_set_is_not_sent(server: OpenAIServer) -> None:
    await asked(server.url, chat("x"), send_seed=False)
    assert server.bodies == [{"model": "loopback", "messages": [{"role": "user", "content": "x"}]}]


async def test_tools_go_out_and_calls_come_back() -> None:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        function = {"name": "weather", "arguments": {"city": "Oslo"}}
        return {"content": None, "tool_calls": [{"id": "c2", "type": "function", "function": function}]}

    messages: tuple[Message, ...] = (
        user("Weather?"),
        assistant("", [ToolCall("weather", '{"city": "Rome"}', "c1")]),
        tool_result("sunny", "c1"),
    )
    tool = Tool("weather", "Of a city", {"type": "object", "properties": {"city": {"type": "string"}}})
    async with OpenAIServer(answer, keep_bodies=True) as server:
        request = Request("chat", messages, tools=(tool,), options=Options(tool_choice="weather"))
        reply = await asked(server.url, request)
    body = server.bodies[0]
    assert body["messages"][1]["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
    ]
    assert body["messages"][2] == {"role": "tool", "content": "sunny", "tool_call_id": "c1"}
    assert body["tools"][0]["function"]["name"] == "weather"
    assert body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert (reply.finish, reply.tool_calls) == ("stop", (ToolCall("weather", '{"city":"Oslo"}', "c2"),))


async def test_a_raw_prompt_is_completed(server: OpenAIServer) -> None:
    request = Request("complete", prompt="Once", options=Options(max_tokens=4, logprobs=1))
    reply = await asked(server.url, request)
    assert len(reply.text.split()) == len(reply.logprobs) == 4
    assert reply.logprobs[0].top == ((reply.logprobs[0].token, -0.5),)


@pytest.mark.parametrize(
    ("prompt", "dialect", "sent"),
    [
        ("<s>[INST] x [/INST]", "vllm", False),
        ("\n<|begin_of_text|>x", "vllm", False),
        ("Once <s>", "vllm", None),
        ("<s>[INST] x [/INST]", "openai", None),
    ],
)
async def test_a_raw_prompt_that_begins_by_itself_gets_no_second_begin(
    prompt: str, dialect: str, sent: bool | None
) -> None:
    async with OpenAIServer(keep_bodies=True) as server:
        await asked(server.url, Request("complete", prompt=prompt), dialect=dialect)
    assert server.bodies[-1].get("add_special_tokens") is sent


FAILED = [
    # fault, kind, retryable, overload, retry_after
    ("429", "status-429", True, True, 0.05),
    ("quota", "quota", False, False, None),
    ("500", "status-500", True, False, None),
    ("502", "status-502", True, False, None),
    ("503", "status-503", True, True, None),
    ("529", "status-529", True, True, None),
    ("400", "status-400", False, False, None),
    ("401", "status-401", False, False, None),
    ("403", "status-403", False, False, None),
    ("404", "status-404", False, False, None),
    ("reset", "reset", True, False, None),
    ("half-body", "half-body", True, False, None),
    ("bad-json", "bad-json", True, False, None),
    ("html", "bad-json", True, False, None),
    ("wrong-shape", "bad-shape", True, False, None),
    ("error-200", "status-500", True, False, None),
    ("error-200-429", "status-429", True, True, None),
    ("empty-choices", "empty-choices", True, False, None),
    ("abort", "aborted", True, False, None),
]


@pytest.mark.parametrize(("fault", "kind", "retryable", "overload", "retry_after"), FAILED)
async def test_a_fault_is_a_failed_call(
    server: OpenAIServer,
    fault: str,
    kind: str,
    retryable: bool,
    overload: bool,
    retry_after: float | None,
) -> None:
    with pytest.raises(CallFailed) as caught:
        await asked(server.url, chat(f"[[fault:{fault}]]"))
    failed = caught.value
    assert (failed.kind, failed.retryable, failed.overload) == (kind, retryable, overload)
    assert failed.retry_after == retry_after


CANDIDATE = [
    ("null-content", "empty", ""),
    ("empty-content", "empty", "  "),
    ("content-filter", "refused", ""),
    ("content-filter-400", "refused", ""),
    ("refusal", "refused", "I cannot help with that."),
    ("length", "length", "amber basin"),
    ("overflow", "overflow", ""),
    ("overflow-openai", "overflow", ""),
    ("overflow-llama", "overflow", ""),
]


@pytest.mark.parametrize(("fault", "finish", "text"), CANDIDATE)
async def test_a_failure_of_the_candidate_is_a_reply(
    server: OpenAIServer, fault: str, finish: str, text: str
) -> None:
    reply = await asked(server.url, chat(f"[[fault:{fault}]]"))
    assert (reply.finish, reply.text) == (finish, text)


async def test_retry_after_may_be_a_date(server: OpenAIServer) -> None:
    with pytest.raises(CallFailed) as caught:
        await asked(server.url, chat("[[fault:429-date]]"))
    assert 0.0 < (caught.value.retry_after or -1) <= 900.0


async def test_a_slow_endpoint_times_out_and_a_cancelled_call_stays_cancelled(server: OpenAIServer) -> None:
    with pytest.raises(CallFailed, match="timeout: no full reply within"):
        await asked(server.url, chat("[[fault:slow]]"), timeout_s=0.3)
    one = engine(server.url)
    await one.start(Surroundings())
    before = server.requests
    task = asyncio.ensure_future(one.call(chat("[[fault:slow]]"), ASKING))
    async with asyncio.timeout(60):
        while server.requests == before:
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await one.call(chat("fine"), ASKING)).finish == "stop"
    await one.close()


async def test_an_endpoint_that_went_away_is_a_failed_connection() -> None:
    async with OpenAIServer() as server:
        one = engine(server.url)
        await one.start(Surroundings())
    with pytest.raises(CallFailed) as caught:
        await one.call(chat("x"), ASKING)
    assert (caught.value.kind, caught.value.retryable) == ("connect", True)
    await one.close()


async def test_nobody_listening_is_said_before_anything_is_asked() -> None:
    async with OpenAIServer() as server:
        url = server.url
    with pytest.raises(EngineError, match="check base_url"):
        await engine(url).start(Surroundings())


async def test_an_unknown_model_is_said_with_the_nearest_names() -> None:
    async with OpenAIServer(models=["qwen3-8b"]) as server:
        with pytest.raises(EngineError, match="did you mean 'qwen3-8b'"):
            await engine(server.url, "qwen3-7b").start(Surroundings())
        unchecked = engine(server.url, "qwen3-7b", check=False)
        await unchecked.start(Surroundings())
        with pytest.raises(CallFailed, match="status-404"):
            await unchecked.call(chat("x"), ASKING)
        await unchecked.close()


async def test_a_key_is_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "top-secret-value")
    monkeypatch.setenv("MY_ORG", "organisation-7")
    async with OpenAIServer(api_key="top-secret-value", keep_bodies=True) as server:
        one = engine(server.url, api_key_env="MY_KEY", headers_env={"X-Org": "MY_ORG"})
        await one.start(Surroundings())
        assert (await one.call(chat("x"), ASKING)).finish == "stop"
        assert server.headers[0]["X-Org"] == "organisation-7"
        assert "top-secret" not in str(one.identity())
        await one.close()
        monkeypatch.setenv("MY_KEY", "wrong-secret-value")
        with pytest.raises(EngineError) as caught:
            await engine(server.url, api_key_env="MY_KEY").start(Surroundings())
        unchecked = engine(server.url, api_key_env="MY_KEY", check=False)
        await unchecked.start(Surroundings())
        with pytest.raises(CallFailed) as failed:
            await unchecked.call(chat("x"), ASKING)
        await unchecked.close()
    assert "secret" not in f"{caught.value} {failed.value}"
    assert "Incorrect API key provided: ***" in str(failed.value)


async def test_credentials_of_a_url_are_sent_apart(server: OpenAIServer) -> None:
    one = engine(server.url.replace("http://", "http://me:hidden-pass@"))
    assert one.identity()["url"] == server.url
    await one.start(Surroundings())
    await one.call(chat("x"), ASKING)
    await one.close()
    assert server.headers[0]["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"base_url": ""}, ConfigError, "option 'base_url' of openai/m: String should have at least 1"),
        ({"base_url": "http://x/v1", "identity": ""}, ConfigError, "option 'identity'"),
        ({"base_url": "ftp://x"}, ConfigError, "not an http or https URL"),
        ({"base_url": "http://x/v1?key=1"}, ConfigError, "`key` in the query of a URL looks like a secret"),
        ({"base_url": "http://x/v1?api-version=1&x=1"}, ConfigError, "must not have a query"),
        ({"base_url": "http://[::1/v1"}, ConfigError, "not an http or https URL"),
        ({"base_url": "http://x:99999/v1"}, ConfigError, "not an http or https URL"),
        ({"base_url": "http://x/v1", "api_key_env": "sk-abcdefgh12345"}, ConfigError, "not a key"),
        (
            {"base_url": "http://x/v1", "api_key_env": "SURELY_NO_KEY"},
            ConfigError,
            "SURELY_NO_KEY is not set",
        ),
        ({"base_url": "http://x/v1", "temprature": "1"}, NotFound, "no option named 'temprature'"),
        ({"base_url": "http://x/v1", "timeout_s": "0"}, ConfigError, "option 'timeout_s'"),
        ({"base_url": "http://x/v1", "dialect": "vlm"}, NotFound, "did you mean 'vllm'"),
    ],
)
def test_bad_options_are_named(options: dict[str, str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        provider.engine(parse_spec("openai/m", options.items())).check()


def test_the_hosted_default_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigError, match="OPENAI_API_KEY is not set"):
        provider.engine(parse_spec("openai/m")).check()


@pytest.mark.parametrize(
    ("given", "more", "less"),
    [
        ("chat", set(), {"tools"}),
        ("+rank,-tools", {"rank"}, {"tools"}),
        (["+rate"], {"rate", "tools"}, set()),
    ],
)
def test_capabilities_can_be_declared(given: object, more: set[str], less: set[str]) -> None:
    found = engine("http://127.0.0.1:1/v1", capabilities=given).capabilities()
    assert "chat" in found
    assert more <= found
    assert not less & found


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("temperature", "NaN", "temperature=nan is no number from 0 to 100"),
        ("temperature", "Infinity", "is no number"),
        ("temperature", "-1", "is no number"),
        ("top_p", "2", "is no number from 0 to 1"),
        ("max_tokens", "1e3", "max_tokens=1000.0 is no whole number from 1"),
        ("max_tokens", "0", "is no whole number"),
        ("max_tokens", "true", "is no whole number"),
        ("stop", "[1]", "is no text, or list of texts"),
        ("template", "5", "template=5 is no object of switches"),
    ],
)
def test_a_value_that_no_request_could_hold_is_refused_by_name(option: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        parse_spec("openai/m", [(option, value)])
    assert f"{option}=null" in str(refused.value)
    parse_spec("openai/m", [(option, "null")])


@pytest.mark.parametrize("field", ["messages", "prompt", "model", "n", "stream", "temperature", "max_tokens"])
def test_extra_fields_cannot_replace_what_is_asked_and_recorded(field: str) -> None:
    with pytest.raises(ConfigError, match=f"extra_body.{field} would replace"):
        engine("http://127.0.0.1:1/v1", extra_body={field: 1})


async def test_an_answer_is_continued_where_the_dialect_can(server: OpenAIServer) -> None:
    request = Request("chat", (user("x"), assistant("The answer is")), options=Options(continue_final=True))
    await asked(server.url, request, dialect="vllm")
    assert server.bodies[-1]["continue_final_message"] is True
    with pytest.raises(CallFailed, match="openai/loopback has no continue_final"):
        await asked(server.url, request)


async def test_a_base_url_without_v1_holds_the_routes_itself() -> None:
    async with OpenAIServer() as server:
        one = engine(server.url.removesuffix("/v1"), check=False)
        await one.start(Surroundings())
        with pytest.raises(CallFailed, match="status-404"):
            await one.call(chat("x"), ASKING)
        await one.close()


async def test_an_endpoint_without_tls_is_said(server: OpenAIServer) -> None:
    with pytest.raises(EngineError, match="tls: "):
        await engine(server.url.replace("http://", "https://")).start(Surroundings())


BAD_KEYS = [
    ("…", 1, "horizontal ellipsis"),
    ("“sk-abcdefgh”", 1, "left double quotation mark"),
    ('"sk-abcdefgh"', 1, "quotation mark"),
    ("sk-abcdefgh\n", 12, "u+000a"),
    ("sk-abcdefgh ", 12, "space"),
    ("sk-abc\u00a0defgh", 7, "no-break space"),
    ("sk-abc\udc80defgh", 7, "u+dc80"),
    ("abc\r\nX-Evil: 1", 4, "u+000d"),
]


@pytest.mark.parametrize(("key", "position", "name"), BAD_KEYS)
def test_what_no_key_holds_is_named_by_its_position(
    monkeypatch: pytest.MonkeyPatch, key: str, position: int, name: str
) -> None:
    monkeypatch.setattr("os.environ", {**os.environ, "MY_KEY": key})
    with pytest.raises(ConfigError) as caught:
        engine("http://127.0.0.1:1/v1", api_key_env="MY_KEY")
    assert caught.value.what == (
        f"the environment variable MY_KEY holds a character that cannot be sent at position {position} "
        f"of {len(key)}: {name}"
    )
    assert "sk-abc" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"X-Org": "ORG"}, "ORG .header X-Org. holds a character .* position 8 of 14: em dash"),
        ({"X-Org\r\nX-Evil": "ORG"}, "cannot name a header"),
        ({"X-Org": "organisation 7"}, "must name an environment variable"),
        ({"X-Org": "SURELY_NOT_SET"}, "that is named is not set"),
    ],
)
def test_what_no_header_holds_is_refused(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], message: str
) -> None:
    monkeypatch.setenv("ORG", "Müller — Söhne")
    with pytest.raises(ConfigError, match=message):
        engine("http://127.0.0.1:1/v1", headers_env=headers)


async def test_many_calls_share_connections_and_leave_nothing_open(server: OpenAIServer) -> None:
    one = engine(server.url)
    await one.start(Surroundings())
    replies = await asyncio.gather(*(one.call(chat(f"question {i}"), ASKING) for i in range(50)))
    await one.close()
    await one.close()
    assert len({reply.text for reply in replies}) > 40
    assert server.in_flight == 0


AZURE = "https://name.openai.azure.com"
DEPLOYED = f"{AZURE}/openai/deployments/m?api-version=2024-10-21"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (f"{AZURE}?api-version=2024-10-21", DEPLOYED),
        (f"{AZURE}/openai/?api-version=2024-10-21", DEPLOYED),
        (f"{AZURE}/openai/deployments/m/chat/completions?api-version=2024-10-21", DEPLOYED),
        (f"{AZURE}/openai/v1/", f"{AZURE}/openai/v1"),
        ("https://host/v1/chat/completions", "https://host/v1"),
        ("https://host/v1//", "https://host/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
    ],
)
def test_a_base_url_is_taken_as_people_write_it(given: str, url: str) -> None:
    assert engine(given, "m").identity()["url"] == url


async def test_azures_version_and_key_are_sent_as_azure_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "azure-key-1234")
    async with OpenAIServer(keep_bodies=True) as server:
        await asked(f"{server.url}?api-version=2024-10-21", chat("x"))
    assert server.headers[0]["api-key"] == "azure-key-1234"
    assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("401", "no key was sent: OPENAI_API_KEY is not set"),
        ("404", "does base_url lack /v1, or has the model (at Azure: the deployment) another name?"),
    ],
)
async def test_a_refusal_says_what_to_look_at(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch, fault: str, told: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(CallFailed, match=re.escape(told)):
        await asked(server.url, chat(f"[[fault:{fault}]]"), check=False)
