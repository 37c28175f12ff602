"""OpenAI's chat completions as a server speaks them: for the checks of every provider that asks in them."""

import msgspec

from suite.chat import Json, Message, Options, Reply, Request, Tool, ToolCall
from suite.models.peer_json import PeerObject
from suite.testing.loopback import WireReply, WireRequest
from suite.testing.provider_case import Protocol, ProviderCase

_ENDS = {"stop": "stop", "empty": "stop", "length": "length", "refused": "content_filter"}
_CODES = {"overflow": "context_length_exceeded", "refused": "content_filter", "limit": "rate_limit_exceeded"}


class OpenAIProtocol(Protocol):
    """Chat completions, as OpenAI and servers compatible with it answer."""

    def asked(self, request: WireRequest) -> Request | None:
        if not request.path.partition("?")[0].endswith("/chat/completions"):
            return None
        body = msgspec.json.decode(request.body, type=PeerObject)
        body.setdefault("max_tokens", body.get("max_completion_tokens"))
        names = ("temperature", "max_tokens", "stop")
        given = {name: body[name] for name in names if body.get(name) is not None}
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
        offered = [one["function"] for one in body.get("tools", ())]
        tools = tuple(Tool(one["name"], one.get("description", ""), one["parameters"]) for one in offered)
        options = msgspec.convert({**given, "json_schema": schema}, Options)
        return Request("chat", tuple(map(_message, body["messages"])), tools=tools, options=options)

    def answer(self, reply: Reply, streams: bool) -> WireReply | None:
        if reply.finish not in _ENDS:
            return None
        functions = [{"name": one.name, "arguments": one.arguments} for one in reply.tool_calls]
        calls: list[Json] = [
            {"index": n, "id": one.id, "type": "function", "function": functions[n]}
            for n, one in enumerate(reply.tool_calls)
        ]
        said: dict[str, Json] = {"role": "assistant", "content": reply.text, "tool_calls": calls}
        said["reasoning_content"] = reply.reasoning
        usage: Json = {
            "prompt_tokens": reply.usage.prompt,
            "completion_tokens": reply.usage.completion,
            "total_tokens": reply.usage.prompt + reply.usage.completion,
            "prompt_tokens_details": {"cached_tokens": reply.usage.cached},
            "completion_tokens_details": {"reasoning_tokens": reply.usage.reasoning},
        }
        ended: dict[str, Json] = {"index": 0, "finish_reason": "tool_calls" if calls else _ENDS[reply.finish]}
        if not streams:
            about: dict[str, Json] = {"id": "x", "created": 1, "model": "m", "object": "chat.completion"}
            return WireReply.of({**about, "choices": [{**ended, "message": said}], "usage": usage})
        half = len(reply.text) // 2
        deltas: list[Json] = [{**said, "content": reply.text[:half]}, {"content": reply.text[half:]}]
        chunks: list[Json] = [{"choices": [{"index": 0, "delta": one}]} for one in deltas]
        chunks += [{"choices": [{**ended, "delta": {}}]}, {"choices": [], "usage": usage}]
        return WireReply.events([*chunks, "[DONE]"])

    def refusal(self, status: int, means: str, message: str) -> WireReply | None:
        return WireReply.of({"error": {"message": message, "code": _CODES.get(means, means)}}, status)


def _message(said: PeerObject) -> Message:
    given = [(one["function"], one["id"]) for one in said.get("tool_calls", ())]
    calls = tuple(ToolCall(function["name"], function["arguments"], name) for function, name in given)
    return Message(said["role"], said.get("content") or "", calls, said.get("tool_call_id", ""))


OPENAI_CASE = ProviderCase(
    "openai/some-model", OpenAIProtocol(), {"base_url": "{url}/v1", "api_key_env": "OPENAI_API_KEY"},
    streaming={"stream": True}, key_env="OPENAI_API_KEY",
)  # fmt: skip
