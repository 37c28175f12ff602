"""Tables about models that registries hold as `models/NAME.yaml`: first those of plugins, then our own."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, create_model

from suite.data import strict_syntax
from suite.data.registry import registry_folder
from suite.errors import ConfigError, DataError


class TableRow(BaseModel):
    """A row, or a whole table: frozen, unknown keys forbidden."""

    model_config = ConfigDict(frozen=True, extra="forbid")


RowT = TypeVar("RowT", bound=TableRow)


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

    folders: of plugins. Raises ConfigError with the file.
    """
    rows = what.split()[-1]
    fields: dict[str, Any] = {rows: (tuple[kind, ...], ...)}  # type: ignore[valid-type]
    whole = create_model("Table", __base__=TableRow, **fields)
    paths = [folder / "models" / name for folder in folders]
    found: list[tuple[Path, RowT]] = []
    for path in [*(path for path in paths if path.is_file()), registry_file(f"models/{name}")]:
        try:
            table = strict_syntax.validated(whole, strict_syntax.read_yaml_file(path))
        except ValueError as error:
            raise ConfigError(f"{path.name} is not a table of {what}: {error}", where=str(path)) from error
        found += ((path, row) for row in getattr(table, rows))
    return found


def registry_file(name: str) -> Path:
    """A file of the registry that comes with the suite. Raises DataError if it is not there."""
    path = registry_folder() / name
    if not path.is_file():
        raise DataError(f"the registry has no {name}", fix="reinstall suite-eval")
    return path
