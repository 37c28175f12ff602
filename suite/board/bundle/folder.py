"""A bundle as a folder: walked without following links, opened without following links.

Every entry is a regular file with one name (link count 1) and stands on the list of what a bundle may
hold. Paths are opened part by part from the folder itself, so that nothing exchanged under way leads out.
"""

import os
import stat
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path

from suite.board.bundle.file_names import allowed, unsafe
from suite.board.bundle.rungs import Findings
from suite.board.bundle.size_limits import SizeLimits
from suite.errors import BundleError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DEEPEST = 4  # runs/ID/scoring/file


class Folder:
    """A folder opened for reading. Close it."""

    def __init__(self, path: Path) -> None:
        """Raises BundleError if it cannot be opened."""
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise BundleError(f"cannot open the bundle: {error.strerror}", where=str(path)) from error
        self._sizes: dict[str, int] = {}
        self._seen = 0

    def close(self) -> None:
        """Let go of the folder."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def sizes(self) -> Mapping[str, int]:
        """Name -> bytes, once `scan` found nothing wrong."""
        return self._sizes

    def scan(self, findings: Findings, limits: SizeLimits) -> bool:
        """Whether it holds plain files of a bundle only; what else goes into `findings` (R0)."""
        before = findings.rungs["R0"].errors
        self._sizes, self._seen = {}, 0
        self._walk(self._fd, "", 1, findings, limits)
        if sum(self._sizes.values()) > limits.archive:
            findings.add("R0.archive-too-big", f"it is over {limits.archive} bytes")
        return findings.rungs["R0"].errors == before

    def _walk(self, fd: int, base: str, depth: int, findings: Findings, limits: SizeLimits) -> None:
        with os.scandir(fd) as entries:
            for entry in entries:
                self._seen += 1
                if self._seen > 2 * limits.members:  # folders count too
                    findings.add("R0.too-many-members", f"there are more than {limits.members} files")
                    return
                self._entry(fd, entry, base, depth, findings, limits)

    def _entry(
        self,
        fd: int,
        entry: "os.DirEntry[str]",
        base: str,
        depth: int,
        findings: Findings,
        limits: SizeLimits,
    ) -> None:
        name = base + entry.name
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError:
            findings.add("R0.changed", "an entry vanished while it was looked at", name)
            return
        if why := unsafe(name):
            findings.add("R0.unsafe-name", f"a name is unsafe: {why}", name)
        elif len(name) > limits.name:
            findings.add("R0.unsafe-name", f"a name is over {limits.name} bytes", name)
        elif stat.S_ISDIR(found.st_mode) and depth < _DEEPEST and not allowed(name):
            try:
                inner = os.open(entry.name, _FOLDER, dir_fd=fd)
            except OSError:
                findings.add("R0.unreadable", "a folder cannot be read", name)
                return
            try:
                self._walk(inner, name + "/", depth + 1, findings, limits)
            finally:
                os.close(inner)
        elif not stat.S_ISREG(found.st_mode):
            findings.add("R0.link", "an entry is a link, a folder or a device", name)
        elif found.st_nlink != 1:
            findings.add("R0.link", "a file has several names (hard links)", name)
        elif not allowed(name):
            findings.add("R0.name-not-allowed", "a file may not stand in a bundle", name)
        else:
            self._sizes[name] = found.st_size

    def open(self, name: str) -> BufferedReader:
        """The bytes of a file. Raises BundleError if it is no longer what was scanned."""
        *folders, last = name.split("/")
        opened: list[int] = []
        at = self._fd
        try:
            for part in folders:
                at = os.open(part, _FOLDER, dir_fd=at)
                opened.append(at)
            fd = os.open(last, _FILE, dir_fd=at)
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_size != self._sizes[name]:
                os.close(fd)
                raise OSError
        except OSError as error:
            raise BundleError("the folder changed while it was read", where=name) from error
        finally:
            for one in opened:
                os.close(one)
        return os.fdopen(fd, "rb")
