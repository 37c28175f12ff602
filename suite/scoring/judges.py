"""Asking a judge for a typed verdict.

A reply that cannot be read is shown to the judge with the reason, and asked for again: since the bad
reply is part of the new request, that is a new call, and resume and replay need nothing special. Where
the engine can follow a JSON Schema, it is held to it. Not here: pairs and panels (`pair_verdicts`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypedDict, TypeVar, Unpack, overload

from pydantic import BaseModel

from suite.chat import NO_ANSWER, Json, Message, Reply, assistant, user
from suite.errors import ConfigError
from suite.prompts import Template
from suite.roles import Model
from suite.scoring.verdicts import State, Tie, Unparsed, Verdict, json_object, without_reasoning
from suite.scoring.wording import PROMPTS

T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=BaseModel)

_LOST = ("overflow", "invalid", "limit")  # endings after which asking again cannot help


class JudgeOptions(TypedDict, total=False):
    """How to ask, as `judge` takes it."""

    retries: int
    max_tokens: int | None
    temperature: float | None
    correction: Template | str
    retry_cut: bool
    retry_schema: Json
    key: str


@overload
async def judge(
    model: Model,
    messages: Sequence[Message] | str,
    *,
    schema: type[ModelT],
    parse: None = None,
    **how: Unpack[JudgeOptions],
) -> Verdict[ModelT]: ...
@overload
async def judge(
    model: Model,
    messages: Sequence[Message] | str,
    *,
    parse: Callable[[str], T | Tie],
    schema: type[BaseModel] | Json = None,
    **how: Unpack[JudgeOptions],
) -> Verdict[T]: ...
async def judge(
    model: Model,
    messages: Sequence[Message] | str,
    *,
    parse: Callable[[str], object] | None = None,
    schema: type[BaseModel] | Json = None,
    retries: int = 2,
    max_tokens: int | None = None,
    temperature: float | None = 0.0,
    correction: Template | str = "",
    retry_cut: bool = False,
    retry_schema: Json = None,
    key: str = "",
) -> Verdict[object]:
    """Ask until a reply can be read, at most 1 + `retries` times.

    parse: reads a reply (reasoning blocks removed); raises `Unparsed` (or ValueError) with the reason,
    returns `TIE` for no difference. Left out, `schema` must be a pydantic model and reads the reply.
    schema: pydantic model or JSON Schema that the engine is held to, if it can be.
    correction: what to say after a bad reply; a Template gets {problem}; "" takes the suite's wording.
    A reply that was cut at max_tokens is never read: what it seems to say may be about to be taken back.
    retry_cut: ask again after one, too. retry_schema: JSON Schema that replies after the first are held to.
    Raises CallFailed if the judge could not be reached: the score stays pending.
    """
    guide: Json
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        parse, guide = parse or json_object(schema), schema.model_json_schema()
    else:
        guide = schema
    if parse is None:
        raise ConfigError("a judge needs `parse`, or a pydantic model as `schema`, to read its replies")
    guided = "json_schema" in model.capabilities
    guide = guide if guided else None
    conversation = [user(messages)] if isinstance(messages, str) else list(messages)
    first = ""
    for attempt in range(1, retries + 2):
        reply = await model.chat(
            conversation, temperature=temperature, max_tokens=max_tokens, json_schema=guide, key=key
        )
        first = first if attempt > 1 else reply.text
        verdict = read_verdict(reply, parse, model.member)
        again = verdict.state == "unparsed" or (retry_cut and verdict.state == "truncated")
        if not again or reply.finish in _LOST or attempt == retries + 1:
            break
        turn = assistant(reply.text.strip() or NO_ANSWER)
        conversation += [turn, user(_correct(correction, verdict.reason))]
        guide = retry_schema if retry_schema is not None and guided else guide
    return replace(verdict, attempts=attempt, first_text=first)


def read_verdict(reply: Reply, parse: Callable[[str], T | Tie], judge: str = "") -> Verdict[T]:
    """One reply as a verdict: the one reader of all judges and simulated users.

    parse: as for `judge`. A reply that was refused, cut or lost is not read.
    """

    def none(state: State, reason: str) -> Verdict[T]:
        return Verdict(state, None, reply.text, reason, 1, judge, reply.text)

    if reply.finish == "refused":
        return none("refused", "refused")
    if reply.finish in _LOST:
        return none("unparsed", reply.finish)
    if reply.finish == "length":
        return none("truncated", "cut off before it ended")
    text = without_reasoning(reply.text)
    try:
        if not text:
            raise Unparsed("it is empty")
        value = parse(text)
    except ValueError as error:
        return none("unparsed", str(error))
    if isinstance(value, Tie):
        return none("tie", "")
    return Verdict("valid", value, reply.text, "", 1, judge, reply.text)


def _correct(correction: Template | str, problem: str) -> str:
    if isinstance(correction, str):
        return correction or PROMPTS.correction(problem=problem)
    return correction(problem=problem) if "problem" in correction.fields else correction()


__all__ = ["Verdict", "judge", "read_verdict"]
