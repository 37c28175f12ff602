"""A registry entry made from what is there: row schemas from its rows, pins from its bytes, both at once.

Everything is read and checked before the first file is written, and all files are put into place together.
"""

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from suite.chat import Json
from suite.data import strict_syntax
from suite.data.cache import Cache, disk_errors, sha256_of
from suite.data.entry import BundledSource, DatasetEntry, File, Progress
from suite.data.local_entry import LocalFiles
from suite.data.locks import lock_path
from suite.data.pull import fetch_all
from suite.data.registry import Registry
from suite.data.rows import read_rows
from suite.errors import ConfigError, DataError
from suite.files import part_of

_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,79}")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_WORDS: dict[type, str] = {
    type(None): "null", bool: "boolean", int: "integer", float: "number", str: "string", list: "array",
    dict: "object",
}  # fmt: skip
_MOST = 200  # keys of an object; with more they are data and not the names of fields


def target(name: str, registry: Registry, folder: Path, *, force: bool = False) -> Path:
    """The file of the new entry. force: one may stand in that folder already. Raises ConfigError."""
    if not _ID.fullmatch(name):
        raise ConfigError.of("data.new.name", name=name)
    path = folder / "datasets" / f"{name}.yaml"
    for one in (folder, *registry.folders):
        there = one / "datasets" / f"{name}.yaml"
        if there.is_file() and not (force and there.resolve() == path.resolve()):
            same = there.resolve() == path.resolve()
            fix = "--force describes it anew" if same else f"give another name, such as my-{name}"
            raise ConfigError(f"a dataset called {name!r} is described already", str(there), fix)
    return path


def write_entry(
    draft: DatasetEntry, places: Mapping[str, Path], path: Path, cache: Cache, progress: Progress | None
) -> DatasetEntry:
    """Fetch and read everything, then write entry, schemas and brought files beside each other, or nothing.

    draft, places: as `found` has them. path: the entry's file, in `datasets/` of a registry. Raises what
    reading and fetching do, ConfigError.
    """
    name, folder = draft.id, path.parent.parent
    with disk_errors(cache.root), cache.pulling():
        try:
            hashes = fetch_all(draft, cache, progress)
        except DataError as error:
            if "`suite data pin " not in error.fix:
                raise
            raise DataError(error.what, error.where, "name files that it has, by --path") from error
        hashes |= {one: sha256_of(place) for one, place in places.items()}
        fetched = [one.model_copy(update={"sha256": hashes[one.path]}) for one in draft.files]
        local = LocalFiles(draft.model_copy(update={"files": tuple(fetched)}), cache)
        entry, schemas = _described(local.entry, lambda one: places.get(one) or local.path(one))
    contents: dict[Path, bytes | Path] = {
        folder / "schemas" / one: f"{json.dumps(schema, indent=2, ensure_ascii=False)}\n".encode()
        for one, schema in schemas.items()
    }
    for one, content in contents.items():
        if not path.is_file() and one.is_file() and one.read_bytes() != content:
            raise ConfigError.of("data.new.schema", path=one)
    if isinstance(draft.source, BundledSource):
        contents |= {folder / draft.source.folder / one: place for one, place in places.items()}
    told = entry.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    try:
        _put_all({**contents, path: strict_syntax.dump_yaml(told)})
    except OSError as error:
        raise ConfigError.of("data.new.not-written", name=name, error=error) from error
    lock_path(cache, entry).unlink(missing_ok=True)  # of the entry that it replaces
    return entry.found_in(folder)


def _described(
    entry: DatasetEntry, place: Callable[[str], Path]
) -> tuple[DatasetEntry, Mapping[str, Mapping[str, object]]]:
    """The entry with sizes, numbers of rows and schemas, and the schemas: one a config, or one a part."""
    groups = {key: re.sub(r"[^\w.-]", "-", part.config or key) for key, part in entry.parts.items()}
    several = len(set(groups.values())) > 1
    names = {key: f"{entry.id}{f'.{group}' if several else ''}.json" for key, group in groups.items()}
    shapes: dict[str, RowShape] = {}
    counts: Counter[str] = Counter()
    files: list[File] = []
    for file in entry.files:
        part, path = str(file.part), place(file.path)
        shape, rows = shapes.setdefault(names[part], RowShape()), 0
        for _, row in read_rows(entry.id, file.path, path):
            shape.see(row)
            rows += 1
        counts[part] += rows
        files.append(file.model_copy(update={"bytes": path.stat().st_size, "rows": rows}))
    if empty := [part for part in entry.parts if not counts[part]]:
        hub = entry.source.kind == "hub"
        fix = "choose others by --config and --split" if hub else "leave its file out"
        raise DataError(f"{entry.id}: part {empty[0]!r} holds no rows", fix=fix)
    parts = {
        key: part.model_copy(update={"row_schema": names[key], "rows": counts[key]})
        for key, part in entry.parts.items()
    }
    schemas = {
        one: {"$schema": _DIALECT, "title": f"A row of {entry.title}", **shape.schema()}
        for one, shape in shapes.items()
    }
    return entry.model_copy(update={"files": tuple(files), "parts": parts}), schemas


def _put_all(contents: Mapping[Path, bytes | Path]) -> None:
    """Write all files, the last one last, or none. Raises OSError."""
    folders = dict.fromkeys(one for path in contents for one in reversed(path.parents) if not one.exists())
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copyfile(content, part_of(path))
            else:
                part_of(path).write_bytes(content)
        for path in contents:
            part_of(path).replace(path)
    finally:
        for path in (*map(part_of, contents), *reversed(folders)):
            with suppress(OSError):  # what was put into place has another name now; a folder in use stays
                path.rmdir() if path.is_dir() else path.unlink()


class RowShape:
    """What has been seen at one place of all rows: kinds of values, fields of objects, elements of lists.

    Values that JSON has no word for (bytes, dates) may be anything.
    """

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._objects = 0
        self._fields: dict[str, tuple[RowShape, list[int]]] = {}
        self._items: RowShape | None = None

    def see(self, value: object) -> None:
        """Note a value and all below it."""
        self._words.add(_WORDS.get(type(value), "any"))
        if isinstance(value, dict):
            self._objects += 1
            for key, below in value.items() if len(self._fields) <= _MOST else ():
                shape, count = self._fields.setdefault(key, (RowShape(), [0]))
                shape.see(below)
                count[0] += 1
        elif isinstance(value, list):
            self._items = self._items or RowShape()
            for one in value:
                self._items.see(one)

    def schema(self) -> dict[str, Json]:
        """What was seen, as a JSON Schema; {} where no value was."""
        words = sorted(self._words - ({"integer"} if "number" in self._words else set()))
        if not words or "any" in words:
            return {}
        told: dict[str, Json] = {"type": words[0] if len(words) == 1 else list[Json](words)}
        if self._items is not None and (items := self._items.schema()):
            told["items"] = items
        if self._objects and len(self._fields) <= _MOST:
            told |= {
                "required": [key for key, (_, count) in self._fields.items() if count[0] == self._objects],
                "additionalProperties": False,
                "properties": {key: shape.schema() for key, (shape, _) in self._fields.items()},
            }
        return told
