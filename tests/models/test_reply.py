"""What is read out of a completion: an answer, or a failed call; and nothing unneeded costs an answer."""

import json
from typing import Any

import msgspec
import pytest

from suite.chat import Message, Options, Reply, TokenLogprob, ToolCall, Usage, assistant, replied
from suite.errors import CallFailed
from suite.models.peer_json import decode
from suite.models.reply import read_reply
from suite.secrets import Scrubber

SCRUB = Scrubber(["secret-key"])


def read(choice: Any, asked: Options | None = None, **more: Any) -> Reply:
    body = choice if isinstance(choice, bytes) else json.dumps({"choices": [choice], **more}).encode()
    found = read_reply(body, SCRUB, asked)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Reply) == found
    return found


def said(content: Any, reason: Any = "stop", **more: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": content, **more}, "finish_reason": reason}


@pytest.mark.parametrize(
    "choice",
    [
        {},
        7,
        {"finish_reason": "stop"},
        {"message": None, "finish_reason": "stop"},
        {"message": {}, "finish_reason": "stop"},
        {"message": {"role": "assistant"}, "finish_reason": "stop"},
        {"message": "hello", "finish_reason": "stop"},
        said(42),
        said(False),
        said({"text": "hello"}),
        said([42]),
        said(None, None),
        said(None, "cancelled"),
        said("", "unknown"),
        said("", 7),
        said(None, "tool_calls"),
        said("half an ans", "cancelled"),
        said("half an ans", "error"),
    ],
)
def test_what_has_no_answer_in_it_is_a_failed_call(choice: Any) -> None:
    with pytest.raises(CallFailed) as failed:
        read(choice)
    assert failed.value.kind in ("bad-shape", "aborted")
    assert failed.value.retryable


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "busy"}, "choices": [said("x")]},
        {"choices": [{"error": {"message": "busy"}, **said("")}]},
        {"choices": [{"message": {"role": "assistant", "content": None, "error": "busy"}}]},
        {"message": "busy"},
    ],
)
def test_an_error_in_place_of_an_answer_is_an_error(body: Any) -> None:
    with pytest.raises(CallFailed) as failed:
        read_reply(json.dumps(body).encode(), SCRUB)
    assert (failed.value.kind, failed.value.message, failed.value.retryable) == (
        "error-in-body",
        "busy",
        True,
    )


