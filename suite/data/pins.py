"""Pinning: which commit a branch is at now, and the hashes of its files then.

The result is a lock in the cache, used from then on on this machine; `pin_file` writes the same pins into
the entry's own YAML for whoever keeps a registry. Large Hub files are pinned by the sha256 that the Hub
announces, without fetching them; everything else is fetched and hashed.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from suite.chat import Json
from suite.data import git_source, hub_source, strict_syntax
from suite.data.cache import Cache, disk_errors, sha256_of, write_whole
from suite.data.entry import DatasetEntry, File, GitSource, HubSource, ModelFile, Progress, RegistryEntry
from suite.data.locks import Lock, lock_path, make_lock, write_lock
from suite.errors import DataError


def pin(
    entry: RegistryEntry,
    cache: Cache | None = None,
    *,
    branch: str | None = None,
    progress: Progress | None = None,
) -> tuple[Lock, Path]:
    """Pin an entry to what its branch holds now. Returns the lock and where it was written.

    branch: default the entry's own. Files are those the entry lists, or those its patterns find.
    Raises SourceUnreachable, LicenceRequired or DataError.
    """
    cache = cache or Cache()
    with disk_errors(cache.root), cache.pulling():
        source = entry.source
        if isinstance(source, HubSource):
            source = source.model_copy(update={"revision": None})
            revision, files = _pin_hub(entry, source, branch or source.branch, cache, progress)
        elif isinstance(source, GitSource):
            revision, files = _pin_git(entry, source, branch or source.branch, cache, progress)
        else:
            raise DataError(
                f"{entry.id} has no branch to pin: its source is {source.kind}",
                fix="a package is pinned by its version, bundled data by the package it comes with",
            )
        lock = make_lock(entry, revision, files)
        path = lock_path(cache, entry)
        write_lock(path, lock)
        return lock, path


def pin_file(entry: RegistryEntry, lock: Lock, path: Path) -> None:
    """Write a lock's pins into the entry's YAML file; comments in it are lost."""
    document = msgspec.convert(strict_syntax.read_yaml_file(path), dict[str, Json])
    key = "commit" if isinstance(entry.source, GitSource) else "revision"
    document["source"] = {**msgspec.convert(document["source"], dict[str, Json]), key: lock.revision}
    document["files"] = [file.model_dump(mode="json", exclude_none=True) for file in lock.files]
    write_whole(path, strict_syntax.dump_yaml(document, width=100))


def _pin_hub(
    entry: RegistryEntry, source: HubSource, branch: str, cache: Cache, progress: Progress | None
) -> tuple[str, tuple[File, ...]]:
    revision = hub_source.resolve(source, entry.id, branch)
    announced = {one.path: one for one in hub_source.listing(source, entry.id, revision)}
    at = source.model_copy(update={"revision": revision})
    files = []
    for file in _wanted(entry, list(announced)):
        there = announced.get(file.path)
        if there is None:
            raise DataError(
                f"{entry.id}: {source.repo} has no file {file.path} any more",
                where=f"revision {revision[:12]}",
                fix="correct the files of the entry",
            )
        sha256 = there.sha256
        if sha256 is None:
            staging = cache.staging(f"{source.type}/{source.repo}/{revision}/{file.path}")
            path = hub_source.fetch(at, entry.id, file.path, staging, progress)
            if not hub_source.as_announced(path, there):
                path.unlink()
                raise DataError(f"{entry.id}: {file.path} is not what the Hub announced", fix="try again")
            sha256 = sha256_of(path)
            cache.keep(path, sha256)
        files.append(_pinned(file, sha256, there.size))
    return revision, tuple(files)


def _pin_git(
    entry: RegistryEntry, source: GitSource, branch: str, cache: Cache, progress: Progress | None
) -> tuple[str, tuple[File, ...]]:
    revision = git_source.resolve(source, branch)
    at = source.model_copy(update={"commit": revision})
    files = []
    for file in _wanted(entry, []):
        with cache.scratch() as scratch:
            path = scratch / "file"
            git_source.fetch(at, git_source.WantedFile(entry.id, file.path), path, progress)
            sha256, size = sha256_of(path), path.stat().st_size
            cache.keep(path, sha256)
        files.append(_pinned(file, sha256, size))
    return revision, tuple(files)


def _wanted(entry: RegistryEntry, there: list[str]) -> Iterator[File]:
    """The files that the entry lists; of parts that list none, those that the pattern finds."""
    yield from entry.all_files
    listed = {file.part for file in entry.all_files}
    found = False
    for name, part in (entry.parts if isinstance(entry, DatasetEntry) else {}).items():
        if part.pattern is None or name in listed:
            continue
        for path in sorted(path for path in there if fnmatchcase(path, part.pattern)):
            found = True
            yield File(path=path, part=name, bytes=None, rows=None)
    if not found and not entry.all_files:
        raise DataError(
            f"{entry.id} lists no files, and its patterns find none", fix="list its files in the entry"
        )


def _pinned(file: File, sha256: str, size: int) -> File:
    """The file with new pins. Its number of rows is kept only if its bytes are."""
    update: dict[str, object] = {"sha256": sha256, "bytes": size, "git_blob": None}
    if file.sha256 is not None and file.sha256 != sha256:
        update["rows"] = None
    kind = ModelFile if isinstance(file, ModelFile) else File
    return kind.model_validate({**file.model_dump(), **update})
