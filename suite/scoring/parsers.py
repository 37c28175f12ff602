"""Strict readers of judges' replies. Each returns a value or raises `Unparsed` with the reason.

Strict means: what does not stand in the form asked for is not guessed at, and two different answers in
one reply are no answer. Hidden reasoning is left out before a reply is read, of old records too.
Not here: asking again (`judges`), the lenient rules of published benchmarks (their plugins).
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from suite.models import reasoning
from suite.scoring.verdicts import TIE, Tie, Unparsed

ModelT = TypeVar("ModelT", bound=BaseModel)

_ASIDE = re.compile(r"<(think|thinking)>(?:(?!<\1>).)*?</\1>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_TRIM = " \t\r\n*_`\"'.()[]:"
_MARKED = re.compile(
    r"\[\[\s*(\w+)\s*\]\]|^[^\w\n]*(?:final )?answer\s*:\W*(\w+)[^\w\n]*$", re.IGNORECASE | re.MULTILINE
)
_NUMBER = r"[-+]?\d+(?:\.\d+)?"


def without_reasoning(text: str) -> str:
    """A reply without the reasoning that leads it, nor <think> blocks further on."""
    return _ASIDE.sub("", reasoning.without_reasoning(text)).strip()


def tag_texts(text: str, name: str) -> list[str]:
    """The stripped texts of all `<name>` elements, any case, attributes allowed, tags inside left out.

    An element that is not closed runs to the next `<name>` or to the end.
    """
    opening = re.compile(rf"<\s*{re.escape(name)}(?:\s[^<>]*)?>", re.IGNORECASE)
    closing = re.compile(rf"<\s*/\s*{re.escape(name)}\s*>", re.IGNORECASE)
    found = []
    for piece in opening.split(text)[1:]:
        inner = closing.split(piece, maxsplit=1)[0]
        found.append(re.sub(r"</?[A-Za-z][^<>]*>", "", inner).strip())
    return found


def _only(found: Sequence[str], what: str) -> str:
    """The one distinct entry of a list. Raises Unparsed for none or several."""
    distinct = list(dict.fromkeys(found))
    if not distinct:
        raise Unparsed(f"it holds no {what}")
    if len(distinct) > 1:
        raise Unparsed(f"it holds {len(distinct)} different {what}s")
    return distinct[0]


def one_of(labels: Sequence[str], tag: str = "") -> Callable[[str], str]:
    """A reader of one label, any case: in its tag, or as the whole reply, or alone on the last line."""
    by_name = {label.casefold(): label for label in labels}
    shown = ", ".join(labels)

    def read(text: str) -> str:
        if tag:
            candidates = [_only(tag_texts(text, tag), f"<{tag}> element")]
        else:
            candidates = [text, *_last_line(text)]
        for candidate in candidates:
            label = by_name.get(candidate.strip(_TRIM).casefold())
            if label is not None:
                return label
        raise Unparsed(f"the answer is none of: {shown}")

    return read


def yes_no(tag: str = "answer") -> Callable[[str], bool]:
    """A reader of yes or no in a tag ("" for the whole reply or its last line)."""
    read = one_of(("yes", "no"), tag)
    return lambda text: read(text) == "yes"


def choice(letters: str | Sequence[str], tag: str = "") -> Callable[[str], str]:
    """A reader of one option's letter: in a tag; or bare, as "[[B]]", or on a line "Answer: B"."""
    read = one_of([*letters], tag)

    def read_choice(text: str) -> str:
        if tag:
            return read(text)
        try:
            return read(text)
        except Unparsed:
            return read(_only([one or two for one, two in _MARKED.findall(text)], "marked choice"))

    return read_choice


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


def number_on_last_line(
    low: float | None = None, high: float | None = None, *, whole: bool = False
) -> Callable[[str], float]:
    """A reader of a number that stands alone on the last line; "x/HIGH" counts as x.

    low, high: allowed range, ends included. whole: only whole numbers.
    """

    def read(text: str) -> float:
        line = "".join(_last_line(text)).strip(_TRIM)
        match = re.fullmatch(rf"({_NUMBER})(?:\s*/\s*({_NUMBER}))?", line)
        if match is None or (match[2] is not None and (high is None or float(match[2]) != high)):
            raise Unparsed("the last line is not a number alone")
        value = float(match[1])
        if whole and not value.is_integer():
            raise Unparsed(f"{match[1]} is not a whole number")
        if (low is not None and value < low) or (high is not None and value > high):
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


def _last_line(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1:]
