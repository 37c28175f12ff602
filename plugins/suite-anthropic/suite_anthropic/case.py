"""How a server speaks the Messages API, for the checks of this provider: `suite plugin check anthropic`."""

import msgspec

import suite
from suite.testing import Protocol, ProviderCase, WireReply, WireRequest
from suite_anthropic.replies import ENDS
from suite_anthropic.requests import Body
from suite_anthropic.thoughts import Block

_STOPS = {finish: reason for reason, finish in reversed(ENDS.items())} | {"empty": "end_turn"}
_TYPES = {"limit": "rate_limit_error", "key": "authentication_error", "other": "api_error"}


class _Turn(msgspec.Struct):
    role: str
    content: list[Block]


class _Asked(msgspec.Struct):
    messages: list[_Turn]
    max_tokens: int
    system: list[Block] = []
    tools: list[Block] = []
    temperature: float | None = None
    stop_sequences: tuple[str, ...] = ()
    output_config: dict[str, Body] = {}


class MessagesProtocol(Protocol):
    """Anthropic's Messages API."""

    def asked(self, request: WireRequest) -> suite.Request | None:
        if request.path != "/v1/messages":
            return None
        body = msgspec.json.decode(request.body, type=_Asked)
        said = [suite.system(str(one["text"])) for one in body.system]
        said += [message for turn in body.messages for message in _messages(turn)]
        tools = (suite.Tool(str(t["name"]), str(t["description"]), t["input_schema"]) for t in body.tools)
        schema, stop = body.output_config.get("format", {}).get("schema"), body.stop_sequences
        options = suite.Options(body.temperature, None, body.max_tokens, stop, json_schema=schema)
        return suite.Request("chat", tuple(said), tools=tuple(tools), options=options)

    def answer(self, reply: suite.Reply, streams: bool) -> WireReply | None:
        if reply.finish not in _STOPS:
            return None
        blocks: list[Block] = []
        if reply.reasoning:
            blocks.append({"type": "thinking", "thinking": reply.reasoning, "signature": "c2lnbmVk"})
        blocks += [{"type": "text", "text": reply.text}] if reply.text else []
        blocks += [
            {"type": "tool_use", "id": one.id, "name": one.name, "input": msgspec.json.decode(one.arguments)}
            for one in reply.tool_calls
        ]
        stop = "tool_use" if reply.tool_calls else _STOPS[reply.finish]
        usage: Body = {
            "input_tokens": reply.usage.prompt - reply.usage.cached,
            "cache_read_input_tokens": reply.usage.cached,
            "output_tokens": reply.usage.completion,
            "output_tokens_details": {"thinking_tokens": reply.usage.reasoning},
        }
        message: Body = {"id": "msg_1", "type": "message", "role": "assistant", "model": "loopback",
                         "content": blocks, "stop_reason": stop, "usage": usage}  # fmt: skip
        if not streams:
            return WireReply.of(message)
        started = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
        events: list[suite.Json] = [{"type": "message_start", "message": started}]
        events += [event for n, block in enumerate(blocks) for event in _pieces(n, block)]
        events.append({"type": "message_delta", "delta": {"stop_reason": stop}, "usage": usage})
        return WireReply.events([*events, {"type": "message_stop"}])

    def refusal(self, status: int, means: str, message: str) -> WireReply | None:
        said = "prompt is too long: 3000 tokens > 2048 maximum" if means == "overflow" else message
        error: Body = {"type": _TYPES.get(means, "invalid_request_error"), "message": said}
        return WireReply.of({"type": "error", "error": error}, status)


def _messages(turn: _Turn) -> list[suite.Message]:
    """The messages of a turn: one a block of the user's, one of all of the model's."""
    if turn.role == "user":
        return [
            suite.tool_result(str(one["content"]), str(one["tool_use_id"])) if one["type"] == "tool_result"
            else suite.user(str(one["text"]))
            for one in turn.content
        ]  # fmt: skip
    calls = [one for one in turn.content if one["type"] == "tool_use"]
    given = [(one["name"], msgspec.json.encode(one["input"]).decode(), one["id"]) for one in calls]
    made = [suite.ToolCall(str(name), arguments, str(identity)) for name, arguments, identity in given]
    return [suite.assistant("".join(str(one.get("text", "")) for one in turn.content), made)]


def _pieces(index: int, block: Block) -> list[suite.Json]:
    """The events of a block: its beginning without content, its content, its end."""
    text = msgspec.json.encode(block.get("input")).decode()
    deltas: dict[str, list[Block]] = {
        "text": [{"type": "text_delta", "text": block.get("text")}],
        "thinking": [
            {"type": "thinking_delta", "thinking": block.get("thinking")},
            {"type": "signature_delta", "signature": block.get("signature")},
        ],
        "tool_use": [{"type": "input_json_delta", "partial_json": text}],
    }
    kind = str(block["type"])
    empty: Block = {**block, "input": {}} if kind == "tool_use" else {**block, "text": "", "thinking": ""}
    pieces: list[suite.Json] = [
        {"type": "content_block_delta", "index": index, "delta": one} for one in deltas[kind]
    ]
    started: Block = {"type": "content_block_start", "index": index, "content_block": empty}
    return [started, *pieces, {"type": "content_block_stop", "index": index}]


CASE = ProviderCase(
    "anthropic/claude-sonnet-4-5", MessagesProtocol(), {"base_url": "{url}"},
    streaming={"stream": True}, key_env="ANTHROPIC_API_KEY",
)  # fmt: skip
