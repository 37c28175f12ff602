"""The OpenAI wire format: requests to bytes, bytes to replies. Pure functions, no connection.

A body is encoded once. Replies are read leniently in what we do not need and strictly in what we do:
a reply that has no answer in it is a failed call, never an empty answer.
"""

from typing import Any

import msgspec

from suite.chat import Finish, Message, Reply, Request, TokenLogprob, Tool, ToolCall, Usage
from suite.errors import CallFailed
from suite.models.faults import refusal_of, refused
from suite.models.secrets import Scrubber
from suite.models.wordings import filtered

encode = msgspec.json.Encoder().encode


class Dialect(msgspec.Struct, frozen=True):
    """How a server differs from the others.

    max_tokens: the field's name. continues: fields that make it continue the last message, None where
    it cannot; `echoes` where it then repeats what it continues. template: the field for switches of the
    chat template, "" where there is none.
    """

    name: str
    max_tokens: str = "max_tokens"
    continues: dict[str, Any] | None = None
    echoes: bool = False
    template: str = ""


DIALECTS = {
    "openai": Dialect("openai"),
    "vllm": Dialect(
        "vllm",
        continues={"add_generation_prompt": False, "continue_final_message": True},
        template="chat_template_kwargs",
    ),
    "llamacpp": Dialect("llamacpp", continues={}, echoes=True, template="chat_template_kwargs"),
}


class _Function(msgspec.Struct):
    name: str = ""
    arguments: Any = ""


class _ToolCall(msgspec.Struct):
    function: _Function
    id: str | None = None


class _Message(msgspec.Struct):
    content: Any = None
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(msgspec.Struct):
    message: _Message | None = None
    text: str | None = None
    finish_reason: str | None = None
    logprobs: Any = None
    prompt_logprobs: Any = None


class _Details(msgspec.Struct):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None


class Completion(msgspec.Struct):
    """A chat or text completion."""

    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    error: Any = None
    prompt_feedback: Any = None
    promptFeedback: Any = None  # noqa: N815
    prompt_filter_results: Any = None


_completion = msgspec.json.Decoder(Completion)


