"""The data of a task for its tests: bundled rows as the suite reads them, rows in memory, files."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from suite.data.cache import Cache
from suite.data.declared_rows import file_source
from suite.data.registry import Registry
from suite.data.rows import Raw, RowPlace
from suite.data.view import ChangedSource, DataView, FileSource, GivenSource, Source, obtain
from suite.errors import ConfigError, DataError
from suite.plugins import catalogue
from suite.run.cells import AnyTask

Row = Mapping[str, Any] | BaseModel  # as a test writes it
Rows = Iterable[Row]
Change = Callable[[str, Raw], Raw]  # of a row of a dataset, by its name


class MemorySource(GivenSource):
    """Rows in memory as a dataset: undivided, or by the names of its parts."""

    kind = "in memory"

    def __init__(self, name: str, rows: Rows | Mapping[str, Rows]) -> None:
        super().__init__(name)
        parts = rows if isinstance(rows, Mapping) else {"": rows}
        self._parts = {part: [_raw(row) for row in found] for part, found in parts.items()}

    def parts(self) -> Sequence[str]:
        return [part for part in self._parts if part]

    def rows(self, part: str | None = None) -> Iterator[tuple[RowPlace, Raw]]:
        """The rows; undivided ones serve every part."""
        for name, rows in self._parts.items():
            if part in (None, name) or not name:
                for number, row in enumerate(rows):
                    yield RowPlace(self.name, name or "rows", number), row


class FolderSource(GivenSource):
    """The files of a folder as a dataset without rows."""

    kind = "a folder"

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self._folder = folder

    def path(self, path: str) -> Path:
        found = self._folder / path
        if not found.is_file():
            raise DataError(f"{self.name} has no file {path!r}", where=str(self._folder))
        return found


def task_data(
    *tasks: AnyTask | type[AnyTask],
    given: Mapping[str, Path | Rows | Mapping[str, Rows]] | None = None,
    change: Change | None = None,
) -> DataView:
    """What tasks read: their bundled mini data and the files of rows beside them, but for what is given.

    given: dataset -> rows, rows by part, a JSON Lines file, or a folder whose files the task reads itself.
    change: makes another row of each bundled one, (dataset, row) -> row.
    Nothing is fetched: a dataset without bundled rows that is not given is not at hand.
    Raises NotFound, DataError.
    """
    sources = {name: _source(name, found) for name, found in (given or {}).items()}
    for task in tasks:
        for name, place in task.info.rows.items():
            if isinstance(place, str) and name not in sources:
                beside = file_source(task, name, place)
                sources[name] = ChangedSource(name, beside, change) if change else beside
    registry, cache = Registry(catalogue().registry_folders()), Cache()
    for name, entry in {name: entry for task in tasks for name, entry in task.info.mini.items()}.items():
        if name not in sources:
            bundled = obtain(entry, registry, cache)
            sources[name] = ChangedSource(name, bundled, change) if change else bundled
    return DataView(sources)


def _source(name: str, given: Path | Rows | Mapping[str, Rows]) -> Source:
    if not isinstance(given, Path):
        return MemorySource(name, given)
    return FolderSource(name, given) if given.is_dir() else FileSource(name, given)


def _raw(row: Row) -> Raw:
    if isinstance(row, BaseModel):
        return row.model_dump()
    if not isinstance(row, Mapping):
        raise ConfigError.of("testing.row", kind=type(row).__name__)
    return dict(row)
