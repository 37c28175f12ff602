"""Server-sent events: a streamed completion put together as the whole reply that would have come otherwise.

Comments, event names, CR, LF and CRLF, events that share a packet, usage in a chunk of its own, a missing
`[DONE]` after the reason for the end: all of it is read. A stream that ends before that is a failed call.
"""

import json
import re
from collections.abc import Iterator

from suite.errors import CallFailed
from suite.models.peer_json import PeerObject, decoded
from suite.secrets import Scrubber

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
    """The completion that a stream holds, or the error in it, as JSON.

    Raises CallFailed: half-body where the stream was cut, bad-json, bad-shape.
    """
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
    """The data of each event."""
    lines: list[str] = []
    for line in [*re.split(r"\r\n|\r|\n", text), ""]:
        name, _, value = line.partition(":")
        if name == "data":
            lines.append(value.removeprefix(" "))
        elif not line and lines:
            yield "\n".join(lines).strip()
            lines = []


def _add(choice: PeerObject, message: PeerObject, part: PeerObject) -> None:
    """Add one piece to what came before."""
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
