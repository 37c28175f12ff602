"""Rows out of files: JSON arrays, JSON lines, JSON objects, CSV and parquet, one at a time.

JSON lines and parquet are streamed, never read whole; the other formats are read a file at a time.
A row comes with its place, so that any later error names file, line and field. A task says what its rows must
look like: by a pydantic or msgspec model, a TypedDict, or a JSON Schema. Not here: where files lie
(`local_entry`), the schemas of registry entries (`row_checks`).
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from pydantic import PydanticUserError, TypeAdapter, ValidationError

from suite.chat import Json
from suite.data import strict_syntax
from suite.data.entry import Derived, Format
from suite.data.text_files import check_beginning, csv_rows, line_advice, line_value, raw_lines
from suite.errors import DataError, PluginError

_BATCH = 256  # rows of parquet in memory at once
FORMATS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json-array",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
_FIX = "correct the file where it comes from"
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_TRUTH = {"true": True, "True": True, "false": False, "False": False}


class RowError(ValueError):
    """A row breaks its model. field: where, "" for the whole; the message says how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class CsvRow(dict[str, Json]):
    """A row of CSV. texts: its fields as they stand, for a model that wants no numbers."""

    texts: dict[str, Json]


class RowPlace(NamedTuple):
    """Where a row stands. row: from 0 in its file; line: from 1, where the format has lines."""

    dataset: str
    file: str
    row: int
    line: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        if re.fullmatch(r"[0-9a-f]{16}\.jsonl", self.file):  # rows given from Python (`api.arguments`)
            return f"row {self.row} of data[{self.dataset!r}]"
        where = f"line {self.line}" if self.line is not None else f"row {self.row}"
        key = f" ({self.key!r})" if self.key is not None else ""
        return f"{self.file}, {where}{key}"


Raw = dict[str, Json]
RowModel = type[Any] | Mapping[str, Json]
_MODELS = "give a suite.Payload, a msgspec.Struct, a TypedDict, dict, or a JSON Schema as a dictionary"


def format_of(path: Path) -> Format:
    """The format of a file by its name, and of JSON by its first byte. Raises DataError for another."""
    ending = path.suffix.lower()
    if ending in (".json", ".jsonl", ".ndjson"):
        first = next(raw_lines(path), None)
        return "json-array" if first is not None and first[2].startswith(b"[") else "jsonl"
    if ending not in FORMATS:
        raise DataError.of("data.rows.format", path=path, formats=", ".join(FORMATS))
    return FORMATS[ending]


def read_rows(
    dataset: str, name: str, path: Path, form: Format | None = None
) -> Iterator[tuple[RowPlace, Raw]]:
    """The rows of one file as stored, with their places.

    dataset, name: what errors call them. form: None: as `format_of` says.
    Raises DataError where the file can't be read or a row is no object.
    """
    for place, value in _READERS[form or format_of(path)](dataset, name, path):
        if not isinstance(value, dict):
            raise DataError.of("data.rows.no-object", place=place, kind=strict_syntax.kind(value))
        yield place, value


def with_derived(place: RowPlace, row: Raw, derived: Mapping[str, Derived]) -> Raw:
    """The row with the fields that come from its place."""
    if not derived:
        return row
    file = place.file.rpartition("/")[2]
    known: dict[Derived, str | int | None] = {
        "file-name": file,
        "file-stem": file.rpartition(".")[0] or file,
        "row-index": place.row,
        "key": place.key,
    }
    return {**{field: known[what] for field, what in derived.items()}, **row}


def typed(rows: Iterable[tuple[RowPlace, Raw]], model: RowModel) -> Iterator[Any]:
    """Rows as objects of a model, or as they are if a JSON Schema says how they look.

    Raises DataError naming dataset, file, line and field; PluginError for what is no model.
    """
    read = _reader(model)
    for place, row in rows:
        try:
            value = _read(read, row)
        except RowError as error:
            said = f"field `{error.field}`: {error}" if error.field else str(error)
            raise DataError.of("data.rows.no-row", place=place, model=model_name(model), said=said) from error
        yield value


def _read(read: Callable[[Raw], Any], row: Raw) -> Any:
    """The object of a row; of CSV, made of its numbers or else of its texts. Raises RowError."""
    try:
        return read(row)
    except RowError:
        if isinstance(row, CsvRow):
            with suppress(RowError):
                return read(row.texts)
        raise


