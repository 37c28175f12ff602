"""Text files that people give: JSON Lines, JSON and CSV, each read in one way by all of the suite.

UTF-8, with or without a byte order mark. Lines end at LF (CR LF too) and nowhere else: the line separators
of Unicode are characters of a string. Empty lines are skipped. What is wrong is a DataError that names the
file, the line and what to do. Not here: the journal (`suite.journal.lines`), what rows mean.
"""

import csv
import hashlib
import io
import re
import tomllib
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from suite.chat import Json
from suite.data import strict_syntax
from suite.errors import DataError
from suite.files import trying

if TYPE_CHECKING:
    import _csv

TABLES = (".csv", ".tsv")
LARGEST_FIELD = 10_000_000  # characters of one field of a CSV file
BOM = b"\xef\xbb\xbf"
_BEGINNINGS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


class TextRow(NamedTuple):
    """An object of a file. line: from 1, where it begins, or its number in an array (unit: "element").
    offset: in bytes, of lines.
    """

    value: dict[str, Json]
    line: int
    offset: int = 0
    unit: str = "line"

    @property
    def place(self) -> str:
        """Where it stands in its file: "line 3"."""
        return f"{self.unit} {self.line}"


def raw_lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """(line from 1, offset in bytes, content) of every line that isn't empty. Raises DataError."""
    with _reading(path), path.open("rb") as file:
        offset = 0
        for line, raw in enumerate(file, 1):
            content = raw
            if line == 1:
                check_beginning(path, raw)
                content = raw.removeprefix(BOM)
            if content := content.strip():
                yield line, offset, content
            offset += len(raw)


def check_beginning(path: Path, head: bytes) -> None:
    """Refuse by its first bytes a file that holds no UTF-8 text. Raises DataError."""
    for mark, (what, fix) in _BEGINNINGS.items():
        if head.startswith(bytes.fromhex(mark)):
            raise DataError(f"{path.name} {what}", str(path), fix.replace("FILE", path.name))
    if b"\0" in head[:4]:
        raise DataError(f"{path.name} is UTF-16 or no text", str(path), "save it as UTF-8")


def line_value(content: bytes, *, nan: bool = False) -> dict[str, Json]:
    """The object of one line. nan: take NaN and infinity, as Python writes them. Raises ValueError."""
    try:
        value = strict_syntax.read_json(content, nan=nan)
    except ValueError as error:
        raise ValueError(str(error).replace("(line 1, column ", "(column ")) from error
    if not isinstance(value, dict):
        raise ValueError(f"no object but {strict_syntax.kind(value)}")
    return value


def line_advice(
    content: bytes, otherwise: str = "JSON Lines hold one whole JSON object a line, in UTF-8"
) -> str:
    """What to do about a line that is no JSON object."""
    if content.startswith(b"["):
        return "this looks like one JSON array; write its elements one a line: jq -c '.[]' FILE"
    if content.endswith(b","):
        return "leave out the comma at the end of the line"
    return otherwise


def json_lines(path: Path, *, nan: bool = False) -> Iterator[TextRow]:
    """The objects of a JSON Lines file, one at a time.

    nan: take NaN and infinity, as Python writes them. Raises DataError naming file and line.
    """
    for line, offset, content in raw_lines(path):
        try:
            value = line_value(content, nan=nan)
        except ValueError as error:
            fix = line_advice(content).replace("FILE", path.name)
            raise DataError(f"{path.name} line {line}: {error}", str(path), fix) from error
        yield TextRow(value, line, offset)


def row_at(path: Path, offset: int) -> dict[str, Json]:
    """The object at an offset that `json_lines` gave."""
    with path.open("rb") as file:
        file.seek(offset)
        return line_value(file.readline().removeprefix(BOM).strip())


_HALVES = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)")


def json_document(path: Path, *, nan: bool = False, halves: bool = False) -> Json:
    """The value of a JSON file. nan: as for `json_lines`. halves: mend lone surrogates. Raises DataError."""
    data = _bytes(path)
    if halves:
        data = _HALVES.sub(lambda found: b"\\ufffd" if found[1] else found[0], data)
    try:
        return strict_syntax.read_json(data, nan=nan)
    except ValueError as error:
        raise DataError(f"{path.name}: {error}", str(path), "give a file that holds one JSON text") from error


