"""What a task sees of its data: sources by dataset name, rows as the task's own types.

A source is a registry entry, bundled data, a file somebody gave, or a finished run: anything that yields
rows with their places and can say what it is. `obtain` finds those of the registry.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, overload

from suite.chat import Json
from suite.data.cache import Cache, sha256_of
from suite.data.local_entry import LocalDataset
from suite.data.pull import pull, ready
from suite.data.registry import Registry
from suite.data.rows import Raw, RowModel, RowPlace, read_rows, typed
from suite.errors import DataError, unknown

RowT = TypeVar("RowT")


class GivenSource:
    """Base of what is given: without rows and files of its own. kind: what it is, in words."""

    kind = ""

    def __init__(self, name: str) -> None:
        self.name = name

    def parts(self) -> Sequence[str]:
        """The names of its parts; () if it isn't divided."""
        return ()

    def rows(self, part: str | None = None) -> Iterator[tuple[RowPlace, Raw]]:  # noqa: ARG002
        """Its rows with their places, lazily; here there are none."""
        raise DataError(f"{self.name} is {self.kind}: it has files, no rows")

    def path(self, path: str) -> Path:
        """A verified file of it; here there are none."""
        raise DataError(f"{self.name} is {self.kind}: it has rows, no file {path!r}")

    def identity(self) -> Mapping[str, Json]:
        """What it is, for the manifest: revision and hashes; no path of this machine."""
        return {"source": self.kind.rpartition(" ")[2]}


Source = GivenSource | LocalDataset  # where the rows of one dataset come from


class ChangedSource(GivenSource):
    """A dataset whose rows are changed on the way."""

    def __init__(self, name: str, source: Source, change: Callable[[str, Raw], Raw]) -> None:
        super().__init__(name)
        self._source, self._change = source, change
        self.parts, self.path, self.identity = source.parts, source.path, source.identity  # type: ignore[method-assign]

    def rows(self, part: str | None = None) -> Iterator[tuple[RowPlace, Raw]]:
        """Its rows, each as `change` makes it of (dataset, row)."""
        return ((place, self._change(self.name, row)) for place, row in self._source.rows(part))


class FileSource(GivenSource):
    """A file of rows, of any format; it serves every part. told: who names it, in errors."""

    def __init__(self, name: str, file: Path, told: str = "") -> None:
        super().__init__(name)
        self._file = file
        self._told = told or f"--data {name}"
        if not file.is_file():
            raise DataError.of("data.view.no-file", told=self._told, file=file)
        try:
            with file.open("rb") as opened:
                wrong = "" if opened.read(1) else "is empty"
        except OSError as error:
            wrong = f"cannot be read: {error.strerror or error}"
        if wrong:
            raise DataError.of("data.view.no-rows", told=self._told, file=file, wrong=wrong)

    def rows(self, part: str | None = None) -> Iterator[tuple[RowPlace, Raw]]:  # noqa: ARG002
        return read_rows(self.name, self._file.name, self._file)

    def path(self, path: str) -> Path:
        """The file given, by its name."""
        if path != self._file.name:
            raise unknown(f"file of {self._told}", path, [self._file.name])
        return self._file

    def identity(self) -> Mapping[str, Json]:
        return {"source": "file", "files": {self._file.name: sha256_of(self._file)}}


class DataView:
    """The data of a task, by dataset name (`suite.task.Data`)."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = dict(sources)

    @overload
    def rows(self, name: str, row: type[RowT], part: str | None = None) -> Iterator[RowT]: ...

    @overload
    def rows(self, name: str, row: Mapping[str, Json], part: str | None = None) -> Iterator[Raw]: ...

    def rows(self, name: str, row: RowModel, part: str | None = None) -> Iterator[Any]:
        """Rows of a dataset or of one part of it, validated, lazily. Raises NotFound, DataError."""
        return typed(self._source(name).rows(part), row)

    def file(self, name: str, path: str) -> Path:
        """A verified local file of a dataset. Raises NotFound, DataError."""
        return self._source(name).path(path)

    def has(self, name: str, part: str | None = None) -> bool:
        source = self._sources.get(name)
        return source is not None and (part is None or not source.parts() or part in source.parts())

    def stored(self) -> Iterator[tuple[RowPlace, Raw]]:
        """All rows of all datasets as stored, with their places."""
        for _, source in sorted(self._sources.items()):
            for part in source.parts() or (None,):
                yield from source.rows(part)

    def changed(self, change: Callable[[str, Raw], Raw]) -> "DataView":
        """The same data with each row as `change` makes it of (dataset, row)."""
        return DataView({name: ChangedSource(name, one, change) for name, one in self._sources.items()})

    def identity(self) -> Mapping[str, Json]:
        """What every dataset is, by name, for the manifest."""
        return {name: source.identity() for name, source in sorted(self._sources.items())}

    def _source(self, name: str) -> Source:
        if name not in self._sources:
            raise unknown("dataset", name, self._sources, where="the data of this task")
        return self._sources[name]


def entry_told(identity: Mapping[str, Json]) -> str:
    """The entry of a recorded dataset as --data takes it, ENTRY or ENTRY:PART; "" of what is no entry's."""
    return ":".join(str(identity[key]) for key in ("entry", "part") if identity.get(key))


def obtain(
    name: str, registry: Registry, cache: Cache, say: Callable[[str], None] | None = None
) -> LocalDataset:
    """One dataset of the registry, pulled if it isn't here yet, after saying so.

    Raises NotFound, DataError, LicenceRequired or SourceUnreachable.
    """
    entry = registry.dataset(name)
    if (local := ready(entry, cache)) is None:
        if say is not None:
            say(f"pulling {name} ({entry.source.kind})")
        local = pull(entry, cache)
    return local
