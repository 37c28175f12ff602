"""What a judge said, and how it failed to say it: the states of a verdict, kept apart.

A verdict that is not there is never a number: `value_or_unscored` turns it into an `Unscored` value
that is shown and counted. A judge that could not be reached yields no verdict at all: its call raises
and the score stays pending.

The readers of replies are strict: each returns a value or raises `Unparsed` with the reason. What does not
stand in the form asked for is not guessed at, and two different answers in one reply are no answer. Hidden
reasoning is left out before a reply is read, of old records too. Not here: asking (`judges`), the lenient
rules of published benchmarks (their plugins).
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar, overload

from pydantic import BaseModel, ValidationError

from suite.models import reasoning
from suite.task import Unscored

T_co = TypeVar("T_co", covariant=True)
D = TypeVar("D")
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
