"""replies.parquet: the long replies of an entry as digests, so that another entry's can be held against them.

A row is one long reply of the candidate: a digest of what it answers (task family and group), one of its
words, and a sketch of eight minima over its runs of five words. Sketches that are equal but for one minimum
mean nearly the same text. Layout, case and punctuation count for nothing. At most 20,000 replies are kept, of
the groups with the smallest digests: of two entries, these are the same groups. 32 bytes a reply, no text.
Source of the sketch: Broder 1997, On the resemblance and containment of documents (min-wise hashing).
"""

import io
import re
import zlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from suite.errors import DataError
from suite.journal.index import digest64

FORMAT = "suite-replies/1"
COLUMNS = ("group", "text", "near_a", "near_b")
TEXT, NEAR = 1, (2, 3)  # places of columns
LONG_WORDS = 12  # a reply below this says little by being equal to another
MOST = 20_000
LARGEST = 64 * 1024**2  # bytes of one file
_GRAM = 5
_TOP = 2**64
_MOST_TEXT = 100_000  # characters of a reply that are looked at: one of 16 MiB would take 700 MiB
_WORD = re.compile(r"\w+")
_KEYS = np.array([0x9E3779B97F4A7C15 * (2 * n + 1) % _TOP for n in range(8)], dtype=np.uint64)

Digests = NDArray[np.uint64]


@dataclass(frozen=True)
class ReplyDigests:
    """rows: shape (n, 4), each once, sorted. below: all long replies to groups under it are here."""

    rows: Digests
    below: int = _TOP

    def __len__(self) -> int:
        return len(self.rows)

    def under(self, below: int) -> "ReplyDigests":
        """Those to groups below a digest."""
        return self if below >= self.below else ReplyDigests(self.rows[self.rows[:, 0] < below], below)

    def key(self, column: int) -> Digests:
        """Digests of the group together with a column."""
        return self.rows[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ self.rows[:, column]

    @cached_property
    def own(self) -> NDArray[np.bool_]:
        """Which replies are made for their group: not said, nor nearly, to another group, too."""
        return self._once(TEXT) & self._once(NEAR[0]) & self._once(NEAR[1])

    def _once(self, column: int) -> NDArray[np.bool_]:
        pairs = np.unique(self.rows[:, [column, 0]], axis=0)
        values, counts = np.unique(pairs[:, 0], return_counts=True)
        found: NDArray[np.bool_] = np.isin(self.rows[:, column], values[counts == 1])
        return found

    def file(self, bundle_id: str) -> bytes:
        columns = {name: np.ascontiguousarray(self.rows[:, at]) for at, name in enumerate(COLUMNS)}
        return parquet(columns, {"format": FORMAT, "bundle_id": bundle_id, "below": str(self.below)})


def parquet(columns: Mapping[str, object], told: Mapping[str, str]) -> bytes:
    """The content of a Parquet file. columns: arrays by name. told: what its schema says beside them."""
    sink = io.BytesIO()
    pq.write_table(pa.table(columns).replace_schema_metadata(told), sink, compression="zstd")
    return sink.getvalue()


@dataclass(frozen=True)
class Overlap:
    """Of how many long replies of one entry the other has the same, and nearly the same (these included)."""

    replies: int
    same: int
    near: int


def overlap(mine: ReplyDigests, theirs: ReplyDigests) -> Overlap:
    """How many of my replies that are made for their group theirs have for the same group."""
    below = min(mine.below, theirs.below)
    mine, theirs = mine.under(below), theirs.under(below)
    own = mine.own
    same = np.isin(mine.key(TEXT), theirs.key(TEXT)) & own
    near = same.copy()
    for column, other in (NEAR, NEAR[::-1]):
        # with at most one of eight minima unlike, one half of the sketch is wholly equal
        keys = theirs.key(column)
        order = np.argsort(keys, kind="stable")
        keys, rest = keys[order], theirs.rows[order, other]
        asked = mine.key(column)
        first, last = np.searchsorted(keys, asked, "left"), np.searchsorted(keys, asked, "right")
        for row in np.flatnonzero(own & ~near & (last > first)).tolist():
            found = rest[first[row] : last[row]]
            unlike = (found ^ mine.rows[row, other]).view(np.uint16).reshape(-1, 4) != 0  # of four minima
            near[row] = bool((unlike.sum(axis=1) <= 1).any())
    return Overlap(int(own.sum()), int(same.sum()), int(near.sum()))


class ReplyCollector:
    """Takes replies one by one; keeps the rows of groups with small digests once there are too many."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._below = _TOP
        self._flat = array("Q")  # row after row

    @property
    def _rows(self) -> Digests:
        return np.frombuffer(self._flat, dtype=np.uint64).reshape(-1, len(COLUMNS))

    def add(self, family: str, group: str, text: str) -> None:
        """A reply of the candidate; a short one is left out."""
        key = digest64(family, group)
        if key >= self._below:
            return
        words = words_of(text[:_MOST_TEXT])
        if len(words) >= LONG_WORDS:
            self._flat.extend((key, digest64(*words), *_sketch(words)))
        while len(self._rows) > self._most:  # lower the bound until few enough are below it
            self._below //= 2
            self._flat = array("Q", self._rows[self._rows[:, 0] < self._below].tobytes())

    def digests(self) -> ReplyDigests:
        """All rows, sorted; equal rows once."""
        return ReplyDigests(np.unique(self._rows, axis=0), self._below)


def words_of(text: str) -> list[str]:
    """The words of a text in lower case: what remains when layout and punctuation are changed."""
    return _WORD.findall(text.lower())


def _sketch(words: list[str]) -> tuple[int, int]:
    """Eight 16-bit minima in two numbers."""
    codes = np.array([zlib.crc32(word.encode("utf-8", "surrogatepass")) for word in words], dtype=np.uint64)
    grams = np.zeros(len(words) - _GRAM + 1, dtype=np.uint64)
    for at in range(_GRAM):
        grams = grams * np.uint64(0x100000001B3) ^ codes[at : at + len(grams)]
    mixed = _mix(grams[None, :] ^ _KEYS[:, None])
    least = _mix(mixed.min(axis=1)) & np.uint64(0xFFFF)
    first, second = least.astype("<u2").view("<u8").tolist()
    return first, second


def _mix(values: Digests) -> Digests:
    """Every bit of a number into every other (the finaliser of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def read_replies(path: Path) -> ReplyDigests:
    """The digests of an entry. Raises DataError for a damaged file."""
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"{path.name} is larger than {LARGEST:,} bytes", where=str(path))
        table = pq.read_table(path, columns=list(COLUMNS), use_threads=False)
        rows = np.stack([table.column(name).to_numpy() for name in COLUMNS], axis=1)
        below = int((table.schema.metadata or {}).get(b"below", b""))
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise DataError(f"{path.name} holds no digests of replies: {error}", where=str(path)) from error
    if rows.dtype != np.uint64 or not 0 <= below <= _TOP:
        raise DataError(f"{path.name} holds no digests of replies", where=str(path))
    return ReplyDigests(np.unique(rows, axis=0), below)
