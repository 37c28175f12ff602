"""Compact indexes over records: a keyed 64-bit digest, where the record stands, and whether it was used.

The key is drawn anew in each process: who writes a bundle cannot know which two names would collide.
"""

import os
import secrets
from array import array
from bisect import bisect_left
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_SECRET = secrets.token_hex(16)
_MASK = 2**64 - 1


def digest(name: str) -> int:
    """64 bits of a name that nobody outside this process can predict: Python's own hash of text is SipHash,
    and even where somebody fixed its key, nobody knows the hash of a text that begins with a secret.
    """
    return hash(_SECRET + name) & _MASK


class Index:
    """Digest -> line of a file: 32 bytes a record and one for its use. Fill, `freeze`, then ask."""

    def __init__(self, path: Path) -> None:
        self._rows = array("Q")
        self._keys = self._offsets = self._lengths = array("Q")
        self.notes = array("Q")  # what was kept beside each record
        self._used = np.zeros(0, dtype=np.bool_)
        self._file = path.open("rb")

    def add(self, key: int, offset: int, length: int, note: int = 0) -> None:
        """Add a record. note: 64 bits more that are kept beside it."""
        self._rows.extend((key, offset, length, note))

    def freeze(self) -> None:
        """Sort; nothing may be added after."""
        rows = np.array(self._rows, dtype=np.uint64).reshape(-1, 4)
        columns = rows[np.argsort(rows[:, 0], kind="stable")].T
        self._keys, self._offsets, self._lengths, self.notes = (array("Q", one.tobytes()) for one in columns)
        self._rows = array("Q")
        self._used = np.zeros(len(rows), dtype=np.bool_)

    def find(self, key: int) -> int:
        """Position of the first record of that digest, -1 if there is none."""
        at = bisect_left(self._keys, key)
        return at if at < len(self._keys) and self._keys[at] == key else -1

    def mark(self, at: int) -> None:
        """Note that a record, as `find` gave it, is used, and with it all others of its digest."""
        self._used[at] = True

    def twice(self) -> list[int]:
        """Positions of records whose digest stands before them already."""
        return np.flatnonzero(~self._first()).tolist()

    def unused(self) -> list[int]:
        """Positions of records that nothing uses, one for each digest."""
        return np.flatnonzero(self._first() & ~self._used).tolist()

    def _first(self) -> NDArray[np.bool_]:
        """Which records are the first of their digest."""
        keys = np.array(self._keys, dtype=np.uint64)
        return np.concatenate([np.ones(1, dtype=np.bool_), keys[1:] != keys[:-1]])[: len(keys)]

    def line(self, at: int) -> bytes:
        """The line of a record, without its newline."""
        return os.pread(self._file.fileno(), self._lengths[at], self._offsets[at])

    def close(self) -> None:
        self._file.close()
