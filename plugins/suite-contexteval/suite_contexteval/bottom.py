"""A sample of a stream that depends on the names in it alone: those with the smallest hashes."""

import hashlib
import heapq
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def smallest(items: Iterable[T], count: int, key: Callable[[T], str]) -> list[T]:
    """The `count` items whose names have the smallest SHA-256, in one pass; memory for `count` of them."""
    ranked = ((int.from_bytes(hashlib.sha256(key(one).encode()).digest(), "big"), one) for one in items)
    return [one for _, one in heapq.nsmallest(count, ranked, key=lambda pair: pair[0])]
