"""Whether pulled rows are what the entry says: every row against its JSON Schema, and how many there are.

Done once when an entry is pulled or imported, and by `suite data verify`; what passed is remembered by the
digest of the entry. Bytes are another matter (`cache`, `pull`).
"""

import json
from typing import TYPE_CHECKING

from suite.chat import Json
from suite.data.entry import BundledSource, DatasetEntry, GitSource, HubSource, RegistryEntry
from suite.data.local_entry import LocalDataset
from suite.data.registry import find_schema, registry_folder, user_folder
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
    validator = row_validator(local.entry, part)
    counts: dict[str, int] = {}
    for place, row in local.stored_rows(part):
        counts[place.file] = counts.get(place.file, 0) + 1
        if error := row_error(local.entry, part, validator, place, row):
            raise error
    for file in local.entry.files_of(part):
        if file.rows is not None and counts.get(file.path, 0) != file.rows:
            raise _count(local, file.path, file.rows, counts.get(file.path, 0))
    total, wanted = sum(counts.values()), local.part(part).rows
    if wanted is not None and total != wanted:
        raise _count(local, f"part {part}", wanted, total)
    return total


def row_validator(entry: DatasetEntry, part: str) -> "Draft202012Validator | None":
    """What a part's rows are held against; None if it names no schema. Raises DataError for a bad one."""
    name = entry.parts[part].row_schema
    if name is None:
        return None
    import jsonschema

    folders = [entry.folder] if entry.folder else []
    path = find_schema(name, [*folders, registry_folder()])
    try:
        schema = json.loads(path.read_bytes())
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        at = f"{path}, {error.json_path}"
        raise DataError(f"schemas/{name} is no JSON Schema: {error.message}", at) from error
    except ValueError as error:
        raise DataError(f"schemas/{name} is no JSON: {error}", where=str(path)) from error
    return jsonschema.Draft202012Validator(schema)


def row_error(
    entry: DatasetEntry, part: str, validator: "Draft202012Validator | None", place: RowPlace, row: Json
) -> DataError | None:
    """What is wrong with a row by its part's validator; None if nothing is."""
    if validator is None or validator.is_valid(row):
        return None
    error = min(validator.iter_errors(row), key=lambda one: (len(one.absolute_path), one.message))
    field = ".".join(str(step) for step in error.absolute_path) or "the row"
    message = error.message if len(error.message) <= 160 else error.message[:157] + "…"
    schema = f"schemas/{entry.parts[part].row_schema}"
    what, where = f"{entry.id}: {place} breaks {schema}", f"field `{field}`: {message} ({_revision(entry)})"
    return DataError(what, where, _advice(entry, schema, renewal(entry)))


def _count(local: LocalDataset, what: str, wanted: int, found: int) -> DataError:
    fix = _advice(local.entry, "its `rows`", f"`suite data pin {local.entry.id}` counts them anew")
    what = f"{local.entry.id}: {what} has {found} rows, the entry says {wanted}"
    return DataError(what, _revision(local.entry), fix)


def _revision(entry: DatasetEntry) -> str:
    return f"revision {(entry.revision or 'none')[:12]}"


def _advice(entry: DatasetEntry, what: str, otherwise: str) -> str:
    bundled = isinstance(entry.source, BundledSource) and entry.folder != user_folder()
    return f"correct {what}" if bundled else f"correct {what}, or {otherwise}"


def renewal(entry: RegistryEntry) -> str:
    """How to describe rows that an entry does not fit: anew, or by an entry of one's own beside it."""
    own = entry.folder is not None and entry.folder.resolve() == user_folder().resolve()
    match entry.source:
        case HubSource() as source:
            place = f"--hub {source.repo}"
        case GitSource() as source:
            place = f"--git {source.clone_url or 'URL'}"
        case _:
            place = "--files PATH…"
    name, force = (entry.id, " --force") if own else (f"my-{entry.id}", "")
    return f"describe what is there now: `suite data new {name} {place}{force}`"
