"""One option for thinking, in the fields of each kind of server."""

from typing import Any

import msgspec
import pytest
from openai_server import OpenAIServer

from suite.chat import Options, Request, request_sha256, user
from suite.errors import CallFailed, ConfigError
from suite.models.spec import parse_spec
from suite.models.thinking import (
    read_thinking,
    server_kind,
    template_lacks,
    template_switches,
    thinking_fields,
    why_not,
)
from suite.models.wire import DIALECTS, chat_body
from tests.models.endpoints import asked, engine

ON, OFF = ({"enable_thinking": on, "thinking": on} for on in (True, False))
FIELDS: list[tuple[str, str | int, dict[str, Any]]] = [
    ("openai", "off", {"reasoning_effort": "none"}),
    ("openai", "on", {"reasoning_effort": "medium"}),
    ("openai", "low", {"reasoning_effort": "low"}),
    ("openai", "high", {"reasoning_effort": "high"}),
    ("ollama", "off", {"reasoning_effort": "none"}),
    ("vllm", "on", {"chat_template_kwargs": ON}),
    ("vllm", "off", {"chat_template_kwargs": OFF}),
    ("vllm", "high", {"chat_template_kwargs": ON, "reasoning_effort": "high"}),
    ("vllm", 2000, {"chat_template_kwargs": ON, "thinking_token_budget": 2000}),
    ("sglang", "off", {"chat_template_kwargs": OFF}),
    ("sglang", "low", {"chat_template_kwargs": ON, "reasoning_effort": "low"}),
    ("llamacpp", "off", {"chat_template_kwargs": OFF}),
    ("llamacpp", "low", {"chat_template_kwargs": {**ON, "reasoning_effort": "low"}}),
    ("llamacpp", 512, {"chat_template_kwargs": ON, "thinking_budget_tokens": 512}),
    ("anthropic", "off", {"thinking": {"type": "disabled"}}),
    ("anthropic", "on", {"thinking": {"type": "enabled", "budget_tokens": 8192}}),
    ("anthropic", "low", {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
    ("anthropic", 3000, {"thinking": {"type": "enabled", "budget_tokens": 3000}}),
    ("gemini", "off", {"reasoning_effort": "none"}),
    ("gemini", 512, {"extra_body": {"google": {"thinking_config": {"thinking_budget": 512}}}}),
    ("openrouter", "on", {"reasoning": {"enabled": True}}),
    ("openrouter", "off", {"reasoning": {"enabled": False}}),
    ("openrouter", "high", {"reasoning": {"effort": "high"}}),
    ("openrouter", 2048, {"reasoning": {"max_tokens": 2048}}),
    ("litellm", "low", {"reasoning_effort": "low"}),
    ("litellm", 2048, {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
]


@pytest.mark.parametrize(("kind", "thinking", "fields"), FIELDS)
def test_each_kind_of_server_is_told_in_its_own_fields(
    kind: str, thinking: str | int, fields: dict[str, Any]
) -> None:
    assert thinking_fields(kind, thinking) == fields


@pytest.mark.parametrize(
    ("kind", "thinking"),
    [("openai", 512), ("sglang", 512), ("ollama", 512), ("anthropic", 1000), ("tgi", "on")],
)
def test_what_a_server_has_no_field_for_is_refused(kind: str, thinking: str | int) -> None:
    with pytest.raises(ConfigError):
        thinking_fields(kind, thinking)
    assert why_not(kind, thinking)


@pytest.mark.parametrize(
    ("given", "read"),
    [("on", "on"), ("OFF", "off"), (True, "on"), (False, "off"), ("high", "high"), (4096, 4096)],
)
def test_values_are_words_or_tokens(given: object, read: str | int) -> None:
    assert read_thinking(given) == read
    assert type(read_thinking(given)) is type(read)


@pytest.mark.parametrize("given", ["much", 0, -1, 1.5, "", None, [1], 2**31])
def test_other_values_are_refused(given: object) -> None:
    with pytest.raises(ConfigError, match="no way to think"):
        read_thinking(given)


def test_it_is_part_of_a_request_and_of_its_hash() -> None:
    hashes = {
        request_sha256(Request("chat", (user("x"),), options=Options(thinking=thinking)))
        for thinking in (None, "on", "off", "low", 1, 2)
    }
    assert len(hashes) == 6


def test_it_wins_over_the_switches_of_a_task_and_leaves_the_others() -> None:
    options = Options(thinking="off", template={"enable_thinking": True, "date": "today"})
    body = msgspec.json.decode(
        chat_body(Request("chat", (user("x"),), options=options), "m", DIALECTS["vllm"], None, {})
    )
    assert body["chat_template_kwargs"] == {"date": "today", "enable_thinking": False, "thinking": False}


def test_saying_it_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="say the same"):
        parse_spec("vllm/x/y", [("thinking", "on"), ("template", '{"enable_thinking": false}')])


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://api.anthropic.com/v1", "anthropic"),
        ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini"),
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("https://notopenrouter.ai/api/v1", "openai"),
        ("http://127.0.0.1:8000/v1", "openai"),
    ],
)
def test_some_services_are_known_by_their_host(url: str, kind: str) -> None:
    assert server_kind("openai", url) == kind
    assert server_kind("vllm", url) == "vllm"


async def test_an_endpoint_gets_it_with_a_chat(server: OpenAIServer) -> None:
    await asked(server.url, Request("chat", (user("x"),), options=Options(thinking="low")))
    assert server.bodies[-1]["reasoning_effort"] == "low"
    assert engine(server.url).thinks(100) != ""
    with pytest.raises(CallFailed, match="no field for thinking=100"):
        await asked(server.url, Request("chat", (user("x"),), options=Options(thinking=100)))


@pytest.mark.parametrize(
    ("template", "thinking", "lacks"),
    [
        ("{% if enable_thinking %}", "on", False),
        ("{{ messages }}", "off", True),
        ("{{ thinking }}", 512, False),
        ("{{ rethinking_x }}", "on", True),
        ("{{ enable_thinking }}", "low", True),
        ("{{ reasoning_effort }}", "low", False),
    ],
)
def test_a_template_that_knows_no_switch_is_told_apart(
    template: str, thinking: str | int, lacks: bool
) -> None:
    assert bool(template_lacks(template, thinking)) is lacks


def test_a_template_in_this_process_gets_switches() -> None:
    assert template_switches(None, {"a": 1}) == {"a": 1}
    assert template_switches("high", None) == {**ON, "reasoning_effort": "high"}
