"""What is asked, in the words of the Messages API: system, turns of blocks, tools, thinking, cache."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

import msgspec

import suite
from suite_anthropic.thoughts import Block

Body = dict[str, suite.Json]
LEAST_BUDGET = 1024
BUDGETS = {"low": LEAST_BUDGET, "medium": 8192, "on": 8192, "high": 24576}
WRAPPED = "answer"  # holds an answer whose schema is no object's
_MARK: suite.Json = {"type": "ephemeral"}


class Traits(msgspec.Struct, frozen=True):
    """What a model takes, see `models.toml`."""

    name: str
    prefill: bool
    thinking: tuple[str, ...]


@cache
def traits_of(model: str) -> Traits:
    """Of a model by its name, also behind a gateway's prefix."""
    table = tomllib.loads((files(__package__) / "models.toml").read_text("utf-8"))
    name = model.rpartition("/")[2]
    return next(one for one in msgspec.convert(table["models"], list[Traits]) if re.fullmatch(one.name, name))


def why_not(traits: Traits, thinking: str | int) -> str:
    """Why a model cannot be told to think so, "" if it can."""
    if isinstance(thinking, int) and "budget" not in traits.thinking:
        return "it takes no number of tokens to think: say low, medium or high"
    if isinstance(thinking, int) and thinking < LEAST_BUDGET:
        return f"it takes {LEAST_BUDGET} tokens of thinking or more"
    return ""


def thinking_of(traits: Traits, thinking: str | int) -> tuple[Body, str]:
    """(the field `thinking`, the effort or "") for how much to think; adaptive comes as a summary."""
    if thinking == "off":
        return {"type": "disabled"}, ""
    if isinstance(thinking, int) or "adaptive" not in traits.thinking:
        tokens = thinking if isinstance(thinking, int) else BUDGETS[thinking]
        return {"type": "enabled", "budget_tokens": tokens}, ""
    return {"type": "adaptive", "display": "summarized"}, "" if thinking == "on" else str(thinking)


def body_of(
    request: suite.Request,
    traits: Traits,
    thoughts: Mapping[str, Sequence[Block]],
    schema: Body | None,
    *,
    marks: bool,
) -> tuple[Body, Body]:
    """(arguments of `messages.create` but model and max_tokens, fields that are none since anthropic 1.0).

    thoughts: id of a reply's first tool call -> the blocks of thinking that led to it, which go back before
    it. schema: of the answer, as the API takes it. marks: whether the shared part is marked for the cache.
    """
    options = request.options
    system, turns = split(request.messages, thoughts)
    nothing: suite.Json = {"type": "object", "properties": {}}
    tools: list[Block] = [
        {"name": one.name, "description": one.description, "input_schema": one.parameters or nothing}
        for one in request.tools
    ]
    if options.continue_final and turns and turns[-1][1]:  # the API takes no space at its end
        turns[-1][1][-1]["text"] = str(turns[-1][1][-1].get("text", "")).rstrip()
    if marks:
        mark_shared(system, turns, tools)
    body: Body = {"messages": [{"role": role, "content": blocks} for role, blocks in turns]}
    body |= {"system": system} if system else {}
    body |= {"tools": tools} if tools else {}
    body |= {"stop_sequences": options.stop} if options.stop else {}
    if options.tool_choice is not None and tools:
        kinds = {"auto": "auto", "required": "any", "none": "none"}
        kind = kinds.get(options.tool_choice, "tool")
        body["tool_choice"] = {"type": kind, **({"name": options.tool_choice} if kind == "tool" else {})}
    config: Body = {} if schema is None else {"format": {"type": "json_schema", "schema": schema}}
    if options.thinking is not None:
        body["thinking"], effort = thinking_of(traits, options.thinking)
        config |= {"effort": effort} if effort else {}
    body |= {"output_config": config} if config else {}
    sampling = {"temperature": options.temperature, "top_p": options.top_p}
    return body, {name: value for name, value in sampling.items() if value is not None}


def split(
    messages: Sequence[suite.Message], thoughts: Mapping[str, Sequence[Block]]
) -> tuple[list[Block], list[tuple[str, list[Block]]]]:
    """(blocks of the system prompt, turns): neighbours of one side are one turn, results of tools the user's.

    A system message after the first turn stays where it is, in the user's words.
    """
    system: list[Block] = []
    turns: list[tuple[str, list[Block]]] = []
    for message in messages:
        if message.role == "system" and not turns:
            system += [{"type": "text", "text": message.content}] if message.content else []
            continue
        role = "assistant" if message.role == "assistant" else "user"
        if not turns or turns[-1][0] != role:
            turns.append((role, []))
        turns[-1][1].extend(_blocks(message, thoughts))
    return system, turns


def _blocks(message: suite.Message, thoughts: Mapping[str, Sequence[Block]]) -> list[Block]:
    if message.role == "tool":
        return [{"type": "tool_result", "tool_use_id": message.tool_call_id, "content": message.content}]
    found = [*thoughts.get(message.tool_calls[0].id, ())] if message.tool_calls else []
    found += [{"type": "text", "text": message.content}] if message.content else []
    return found + [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": _object(call.arguments)}
        for call in message.tool_calls
    ]


def _object(arguments: str) -> suite.Json:
    """Arguments of a tool, which the API takes as an object alone; what is none is put into one."""
    try:
        return msgspec.json.decode(arguments, type=dict[str, suite.Json])
    except msgspec.DecodeError:
        return {"arguments": arguments}


def mark_shared(system: list[Block], turns: list[tuple[str, list[Block]]], tools: list[Block]) -> None:
    """Mark where the parts end that other calls of a run begin with.

    All calls of a task share its tools and system prompt. Those of a group, which are asked one after the
    other, share what was said before the last question, and longer ones go on from there.
    """
    last = max((n for n, (role, _) in enumerate(turns) if role == "user"), default=0)
    for blocks in (system or tools, turns[last - 1][1] if last else []):
        if blocks:
            blocks[-1]["cache_control"] = _MARK


def schema_of(schema: suite.Json) -> tuple[Body | None, bool]:
    """(a JSON Schema as the API takes it, whether the answer is put into an object of ours: it wants one)."""
    if not isinstance(schema, dict) or _open(schema):
        return None, False
    from anthropic import transform_schema

    wrapped = schema.get("type") != "object"
    whole = {"type": "object", "properties": {WRAPPED: schema}, "required": [WRAPPED]} if wrapped else schema
    return transform_schema(whole), wrapped


def _open(schema: suite.Json) -> bool:
    """Whether an object of any keys is in a schema: the API knows none, so the reply is read as it comes."""
    if isinstance(schema, dict):
        any_keys = schema.get("type") == "object" and not schema.get("properties")
        return any_keys or any(map(_open, schema.values()))
    return isinstance(schema, list) and any(map(_open, schema))