def _reader(model: RowModel) -> Callable[[Raw], Any]:
    """What makes an object of a row, or raises RowError; of a JSON Schema, the row itself.

    Raises PluginError for what is no model.
    """
    if isinstance(model, Mapping):
        return _of_schema(model)
    if isinstance(model, type) and issubclass(model, msgspec.Struct):
        return lambda row: _of_struct(row, model)
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(model)
    except (PydanticUserError, TypeError) as error:
        said = str(error).splitlines()[0]
        raise PluginError(f"{model_name(model)} is no model of a row: {said}", fix=_MODELS) from error
    return lambda row: _of_pydantic(row, adapter)


def model_name(model: RowModel) -> str:
    """What errors call it."""
    if isinstance(model, Mapping):
        return str(model.get("title") or "row of its JSON Schema")
    return getattr(model, "__name__", "such row")


def _of_pydantic(row: dict[str, Json], adapter: TypeAdapter[Any]) -> object:
    try:
        return adapter.validate_python(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise RowError(".".join(map(str, first["loc"])), first["msg"]) from error


def _of_struct(row: dict[str, Json], model: type[msgspec.Struct]) -> object:
    try:
        return msgspec.convert(row, model, strict=False)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        missing = message.rpartition("required field `")[2].rstrip("`") if "required field" in message else ""
        raise RowError((place.strip("`.") or missing).lstrip("."), message) from error


def _of_schema(schema: Mapping[str, Json]) -> Callable[[dict[str, Json]], object]:
    import jsonschema

    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise PluginError(f"a row's JSON Schema is none: {error.message}", fix=_MODELS) from error
    validator = jsonschema.Draft202012Validator(schema)

    def read(row: dict[str, Json]) -> object:
        for error in validator.iter_errors(row):
            raise RowError(".".join(str(step) for step in error.absolute_path), error.message[:200])
        return row

    return read


def _lines(dataset: str, name: str, path: Path) -> Iterator[tuple[RowPlace, Json]]:
    for row, (line, _, content) in enumerate(raw_lines(path)):
        place = RowPlace(dataset, name, row, line)
        try:
            yield place, line_value(content)
        except ValueError as error:
            fix = line_advice(content, _FIX).replace("FILE", path.name)
            raise DataError(f"{dataset}: {place}: {error}", where=str(path), fix=fix) from error


def _document(
    dataset: str, name: str, path: Path, wanted: type[list[Json] | dict[str, Json]]
) -> Iterator[tuple[RowPlace, Json]]:
    data = path.read_bytes()
    check_beginning(path, data[:8])
    try:
        document = strict_syntax.read_json(data)
    except ValueError as error:
        raise DataError(f"{dataset}: {name}: {error}", where=str(path), fix=_FIX) from error
    if not isinstance(document, wanted):
        holds = f"{dataset}: {name} should hold {strict_syntax.kind(wanted())}"
        raise DataError(f"{holds}, it holds {strict_syntax.kind(document)}", str(path), _FIX)
    pairs = document.items() if isinstance(document, dict) else ((None, value) for value in document)
    for row, (key, value) in enumerate(pairs):
        yield RowPlace(dataset, name, row, key=key), value


def _table(dataset: str, name: str, path: Path) -> Iterator[tuple[RowPlace, Json]]:
    """Rows of CSV. A column of numbers alone, or of true and false alone, holds these; an empty field of it
    is null. 007 is no number.
    """
    header, found = csv_rows(path)
    rows = list(found)
    readers = {column: _field_reader([str(row.value[column]) for row in rows]) for column in header}
    for number, row in enumerate(rows):
        value = CsvRow({column: readers[column](str(text)) for column, text in row.value.items()})
        value.texts = {column: None if value[column] is None else text for column, text in row.value.items()}
        yield RowPlace(dataset, name, number, row.line), value


def _field_reader(texts: list[str]) -> Callable[[str], Json]:
    """What reads the fields of a column that holds these texts."""
    told = {text for text in texts if text}
    if told and told <= _TRUTH.keys():
        return _TRUTH.get
    if told and all(map(_NUMBER.fullmatch, told)):
        return lambda text: json.loads(text) if text else None
    return str


def _parquet(dataset: str, name: str, path: Path) -> Iterator[tuple[RowPlace, Json]]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            batches = file.iter_batches(batch_size=_BATCH)
            for row, value in enumerate(chain.from_iterable(batch.to_pylist() for batch in batches)):
                yield RowPlace(dataset, name, row), value
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{dataset}: {name} can't be read as parquet: {error}", str(path), _FIX) from error


_READERS: dict[Format, Callable[[str, str, Path], Iterator[tuple[RowPlace, Json]]]] = {
    "jsonl": _lines,
    "json-array": partial(_document, wanted=list),
    "json-object": partial(_document, wanted=dict),
    "parquet": _parquet,
    "csv": _table,
}
