"""The cache on disk: files by their sha256, and what has been accepted and checked.

A file is written beside its place, flushed to disk, and renamed, so whatever has its final name is whole;
who reads checks its hash once more before the first use. Locks keep concurrent processes from fetching
the same file twice; a killed process leaves its lock free and only scratch files behind.
"""

import errno
import fcntl
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from suite.chat import Json
from suite.data.entry import Licence, RegistryEntry
from suite.errors import DataError

_FULL = {errno.ENOSPC, errno.EDQUOT}


def cache_folder() -> Path:
    """Where everything fetched is kept: SUITE_CACHE, or the user's cache folder."""
    if named := os.environ.get("SUITE_CACHE"):
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("suite"))


def sha256_of(path: Path) -> str:
    """sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_blob_of(content: Path | bytes) -> str:
    """The id that Git gives to the content of a file, in hex."""
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as file:
        return hashlib.file_digest(file, lambda: digest).hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file so that it is there as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses into errors that say so. Raises DataError."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DataError.of("data.cache.full", folder=folder) from error
        said, place = error.strerror or error, error.filename or folder
        raise DataError.of("data.cache.refused", said=said, place=place) from error


class Cache:
    """A cache folder. Any number of processes may use one."""

    def __init__(self, folder: Path | None = None) -> None:
        self.top = folder or cache_folder()
        self.root = self.top / "data"
        self._checked: dict[str, tuple[int, int]] = {}

    def blob(self, sha256: str) -> Path:
        """Where a file of that hash is kept, whether it is there or not."""
        return self.root / "blobs" / sha256[:2] / sha256

    def whole(self, sha256: str, again: bool = False) -> bool:
        """Whether the file is there with the right bytes; read in full once per process, or `again`."""
        path = self.blob(sha256)
        try:
            facts = path.stat()
        except OSError:
            return False
        key = (facts.st_size, facts.st_mtime_ns)
        if again or self._checked.get(sha256) != key:
            if sha256_of(path) != sha256:
                self._checked.pop(sha256, None)
                return False
            self._checked[sha256] = key
        return True

    def keep(self, path: Path, sha256: str) -> None:
        """Move a checked file to its place; `path` is on the cache's own disk (see `scratch`)."""
        target = self.blob(sha256)
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        path.chmod(0o444)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)

    def adopt(self, path: Path, sha256: str) -> bool:
        """Copy a file found elsewhere if its hash is the wanted one; says whether it was."""
        with self.scratch() as folder:
            copy = folder / "file"
            shutil.copyfile(path, copy)
            if sha256_of(copy) != sha256:
                return False
            self.keep(copy, sha256)
        return True

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder on the cache's disk that goes away."""
        base = self.root / "scratch"
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=base, ignore_cleanup_errors=True) as name:
            yield Path(name)

    def staging(self, name: str) -> Path:
        """A folder for unfinished downloads that stays, so that they can go on later."""
        folder = self.root / "staging" / _folder_name(name)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def pulling(self, wanted: Iterable[str] | None = None) -> Iterator[None]:
        """Hold the unfinished downloads while some go on. What killed processes left is taken away first,
        if nobody else holds them and `wanted` says which may go on (see `staging`).
        """
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        fd = os.open(folder / "pulls", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            with suppress(BlockingIOError):
                if wanted is not None:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._sweep({_folder_name(one) for one in wanted})
            fcntl.flock(fd, fcntl.LOCK_SH)
            yield
        finally:
            os.close(fd)

    def _sweep(self, wanted: set[str]) -> None:
        for folder in [*(self.root / "scratch").glob("*"), *(self.root / "staging").glob("*")]:
            if folder.name not in wanted:
                shutil.rmtree(folder, ignore_errors=True)
        for path in self.root.rglob(".new-*"):
            path.unlink(missing_ok=True)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Keep other processes and threads out of `name` for a while."""
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{_folder_name(name)}.lock", thread_local=False):
            yield

    def linked(self, sha256: str, place: Path) -> Path:
        """The file under a readable name: a hard link, or a copy where the disk has none."""
        source = self.blob(sha256)
        if place.is_file() and (place.samefile(source) or sha256_of(place) == sha256):
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        with self.scratch() as folder:
            new = folder / "link"
            try:
                os.link(source, new)
            except OSError:
                shutil.copyfile(source, new)
            new.replace(place)
        return place

    def note(self, kind: str, name: str) -> Mapping[str, Json]:
        """A small record kept beside the files; {} if there is none or it can't be read."""
        with suppress(OSError, ValueError):
            found = json.loads((self.root / kind / f"{name}.json").read_bytes())
            return found if isinstance(found, dict) else {}
        return {}

    def write_note(self, kind: str, name: str, content: Mapping[str, object]) -> None:
        text = json.dumps(content, indent=1, sort_keys=True) + "\n"
        write_whole(self.root / kind / f"{name}.json", text.encode())

    def accepted(self, entry: RegistryEntry) -> bool:
        """Whether the entry's licence, as it reads now, has been accepted on this cache."""
        return self.note("licences", entry.id) == _terms(entry.licence)

    def accepted_of_any(self, licence: Licence) -> bool:
        """Whether terms that stand on a page of their dataset alone were accepted for any entry of it."""
        told = _terms(licence)
        return any(self.note("licences", path.stem) == told for path in self.root.glob("licences/*.json"))

    def accept(self, entry: RegistryEntry) -> None:
        self.write_note("licences", entry.id, _terms(entry.licence))


def _folder_name(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:24]


def _terms(licence: Licence) -> dict[str, str]:
    return {"licence": licence.name, "url": licence.url}
