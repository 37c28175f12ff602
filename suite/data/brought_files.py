"""Files that a person brought, for machines without network: found in a folder, held to the same hashes.

A file is recognised by its path, or by its bytes wherever it lies and whatever it is called. A file whose
hash nobody knows can only be recognised by its path. Nothing is changed in the folder.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from suite.data.cache import Cache, disk_errors, git_blob_of, sha256_of
from suite.data.entry import BundledSource, EntryT, File, RegistryEntry, source_of
from suite.data.local_entry import LocalFiles
from suite.data.locks import locked
from suite.data.pull import agree, checked, learn, require_pins
from suite.errors import DataError


def import_from(
    entry: EntryT, folder: Path, cache: Cache, *, accept_licence: bool = False
) -> LocalFiles[EntryT]:
    """Take an entry's files out of a folder, check bytes and rows. Returns as `pull` does.

    Raises DataError naming what is missing or differs, LicenceRequired.
    """
    if not folder.is_dir():
        raise DataError(f"no folder {folder.name!r}", where=str(folder))
    with disk_errors(cache.root):
        pinned = locked(entry, cache)
        require_pins(pinned)
        agree(pinned, cache, accept_licence, folder)
        found = _take(pinned, folder, cache)
        return checked(learn(entry, pinned, found, cache), cache)


def _take(entry: RegistryEntry, folder: Path, cache: Cache) -> dict[str, str]:
    there = {path: path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}
    taken: dict[str, str] = {}
    missing: list[str] = []
    differs: list[str] = []
    for file in entry.files:
        if isinstance(source_of(entry, file), BundledSource):
            continue
        if file.sha256 is not None and cache.whole(file.sha256, again=True):
            taken[file.path] = file.sha256
            continue
        named = _named(file, folder, there)
        if (sha256 := _adopt(file, named, there, cache)) is not None:
            taken[file.path] = sha256
        else:
            (differs if named else missing).append(file.path)
    if missing or differs:
        raise _refusal(entry, folder, missing, differs)
    return taken


def _named(file: File, folder: Path, there: Iterable[Path]) -> Path | None:
    """The file at the entry's path, or at the longest tail of it that the folder has."""
    steps = file.path.split("/")
    for start in range(len(steps) - 1):
        if (folder / "/".join(steps[start:])).is_file():
            return folder / "/".join(steps[start:])
    same = [path for path in there if path.name == file.name]
    return same[0] if len(same) == 1 else None


def _adopt(file: File, named: Path | None, there: Mapping[Path, int], cache: Cache) -> str | None:
    """The sha256 of a file that is now in the cache: the one of that name if its bytes fit, else any other.

    there: the files of the folder with their sizes.
    """
    others = [path for path in there if path != named and file.bytes in (None, there[path])]
    for path in [*([named] if named else []), *(others if file.sha256 is not None else [])]:
        sha256 = sha256_of(path)
        unknown = file.sha256 is None and file.git_blob in (None, git_blob_of(path))
        if unknown or sha256 == file.sha256:
            return sha256 if cache.adopt(path, sha256) else None
    return None


def _refusal(entry: RegistryEntry, folder: Path, missing: list[str], differs: list[str]) -> DataError:
    lists = []
    for what, paths in (("missing", missing), ("with other bytes than pinned", differs)):
        if paths:
            more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
            lists.append(f"{what}: {', '.join(paths[:5])}{more}")
    return DataError(
        f"{entry.id}: the folder lacks {len(missing) + len(differs)} of {len(entry.files)} files",
        where=f"{folder}; {'; '.join(lists)}",
        fix=f"bring the files of revision {entry.revision}; those already taken are kept",
    )
