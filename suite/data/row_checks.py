"""Whether pulled rows are what the entry says: every row against its JSON Schema, and how many there are.

Done once when an entry is pulled or imported, and by `suite data verify`; what passed is remembered by the
digest of the entry. Bytes are another matter (`cache`, `pull`).
"""

import json
from typing import TYPE_CHECKING

from suite.chat import Json
from suite.data.entry import BundledSource
from suite.data.local_entry import LocalDataset
from suite.data.registry import find_schema, registry_folder
from suite.data.rows import RowPlace
from suite.errors import DataError

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator


def check_rows(local: LocalDataset) -> dict[str, int]:
    """Read every row. Returns the number of rows by part.

    Raises DataError for the first row that breaks its schema, naming file, line and field, or a wrong count.
    """
    return {part: _check_part(local, part) for part in local.parts()}


def _check_part(local: LocalDataset, part: str) -> int:
    validator = _validator(local, part)
    counts: dict[str, int] = {}
    for place, row in local.stored_rows(part):
        counts[place.file] = counts.get(place.file, 0) + 1
        if validator is not None and not validator.is_valid(row):
            raise _broken(local, part, place, validator, row)
    for file in local.entry.files_of(part):
        if file.rows is not None and counts.get(file.path, 0) != file.rows:
            raise _count(local, file.path, file.rows, counts.get(file.path, 0))
    total, wanted = sum(counts.values()), local.part(part).rows
    if wanted is not None and total != wanted:
        raise _count(local, f"part {part}", wanted, total)
    return total


def _validator(local: LocalDataset, part: str) -> "Draft202012Validator | None":
    name = local.part(part).row_schema
    if name is None:
        return None
    import jsonschema

    folders = [local.entry.folder] if local.entry.folder else []
    path = find_schema(name, [*folders, registry_folder()])
    try:
        schema = json.loads(path.read_bytes())
        jsonschema.Draft202012Validator.check_schema(schema)
    except (ValueError, jsonschema.SchemaError) as error:
        raise DataError(f"schemas/{name} is no JSON Schema: {error}", where=str(path)) from error
    return jsonschema.Draft202012Validator(schema)


def _broken(
    local: LocalDataset, part: str, place: RowPlace, validator: "Draft202012Validator", row: Json
) -> DataError:
    error = min(validator.iter_errors(row), key=lambda one: (len(one.absolute_path), one.message))
    field = ".".join(str(step) for step in error.absolute_path) or "the row"
    message = error.message if len(error.message) <= 160 else error.message[:157] + "…"
    return DataError(
        f"{local.entry.id}: {place} breaks schemas/{local.part(part).row_schema}",
        where=f"field `{field}`: {message} (revision {(local.entry.revision or 'none')[:12]})",
        fix=_advice(local, "the row, or what the schema allows"),
    )


def _count(local: LocalDataset, what: str, wanted: int, found: int) -> DataError:
    return DataError(
        f"{local.entry.id}: {what} has {found} rows, the entry says {wanted}",
        where=f"revision {(local.entry.revision or 'none')[:12]}",
        fix=_advice(local, "the file, or `rows` in the entry"),
    )


def _advice(local: LocalDataset, what: str) -> str:
    if isinstance(local.entry.source, BundledSource):
        return f"correct {what}"
    return f"if the source really changed, `suite data pin {local.entry.id}` records the new revision"