@pytest.mark.parametrize(
    ("choice", "text", "finish"),
    [
        (said(None), "", "empty"),
        (said(""), "", "empty"),
        (said(None, "length"), "", "length"),
        ({"message": {"role": "assistant"}, "finish_reason": "length"}, "", "length"),
        (said("A", None), "A", "stop"),
        (said("A", 2), "A", "stop"),
        (said("A", "MAX_TOKENS"), "A", "length"),
        (said("", "SAFETY"), "", "refused"),
        (said(None, "stop", refusal="I won't"), "I won't", "refused"),
        (said("A", "stop", refusal=[]), "A", "stop"),
        (said([{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]), "AB", "stop"),
        ({"text": "A", "finish_reason": "stop"}, "A", "stop"),
    ],
)
def test_how_an_answer_ended(choice: Any, text: str, finish: str) -> None:
    found = read(choice)
    assert (found.text, found.finish) == (text, finish)


@pytest.mark.parametrize(
    ("message", "reasoning"),
    [
        ({"reasoning_content": "hm"}, "hm"),
        ({"reasoning": "hm"}, "hm"),
        ({"reasoning": {"text": "hm"}}, "hm"),
        ({"reasoning": ["h", {"content": "m"}]}, "hm"),
        ({"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}, "hm"),
        ({"reasoning_content": 7}, ""),
    ],
)
def test_reasoning_beside_the_text(message: Any, reasoning: str) -> None:
    assert read(said("A", **message)).reasoning == reasoning


def test_reasoning_among_the_parts_of_a_text() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    found = read(said([thinking, {"type": "text", "text": "A"}]))
    assert (found.text, found.reasoning) == ("A", "hm")


@pytest.mark.parametrize("calls", ["", None, [], 7, "x"])
def test_tool_calls_that_are_none_cost_nothing(calls: Any) -> None:
    assert read(said("A", tool_calls=calls)) == Reply("A")


@pytest.mark.parametrize(
    "message",
    [
        {"tool_calls": [{"id": 7, "function": {"name": "move", "arguments": {"to": "x"}}}]},
        {"tool_calls": {"id": "7", "function": {"name": "move", "arguments": '{"to":"x"}'}}},
    ],
)
def test_a_tool_call_in_any_notation(message: Any) -> None:
    assert read(said(None, "tool_calls", **message)).tool_calls == (ToolCall("move", '{"to":"x"}', "7"),)


@pytest.mark.parametrize(
    ("usage", "counted", "noted"),
    [
        ({"prompt_tokens": 12.0, "completion_tokens": 3.0}, Usage(12, 3), False),
        ({"prompt_tokens": 12, "completion_tokens": 3, "prompt_tokens_details": []}, Usage(12, 3), False),
        ({"prompt_tokens": -1, "completion_tokens": 3}, Usage(), True),
        ({"prompt_tokens": 12, "completion_tokens": 10**30}, Usage(), True),
        ({"prompt_tokens": "12", "completion_tokens": 3}, Usage(), True),
        ({"prompt_tokens": 12, "completion_tokens": 90}, Usage(), True),  # 50 were allowed
        ({"prompt_tokens": 12, "completion_tokens": 0}, Usage(), True),
        (
            {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 50}},
            Usage(9, 3, 0),
            True,
        ),
        ({"total_tokens": 500}, Usage(), False),  # of what?
        ("many", Usage(), False),
    ],
)
def test_only_counts_are_counted(usage: Any, counted: Usage, noted: bool) -> None:
    found = read(said("A"), Options(max_tokens=50), usage=usage)
    assert (found.text, found.usage, found.details is not None) == ("A", counted, noted)


def test_log_probabilities_count_where_they_were_asked_for() -> None:
    given = {"content": [{"token": "A", "logprob": -0.5, "top_logprobs": [{"token": "B", "logprob": None}]}]}
    assert read({**said("A"), "logprobs": given}).logprobs == ()
    assert read({**said("A"), "logprobs": given}, Options(logprobs=1)).logprobs == (TokenLogprob("A", -0.5),)
    with pytest.raises(CallFailed, match="bad-shape"):
        read({**said("A"), "logprobs": {"content": [7]}}, Options(logprobs=1))


@pytest.mark.parametrize(
    "body",
    [
        rb'{"choices":[{"message":{"content":"A\ud835"},"finish_reason":"stop"}]}',
        b'{"choices":[{"message":{"content":"A\xf0\x9f"},"finish_reason":"stop"}]}',
    ],
)
def test_half_a_character_costs_that_character(body: bytes) -> None:
    found = read(body)
    assert (found.text, found.details) == ("A�", {"mended": ["the body is no strict JSON in UTF-8"]})


@pytest.mark.parametrize("number", [b"NaN", b"-Infinity", b"1e999", b"1" + b"0" * 5000])
def test_a_number_that_is_none_costs_itself(number: bytes) -> None:
    body = b'{"usage":{"prompt_tokens":%b},"choices":[{"message":{"content":"A"}}],"x":%b}' % (number, number)
    found = read(b"\xef\xbb\xbf" + body)
    assert (found.text, found.usage) == ("A", Usage())


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 200_000, b'{"choices":[', b"<html>", b""])
def test_what_no_parser_reads_is_the_endpoints(body: bytes) -> None:
    with pytest.raises(CallFailed, match="bad-json"):
        read_reply(body, SCRUB)


def test_what_an_endpoint_says_of_itself_holds_no_key() -> None:
    found = read(said("A"), model="m (secret-key)", system_fingerprint=["x"])
    assert (found.model, found.fingerprint) == ("m (***)", "")


@pytest.mark.parametrize(
    ("reply", "turn"),
    [
        (Reply("Sure."), assistant("Sure.")),
        (Reply(" \n", "length"), assistant("(no answer)")),
        (Reply("", tool_calls=(ToolCall("move", "{}"),)), assistant("", (ToolCall("move", "{}"),))),
    ],
)
def test_a_reply_goes_back_into_a_conversation_as_a_turn_that_says_something(
    reply: Reply, turn: Message
) -> None:
    assert replied(reply) == turn


def test_what_was_continued_stands_before_what_was_said() -> None:
    assert replied(Reply("A</choice>"), "<choice>") == assistant("<choice>A</choice>")
    assert replied(Reply(""), "<choice>") == assistant("(no answer)")


def test_a_reply_that_no_bundle_holds_is_a_failed_call() -> None:
    with pytest.raises(CallFailed, match="too-large") as failed:
        read(said("x" * (13 * 2**20)))
    assert not failed.value.retryable


def test_a_typed_value_is_read_leniently_too() -> None:
    assert decode(b'\xef\xbb\xbf{"a": 1}', dict[str, int]) == {"a": 1}
    with pytest.raises(msgspec.ValidationError):
        decode(b'{"a": "x"}', dict[str, int])
