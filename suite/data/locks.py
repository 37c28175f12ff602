"""Locks: pins that came later than the entry, one YAML file an entry in the cache.

`pin` writes one; so does the first `pull` of files whose commit is pinned but whose hashes nobody knew.
A lock names the entry it was made for, by digest: if the entry changes, the lock is refused, never mixed in.
"""

from pathlib import Path
from typing import TypeVar

from suite.data import strict_syntax
from suite.data.cache import Cache, write_whole
from suite.data.entry import DatasetEntry, EntryT, File, ModelFile, RegistryEntry, Sha256, Strict
from suite.errors import DataError

FileT = TypeVar("FileT", bound=File)


class Lock(Strict):
    """Pins of an entry. made_for: digest of the entry as the registry has it. rows: by part, as counted."""

    entry: str
    made_for: Sha256
    revision: str | None = None
    files: tuple[File | ModelFile, ...]
    rows: dict[str, int] | None = None


def lock_path(cache: Cache, entry: RegistryEntry) -> Path:
    """Where the lock of an entry is kept."""
    return cache.root / "pins" / f"{entry.kind}s" / f"{entry.id}.yaml"


def keep_lock(
    cache: Cache, entry: RegistryEntry, pinned: RegistryEntry, rows: dict[str, int] | None = None
) -> tuple[Lock, Path]:
    """A lock for the entry as the registry has it, and where it is written now, whole or not at all."""
    files, made_for = pinned.files, entry.digest()
    lock = Lock(entry=entry.id, made_for=made_for, revision=pinned.revision, files=files, rows=rows)
    path = lock_path(cache, entry)
    write_whole(path, strict_syntax.dump_yaml(lock.model_dump(mode="json", exclude_none=True)))
    return lock, path


def locked(entry: EntryT, cache: Cache) -> EntryT:
    """The entry with its lock's pins, if there is a lock.

    Raises DataError for one that can't be read, or of another entry.
    """
    path = lock_path(cache, entry)
    if not path.is_file():
        return entry
    try:
        lock = strict_syntax.validated(Lock, strict_syntax.read_yaml_file(path))
    except ValueError as error:
        raise DataError.of("data.locks.unreadable", path=path, error=error) from error
    if lock.entry != entry.id or lock.made_for != entry.digest():
        raise DataError.of("data.locks.other-entry", entry=entry, path=path)
    source = entry.source
    if source.pin:
        source = source.model_copy(update={source.pin: lock.revision})
    kind = File if isinstance(entry, DatasetEntry) else ModelFile
    files = tuple(kind.model_validate(file.model_dump(exclude_none=True)) for file in lock.files)
    update: dict[str, object] = {"source": source, "files": files}
    if isinstance(entry, DatasetEntry):
        rows = lock.rows or {}
        update["parts"] = {
            name: part.model_copy(update={"rows": rows.get(name, part.rows)})
            for name, part in entry.parts.items()
        }
    return entry.model_copy(update=update)


def hashed(file: FileT, sha256: str, announced: File | None, cache: Cache) -> FileT:
    """The file with its hash and size as they are known now: announced by the source, else in the cache.

    Rows and twin that it had are kept only if its bytes are.
    """
    size = announced.bytes if announced is not None else cache.blob(sha256).stat().st_size
    update: dict[str, object] = {"sha256": sha256, "bytes": size, "git_blob": None}
    if file.sha256 not in (None, sha256):
        update |= {"rows": None, "twin": None}
    return file.model_copy(update=update)
