"""In which order work is opened and asked: by group over all cells, by shared history within a group.

The order is deterministic per plan. The runner never rearranges a prompt. Source of the measurements behind
this: docs/prefix-order.md.
"""

import hashlib
import heapq
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import msgspec

from suite.chat import Request
from suite.errors import PluginError
from suite.task import Sample


class CellSample(NamedTuple):
    """One sample of a cell, which is named by its place in the plan."""

    cell: int
    sample: Sample[object]


class Group(NamedTuple):
    """All samples of one group, over all cells, in cell order."""

    name: str
    items: tuple[CellSample, ...]


def _groups_of(cell: int, samples: Iterable[Sample[object]]) -> Iterator[tuple[str, list[CellSample]]]:
    for name, some in groupby(samples, attrgetter("group")):
        yield name, [CellSample(cell, one) for one in some]


def groups(cells: Sequence[Iterable[Sample[object]]]) -> Iterator[Group]:
    """Groups over all cells: the first unfinished cell's next group, drained from every cell at its head.

    Lazy: holds one group a cell.
    """
    rest = [_groups_of(cell, samples) for cell, samples in enumerate(cells)]
    heads = [next(one, None) for one in rest]
    for first, more in enumerate(rest):
        while (head := heads[first]) is not None:
            name, items = head
            heads[first] = next(more, None)
            for cell in range(first + 1, len(heads)):  # those before have no more
                if (other := heads[cell]) is not None and other[0] == name:
                    items += other[1]
                    heads[cell] = next(rest[cell], None)
            yield Group(name, tuple(items))


def contiguous(samples: Iterable[Sample[object]], task: str) -> Iterator[Sample[object]]:
    """The samples, unless a group comes back right after its neighbour.

    Checks within a window of one group, so memory stays flat; the conformance test checks the whole, and
    planning that no id comes twice (`twice`). Raises PluginError naming task and group.
    """
    group, before = None, None
    for sample in samples:
        if sample.group != group:
            if sample.group == before:
                raise PluginError(f"{task}: group {sample.group!r} is not contiguous")
            before, group = group, sample.group
        yield sample


def limited(names: Iterable[str], limit: int, seed: int) -> frozenset[str]:
    """The `limit` groups with the smallest sha256(seed, group): no biased slice, one streaming pass."""
    heap: list[tuple[int, str]] = []
    kept: set[str] = set()
    for name in names:
        if name in kept:
            continue
        rank = -int.from_bytes(hashlib.sha256(f"{seed}\x1f{name}".encode()).digest(), "big")
        if len(heap) < limit:
            heapq.heappush(heap, (rank, name))
            kept.add(name)
        elif rank > heap[0][0]:
            _, dropped = heapq.heapreplace(heap, (rank, name))
            kept.discard(dropped)
            kept.add(name)
    return frozenset(kept)


def shard_of(group: str, shards: int) -> int:
    """Which of `shards` a group belongs to: by hash, so groups stay whole wherever they run."""
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big") % shards


class Trie:
    """First-seen positions of message prefixes within one group: the path that orders its requests.

    Depth first over message digests, children and roots in first-seen order (never alphabetical: a
    partial run must stay an unbiased sample).
    """

    def __init__(self) -> None:
        self._first: dict[Hashable, int] = {}
        self._next = 0

    def path(self, request: Request) -> tuple[int, ...]:
        """Path of a request: for each prefix of what is rendered, the index of its first request."""
        index = self._next
        self._next += 1
        tools = msgspec.json.encode(request.tools)  # a schema is a dict, which has no hash
        steps: list[Hashable] = [tools, *request.messages, request.prompt, *request.texts]
        path = []
        prefix: Hashable = None
        for step in steps:
            prefix = hash((prefix, step))
            path.append(self._first.setdefault(prefix, index))
        path.append(index)
        return tuple(path)
