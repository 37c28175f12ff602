"""When two numbers are the same: floats within one part in a billion, everything else exactly."""

import math
from collections.abc import Iterator, Mapping

from suite import trees
from suite.task import Unscored
from suite.trees import MISSING

TOLERANCE = 1e-9


def same(one: object, other: object) -> bool:
    """Whether two plain values are equal. NaN equals nothing, None only None, a bool no number."""
    if isinstance(one, float | int) and isinstance(other, float | int):
        if isinstance(one, bool) or isinstance(other, bool):
            return one is other
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def differing_values(
    mine: Mapping[str, object], theirs: Mapping[str, object]
) -> Iterator[tuple[str, object, object]]:
    """(name, mine, theirs) of values that are not the same. Unscored: the reason counts, details do not."""
    for name in sorted({*mine, *theirs}):
        here, there = mine.get(name, MISSING), theirs.get(name, MISSING)
        if isinstance(here, Unscored) and isinstance(there, Unscored) and here.reason == there.reason:
            continue
        if not same(here, there):
            yield name, here, there


def differences(mine: object, theirs: object, path: str = "") -> Iterator[tuple[str, object, object]]:
    """(path, mine, theirs) wherever two trees of plain values are not the same, list by list."""
    return trees.differences(mine, theirs, path, same=same, entry=_name)


def _name(index: int, one: object) -> str:
    """How a list's entry is called: metrics and cells by their names."""
    if isinstance(one, Mapping):
        name = one.get("name") or one.get("cell")
        if isinstance(name, str):
            tags = ",".join(f"{tag}={value}" for tag, value in (one.get("slice") or {}).items())
            return f"{name} {tags}".strip()
    return str(index)
