"""JSON of peers: read strictly where it is sound, leniently where a byte or a number is not.

Lenient means: a byte order mark, broken UTF-8, half surrogate pairs, NaN and numbers beyond a double are
read, not refused. Nesting that no parser follows is a ValueError like any other. Time and memory are linear.
"""

import json
import math
from typing import Any, TypeVar

import msgspec

from suite.chat import Json
from suite.errors import CallFailed
from suite.secrets import Scrubber

T = TypeVar("T")
PeerObject = dict[str, Any]  # any field may hold anything: each is read by what it turns out to be
_MOST_DIGITS = 400  # a longer integer is infinity: Python refuses 4,301 digits, doubles end at 309


def read(body: bytes) -> tuple[Json, bool]:
    """(a JSON value, whether it stands there strictly). Raises ValueError."""
    try:
        return msgspec.json.decode(body), True
    except (ValueError, RecursionError):
        return lenient(body), False


def lenient(body: bytes) -> Json:
    """A JSON value of which single characters and numbers may be broken. Raises ValueError."""
    try:
        value: Json = json.loads(
            body.decode("utf-8-sig", "replace"),
            parse_int=lambda digits: int(digits) if len(digits) <= _MOST_DIGITS else math.inf,
        )
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    return value


def decode(body: bytes, kind: type[T]) -> T:
    """A JSON value of a type. Raises ValueError: msgspec.ValidationError for another type."""
    try:
        return msgspec.json.decode(body, type=kind)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return msgspec.convert(lenient(body), kind)


def decoded(body: bytes, kind: type[T], scrub: Scrubber) -> T:
    """The same of an endpoint's reply. Raises CallFailed: bad-json, bad-shape."""
    try:
        return decode(body, kind)
    except msgspec.ValidationError as error:
        raise CallFailed("bad-shape", scrub(str(error)), retryable=True) from error
    except ValueError as error:
        raise bad_json(body, error, scrub) from error


def bad_json(body: bytes, error: ValueError, scrub: Scrubber) -> CallFailed:
    """The failure of a call whose body is no JSON, with its beginning. Scrubbed first, then cut."""
    start = scrub(" ".join(body[:2000].decode("utf-8", "replace").split()))[:120]
    return CallFailed("bad-json", f"{scrub(str(error))[:200]}: {start!r}", retryable=True)


def whole_text(text: str) -> str:
    """The text with every half of a surrogate pair replaced by U+FFFD, so that it can be written."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
