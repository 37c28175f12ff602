"""What a task sees of its data: sources by dataset name, rows as the task's own types.

A source is a registry entry, bundled data, a file somebody gave, or a finished run: anything that yields
rows with their places and can say what it is. `obtain` finds those of the registry.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from suite.chat import Json
from suite.data.cache import Cache, sha256_of
from suite.data.entry import Progress
from suite.data.local_entry import LocalDataset
from suite.data.pull import pull, ready
from suite.data.registry import Registry
from suite.data.rows import Raw, RowPlace, source_rows, typed
from suite.errors import DataError, unknown

RowT = TypeVar("RowT")


class Source(Protocol):
    """Where the rows of one dataset come from."""

    def parts(self) -> Sequence[str]:
        """The names of its parts; () if it isn't divided."""

    def rows(self, part: str | None = None) -> Iterator[tuple[RowPlace, Raw]]:
        """Its rows with their places, lazily."""

    def path(self, path: str) -> Path:
        """A verified file of it."""

    def identity(self) -> Mapping[str, Json]:
        """What it is, for the manifest: revision and hashes; no path of this machine."""


class FileSource:
    """JSON Lines files that somebody gave: one, or one a part."""

    def __init__(self, name: str, files: Path | Mapping[str, Path]) -> None:
        self.name = name
        self._files: dict[str, Path] = {"": files} if isinstance(files, Path) else dict(files)
        for path in self._files.values():
            if not path.is_file():
                raise DataError(f"--data {name}: no file {path.name}", where=str(path))

    def parts(self) -> Sequence[str]:
        """The parts that have a file of their own."""
        return [part for part in self._files if part]

    def rows(self, part: str | None = None) -> Iterator[tuple[RowPlace, Raw]]:
        """The rows; an undivided file serves every part."""
        if part is not None and part not in self._files:
            if "" not in self._files:
                raise unknown(f"part of --data {self.name}", part, self.parts())
            part = ""
        for path in self._files.values() if part is None else (self._files[part],):
            yield from source_rows(path, self.name)

    def path(self, path: str) -> Path:
        """The file given, by its name."""
        for one in self._files.values():
            if one.name == path:
                return one
        raise unknown(f"file of --data {self.name}", path, [one.name for one in self._files.values()])

    def identity(self) -> Mapping[str, Json]:
        """Names and hashes of the files."""
        return {"source": "file", "files": {path.name: sha256_of(path) for path in self._files.values()}}


class DataView:
    """The data of a task, by dataset name (`suite.task.Data`)."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = dict(sources)

    def rows(self, name: str, row: type[RowT], part: str | None = None) -> Iterator[RowT]:
        """Rows of a dataset or of one part of it, validated, lazily. Raises NotFound, DataError."""
        return typed(self._source(name).rows(part), row)

    def file(self, name: str, path: str) -> Path:
        """A verified local file of a dataset. Raises NotFound, DataError."""
        return self._source(name).path(path)

    def has(self, name: str, part: str | None = None) -> bool:
        """Whether a dataset (or a part of it) is at hand."""
        source = self._sources.get(name)
        return source is not None and (part is None or not source.parts() or part in source.parts())

    def stored(self) -> Iterator[tuple[RowPlace, Raw]]:
        """All rows of all datasets as stored, with their places."""
        for _, source in sorted(self._sources.items()):
            yield from source.rows()

    def identity(self) -> Mapping[str, Json]:
        """What every dataset is, by name, for the manifest."""
        return {name: source.identity() for name, source in sorted(self._sources.items())}

    def _source(self, name: str) -> Source:
        if name not in self._sources:
            raise unknown("dataset", name, self._sources, where="the data of this task")
        return self._sources[name]


def obtain(
    name: str,
    registry: Registry,
    cache: Cache,
    say: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> LocalDataset:
    """One dataset of the registry, pulled if it isn't here yet, after saying so.

    Raises NotFound, DataError, LicenceRequired or SourceUnreachable.
    """
    entry = registry.dataset(name)
    local = ready(entry, cache)
    if local is None:
        if say is not None:
            say(f"pulling {name} ({entry.source.kind})")
        local = pull(entry, cache, progress=progress)
    return local
