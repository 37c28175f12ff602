"""Whose failure a server's words are: the candidate's, or ours. Vectors as the servers put them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai_server import OpenAIServer
from openai_shapes import error_response, json_response

from suite.errors import CallFailed, ConfigError
from suite.models.faults import read_refusal, refused
from suite.models.openai import provider
from suite.models.reply import filtered
from suite.models.spec import parse_spec
from suite.models.wordings import own_wordings, wordings
from suite.secrets import Scrubber
from tests.models.endpoints import asked, chat

SCRUB = Scrubber()
VECTORS = [json.loads(line) for line in (Path(__file__).parent / "wordings.jsonl").read_text().splitlines()]


def outcome(status: int, body: object, asked_for: int | None = None, **own: str) -> str:
    """overflow, refused, or the kind of the failed call."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    rows = own_wordings(own.get("overflow_says", ""), own.get("refused_says", ""))
    try:
        return refused(status, {}, read_refusal(data, SCRUB), own=rows, asked=asked_for).finish
    except CallFailed as failed:
        return failed.kind


def error(message: str, code: object = None, kind: str = "invalid_request_error") -> dict[str, object]:
    return {"error": {"message": message, "type": kind, "code": code}}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: f"{one['is']}-{one['status']}")
def test_words_have_the_right_owner(vector: dict[str, Any]) -> None:
    body = vector["text"].encode() if "text" in vector else vector["body"]
    assert outcome(vector["status"], body, vector["asked"]) == vector["is"]


@pytest.mark.parametrize(
    "reason",
    ["content_filter", "content_filter: SEXUAL", "refusal", "sensitive", "SAFETY", "RECITATION", "blocked",
     "PROHIBITED_CONTENT", "SPII", "guardrail_intervened", "content_filtered", "Content-Filter"],
)  # fmt: skip
def test_an_answer_that_a_filter_ended_is_refused(reason: str) -> None:
    assert filtered(reason)


@pytest.mark.parametrize(
    "reason", ["stop", "length", "tool_calls", "eos_token", "end_turn", "", "function_call"]
)
def test_other_ends_are_no_refusal(reason: str) -> None:
    assert not filtered(reason)


def test_a_pattern_of_ones_own_decides_and_is_named() -> None:
    body = error("Zu viel Text")
    assert outcome(400, body, 9) == "status-400"
    assert outcome(400, body, 9, overflow_says="zu viel text") == "overflow"
    own = own_wordings("", "zu viel")
    reply = refused(400, {}, read_refusal(json.dumps(body).encode(), SCRUB), own=own)
    assert (reply.finish, reply.details) == (
        "refused",
        {"refusal": "Zu viel Text", "row": "-o refused_says=zu viel"},
    )


@pytest.mark.parametrize("says", ["(", ".*", "x?"])
def test_a_pattern_that_is_none_or_fits_everything_is_an_error(says: str) -> None:
    with pytest.raises(ConfigError, match="overflow_says"):
        provider.engine(
            parse_spec("openai/m", [("base_url", "http://127.0.0.1:1/v1"), ("overflow_says", says)])
        )


def test_every_row_is_named_once_and_has_a_source() -> None:
    rows = wordings()
    assert len({row.id for row in rows}) == len(rows) > 50
    assert [row.id for row in rows if not row.source.startswith("https://")] == []
    assert [row.id for row in rows if not (row.says or row.code or row.field)] == []


@given(st.text(max_size=200), st.integers(400, 599))
@settings(max_examples=60, deadline=None)
def test_words_of_a_request_that_is_echoed_decide_nothing(words: str, status: int) -> None:
    plain = {"detail": [{"loc": ["body"], "msg": "bad", "input": ""}]}
    echo = {
        "detail": [{"loc": ["body"], "msg": "bad", "input": f"prompt is too long, content filter {words}"}]
    }
    assert outcome(status, echo, 9) == outcome(status, plain, 9)


class Window(OpenAIServer):
    """A window of 60 tokens; the prompt counts 50. says: what it answers to more."""

    def __init__(self, says: str) -> None:
        super().__init__(keep_bodies=True)
        self.says = says
        self._routes["/v1/chat/completions"] = self._window_chat
        self.counts: list[int] = []

    async def _window_chat(self, body: dict[str, Any]) -> Any:
        most = body.get("max_tokens", 0)
        self.counts.append(most)
        if 50 + most > 60:
            return error_response(400, self.says)
        return await self._chat(body)


SUM = (
    "maximum context length is 60 tokens. However, you requested 150 tokens "
    "(50 in the messages, 100 in the completion)"
)


async def test_what_is_asked_for_is_cut_to_the_window_where_it_is_known_and_recorded() -> None:
    async with Window(SUM) as server:
        reply = await asked(server.url, chat("hello", max_tokens=100), window=60)
        assert (reply.finish, reply.details) == ("stop", {"max_tokens": 10, "max_tokens_asked": 100})
        assert server.counts == [100, 10]


async def test_without_a_known_window_the_setting_is_named() -> None:
    async with Window(SUM) as server:
        with pytest.raises(CallFailed, match="-o max_tokens=10, or less") as failed:
            await asked(server.url, chat("hello", max_tokens=100), check=False)
        assert (failed.value.kind, failed.value.retryable, server.counts) == ("max-tokens", False, [100])


async def test_where_nothing_is_counted_one_token_tells_whose_failure_it_is() -> None:
    async with Window("context_length_exceeded: the input exceeds the context window") as server:
        with pytest.raises(CallFailed, match="a smaller -o max_tokens"):
            await asked(server.url, chat("hello", max_tokens=100))
        assert server.counts == [100, 1]


async def test_a_reply_without_choices_that_read_the_prompt_is_a_filters() -> None:
    for body, finish in (
        ({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 0}}, "refused"),
        ({"choices": [], "prompt_feedback": {"block_reason": "SAFETY"}}, "refused"),
        ({"choices": [], "promptFeedback": {"blockReason": "OTHER"}}, "refused"),
    ):
        async with OpenAIServer() as server:

            async def answer(_: dict[str, Any], body: dict[str, Any] = body) -> Any:
                return json_response(body)

            server._routes["/v1/chat/completions"] = answer
            assert (await asked(server.url, chat("hello"))).finish == finish
