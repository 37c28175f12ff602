"""Compact indexes over records: a keyed 64-bit digest, where the record stands, and whether it was used.

The key is drawn anew in each process: who writes a bundle cannot know which two names would collide.
"""

import os
import secrets
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import numpy as np

_SECRET = secrets.token_bytes(16)


def digest(*parts: str | int) -> int:
    """64 bits of a name that nobody outside can predict."""
    body = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(body, digest_size=8, key=_SECRET).digest(), "little")


class Index:
    """Digest -> line of a file: 28 bytes a record and one for `used`. Fill, `freeze`, then ask."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._keys = array("Q")
        self._offsets = array("Q")
        self._lengths = array("I")
        self._notes = array("Q")
        self.used = bytearray()
        self._fd = -1

    def add(self, key: int, offset: int, length: int, note: int = 0) -> None:
        """Add a record. note: 64 bits more that are kept beside it."""
        self._keys.append(key)
        self._offsets.append(offset)
        self._lengths.append(length)
        self._notes.append(note)

    def freeze(self) -> None:
        """Sort; nothing may be added after."""
        if self._keys:
            order = np.argsort(np.frombuffer(self._keys, dtype=np.uint64), kind="stable")
            for name in ("_keys", "_offsets", "_lengths", "_notes"):
                old = getattr(self, name)
                new = array(old.typecode)
                new.frombytes(np.frombuffer(old, dtype=old.typecode)[order].tobytes())
                setattr(self, name, new)
        self.used = bytearray(len(self._keys))

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, key: int) -> int:
        """Position of the first record of that digest, -1 if there is none."""
        at = bisect_left(self._keys, key)
        return at if at < len(self._keys) and self._keys[at] == key else -1

    def note(self, at: int) -> int:
        """What was kept beside a record."""
        return self._notes[at]

    def mark(self, at: int) -> None:
        """Note that a record is used, and all others of its digest."""
        key = self._keys[at]
        while at < len(self._keys) and self._keys[at] == key:
            self.used[at] = 1
            at += 1

    def twice(self) -> Iterator[int]:
        """Positions of records whose digest stands before them already."""
        if len(self._keys) > 1:
            keys = np.frombuffer(self._keys, dtype=np.uint64)
            yield from (int(at) + 1 for at in np.flatnonzero(keys[1:] == keys[:-1]))

    def unused(self) -> Iterator[int]:
        """Positions of records that nothing uses."""
        at = self.used.find(0)
        while at >= 0:
            yield at
            at = self.used.find(0, at + 1)

    def line(self, at: int) -> bytes:
        """The line of a record, without its newline."""
        if self._fd < 0:
            self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        return os.pread(self._fd, self._lengths[at], self._offsets[at])

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
