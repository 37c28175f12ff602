"""The first rows of a file, out of its first bytes: what was cut off at their end is left out."""

import re
import tempfile
from itertools import islice
from pathlib import Path

from suite.chat import Json
from suite.data.entry import File, Format
from suite.data.rows import FORMATS, RowPlace, read_rows

ROWS = 20
_STEP = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)


def first_rows(
    dataset: str, file: File, form: Format | None, data: bytes, whole: bool
) -> list[tuple[RowPlace, dict[str, Json]]]:
    """At most the first 20 rows. data: the first bytes; whole: whether there are no more.

    Empty if no row is whole in `data`. Raises DataError as `read_rows` does.
    """
    if not whole and (data := _complete(data, form or FORMATS.get(Path(file.name).suffix.lower()))) == b"":
        return []
    with tempfile.TemporaryDirectory(prefix="suite-rows-") as folder:
        path = Path(folder) / file.name
        path.write_bytes(data)
        return list(islice(read_rows(dataset, file.path, path, form), ROWS))


def _complete(data: bytes, form: Format | None) -> bytes:
    """The bytes up to the last row that is whole, as a file of that format."""
    start = data.lstrip()[:1]
    if form == "parquet":
        return b""
    if start != b"[" and form != "json-object":
        return data[: data.rfind(b"\n") + 1]
    depth = last = 0
    for step in _STEP.finditer(data):
        mark = step[0]
        depth += (mark in (b"[", b"{")) - (mark in (b"]", b"}"))
        if depth == 1 and mark == b",":
            last = step.start()
    return data[:last] + (b"]" if start == b"[" else b"}") if last else b""
