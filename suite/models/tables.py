"""Tables about models that registries hold as `models/NAME.yaml`: first those of plugins, then our own."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, create_model

from suite.data.entry import Strict
from suite.data.registry import registry_folder
from suite.data.strict_syntax import read_model
from suite.errors import ConfigError, DataError

RowT = TypeVar("RowT", bound=Strict)


def _compiles(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"{value!r} is no pattern: {error}") from error
    return value


Pattern = Annotated[str, AfterValidator(_compiles)]


def read_rows(
    kind: type[RowT], name: str, what: str, folders: Iterable[Path] = ()
) -> list[tuple[Path, RowT]]:
    """(file, row) of each registry that has such a table, whose one key is the last word of `what`.

    folders: of plugins. Raises ConfigError with file and field.
    """
    rows = what.split()[-1]
    fields: dict[str, Any] = {rows: (tuple[kind, ...], ...)}  # type: ignore[valid-type]
    whole = create_model("Table", __base__=Strict, **fields)
    paths = [folder / "models" / name for folder in folders]
    paths = [*(path for path in paths if path.is_file()), registry_file(f"models/{name}")]
    tables = ((path, read_model(path, whole, ConfigError, f"table of {what}", "")) for path in paths)
    return [(path, row) for path, table in tables for row in getattr(table, rows)]


def registry_file(name: str) -> Path:
    """A file of the registry that comes with the suite. Raises DataError if it is not there."""
    path = registry_folder() / name
    if not path.is_file():
        raise DataError(f"the registry has no {name}", fix="reinstall suite-eval")
    return path
