"""What the Messages API answered, as a reply: text, thinking apart from it, tool calls, ending, tokens."""

import msgspec

import suite
from suite_anthropic.requests import WRAPPED
from suite_anthropic.thoughts import Block

ENDS: dict[str, suite.Finish] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",  # of the answer; a prompt that does not fit is a 400
    "refusal": "refused",
}
# types of errors that come in the middle of a stream, whose status was 200
STATUSES = {
    "overloaded_error": 529,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "invalid_request_error": 400,
}


class _Part(msgspec.Struct):
    """A block of an answer; of kinds that nobody asked for only the name is read."""

    type: str
    text: str = ""
    thinking: str = ""
    signature: str = ""
    data: str = ""
    id: str = ""
    name: str = ""
    input: suite.Json = None

    def sent_back(self) -> Block:
        """Thinking as it goes back: unchanged, with its signature."""
        if self.type == "redacted_thinking":
            return {"type": self.type, "data": self.data}
        return {"type": self.type, "thinking": self.thinking, "signature": self.signature}


class _Thought(msgspec.Struct):
    thinking_tokens: int = 0


class _Tokens(msgspec.Struct):
    input_tokens: int
    output_tokens: int
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    output_tokens_details: _Thought | None = None

    def usage(self) -> suite.Usage:
        """`input_tokens` leaves out what was read from the cache, and written to it."""
        read, written = self.cache_read_input_tokens or 0, self.cache_creation_input_tokens or 0
        thought = self.output_tokens_details.thinking_tokens if self.output_tokens_details else 0
        return suite.Usage(self.input_tokens + read + written, self.output_tokens, read, thought)


class _Answer(msgspec.Struct):
    content: list[_Part]
    stop_reason: str | None
    usage: _Tokens
    model: str = ""
    stop_details: suite.Json = None


def read_answer(body: bytes, *, wrapped: bool) -> tuple[suite.Reply, list[Block]]:
    """(the reply in a message, the blocks of its thinking as they go back).

    wrapped: the answer stands in an object of ours. Raises CallFailed.
    """
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except msgspec.DecodeError as error:
        raise suite.CallFailed("bad-shape", f"no message of the API: {error}", retryable=True) from error
    if (
        answer.stop_reason not in ENDS
    ):  # None: a stream that broke off; pause_turn: of tools that the API runs
        raise suite.CallFailed("half-body", f"the answer ended by {answer.stop_reason}", retryable=True)
    thinking = [one for one in answer.content if one.type in ("thinking", "redacted_thinking")]
    calls = tuple(
        suite.ToolCall(one.name, msgspec.json.encode(one.input).decode(), one.id)
        for one in answer.content
        if one.type == "tool_use"
    )
    text = "".join(one.text for one in answer.content if one.type == "text")
    finish = ENDS[answer.stop_reason]
    if finish == "stop" and not calls and not text.strip():
        finish = "empty"
    written = answer.usage.cache_creation_input_tokens
    details = {"cache_written": written, "stop_details": answer.stop_details}
    told: dict[str, suite.Json] = {name: value for name, value in details.items() if value}
    reply = suite.Reply(
        _unwrapped(text) if wrapped else text, finish, answer.usage.usage(), calls,
        reasoning="".join(one.thinking for one in thinking), model=answer.model, details=told or None,
    )  # fmt: skip
    return suite.without_keys(reply), [one.sent_back() for one in thinking]


def _unwrapped(text: str) -> str:
    """The answer in an object that was made for it; the text itself where it is cut."""
    try:
        return msgspec.json.encode(msgspec.json.decode(text, type=dict[str, suite.Json])[WRAPPED]).decode()
    except (msgspec.DecodeError, KeyError):
        return text
