"""An entry whose files are here: verified paths, rows, and the identity that goes into a manifest.

Bytes are checked against their hash once more before the first use in each process, so a cache that was
damaged or edited is noticed and never used. Bundled data is hashed when its identity is asked for.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from suite.chat import Json, sha256_hex
from suite.data.cache import Cache, sha256_of
from suite.data.entry import BundledSource, DatasetEntry, DatasetPart, File, RegistryEntry, source_of
from suite.data.rows import Raw, RowPlace, read_rows, with_derived
from suite.errors import DataError, NotFound, unknown
from suite.files import inside
from suite.plugins import package_folders


def bundled_folder(entry: RegistryEntry, source: BundledSource) -> Path:
    """The folder of bundled data, without importing the package. Raises DataError."""
    own = [entry.folder] if entry.folder else []
    for base in own if source.package is None else package_folders(source.package):
        if (folder := _inside(entry, base, source.folder)).is_dir():
            return folder
    if source.package is not None:
        raise DataError.of("data.bundled.package", entry=entry, source=source)
    raise DataError.of("data.bundled.registry", entry=entry, source=source)


def _inside(entry: RegistryEntry, base: Path, path: str) -> Path:
    try:
        return inside(base, path)
    except OSError as error:
        raise DataError(f"{entry.id}: {error.filename} is not opened: {error.strerror}", str(base)) from error


Here_co = TypeVar("Here_co", bound=RegistryEntry, covariant=True)


@dataclass(frozen=True)
class LocalFiles(Generic[Here_co]):
    """A pulled entry; rows are a dataset's. `path` and `identity` raise DataError for bytes that are not what
    the entry says. called: how errors name it, "" by its id.
    """

    entry: Here_co
    cache: Cache
    called: str = ""

    def file(self, path: str) -> File:
        """What the entry says about a file; a bundled file need not be listed. Raises NotFound."""
        if found := [one for one in self.entry.files if one.path == path]:
            return found[0]
        if path not in self.paths():
            raise unknown(f"file of {self.entry.id}", path, [one.path for one in self.entry.files])
        return File(path=path)

    def path(self, path: str) -> Path:
        """A verified file under its own name."""
        file = self.file(path)
        source = source_of(self.entry, file)
        if isinstance(source, BundledSource):
            place = _inside(self.entry, bundled_folder(self.entry, source), file.path)
            if not place.is_file():
                raise DataError(f"{self.entry.id} lacks {file.path}", str(place), "reinstall the plugin")
            if file.sha256 is not None and sha256_of(place) != file.sha256:
                raise DataError.of("data.bundled.changed", entry=self.entry, file=file, path=place)
            return place
        if file.sha256 is None or not self.cache.whole(file.sha256):
            raise damaged(self.entry, file, self.cache)
        return self.cache.linked(file.sha256, readable(self.cache, self.entry, file))

    def sha256(self, path: str) -> str:
        file = self.file(path)
        return file.sha256 or sha256_of(self.path(path))

    def paths(self) -> list[str]:
        """The files of the entry: those listed, and of bundled data those that its patterns find."""
        found = dict.fromkeys(file.path for file in self.entry.files)
        if isinstance(self.entry, DatasetEntry):
            for part in self.entry.parts:
                found.update(dict.fromkeys(files_of(self.entry, part)))
        return list(found)

    def identity(self) -> Mapping[str, Json]:
        """What the manifest records: entry, source and revision, licence, sha256 by file."""
        files = {path: self.sha256(path) for path in self.paths()}
        source = self.entry.source
        place = {"source": source.kind, "revision": self.entry.revision}
        if repo := getattr(source, "repo", None) or getattr(source, "distribution", None):
            place["repo"] = repo
        licence: dict[str, Json] = {"name": self.entry.licence.name}
        if self.entry.licence.accept_required:
            licence["accepted"] = self.cache.accepted(self.entry)
        whole = sha256_hex(json.dumps(files, sort_keys=True).encode())
        return {"entry": self.entry.id, **place, "licence": licence, "sha256": whole, "files": files}

    def parts(self: "LocalDataset") -> Sequence[str]:
        return list(self.entry.parts)

    def part(self: "LocalDataset", name: str) -> DatasetPart:
        """What the entry says about a part. Raises NotFound."""
        if name not in self.entry.parts:
            parts = f"its parts: {', '.join(self.entry.parts)}"
            raise NotFound(f"no part of {self.entry.id} named {name!r}", fix=parts)
        return self.entry.parts[name]

    def stored_rows(self: "LocalDataset", part: str) -> Iterator[tuple[RowPlace, Raw]]:
        """The rows of a part as stored, in order."""
        form = self.part(part).format
        for path in files_of(self.entry, part):
            yield from read_rows(self.called or self.entry.id, path, self.path(path), form)

    def rows(self: "LocalDataset", part: str | None = None) -> Iterator[tuple[RowPlace, Raw]]:
        """The rows of a part, or of all parts in order, with derived fields."""
        for name in self.parts() if part is None else (part,):
            derived = self.part(name).derived
            for place, row in self.stored_rows(name):
                yield place, with_derived(place, row, derived)


LocalDataset = LocalFiles[DatasetEntry]


def files_of(entry: DatasetEntry, part: str) -> list[str]:
    """The files of a part, in order."""
    listed = [file.path for file in entry.files_of(part)]
    pattern = entry.parts[part].pattern
    if listed or pattern is None or not isinstance(entry.source, BundledSource):
        return listed
    folder = bundled_folder(entry, entry.source)
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob(pattern) if path.is_file())


def readable(cache: Cache, entry: RegistryEntry, file: File) -> Path:
    """Where a file lies under its own name."""
    source = source_of(entry, file)
    if source.kind == "package":
        return cache.top / "models" / f"{source.distribution}-{source.version}" / file.name
    return cache.root / "files" / entry.id / (entry.revision or "none")[:12] / file.path


def damaged(entry: RegistryEntry, file: File, cache: Cache) -> DataError:
    """What to say if a file isn't in the cache, or not with its bytes."""
    kind = "models" if entry.kind == "model" else "data"
    blob = cache.blob(file.sha256 or "none")
    if not blob.exists():
        return DataError.of("data.pull.not-pulled", entry=entry, file=file, kind=kind)
    return DataError.of("data.pull.changed", entry=entry, file=file, kind=kind, blob=blob)
