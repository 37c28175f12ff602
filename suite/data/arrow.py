"""A part of a dataset as a `datasets.Dataset`: memory-mapped, offline, from files whose hashes were checked.

The rows are written once as an Arrow file into the cache, named after the bytes and the part they come
from; its own hash is checked when it is loaded again. Parquet keeps its column types, and what `datasets`
notes in them; the columns of other formats are as wide as their rows need.
"""

import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from suite.data.cache import Cache, disk_errors, sha256_of
from suite.data.local_entry import LocalDataset, files_of
from suite.data.locks import locked
from suite.data.pull import agree, ready, require_pins
from suite.data.registry import Registry
from suite.data.rows import format_of
from suite.errors import ConfigError, DataError, NotFound
from suite.plugins import catalogue

if TYPE_CHECKING:
    import datasets
    import pyarrow

_BATCH = 1000  # rows at once


def load_dataset(name: str, part: str | None = None, *, mini: bool = False) -> "datasets.Dataset":
    """A part of a dataset that is here, verified, as a `datasets.Dataset`; nothing is fetched.

    part: may be left out where there is one. mini: the few rows that a plugin brings for a first try.
    Raises NotFound (no such dataset or part), LicenceRequired, or DataError (not pulled, damaged); each names
    the command that helps.
    """
    import datasets

    if not isinstance(name, str):
        raise ConfigError(f"{name!r} is no name of a dataset", fix="`suite data list` shows them all")
    cache = Cache()
    with disk_errors(cache.root):
        local = _here(f"{name}-mini" if mini else name, cache)
        path = _arrow_file(local, _chosen(local, part), cache)
    return datasets.Dataset.from_file(str(path))


def _here(name: str, cache: Cache) -> LocalDataset:
    entry = Registry(catalogue().registry_folders()).dataset(name)
    if (local := ready(entry, cache)) is not None:
        return local
    pinned = locked(entry, cache)
    require_pins(pinned)
    agree(pinned, cache, accept=False)
    raise DataError.of("data.arrow.not-here", name=name)


def _chosen(local: LocalDataset, part: str | None) -> str:
    parts = local.parts()
    if part is not None:
        local.part(part)
        return part
    if len(parts) == 1:
        return parts[0]
    if not parts:
        raise NotFound(f"{local.entry.id} has files and no rows", f"its files: {', '.join(local.paths())}")
    raise NotFound.of("data.arrow.parts", local=local, parts=", ".join(parts), first=parts[0])


def _arrow_file(local: LocalDataset, part: str, cache: Cache) -> Path:
    """The Arrow file of a part, made if it is not in the cache whole."""
    told = {one: local.sha256(one) for one in files_of(local.entry, part)}
    for one in told:
        local.path(one)  # checks the bytes
    facts = local.part(part).model_dump(mode="json", include={"format", "derived"})
    key = hashlib.sha256(json.dumps([list(told.items()), facts]).encode()).hexdigest()
    path = cache.root / "arrow" / f"{key}.arrow"
    with cache.lock(path.name):
        if not path.is_file() or cache.note("arrow", key).get("sha256") != sha256_of(path):
            with cache.scratch() as folder:
                _write(local, part, folder / "rows.arrow")
                path.parent.mkdir(parents=True, exist_ok=True)
                cache.write_note("arrow", key, {"sha256": sha256_of(folder / "rows.arrow")})
                (folder / "rows.arrow").replace(path)
    return path


def _write(local: LocalDataset, part: str, path: Path) -> None:
    import datasets
    import pyarrow
    import pyarrow.dataset
    import pyarrow.parquet

    paths = [local.path(one) for one in files_of(local.entry, part)]
    form, derived = local.part(part).format, local.part(part).derived
    try:
        if not derived and paths and all((form or format_of(one)) == "parquet" for one in paths):
            schemas = [pyarrow.parquet.read_schema(path) for path in paths]
            schema = pyarrow.unify_schemas(schemas, promote_options="permissive")
            schema = schema.with_metadata(schemas[0].metadata)
            batches = pyarrow.dataset.dataset(paths, schema, "parquet").to_batches(batch_size=_BATCH)
        else:
            kinds = [batch.schema for batch in _batches(local, part)] or [pyarrow.schema([])]
            schema = pyarrow.unify_schemas(kinds, promote_options="permissive")
            batches = _batches(local, part, schema)
        datasets.Features.from_arrow_schema(schema)  # a ValueError for types that it does not have
        with pyarrow.OSFile(str(path), "wb") as file, pyarrow.ipc.new_stream(file, schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
    except (pyarrow.ArrowException, OverflowError, TypeError, ValueError) as error:
        said = str(error).splitlines()[0][:200]
        raise DataError.of("data.arrow.no-table", local=local, part=part, said=said) from error


def _batches(
    local: LocalDataset, part: str, schema: "pyarrow.Schema | None" = None
) -> "Iterator[pyarrow.RecordBatch]":
    """The rows of a part. schema: of all of them; None: each batch has its own."""
    import pyarrow

    kind = None if schema is None else pyarrow.struct(list(schema))
    rows = (row for _, row in local.rows(part))
    while batch := list(islice(rows, _BATCH)):
        yield pyarrow.RecordBatch.from_struct_array(pyarrow.array(batch, type=kind))
