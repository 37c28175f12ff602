"""JSON that every reader understands alike: refuses what some readers accept in silence.

Duplicate keys, NaN and infinities, numbers too big for a double or an exact integer, halves of
characters, byte order marks, invalid UTF-8, nesting beyond a depth. Errors are `NotStrict`, whose text
never quotes the document.
"""

import json
import math

from suite.chat import Json
from suite.data.strict_syntax import has_half_characters

BIGGEST = 2**53  # beyond it, readers that use doubles see another integer


class NotStrict(ValueError):
    """Why a text is refused."""


def read(data: bytes, depth: int = 64) -> Json:
    """The value of a JSON text. Raises NotStrict."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotStrict(f"is not UTF-8 at byte {error.start}") from error
    if text.startswith("\ufeff"):
        raise NotStrict("begins with a byte order mark")
    try:
        value: Json = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotStrict(f"is not JSON: {error.msg} (character {error.pos})") from error
    except RecursionError as error:
        raise NotStrict(f"is nested deeper than {depth}") from error
    if deeper_than(value, depth):
        raise NotStrict(f"is nested deeper than {depth}")
    if has_half_characters(text, value):
        raise NotStrict("holds half of a character (a lone surrogate)")
    return value


def deeper_than(value: Json, depth: int) -> bool:
    """Whether objects and arrays are nested deeper than that."""
    level = [value]
    for _ in range(depth):
        inner: list[Json] = []
        for one in level:
            if isinstance(one, dict):
                inner.extend(v for v in one.values() if isinstance(v, dict | list))
            elif isinstance(one, list):
                inner.extend(v for v in one if isinstance(v, dict | list))
        if not inner:
            return False
        level = inner
    return True


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotStrict("gives a key twice in one object")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotStrict("holds a number too big for a double")
    return number


def _integer(text: str) -> int:
    if len(text) > 17 or not -BIGGEST <= int(text) <= BIGGEST:
        raise NotStrict("holds an integer beyond 2^53")
    return int(text)


def _refuse(name: str) -> Json:
    raise NotStrict(f"holds {name}, which is no JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once, parse_float=_finite, parse_int=_integer, parse_constant=_refuse
)
