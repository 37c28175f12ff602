"""A stream is the whole reply that would have come otherwise, however its bytes are put."""

import json
from typing import Any

import pytest

from suite.chat import Reply, ToolCall, Usage
from suite.errors import CallFailed
from suite.models.peer_json import gathered, is_stream
from suite.models.reply import read_reply
from suite.secrets import Scrubber


def chunk(finish: str | None = None, **delta: Any) -> str:
    return json.dumps({"model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def read(*events: str, end: str = "\n\n", done: bool = True) -> Reply:
    lines = [f"data: {one}" for one in events] + (["data: [DONE]"] if done else [])
    return read_reply(gathered((end.join(lines) + end).encode(), Scrubber()), Scrubber())


USAGE = json.dumps({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}})
HELLO = (chunk(role="assistant", content=""), chunk(content="Hel"), chunk(content="lo "), chunk("stop"))


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r", "\n: keep-alive\n\n", "\nevent: x\nid: 3\n\n"])
@pytest.mark.parametrize("done", [True, False])
def test_pieces_are_put_together(end: str, done: bool) -> None:
    reply = read(*HELLO, USAGE, end=end, done=done)
    assert reply == Reply("Hello ", usage=Usage(7, 2), model="m")


def test_separators_of_lines_inside_a_text_are_text() -> None:
    assert read(chunk(content="a\u2028b"), chunk("stop")).text == "a\u2028b"


def test_reasoning_and_the_length_are_kept() -> None:
    reply = read(chunk(reasoning_content="hm"), chunk(reasoning_content=" so"), chunk("length", content="x"))
    assert (reply.text, reply.reasoning, reply.finish) == ("x", "hm so", "length")


def test_pieces_of_tool_calls_go_where_they_belong() -> None:
    def call(**piece: Any) -> str:
        return chunk(tool_calls=[piece])

    reply = read(
        call(index=0, id="c1", function={"name": "f", "arguments": ""}),
        call(index=1, id="c2", function={"name": "g", "arguments": "{"}),
        call(index=0, function={"arguments": '{"a":'}),
        call(index=1, function={"arguments": "}"}),
        call(index=0, function={"arguments": "1}"}),
        chunk("tool_calls"),
    )
    assert reply.tool_calls == (ToolCall("f", '{"a":1}', "c1"), ToolCall("g", "{}", "c2"))


def test_tool_calls_without_an_index_are_told_apart_by_their_ids() -> None:
    one = {"id": "c1", "function": {"name": "f", "arguments": "{}"}}
    two = {"id": "c2", "function": {"name": "g", "arguments": {"a": 1}}}
    reply = read(chunk(tool_calls=[one]), chunk("tool_calls", tool_calls=[two]))
    assert reply.tool_calls == (ToolCall("f", "{}", "c1"), ToolCall("g", '{"a": 1}', "c2"))


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        (HELLO[:3], "half-body"),
        ((), "half-body"),
        ((*HELLO[:2], '{"choices": [{"delta": {"cont'), "bad-json"),
        ((*HELLO[:2], "[1]"), "bad-shape"),
        ((*HELLO[:2], '{"error": {"message": "overloaded", "code": 503}}'), "status-503"),
        ((chunk(content="x"), chunk("error")), "aborted"),
    ],
)
def test_a_stream_that_fails_is_a_failed_call(events: tuple[str, ...], kind: str) -> None:
    with pytest.raises(CallFailed) as caught:
        read(*events, done=False)
    assert (caught.value.kind, caught.value.retryable) == (kind, True)


@pytest.mark.parametrize(
    ("type_", "body", "stream"),
    [
        ("text/event-stream; charset=utf-8", b"data: {}", True),
        ("application/json", b"\n: ping\n\ndata: {}", True),
        ("text/event-stream", b'{"error": "x"}', False),
        ("application/json", b'{"choices": []}', False),
        ("", b"", False),
    ],
)
def test_a_stream_is_known_by_its_type_or_its_beginning(type_: str, body: bytes, stream: bool) -> None:
    assert is_stream({"content-type": type_}, body) == stream
