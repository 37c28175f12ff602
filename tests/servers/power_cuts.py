"""A disk that remembers: every change of files in the order made, and what a power cut may leave of it.

A file keeps all that was flushed by an fsync of it before the cut, and any beginning of what came later; a
name keeps its last content that a flush of its folder covered, or a later one. Nothing else is promised.
"""

import os
import random
from pathlib import Path
from typing import Any, NamedTuple


class Change(NamedTuple):
    """op: open, write, cut, sync (a file by its number); link (a name to it), unlink, folder (a flush)."""

    op: str
    file: int = -1
    path: str = ""
    data: bytes = b""


class Disk:
    """Stands in for the module `os`; records what happens below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.changes: list[Change] = []
        self._files: dict[int, int] = {}  # descriptor -> file
        self._folders: dict[int, str] = {}
        self._names: dict[str, int] = {}
        self._count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: Any, flags: int, *mode: int) -> int:
        new = flags & os.O_CREAT and not os.path.lexists(path)
        fd = os.open(path, flags, *mode)
        name = str(path)
        if name.startswith(self.root) and Path(name).is_file():
            if new:
                self._count += 1
                self._names[name] = self._count
                self.changes.append(Change("link", self._count, name))
            self._files[fd] = self._names[name]
        elif name.startswith(self.root) or self.root.startswith(name):
            self._files.pop(fd, None)
            self._folders[fd] = name
        return fd

    def write(self, fd: int, data: bytes) -> int:
        self.changes.append(Change("write", self._files[fd], data=bytes(data)))
        return os.write(fd, data)

    def ftruncate(self, fd: int, size: int) -> None:
        self.changes.append(Change("cut", self._files[fd], data=str(size).encode()))
        os.ftruncate(fd, size)

    def fsync(self, fd: int) -> None:
        if fd in self._files:
            self.changes.append(Change("sync", self._files[fd]))
        else:
            self.changes.append(Change("folder", path=self._folders[fd]))

    def fdopen(self, fd: int, mode: str) -> Any:
        return Whole(self, fd) if mode == "wb" else os.fdopen(fd, mode)

    def renamed(self, old: Path, new: Path) -> None:
        number = self._names.pop(str(old))
        self._names[str(new)] = number
        self.changes += [Change("unlink", path=str(old)), Change("link", number, str(new))]


class Whole:
    """A file of `replacing`, unbuffered."""

    def __init__(self, disk: Disk, fd: int) -> None:
        self._disk, self._fd = disk, fd

    def __enter__(self) -> "Whole":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def write(self, data: bytes) -> int:
        return self._disk.write(self._fd, data)

    def flush(self) -> None:
        pass

    def fileno(self) -> int:
        return self._fd


def after_cut(changes: list[Change], chance: random.Random) -> dict[str, bytes]:
    """Name -> content that some power cut after these changes leaves."""
    content: dict[int, bytes] = {}
    names: dict[str, list[tuple[int, int | None]]] = {}  # name -> (when, file or None)
    flushed: dict[str, int] = {}  # folder -> when
    for number in {one.file for one in changes if one.op in ("write", "cut", "sync")}:
        mine = [one for one in changes if one.file == number and one.op in ("write", "cut", "sync")]
        last = max((at for at, one in enumerate(mine) if one.op == "sync"), default=-1)
        keep = chance.randint(last + 1, len(mine))
        data = b""
        for one in mine[:keep]:
            data = (
                data + one.data if one.op == "write" else data[: int(one.data)] if one.op == "cut" else data
            )
        if keep < len(mine) and mine[keep].op == "write":
            data += mine[keep].data[: chance.randint(0, len(mine[keep].data))]
        content[number] = data
    for at, one in enumerate(changes):
        if one.op in ("link", "unlink"):
            names.setdefault(one.path, []).append((at, one.file if one.op == "link" else None))
        elif one.op == "folder":
            flushed[one.path] = at
    left = {}
    for name, history in names.items():
        until = flushed.get(str(Path(name).parent), -1)
        sure = max((n for n, (at, _) in enumerate(history) if at < until), default=-1)
        chosen = chance.randint(sure, len(history) - 1)
        if chosen >= 0 and (file := history[chosen][1]) is not None:
            left[name] = content.get(file, b"")
    return left
