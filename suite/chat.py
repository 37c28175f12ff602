"""What is asked of a model and what comes back, and the identity of a call.

A call is a function of its request: `request_sha256` hashes exactly what shapes the answer, and
`call_id` adds who asked for which group and trial. Everything that shares, resumes, replays or
verifies calls rests on these two pure functions (golden hashes in tests).
Not here: sending anything (`suite.models`), recording anything (`suite.run`).
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:  # what `json.loads` yields
    Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
else:
    Json = Any  # msgspec and pydantic follow no type that holds itself

Finish = Literal["stop", "length", "overflow", "refused", "empty", "invalid", "limit"]
RequestKind = Literal["chat", "complete", "rate", "rank", "logprobs"]

_encoder = msgspec.json.Encoder(order="sorted")


class ToolCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tool call as the model wrote it. `arguments` is its raw text: validate, never trust."""

    name: str
    arguments: str
    id: str = ""


class Tool(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tool offered to a model. `parameters` is a JSON Schema of an object."""

    name: str
    description: str = ""
    parameters: Json = None


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message of a conversation. `role` is system, user, assistant or tool."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


def system(text: str) -> Message:
    """A system message."""
    return Message("system", text)


def user(text: str) -> Message:
    """A user message."""
    return Message("user", text)


def assistant(text: str, tool_calls: Sequence[ToolCall] = ()) -> Message:
    """An assistant message, as said before by the model or put into its mouth."""
    return Message("assistant", text, tuple(tool_calls))


def tool_result(text: str, tool_call_id: str = "") -> Message:
    """The result of a tool call, given back to the model."""
    return Message("tool", text, (), tool_call_id)


NO_ANSWER = "(no answer)"  # stands for an empty turn: chat templates and endpoints refuse those


class Options(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The resolved options that shape an answer; an option left at its default is not sent.

    temperature, top_p: floats; `None` leaves the engine's own default.
    max_tokens: most new tokens. stop: strings that end the answer.
    logprobs: how many top alternatives to report per new token (0 = only the chosen one's).
    json_schema: the reply must be a JSON value of this schema.
    tool_choice: "auto", "required", "none" or the name of a tool.
    continue_final: the last message is an assistant's and is continued, not answered.
    top: how many documents a ranking returns. template: switches of the chat template.
    normalise: of a rating or log-probability request, by name ("sum", "mean").
    thinking: "on", "off", "low", "medium", "high", or the most tokens of hidden reasoning.
    """

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    logprobs: int | None = None
    json_schema: Json = None
    tool_choice: str | None = None
    continue_final: bool = False
    top: int | None = None
    normalise: str | None = None
    template: Json = None
    thinking: str | int | None = None


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request to one role.

    chat: answer `messages`. complete: continue `prompt`. rate: score each of `texts` as an answer to
    `messages`. rank: order `texts` by closeness to `prompt`. logprobs: log-probability of each of
    `texts` as the assistant's next message after `messages`.
    """

    kind: RequestKind
    messages: tuple[Message, ...] = ()
    prompt: str = ""
    texts: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    options: Options = Options()

    @property
    def text(self) -> str:
        """All of its text: prompt, messages and texts, a line each."""
        return "\n".join([self.prompt, *(message.content for message in self.messages), *self.texts])

    @property
    def last_text(self) -> str:
        """The last message of a conversation, or the prompt."""
        return self.messages[-1].content if self.messages else self.prompt


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens of one call as the engine counted them; `cached` of `prompt` came from a prefix cache."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    reasoning: int = 0


class TokenLogprob(msgspec.Struct, frozen=True, omit_defaults=True):
    """One new token with its natural-log probability and the top alternatives [(token, logprob)]."""

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


class Output(msgspec.Struct, frozen=True, omit_defaults=True):
    """What solving a sample yields.

    text: the answer. data: anything else of JSON that `score` needs.
    finish: stop | length | overflow | refused | empty | invalid | limit. A failure of the candidate is a
    normal output: `score` gives it its value, normally the worst.
    """

    text: str = ""
    data: Any = None
    finish: Finish = "stop"


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a role answered.

    finish: stop | length (cut at max_tokens) | overflow (prompt longer than the window) | refused
    (content filter) | empty | invalid (the engine says the request cannot be answered).
    scores: of a rate or logprobs request, one per text, raw; `None` where that text could not be scored.
    ranking: of a rank request, (index of the text, score), best first.
    details: what the engine adds about a rating (token counts, which side was cut, order …).
    reasoning: hidden reasoning, separated by the engine or taken off the text. marks: where it stood in the
    text, the markup left out of it, as (offset in `reasoning`, markup), see `raw_text`.
    model: the name the engine reported.
    """

    text: str = ""
    finish: Finish = "stop"
    usage: Usage = Usage()
    tool_calls: tuple[ToolCall, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    scores: tuple[float | None, ...] = ()
    ranking: tuple[tuple[int, float], ...] = ()
    reasoning: str = ""
    details: Json = None
    model: str = ""
    fingerprint: str = ""
    marks: tuple[tuple[int, str], ...] = ()

    def output(self, data: Any = None) -> Output:
        """This reply as a sample's output; one that stopped without a word or a tool call is empty.

        data: what else of JSON `score` needs.
        """
        said = self.text.strip() or self.tool_calls
        return Output(self.text, data, self.finish if said or self.finish != "stop" else "empty")


def replied(reply: Reply, before: str = "") -> Message:
    """A reply put back into the conversation; a stand-in where it says nothing and calls no tool.

    before: what was put into the model's mouth and it continued.
    """
    text = before + reply.text if reply.text.strip() else "" if reply.tool_calls else NO_ANSWER
    return Message("assistant", text, reply.tool_calls)


def raw_text(reply: Reply) -> str:
    """The text as the engine wrote it, with the reasoning that was taken off it."""
    pieces, at = [], reply.marks[0][0] if reply.marks else len(reply.reasoning)
    for offset, markup in reply.marks:
        pieces += [reply.reasoning[at:offset], markup]
        at = offset
    return "".join([*pieces, reply.reasoning[at:], reply.text])


def text_of(value: object) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def canonical_json(value: Json) -> bytes:
    """Canonical JSON: UTF-8, sorted keys, no whitespace, shortest floats.

    Raises ValueError for NaN or infinity, which JSON cannot hold.
    """
    _refuse_nan(value)
    return _encoder.encode(value)


def _refuse_nan(value: Json) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("NaN or infinity has no canonical JSON form")
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    for one in inner:
        _refuse_nan(one)


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 lowercase hex digits."""
    return hashlib.sha256(data).hexdigest()


def request_sha256(request: Request) -> str:
    """Identity of a request: SHA-256 of its canonical JSON.

    In it: kind, messages or prompt or texts, tools, and the options that shape the answer.
    Not in it: model identity, seed, URL, headers, retries, engine options.
    """
    return hashlib.sha256(_encoder.encode(request)).hexdigest()


def call_id(family: str, group: str, trial: int, member: str, key: str, request_hash: str) -> str:
    """Identity of a call: the same request of the same role within one group and trial is one call.

    family: the task's family ("prefeval"). member: role member ("candidate", "judge", "judge/2").
    key: "" or a name for a wanted second, independent reply to an identical request.
    """
    parts = (family, group, str(trial), member, key, request_hash)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def call_seed(run_seed: int, identity: str) -> int:
    """The seed sent with a call: 31 bits from (run seed, call id), so order and company never matter."""
    digest = hashlib.sha256(f"{run_seed}\x1f{identity}".encode()).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF
