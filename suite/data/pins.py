"""Pinning: which commit a branch is at now, and the hashes of its files then.

The result is a lock in the cache, used from then on on this machine; `pin_file` writes the same pins into
the entry's own YAML for whoever keeps a registry. Large Hub files whose rows nothing is said about are pinned
by the sha256 that the Hub announces; everything else is fetched, hashed, and its rows are checked.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from suite.data import git_source, hub_source, strict_syntax
from suite.data.cache import Cache, disk_errors, write_whole
from suite.data.entry import DatasetEntry, DatasetPart, File, GitSource, HubSource, Progress, RegistryEntry
from suite.data.hub_layout import layout
from suite.data.hub_source import advising, files_told
from suite.data.local_entry import LocalFiles
from suite.data.locks import Lock, hashed, keep_lock
from suite.data.pull import fetch_all
from suite.data.row_checks import check_rows, renewal
from suite.errors import DataError

_ALONE = "pinning asks the source: try again with a network"


def pin(
    entry: RegistryEntry, cache: Cache, *, branch: str | None = None, progress: Progress | None = None
) -> tuple[Lock, Path]:
    """Pin an entry to what its branch holds now. Returns the lock and where it was written.

    branch: default the entry's own. Files are those the entry lists, or those its patterns find. Rows that
    have a schema or a number in the entry are fetched and held to the schema, and counted.
    Raises SourceUnreachable, LicenceRequired or DataError; then nothing is written.
    """
    with disk_errors(cache.root), cache.pulling(), advising(_ALONE):
        source, announced = at_commit(entry, branch=branch)
        files = wanted_files(entry, source, announced)
        if source.kind == "hub" and (gone := [one for one in files if one.path not in announced]):
            advice = f"{renewal(entry)}; {files_told(announced)}"
            raise DataError.of("data.pins.gone", entry=entry, source=source, file=gone[0], advice=advice)
        hashes = {path: one.sha256 for path, one in announced.items() if one.sha256 is not None}
        read = [name for name, part in _parts(entry).items() if part.row_schema or part.rows is not None]
        wanted = [one for one in files if one.path not in hashes or one.part in read]
        bare = {"bytes": None, "git_blob": None, "twin": None}
        bare_files = [one.model_copy(update={**bare, "sha256": hashes.get(one.path)}) for one in wanted]
        at = entry.model_copy(update={"source": source, "files": tuple(bare_files)})
        hashes |= fetch_all(at, cache, progress)
        pinned = (hashed(one, hashes[one.path], announced.get(one.path), cache) for one in files)
        at = at.model_copy(update={"files": tuple(pinned)})
        rows = None
        if isinstance(at, DatasetEntry):
            kept = {name: at.parts[name].model_copy(update={"rows": None}) for name in read}
            rows = check_rows(LocalFiles(at.model_copy(update={"parts": kept}), cache))
        return keep_lock(cache, entry, at, rows)


def pin_file(entry: RegistryEntry, lock: Lock, path: Path) -> None:
    """Write a lock's pins into the entry's YAML file; comments in it are lost."""
    document: Any = strict_syntax.read_yaml_file(path)
    document["source"] = {**document["source"], entry.source.pin: lock.revision}
    for name, count in (lock.rows or {}).items():
        document["parts"][name] = {**document["parts"][name], "rows": count}
    document["files"] = [file.model_dump(mode="json", exclude_none=True) for file in lock.files]
    write_whole(path, strict_syntax.dump_yaml(document, width=100))


def at_commit(
    entry: RegistryEntry, commit: str | None = None, branch: str | None = None
) -> tuple[HubSource | GitSource, Mapping[str, File]]:
    """The entry's source at a commit, and what the Hub says of its files then.

    commit: None: the one that the branch (None: the entry's own) is at now.
    """
    source = entry.source
    if source.kind == "hub":
        unpinned = source.model_copy(update={"revision": None})
        commit = commit or hub_source.about(unpinned, entry.id, branch or source.branch)[0]
        source = source.model_copy(update={"revision": commit})
        return source, hub_source.listing(source, entry.id)
    if source.kind == "git":
        commit = commit or git_source.first_branch(source, [branch or source.branch])[1]
        return source.model_copy(update={"commit": commit}), {}
    raise DataError.of("data.pins.no-branch", entry=entry, source=source)


def wanted_files(entry: RegistryEntry, source: HubSource | GitSource, there: Iterable[str]) -> list[File]:
    """The files that config and split have now, those that the entry lists, else those of the pattern."""
    known = {(one.part, one.path): one for one in entry.files}
    listed = {file.part for file in entry.files}
    by_split = {name for name, part in _parts(entry).items() if part.split is not None}
    found = layout(source, entry.id) if source.kind == "hub" and by_split else None
    files = [one for one in entry.files if one.part not in by_split]
    for name, part in _parts(entry).items():
        paths: Iterable[str] = ()
        if found is not None and part.split is not None:
            paths = found.files(part.config, part.split)
        elif part.pattern is not None and name not in listed:
            paths = sorted(path for path in there if fnmatchcase(path, part.pattern))
        files += [known.get((name, path)) or File(path=path, part=name) for path in paths]
    if not files:
        raise DataError.of("data.pins.no-files", entry=entry, files=files_told(there))
    return files


def _parts(entry: RegistryEntry) -> Mapping[str, DatasetPart]:
    return entry.parts if isinstance(entry, DatasetEntry) else {}
