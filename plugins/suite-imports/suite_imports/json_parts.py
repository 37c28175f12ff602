"""The parts of a JSON document too big to hold: the values of its first level, and the elements of one array.

Only strings and brackets are looked at, on a memory map, so that memory does not grow with the document;
whoever decodes a part finds out whether it is JSON.
"""

import mmap
import re
from collections.abc import Iterator
from pathlib import Path

import suite

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\],:]', re.DOTALL)
_OPEN, _CLOSE = b"{[", b"}]"
MOST = 256 * 2**20  # bytes of one part


def parts(path: Path, inside: str) -> Iterator[tuple[str, bytes]]:
    """(key, bytes of its value) of the object that a file holds; of the array `inside`, each element.

    Raises DataError for a file that is no object, ends early, or has a part that is too big.
    """
    with path.open("rb") as file:
        try:
            text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise suite.DataError(f"{path.name} is empty", str(path)) from None
        with text:
            yield from _parts(text, path, inside)


def _parts(text: mmap.mmap, path: Path, inside: str) -> Iterator[tuple[str, bytes]]:
    depth, key, start, level = 0, "", 0, 1  # level: whose commas end a part
    last: tuple[int, int] = (0, 0)
    for found in _TOKEN.finditer(text):
        sign = found[0]
        if depth == 0 and sign != b"{":
            break
        if sign in (b"{", b"["):
            depth += 1
            if depth == 2 and sign == b"[" and key == inside:
                start, level = found.end(), 2
        elif sign == b":" and depth == 1:
            key, start = text[last[0] + 1 : last[1] - 1].decode("utf-8", "replace"), found.end()
        elif sign in (b"}", b"]", b",") and depth == level:
            if found.start() - start > MOST:
                raise suite.DataError(f"{path.name}: one {key} has more than {MOST // 2**20} MiB", str(path))
            if (part := text[start : found.start()].strip()) and key:
                yield key, part
            start = found.end()
            if sign != b",":
                depth -= 1
                key, level = "", 1
                if depth == 0:
                    return
        elif sign in (b"}", b"]"):
            depth -= 1
        last = found.span()
    raise suite.DataError(
        f"{path.name} is no whole JSON object", str(path), "copy the log again from where it was made"
    )
