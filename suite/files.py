"""Files that are there as a whole or not at all, and that nothing else stands in for.

A file is written beside its place under a name that nobody else holds, flushed to the disk and renamed;
the renaming is flushed, too, so that it survives a power cut. No symbolic link is followed where a file is
made, and what is read must be a regular file: a pipe in its place would wait for ever.
"""

import contextlib
import errno
import filecmp
import os
import re
import stat
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from suite.errors import ConfigError, RunError, SuiteError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def trying(what: str, where: Path, fix: str = "", kind: type[SuiteError] = RunError) -> Iterator[None]:
    """Say what a block could not do where it raises OSError. what: "write manifest.json". Raises `kind`."""
    try:
        yield
    except OSError as error:
        raise kind(f"cannot {what}: {error.strerror or error}", str(where), fix) from error


def part_of(path: Path) -> Path:
    """Where a file is made that will be called `path`."""
    return path.with_name(path.name + ".part")


@contextmanager
def replacing(path: Path, *, same_stays: bool = False) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` when the block ends. An error leaves what was there.

    same_stays: so does a file that holds the same. Raises OSError; where `path` is a folder, a pipe or a
    device, too.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    part = part_of(path)
    part.unlink(missing_ok=True)  # of a killed process, or a trap
    try:
        with os.fdopen(os.open(part, _NEW, 0o666), "wb") as file:
            yield file
            file.flush()
            if same_stays and path.exists() and filecmp.cmp(part, path, shallow=False):
                return
            os.fsync(file.fileno())
            if not os.path.samestat(os.fstat(file.fileno()), part.lstat()):
                raise OSError(errno.EBUSY, "another process writes it, too", str(path))
        part.replace(path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file from its pieces. Raises OSError."""
    with replacing(path) as file:
        for piece in pieces:
            file.write(piece)


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, where the disk can."""
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def own_folder(folder: Path) -> None:
    """Make a folder inside one of ours. Raises OSError where a link or anything else stands in its place."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
        sync_folder(folder.parent)
    if folder.is_symlink() or not folder.is_dir():
        raise OSError(errno.ENOTDIR, "it is a link, or no folder", str(folder))


def open_append(path: Path) -> int:
    """A descriptor to read and append to a regular file, made if it is missing. Raises OSError."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        fd = os.open(path, flags, 0o644)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a symbolic link", str(path)) from error
        raise
    return _regular(fd, path)


def open_regular(path: Path) -> BinaryIO:
    """A regular file to read. Raises OSError."""
    return os.fdopen(_regular(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), path), "rb")


def read_regular(path: Path, most: int) -> bytes:
    """The bytes of a regular file of at most so many. Raises OSError."""
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return data


def _regular(fd: int, path: Path) -> int:
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return fd


SETTINGS = "suite.toml"
_LARGEST_SETTINGS = 2**20  # bytes


def read_settings(start: Path) -> tuple[Path | None, str, dict[str, Any]]:
    """(path, text, tables) of the settings in force in a folder: of the nearest `suite.toml`, its own or of a
    folder above. Raises ConfigError if the file is not TOML; the message names file and line.
    """
    path = next((one / SETTINGS for one in (start, *start.parents) if (one / SETTINGS).is_file()), None)
    if path is None:
        return None, "", {}
    try:
        text = read_regular(path, _LARGEST_SETTINGS).decode().removeprefix("\ufeff")
        return path, text, tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{SETTINGS} is not TOML: {error}", str(path)) from error
    except OSError as error:
        raise ConfigError(f"{SETTINGS} cannot be read: {error.strerror}", str(path)) from error


_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\..*)?", re.I)


def unsafe(path: str) -> str:
    """Why a path that data names may not be opened below a folder, "" if it may."""
    parts = path.split("/")
    if any(unicodedata.category(one)[0] == "C" for one in path):
        return "it holds a control character"
    if path.startswith(("/", "~")) or "\\" in path or re.match(r"[A-Za-z]:", path):
        return "path must be relative, with forward slashes"
    if ".." in parts or "" in parts:
        return "path must be without '..' and without empty parts"
    if any(_RESERVED.fullmatch(part) or (part != "." and part.endswith((".", " "))) for part in parts):
        return "it has a name that some systems reserve"
    return "it is too long" if len(path) > 1000 or any(len(part.encode()) > 240 for part in parts) else ""


def inside(base: Path, path: str) -> Path:
    """What lies below a folder under a path that data names. Raises OSError where it would lie elsewhere."""
    why = unsafe(path)
    if not why and not (base / path).resolve().is_relative_to(base.resolve()):
        why = "it leads out of its folder"
    if why:
        raise OSError(errno.EPERM, why, ascii(path)[:100])
    return base / path