def chat_body(
    request: Request, model: str, dialect: Dialect, seed: int | None, extra: dict[str, Any]
) -> bytes:
    """The body of /chat/completions. Raises CallFailed for what the dialect has no field for."""
    options = request.options
    messages: Any = request.messages
    if any(message.tool_calls for message in request.messages):
        messages = [_message(message) for message in request.messages]
    body: dict[str, Any] = {"model": model, "messages": messages}
    _common(body, request, dialect, seed)
    if options.logprobs is not None:
        body["logprobs"] = True
        body["top_logprobs"] = options.logprobs
    if options.json_schema is not None:
        schema = {"name": "answer", "schema": options.json_schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if options.tool_choice is not None:
        named = options.tool_choice not in ("auto", "required", "none")
        choice: Any = options.tool_choice
        body["tool_choice"] = {"type": "function", "function": {"name": choice}} if named else choice
    if options.continue_final:
        if dialect.continues is None:
            raise CallFailed("unsupported", "this endpoint cannot continue an answer", retryable=False)
        body.update(dialect.continues)
    if options.template:
        if not dialect.template:
            raise CallFailed("unsupported", "this endpoint has no template switches", retryable=False)
        body[dialect.template] = options.template
    body.update(extra)
    return encode(body)


def complete_body(
    request: Request, model: str, dialect: Dialect, seed: int | None, extra: dict[str, Any]
) -> bytes:
    """The body of /completions."""
    body: dict[str, Any] = {"model": model, "prompt": request.prompt}
    _common(body, request, Dialect(dialect.name), seed)
    if request.options.logprobs is not None:
        body["logprobs"] = request.options.logprobs
    body.update(extra)
    return encode(body)


def _common(body: dict[str, Any], request: Request, dialect: Dialect, seed: int | None) -> None:
    options = request.options
    if options.temperature is not None:
        body["temperature"] = options.temperature
    if options.top_p is not None:
        body["top_p"] = options.top_p
    if options.max_tokens is not None:
        body[dialect.max_tokens] = options.max_tokens
    if options.stop:
        body["stop"] = options.stop
    if seed is not None:
        body["seed"] = seed


def _message(message: Message) -> dict[str, Any]:
    made: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        made["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        made["tool_call_id"] = message.tool_call_id
    return made


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name, "description": tool.description}
    function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
    return {"type": "function", "function": function}


def read_completion(body: bytes, scrub: Scrubber) -> Completion | Reply:
    """A decoded completion with at least one choice, or the reply where the candidate failed.

    Raises CallFailed: bad-json, bad-shape, empty-choices, error-in-body, status-N.
    """
    try:
        found = _completion.decode(body)
    except msgspec.ValidationError as error:
        raise CallFailed("bad-shape", f"not a completion: {error}", retryable=True) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        start = scrub(" ".join(body[:120].decode("utf-8", "replace").split()))
        raise CallFailed("bad-json", f"{error}: {start!r}", retryable=True) from error
    if found.error is not None or found.choices is None:
        value = msgspec.json.decode(body)
        if not isinstance(value, dict) or not (value.get("error") or value.get("message")):
            raise CallFailed("bad-shape", "no choices in the reply", retryable=True)
        refusal = refusal_of(value, scrub)
        return refused(refusal.status, {}, refusal)
    if not found.choices:
        if blocked(found):
            return Reply(finish="refused", usage=_usage(found.usage), model=found.model or "",
                         details={"refusal": "the reply has no choice", "row": "no-choices"})  # fmt: skip
        raise CallFailed("empty-choices", "the reply has no choice", retryable=True)
    return found


def blocked(found: Completion) -> bool:
    """Whether a reply without choices is a filter's: it says so, or it read the prompt and made nothing."""
    usage = found.usage
    read = usage is not None and (usage.prompt_tokens or 0) > 0 and not usage.completion_tokens
    return bool(found.prompt_feedback or found.promptFeedback or found.prompt_filter_results) or read


def reply_of(found: Completion) -> Reply:
    """The reply in a completion's first choice. Raises CallFailed if the endpoint broke it off."""
    choice = found.choices[0] if found.choices else _Choice()
    message = choice.message or _Message(content=choice.text)
    reason = choice.finish_reason or "stop"
    if reason in ("abort", "error"):
        raise CallFailed("aborted", f"the endpoint broke the answer off ({reason})", retryable=True)
    text = _text(message.content)
    calls = tuple(
        ToolCall(one.function.name, _arguments(one.function.arguments), one.id or "")
        for one in message.tool_calls or ()
    )
    finish: Finish = "stop"
    if filtered(reason):
        finish = "refused"
    elif message.refusal and not text.strip():
        finish, text = "refused", message.refusal
    elif reason.lower() in ("length", "max_tokens", "model_length", "model_context_window_exceeded"):
        finish = "length"
    elif not text.strip() and not calls:
        finish = "empty"
    return Reply(
        text=text,
        finish=finish,
        usage=_usage(found.usage),
        tool_calls=calls,
        logprobs=_logprobs(choice.logprobs) if choice.logprobs else (),
        reasoning=message.reasoning_content or message.reasoning or "",
        model=found.model or "",
        fingerprint=found.system_fingerprint or "",
    )


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):  # parts
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return ""


def _arguments(value: Any) -> str:
    return value if isinstance(value, str) else encode(value).decode()


def _usage(usage: _Usage | None) -> Usage:
    if usage is None:
        return Usage()
    prompt, new = usage.prompt_tokens_details, usage.completion_tokens_details
    return Usage(
        prompt=usage.prompt_tokens or 0,
        completion=usage.completion_tokens or 0,
        cached=(prompt.cached_tokens or 0) if prompt else 0,
        reasoning=(new.reasoning_tokens or 0) if new else 0,
    )


def _logprobs(value: Any) -> tuple[TokenLogprob, ...]:
    """Token log-probabilities in the chat form (`content`) or the completions form (`tokens`)."""
    try:
        if value.get("content") is not None:
            return tuple(
                TokenLogprob(
                    one["token"],
                    float(one["logprob"]),
                    tuple((top["token"], float(top["logprob"])) for top in one.get("top_logprobs") or ()),
                )
                for one in value["content"]
            )
        tops = value.get("top_logprobs") or [None] * len(value["tokens"])
        return tuple(
            TokenLogprob(token, float(number), tuple((one, float(p)) for one, p in (top or {}).items()))
            for token, number, top in zip(value["tokens"], value["token_logprobs"], tops, strict=True)
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CallFailed("bad-shape", f"unreadable log-probabilities: {error!r}", retryable=True) from error