def json_rows(path: Path, *, nan: bool = False) -> Iterator[TextRow]:
    """The objects of a file that holds one JSON array, or an object a line. Raises DataError."""
    first = next(raw_lines(path), None)
    if first is None or not first[2].startswith(b"["):
        yield from json_lines(path, nan=nan)
        return
    found = json_document(path, nan=nan)
    assert isinstance(found, list)  # it begins with a bracket
    for number, value in enumerate(found, 1):
        if not isinstance(value, dict):
            kind = strict_syntax.kind(value)
            raise DataError.of("data.text.no-object", path=path, number=number, kind=kind)
        yield TextRow(value, number, unit="element")


def csv_rows(path: Path) -> tuple[list[str], Iterator[TextRow]]:
    """The columns of a CSV or TSV file and its rows by column. Raises DataError naming file and line.

    A column named twice and a row with more or fewer fields than the header are refused.
    """
    csv.field_size_limit(LARGEST_FIELD)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    reader = csv.reader(io.StringIO(read_text(path), newline=""), delimiter=delimiter, strict=True)
    header = [name.strip() for name in _fields(path, reader) or []]
    if (twice := next((name for name in header if header.count(name) > 1), None)) is not None:
        raise DataError(f"{path.name} line 1: two columns are called {twice!r}", str(path), "rename one")

    def rows() -> Iterator[TextRow]:
        before = reader.line_num
        while (fields := _fields(path, reader)) is not None:
            if fields:
                if len(fields) != len(header):
                    told = f"{len(fields)} fields, the header has {len(header)}"
                    raise DataError.of("data.text.fields", path=path, line=before + 1, told=told)
                yield TextRow(dict(zip(header, fields, strict=True)), before + 1)
            before = reader.line_num

    return header, rows()


def _fields(path: Path, reader: "_csv.Reader") -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        raise DataError(f"{path.name} line {reader.line_num}: {error}", str(path)) from error


def read_text(path: Path) -> str:
    """The text of a file without a byte order mark; line ends as they are. Raises DataError."""
    data = _bytes(path)
    try:
        return data.removeprefix(BOM).decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path.name} line {line}: not UTF-8", str(path), "save it as UTF-8") from error


def _bytes(path: Path) -> bytes:
    with _reading(path):
        data = path.read_bytes()
    check_beginning(path, data[:8])
    return data


def _reading(path: Path) -> AbstractContextManager[None]:
    return trying(f"read {path.name}", path, kind=DataError)


def without_copies(
    files: Iterable[Path], key: Callable[[Path], Hashable] = lambda path: path.name
) -> tuple[list[Path], list[Path]]:
    """(files, copies): a file of the same key with the same bytes as an earlier one is a copy.

    key: what a file's name says; by default the name. Raises DataError for one that can't be read.
    """
    kept: list[Path] = []
    copies: list[Path] = []
    seen: set[tuple[Hashable, bytes]] = set()
    for path in files:
        with _reading(path), path.open("rb") as file:
            what = (key(path), hashlib.file_digest(file, "sha256").digest())
        (copies if what in seen else kept).append(path)
        seen.add(what)
    return kept, copies


class Once:
    """Refuses what is given twice, naming both places."""

    def __init__(self, what: str, fix: str = "leave one of them out") -> None:
        self._what, self._fix = what, fix
        self._seen: dict[Hashable, str] = {}

    def add(self, key: Hashable, place: str) -> None:
        """Note what stands at a place. Raises DataError where it stood at another one before."""
        if key in self._seen:
            shown = " ".join(map(str, key)) if isinstance(key, tuple) else key
            where = f"in {self._seen[key]} and in {place}"
            raise DataError(f"{self._what} {shown!r} is given twice", where, self._fix)
        self._seen[key] = place

    def __len__(self) -> int:
        return len(self._seen)
