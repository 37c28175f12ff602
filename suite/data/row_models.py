"""What a row must look like, as a task says it: a pydantic or msgspec model, TypedDict, or JSON Schema."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from pydantic import PydanticUserError, TypeAdapter, ValidationError

from suite.chat import Json
from suite.errors import PluginError

RowModel = type[Any] | Mapping[str, Json]


class RowError(ValueError):
    """A row breaks its model. field: where, "" for the whole; the message says how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class CsvRow(dict[str, Json]):
    """A row of CSV. texts: its fields as they stand, for a model that wants no numbers."""

    texts: dict[str, Json]


def reader(model: RowModel) -> Callable[[dict[str, Json]], Any]:
    """What makes an object of a row, or raises RowError; of a JSON Schema, the row itself.

    Raises PluginError for what is no model.
    """
    read = _reader(model)

    def either(row: dict[str, Json]) -> object:
        try:
            return read(row)
        except RowError:
            if isinstance(row, CsvRow):
                with suppress(RowError):
                    return read(row.texts)
            raise

    return either


def _reader(model: RowModel) -> Callable[[dict[str, Json]], Any]:
    if isinstance(model, Mapping):
        return _of_schema(model)
    if isinstance(model, type) and issubclass(model, msgspec.Struct):
        return lambda row: _of_struct(row, model)
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(model)
    except (PydanticUserError, TypeError) as error:
        said = str(error).splitlines()[0]
        raise PluginError(f"{model_name(model)} is no model of a row: {said}", fix=_FIX) from error
    return lambda row: _of_pydantic(row, adapter)


_FIX = "give a suite.Payload, a msgspec.Struct, a TypedDict, dict, or a JSON Schema as a dictionary"


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
        raise PluginError(f"a row's JSON Schema is none: {error.message}", fix=_FIX) from error
    validator = jsonschema.Draft202012Validator(schema)

    def read(row: dict[str, Json]) -> object:
        for error in validator.iter_errors(row):
            raise RowError(".".join(str(step) for step in error.absolute_path), error.message[:200])
        return row

    return read
