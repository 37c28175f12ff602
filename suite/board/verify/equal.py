"""When two numbers are the same: floats within one part in a billion, everything else exactly."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from suite.task import Unscored

TOLERANCE = 1e-9


def same(one: Any, other: Any) -> bool:
    """Whether two plain values are equal. NaN equals nothing, None only None, a bool no number."""
    if isinstance(one, float | int) and isinstance(other, float | int):
        if isinstance(one, bool) or isinstance(other, bool):
            return one is other
        if math.isinf(one) or math.isinf(other):  # any tolerance of the infinite is infinite
            return one == other
        return bool(abs(one - other) <= TOLERANCE + TOLERANCE * max(abs(one), abs(other)))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def differing_values(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """(name, mine, theirs) of values that are not the same. Unscored: the reason counts, details do not."""
    for name in sorted({*mine, *theirs}):
        here, there = mine.get(name, _MISSING), theirs.get(name, _MISSING)
        if isinstance(here, Unscored) and isinstance(there, Unscored) and here.reason == there.reason:
            continue
        if not same(here, there):
            yield name, here, there


class _Missing:
    def __repr__(self) -> str:
        return "no such value"


_MISSING = _Missing()


def differences(mine: Any, theirs: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, mine, theirs) wherever two trees of plain values are not the same."""
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        for key in [*mine, *(key for key in theirs if key not in mine)]:
            place = f"{path}.{key}" if path else str(key)
            yield from differences(mine.get(key, _MISSING), theirs.get(key, _MISSING), place)
    elif isinstance(mine, list | tuple) and isinstance(theirs, list | tuple) and len(mine) == len(theirs):
        for index, (one, other) in enumerate(zip(mine, theirs, strict=True)):
            yield from differences(one, other, f"{path}[{_name(index, one)}]")
    elif not same(mine, theirs):
        yield path, mine, theirs


def _name(index: int, one: Any) -> str:
    """How a list's entry is called: metrics and cells by their names."""
    if isinstance(one, Mapping):
        name = one.get("name") or one.get("cell")
        if isinstance(name, str):
            tags = ",".join(f"{tag}={value}" for tag, value in (one.get("slice") or {}).items())
            return f"{name} {tags}".strip()
    return str(index)
