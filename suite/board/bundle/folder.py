"""A bundle as a folder: walked without following links, opened without following links.

Every entry is a regular file with one name (link count 1) and stands on the list of what a bundle may
hold. Paths are opened part by part from the folder itself, so that nothing exchanged under way leads out.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from itertools import count
from pathlib import Path

from suite.board.bundle.bounds import SizeLimits, allowed, unsafe
from suite.board.bundle.rungs import Findings, Refused, refuse
from suite.errors import BundleError
from suite.files import trying

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DEEPEST = 3  # slashes: runs/ID/scoring/file


class Folder:
    """A folder opened for reading. Close it."""

    def __init__(self, path: Path) -> None:
        """Raises BundleError if it cannot be opened."""
        with trying("open the bundle", path, kind=BundleError):
            self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.sizes: dict[str, int] = {}  # name -> bytes, once `scan` found nothing wrong

    def close(self) -> None:
        os.close(self._fd)

    def scan(self, findings: Findings, limits: SizeLimits) -> bool:
        """Whether it holds plain files of a bundle only; what else goes into `findings` (R0)."""
        before = findings.errors
        self.sizes = {}
        folders, seen = [""], count(1)
        while folders:
            base = folders.pop()
            try:
                with self._opened(f"{base}.", _FOLDER) as fd, os.scandir(fd) as entries:
                    for entry in entries:
                        if next(seen) > 2 * limits.members:  # folders count too
                            findings.refused("R0", Refused("too-many-members/files", limits.members))
                            return False
                        try:
                            if self._is_folder(entry, base + entry.name, limits):
                                folders.append(f"{base}{entry.name}/")
                        except Refused as wrong:
                            findings.refused("R0", wrong, base + entry.name)
            except OSError:
                findings.refused("R0", Refused("unreadable"), base.removesuffix("/"))
        if sum(self.sizes.values()) > limits.archive:
            findings.refused("R0", Refused("archive-too-big", limits.archive))
        return findings.errors == before

    def _is_folder(self, entry: "os.DirEntry[str]", name: str, limits: SizeLimits) -> bool:
        """Whether an entry is a folder to look into; else it is a file, and noted. Raises Refused."""
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError as error:
            raise Refused("changed") from error
        why = unsafe(name)
        refuse(why, "unsafe-name/file", why)
        refuse(len(name) > limits.name, "unsafe-name/long-file", limits.name)
        if stat.S_ISDIR(found.st_mode) and name.count("/") < _DEEPEST and not allowed(name):
            return True
        refuse(not stat.S_ISREG(found.st_mode), "link/file")
        refuse(found.st_nlink != 1, "link/names")
        refuse(not allowed(name), "name-not-allowed/file")
        self.sizes[name] = found.st_size
        return False

    @contextmanager
    def _opened(self, name: str, flags: int) -> Iterator[int]:
        """A descriptor of what stands there, opened part by part from the folder itself."""
        with ExitStack() as stack:
            fd = self._fd
            *folders, last = name.split("/")
            for part, how in (*((one, _FOLDER) for one in folders), (last, flags)):
                fd = os.open(part, how, dir_fd=fd)
                stack.callback(os.close, fd)
            yield fd

    def open(self, name: str) -> BufferedReader:
        """The bytes of a file. Raises BundleError if it is no longer what was scanned."""
        try:
            with self._opened(name, _FILE) as fd:
                found = os.fstat(fd)
                plain = stat.S_ISREG(found.st_mode) and found.st_nlink == 1
                if not plain or found.st_size != self.sizes[name]:
                    raise OSError
                return os.fdopen(os.dup(fd), "rb")
        except OSError as error:
            raise BundleError("the folder changed while it was read", where=name) from error
