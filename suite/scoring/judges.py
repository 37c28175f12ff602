"""Asking a judge for a typed verdict, and how it failed to give one: the states of a verdict, kept apart.

A verdict that is not there is never a number: `value_or_unscored` turns it into an `Unscored` value
that is shown and counted. A judge that could not be reached yields no verdict at all: its call raises
and the score stays pending.

The readers of replies are strict: each returns a value or raises `Unparsed` with the reason. What does not
stand in the form asked for is not guessed at, and two different answers in one reply are no answer. Hidden
reasoning is left out before a reply is read, of old records too. A reply that cannot be read is shown to the
judge with the reason, and asked for again: since the bad reply is part of the new request, that is a new
call, and resume and replay need nothing special. Where the engine can follow a JSON Schema, it is held to it.
Not here: pairs and panels (`pair_verdicts`), the lenient rules of published benchmarks (their plugins).
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, Literal, TypedDict, TypeVar, Unpack, overload

from pydantic import BaseModel, ValidationError

from suite.chat import NO_ANSWER, Json, Message, Reply, assistant, user
from suite.errors import ConfigError
from suite.models import reasoning
from suite.prompts import Template
from suite.roles import Model
from suite.scoring.wording import PROMPTS
from suite.task import Unscored

T_co = TypeVar("T_co", covariant=True)
D = TypeVar("D")
T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=BaseModel)

_ASIDE = re.compile(r"<(think|thinking)>(?:(?!<\1>).)*?</\1>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_TRIM = " \t\r\n*_`\"'.()[]:"
_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_ALONE = re.compile(rf"({_NUMBER})(?:\s*/\s*({_NUMBER}))?")
_GRADE = re.compile(r"""\{\s*"grade"\s*:\s*(-?\d{1,6})\s*\}""")

State = Literal["valid", "tie", "unparsed", "refused", "truncated"]


class Tie:
    """What a parser returns when the judge saw no difference."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "TIE"


TIE: Final = Tie()


class Unparsed(ValueError):
    """Raised by a parser: the reply is not in the form asked for. The message says why."""


@dataclass(frozen=True, slots=True)
class Verdict(Generic[T_co]):
    """One judge's verdict.

    state: valid; tie (the judge saw no difference); unparsed (no reply could be read, after retries);
    refused (by the judge or a content filter); truncated (cut off before its verdict).
    value: what was read, None unless valid. text: the last reply, raw. first_text: the first one.
    reason: why there is no value ("" if there is one). attempts: replies that were needed or tried.
    judge: member of the role ("judge/2").
    """

    state: State
    value: T_co | None
    text: str = ""
    reason: str = ""
    attempts: int = 1
    judge: str = ""
    first_text: str = ""

    @property
    def valid(self) -> bool:
        """Whether the judge decided (a tie is a decision)."""
        return self.state in ("valid", "tie")

    @overload
    def value_or_unscored(self) -> T_co | Unscored: ...
    @overload
    def value_or_unscored(self, tie: D) -> T_co | D | Unscored: ...
    def value_or_unscored(self, tie: object = None) -> object:
        """The value; `tie` for a tie (without one a tie is unscored); else Unscored with state and reason."""
        if self.state == "valid":
            return self.value
        if self.state == "tie" and tie is not None:
            return tie
        return Unscored(self.state, self.reason)

    def counts(self) -> dict[str, float | bool]:
        """Values for a part of a score: attempts, and whether it was unparsed, refused or truncated."""
        return {
            "judge_attempts": self.attempts,
            "judge_unparsed": self.state == "unparsed",
            "judge_refused": self.state == "refused",
            "judge_truncated": self.state == "truncated",
        }


def without_reasoning(text: str) -> str:
    """A reply without the reasoning that leads it, nor <think> blocks further on."""
    return _ASIDE.sub("", reasoning.without_reasoning(text)).strip()


def json_object(model: type[ModelT]) -> Callable[[str], ModelT]:
    """A reader of one JSON object that a pydantic model validates: the reply, a fenced one, the first {…}."""

    def read(text: str) -> ModelT:
        try:
            return model.model_validate(_find_object(text))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "the object"
            raise Unparsed(f"{place}: {first['msg']}") from error

    return read


def _find_object(text: str) -> object:
    fenced = [one.strip() for one in _FENCE.findall(text)]
    start = text.find("{")
    for candidate in (text.strip(), *fenced[:1], text[start:] if start >= 0 else ""):
        try:
            found, _ = _DECODER.raw_decode(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    raise Unparsed("it holds no JSON object")


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def grade(low: int, high: int) -> Callable[[str], float]:
    """A reader of a whole number in a range, ends included, that stands alone on the last line; "x/HIGH"
    counts as x, and so does the object {"grade": x}.
    """

    def read(text: str) -> float:
        found = _GRADE.fullmatch(text.strip())
        lines = [line for line in text.splitlines() if line.strip()] or [""]
        match = _ALONE.fullmatch((found[1] if found else lines[-1]).strip(_TRIM))
        if match is None or (match[2] is not None and float(match[2]) != high):
            raise Unparsed("the last line is not a number alone")
        value = float(match[1])
        if not value.is_integer():
            raise Unparsed(f"{match[1]} is not a whole number")
        if not low <= value <= high:
            raise Unparsed(f"{match[1]} is outside {low} to {high}")
        return value

    return read


def numbered(count: int, *, ties: bool = False) -> Callable[[str], int | Tie]:
    """A reader of "Choose K" (the last one counts) or a bare K, 1 <= K <= count; "Tie" if allowed.

    A number that was not on offer is no verdict.
    """

    def read(text: str) -> int | Tie:
        bare = text.strip(_TRIM)
        found = re.findall(r"choose\s*\W{0,3}(\d+)\b", text, re.IGNORECASE)
        if not found and bare.isascii() and bare.isdigit():
            found = [bare]
        if not found:
            if ties and bare.casefold() in ("tie", "choose tie"):
                return TIE
            raise Unparsed("it does not say which one to choose")
        number = int(found[-1][:9])
        if not 1 <= number <= count:
            raise Unparsed(f"there is no number {number}")
        return number

    return read


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
