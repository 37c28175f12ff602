"""Finds registry entries: one YAML file an entry, named after its id.

Folders are searched in order: the suite's own, those that plugins bring, the user's own. Reading one
entry opens one file; a broken file is an error for whoever asks for it, and a problem in the list for
everyone else.
Not here: what an entry may say (`entry`), fetching it (`pull`).
"""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from suite.data import strict_syntax
from suite.data.entry import DatasetEntry, EntryT, ModelEntry
from suite.errors import DataError, SuiteError, unknown
from suite.files import inside

_ID = re.compile(r"[a-z0-9][a-z0-9.-]*")


def registry_folder() -> Path:
    """The registry that comes with the suite: inside the package (wheel), or beside it (source checkout).

    Raises DataError if there is none.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "registry", package.parent / "registry"):
        if (folder / "datasets").is_dir():
            return folder
    raise DataError("the suite's registry folder is missing", where=str(package), fix="reinstall suite-eval")


def user_folder() -> Path:
    """The user's own registry, there or not: SUITE_REGISTRY, else the nearest folder `registry` from here
    upward that holds entries and is not a suite's own, else `registry` here (of a suite's source: its own).
    """
    if named := os.environ.get("SUITE_REGISTRY"):
        return Path(named).expanduser().absolute()
    here = Path.cwd()
    for folder in (one / "registry" for one in (here, *here.parents)):
        if (folder / "datasets").is_dir() and not _suites(folder):
            return folder
    return here / "registry"


def _suites(folder: Path) -> bool:
    """Whether a registry folder is that of a suite."""
    return (folder / "schemas/dataset.json").is_file()


class Problem(NamedTuple):
    """An entry, or the definition of a board, that can't be read."""

    file: Path
    error: SuiteError


class Registry:
    """All entries of the suite, of the given further folders and of the user's own.

    own: stands in for the suite's and the user's.
    """

    def __init__(self, folders: Sequence[Path] = (), own: Path | None = None) -> None:
        users = user_folder()
        more = () if _suites(users) else (users,)  # in the source of another suite than this one
        found = (own, *folders) if own else (registry_folder(), *folders, *more)
        self.folders = tuple({folder.resolve(): folder for folder in found}.values())

    def dataset(self, name: str) -> DatasetEntry:
        """Raises NotFound, or DataError for an entry that can't be read."""
        return self._one(name, DatasetEntry)

    def model(self, name: str) -> ModelEntry:
        """Raises NotFound, or DataError for an entry that can't be read."""
        return self._one(name, ModelEntry)

    def datasets(self) -> tuple[list[DatasetEntry], list[Problem]]:
        """All datasets by id, and what can't be read."""
        return self._all(DatasetEntry)

    def dataset_names(self) -> list[str]:
        """The ids of all datasets; no entry is read."""
        return sorted(self._files(DatasetEntry.kind))

    def models(self) -> tuple[list[ModelEntry], list[Problem]]:
        """All models by id, and what can't be read."""
        return self._all(ModelEntry)

    def _files(self, kind: str) -> dict[str, list[tuple[Path, Path]]]:
        found: dict[str, list[tuple[Path, Path]]] = {}
        for base in self.folders:
            for path in sorted((base / f"{kind}s").glob("*.yaml")):
                if _ID.fullmatch(path.stem):
                    found.setdefault(path.stem, []).append((base, path))
        return found

    def _one(self, name: str, model: type[EntryT]) -> EntryT:
        kind, files = model.kind, self._files(model.kind)
        if name not in files:
            searched = f"searched: {len(self.folders)} registry folders, the last is {self.folders[-1]}"
            raise unknown(kind, name, files, where=searched)
        if len(files[name]) > 1:
            where = " and ".join(str(path) for _, path in files[name])
            raise DataError(f"{kind} {name!r} is described twice", where, "rename one of them")
        base, path = files[name][0]
        return read_entry(path, model).found_in(base)

    def _all(self, model: type[EntryT]) -> tuple[list[EntryT], list[Problem]]:
        entries, problems = [], []
        for name, found in sorted(self._files(model.kind).items()):
            try:
                entries.append(self._one(name, model))
            except DataError as error:
                problems.append(Problem(found[-1][1], error))
        return entries, problems


def find_schema(name: str, folders: Iterable[Path]) -> Path:
    """The schema of that name in the first folder that has it. Raises DataError."""
    for base in folders:
        try:
            path = inside(base / "schemas", name)
        except OSError as error:
            raise DataError(f"schema {error.filename} is not opened: {error.strerror}", str(base)) from error
        if path.is_file():
            return path
    raise DataError.of("data.registry.no-schema", name=name)


def read_entry(path: Path, model: type[EntryT]) -> EntryT:
    """The entry in a YAML file. Raises DataError naming file, line and field."""
    fix = "schemas/dataset.json and schemas/model.json in the registry say what is allowed"
    entry = strict_syntax.read_model(path, model, DataError, "entry", fix)
    if entry.id != path.stem:
        raise DataError.of("data.registry.misnamed", entry=entry, path=path)
    return entry
