"""Strict readers of judges' replies. Each returns a value or raises `Unparsed` with the reason.

Strict means: what does not stand in the form asked for is not guessed at, and two different answers in
one reply are no answer. Hidden reasoning is left out before a reply is read, of old records too.
Not here: asking again (`judges`), the lenient rules of published benchmarks (their plugins).
"""

import json
import re
from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from suite.models import reasoning
from suite.scoring.verdicts import TIE, Tie, Unparsed

ModelT = TypeVar("ModelT", bound=BaseModel)

_ASIDE = re.compile(r"<(think|thinking)>(?:(?!<\1>).)*?</\1>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_TRIM = " \t\r\n*_`\"'.()[]:"
_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_ALONE = re.compile(rf"({_NUMBER})(?:\s*/\s*({_NUMBER}))?")
_GRADE = re.compile(r"""\{\s*"grade"\s*:\s*(-?\d{1,6})\s*\}""")


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
