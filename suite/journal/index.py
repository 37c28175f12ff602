"""Records found again: by 64-bit digests and file offsets, so that memory stays at 16 bytes a record."""

import hashlib
from array import array
from binascii import a2b_base64
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from operator import attrgetter
from typing import Generic

from suite.journal.lines import Lines, RecordT

Name = str | tuple[str | int, ...]  # of a record: the hash that names it, or several values


def digest64(*parts: object) -> int:
    """64-bit digest of a key, for indexes; collisions are checked where the record is read."""
    body = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(body, digest_size=8).digest(), "big")


def id64(identity: str) -> int:
    """64 bits of a call's id, however its line spells it."""
    if len(identity) == 64:
        return int(identity[:16], 16)
    return int.from_bytes(a2b_base64(identity[:12])[:8], "big")


def key64(key: Name) -> int:
    """64 bits of a key, quickly, for indexes of this process; collisions are checked as with `digest64`."""
    return hash(key) & 0xFFFFFFFFFFFFFFFF


class OffsetIndex:
    """Digest -> offsets, 16 bytes an entry: filled once, then sorted, then asked."""

    def __init__(self) -> None:
        self._keys = array("Q")
        self._offsets = array("Q")
        self._sorted = True

    def add(self, key: int, offset: int) -> None:
        self._keys.append(key)
        self._offsets.append(offset)
        self._sorted = False

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: int) -> bool:
        return bool(self.find(key))

    def distinct(self) -> int:
        """How many different keys there are."""
        return len(set(self._keys))

    def find(self, key: int) -> list[int]:
        """Offsets of a key, in the order added."""
        if not self._sorted:
            order = sorted(range(len(self._keys)), key=self._keys.__getitem__)
            self._keys = array("Q", map(self._keys.__getitem__, order))
            self._offsets = array("Q", map(self._offsets.__getitem__, order))
            self._sorted = True
        return self._offsets[bisect_left(self._keys, key) : bisect_right(self._keys, key)].tolist()


class Recorded(Generic[RecordT]):
    """Records that stand in a journal, found by a key; 16 bytes a record in memory.

    key: of a record, the hash that names it or several values; None leaves it out.
    """

    def __init__(
        self, lines: Lines[RecordT], key: Callable[[RecordT], Name | None] = attrgetter("id")
    ) -> None:
        self.lines, self._key = lines, key
        self._index = OffsetIndex()
        for offset, _, record in lines.placed():
            if (own := key(record)) is not None:
                self._index.add(key64(own), offset)

    def __len__(self) -> int:
        return len(self._index)

    def every(self, key: Name) -> list[RecordT]:
        """All records of a key, in file order."""
        found = map(self.lines.at, self._index.find(key64(key)) if len(self) else ())
        return [record for record in found if self._key(record) == key]

    def find(self, key: Name) -> RecordT | None:
        """The first record of a key, if there is one."""
        return next(iter(self.every(key)), None)
