"""The OpenAI wire format: requests to bytes. Pure functions, no connection.

A body is encoded once. Not here: what comes back (`reply`).
"""

from collections.abc import Sequence

import msgspec

from suite.chat import Json, Message, Request, Tool, user
from suite.errors import CallFailed, ConfigError
from suite.models.engine import present
from suite.models.strict_schemas import strict
from suite.models.thinking import server_kinds, thinking_fields

encode = msgspec.json.Encoder().encode


class Dialect(msgspec.Struct, frozen=True):
    """How a server differs from the others.

    max_tokens: the field's name. continues: fields that make it continue the last message, None where
    it cannot; `echoes` where it then repeats what it continues. template: the field for switches of the
    chat template, "" where there is none. specials: the field that says whether it adds special tokens to a
    raw prompt. thinks: the kind of server whose fields say how much to think, the name if "". neutral: values
    sent where a request leaves them open, so that no configuration of the server's fills them. seed: whether
    one is sent. system: "fold" puts a system message before the user's, as text. schema: "strict" holds a
    JSON Schema to the rules of strict modes, "plain" sends it as it is, "off" leaves it out. stream: ask for
    a stream, with `usage` at its end. strict_tools: whether arguments keep to a tool's schema only where the
    tool says that they must.
    """

    name: str
    max_tokens: str = "max_tokens"
    continues: dict[str, Json] | None = None
    echoes: bool = False
    template: str = ""
    specials: str = ""
    thinks: str = ""
    neutral: dict[str, Json] = {}
    seed: bool = True
    system: str = "send"
    schema: str = "strict"
    stream: bool = False
    usage: bool = True
    strict_tools: bool = False


BEGINS = ("<s>", "<|begin_of_text|>", "<|startoftext|>", "<bos>")  # of a text, in raw prompts

DIALECTS = {
    name: msgspec.convert({"name": name, **kind.dialect}, Dialect) for name, kind in server_kinds().items()
}


def chat_body(
    request: Request, model: str, dialect: Dialect, seed: int | None, extra: dict[str, Json]
) -> bytes:
    """The body of /chat/completions. Raises CallFailed for what the dialect has no field for."""
    options = request.options
    messages = folded(request.messages) if dialect.system == "fold" else request.messages
    calls = any(message.tool_calls for message in messages)
    body: dict[str, object] = {
        "model": model,
        "messages": [*map(openai_message, messages)] if calls else messages,
    }
    _common(body, request, dialect, seed)
    if options.logprobs is not None:
        body["logprobs"] = True
        body["top_logprobs"] = options.logprobs
    if options.json_schema is not None and dialect.schema != "off":
        strictly = strict(encode(options.json_schema)) if dialect.schema == "strict" else None
        held = strictly is not None or dialect.schema == "plain"
        schema = options.json_schema if strictly is None else strictly
        answer = {"name": "answer", "schema": schema, "strict": held}
        body["response_format"] = {"type": "json_schema", "json_schema": answer}
    if request.tools:
        body["tools"] = [openai_tool(tool, dialect.strict_tools) for tool in request.tools]
    if options.tool_choice is not None:
        body["tool_choice"] = openai_choice(options.tool_choice)
    if options.continue_final:
        if dialect.continues is None:
            raise CallFailed("unsupported", "this endpoint cannot continue an answer", retryable=False)
        body.update(dialect.continues)
    if options.template:
        if not dialect.template:
            raise CallFailed("unsupported", "this endpoint has no template switches", retryable=False)
        body[dialect.template] = options.template
    if options.thinking is not None:
        try:
            fields = thinking_fields(dialect.thinks or dialect.name, options.thinking)
        except ConfigError as error:
            raise CallFailed("unsupported", str(error), retryable=False) from error
        for name, value in fields.items():  # switches of the template go over those that it has
            have = body.get(name)
            body[name] = {**have, **value} if isinstance(value, dict) and isinstance(have, dict) else value
    body.update(extra)
    return encode(body)


def complete_body(
    request: Request, model: str, dialect: Dialect, seed: int | None, extra: dict[str, Json]
) -> bytes:
    """The body of /completions."""
    body: dict[str, object] = {"model": model, "prompt": request.prompt}
    _common(body, request, msgspec.structs.replace(dialect, max_tokens="max_tokens"), seed)
    if request.options.logprobs is not None:
        body["logprobs"] = request.options.logprobs
    if dialect.specials and request.prompt.lstrip().startswith(BEGINS):
        body[dialect.specials] = False  # the prompt begins by itself: no second begin of text
    body.update(extra)
    return encode(body)


def _common(body: dict[str, object], request: Request, dialect: Dialect, seed: int | None) -> None:
    options = request.options
    new = {dialect.max_tokens: options.max_tokens}
    stop, seed = options.stop or None, seed if dialect.seed else None
    body |= present(temperature=options.temperature, top_p=options.top_p, **new, stop=stop, seed=seed)
    for name, value in dialect.neutral.items():
        body.setdefault(name, value)
    if dialect.stream:
        body["stream"] = True
        if dialect.usage:
            body["stream_options"] = {"include_usage": True}


def folded(messages: Sequence[Message]) -> list[Message]:
    """The messages with every system message at the beginning of the user message after it."""
    found: list[Message] = []
    held: list[str] = []
    for message in messages:
        if message.role == "system":
            held.append(message.content)
        elif held and message.role == "user":
            found.append(user("\n\n".join([*held, message.content])))
            held = []
        else:
            found += [user("\n\n".join(held))] if held else []
            found.append(message)
            held = []
    return found + ([user("\n\n".join(held))] if held else [])


def openai_message(message: Message) -> dict[str, Json]:
    """A message of text and tool calls as OpenAI's protocol writes it."""
    made: dict[str, Json] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        made["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        made["tool_call_id"] = message.tool_call_id
    return made


def openai_choice(choice: str) -> Json:
    """The choice of a tool as OpenAI's protocol writes it: a word, or the tool of that name."""
    named = choice not in ("auto", "required", "none")
    return {"type": "function", "function": {"name": choice}} if named else choice


def openai_tool(tool: Tool, strict: bool = False) -> dict[str, Json]:
    """A tool as OpenAI's protocol writes it. strict: as their strict mode wants to be told."""
    function: dict[str, Json] = {"name": tool.name, "description": tool.description}
    if strict and tool.parameters:
        function["strict"] = True
    function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
    return {"type": "function", "function": function}
