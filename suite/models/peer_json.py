"""JSON of peers: read strictly where it is sound, leniently where a byte or a number is not.

Lenient means: a byte order mark, broken UTF-8, half surrogate pairs, NaN and numbers beyond a double are
read, not refused. Nesting that no parser follows is a ValueError like any other. Time and memory are linear.

And server-sent events: a streamed completion put together as the whole reply that would have come otherwise.
Comments, event names, CR, LF and CRLF, events that share a packet, usage in a chunk of its own, a missing
`[DONE]` after the reason for the end: all of it is read. A stream that ends before that is a failed call.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from suite.chat import Json
from suite.errors import CallFailed
from suite.secrets import Scrubber

T = TypeVar("T")
PeerObject = dict[str, Any]  # any field may hold anything: each is read by what it turns out to be
_MOST_DIGITS = 400  # a longer integer is infinity: Python refuses 4,301 digits, doubles end at 309


def read(body: bytes) -> tuple[Json, bool]:
    """(a JSON value, whether it stands there strictly). Raises ValueError."""
    try:
        return msgspec.json.decode(body), True
    except (ValueError, RecursionError):
        return lenient(body), False


def lenient(body: bytes) -> Json:
    """A JSON value of which single characters and numbers may be broken. Raises ValueError."""
    try:
        value: Json = json.loads(
            body.decode("utf-8-sig", "replace"),
            parse_int=lambda digits: int(digits) if len(digits) <= _MOST_DIGITS else math.inf,
        )
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    return value


def decode(body: bytes, kind: type[T]) -> T:
    """A JSON value of a type. Raises ValueError: msgspec.ValidationError for another type."""
    try:
        return msgspec.json.decode(body, type=kind)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return msgspec.convert(lenient(body), kind)


def decoded(body: bytes, kind: type[T], scrub: Scrubber) -> T:
    """The same of an endpoint's reply. Raises CallFailed: bad-json, bad-shape."""
    try:
        return decode(body, kind)
    except msgspec.ValidationError as error:
        raise CallFailed("bad-shape", scrub(str(error)), retryable=True) from error
    except ValueError as error:
        raise bad_json(body, error, scrub) from error


def bad_json(body: bytes, error: ValueError, scrub: Scrubber) -> CallFailed:
    """The failure of a call whose body is no JSON, with its beginning. Scrubbed first, then cut."""
    start = scrub(" ".join(body[:2000].decode("utf-8", "replace").split()))[:120]
    return CallFailed("bad-json", f"{scrub(str(error))[:200]}: {start!r}", retryable=True)


def whole_text(text: str) -> str:
    """The text with every half of a surrogate pair replaced by U+FFFD, so that it can be written."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")
_STARTS = (b"data:", b"event:", b"id:", b"retry:", b":")


def is_stream(headers: dict[str, str], body: bytes) -> bool:
    """Whether a reply is a stream, by its type or by how it begins."""
    if body[:1] == b"{":  # as nearly every reply begins
        return False
    if headers.get("content-type", "").startswith("text/event-stream"):
        return not body.lstrip().startswith(b"{")
    return body[:8].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_STARTS)


def gathered(body: bytes, scrub: Scrubber) -> bytes:
    """The completion or the error in a stream, as JSON. Raises CallFailed: half-body, bad-json, bad-shape."""
    whole: PeerObject = {}
    message: PeerObject = {"role": "assistant", "content": None}
    choice: PeerObject = {"index": 0, "message": message, "finish_reason": None}
    done = False
    for data in _events(body.decode("utf-8-sig", "replace")):
        if data == "[DONE]":
            done = True
            continue
        chunk = decoded(data.encode("utf-8", "surrogatepass"), PeerObject, scrub)
        if chunk.get("error"):
            return json.dumps(chunk).encode()
        whole |= {
            name: chunk[name] for name in ("model", "system_fingerprint", "usage", "id") if chunk.get(name)
        }
        for part in chunk.get("choices") or ():
            if isinstance(part, dict) and not part.get("index"):
                _add(choice, message, part)
    if not done and not choice["finish_reason"]:
        raise CallFailed("half-body", "the stream ended before the answer did", retryable=True)
    return json.dumps({**whole, "object": "chat.completion", "choices": [choice]}).encode()


def _events(text: str) -> Iterator[str]:
    lines: list[str] = []
    for line in [*re.split(r"\r\n|\r|\n", text), ""]:
        name, _, value = line.partition(":")
        if name == "data":
            lines.append(value.removeprefix(" "))
        elif not line and lines:
            yield "\n".join(lines).strip()
            lines = []


def _add(choice: PeerObject, message: PeerObject, part: PeerObject) -> None:
    delta = part.get("delta") or part.get("message") or {"content": part.get("text")}
    for name in _TEXTS:
        if delta.get(name):
            piece = delta[name]
            if isinstance(piece, list):
                piece = "".join(str(one.get("text") or "") for one in piece if isinstance(one, dict))
            message[name] = (message.get(name) or "") + str(piece)
    for call in delta.get("tool_calls") or ():
        _add_call(message.setdefault("tool_calls", []), call)
    if isinstance(part.get("logprobs"), dict):
        held = choice.setdefault("logprobs", {"content": []})
        held["content"] += part["logprobs"].get("content") or ()
    choice["finish_reason"] = part.get("finish_reason") or choice["finish_reason"]


def _add_call(calls: list[PeerObject], piece: PeerObject) -> None:
    """Add a piece of a tool call: to the one of its index, to the last where it has no index and no id."""
    place = piece.get("index")
    if place is None and calls and not (piece.get("id") and piece["id"] != calls[-1]["id"]):
        place = calls[-1]["index"]
    found = next((one for one in calls if one["index"] == place and place is not None), None)
    if found is None:
        place = len(calls) if place is None else place
        found = {"index": place, "id": "", "function": {"name": "", "arguments": ""}}
        calls.append(found)
    function = piece.get("function") or {}
    found["id"] = found["id"] or piece.get("id") or ""
    found["function"]["name"] = found["function"]["name"] or function.get("name") or ""
    arguments = function.get("arguments")
    if arguments is not None:
        found["function"]["arguments"] += arguments if isinstance(arguments, str) else json.dumps(arguments)
