"""Appending to a journal: unbuffered writes of whole records, fsync each second, one process at a time.

A killed process loses at most what was not yet answered. A line that a crash left without its newline
is cut off when the file is opened again, since it never was a record. A full disk takes back the
half-written line and stops the run with nothing lost.
"""

import errno
import fcntl
import os
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path

import msgspec

from suite.chat import Message, Request
from suite.errors import RunError
from suite.files import open_append, trying
from suite.journal.records import LIST_LENGTH, BlockRecord, Record, block_hash, encode

CHOOSE_FOLDER = "choose a folder that can be written to with --output"
_canonical = msgspec.json.Encoder(order="sorted")


class JournalFile:
    """One append-only file of records."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with trying(f"write {path.name}", path, CHOOSE_FOLDER):
            self._fd = open_append(path)
        self._end = size = os.fstat(self._fd).st_size
        if size:
            with mmap(self._fd, 0, access=ACCESS_READ) as body:
                self._end = body.rfind(b"\n") + 1
        if self._end != size:
            os.ftruncate(self._fd, self._end)
        self._dirty = False
        self.waiting: list[bytes] = []  # lines that were put, not written yet

    def append(self, *records: Record) -> None:
        """Write records in one go. Raises RunError if the disk is full or gone; lines stay whole."""
        self.waiting += map(encode, records)
        self.write()

    def put(self, record: Record) -> None:
        """Hold a record for the next `write`."""
        self.waiting.append(encode(record))

    def write(self) -> None:
        """Write what was put, in one go. Raises RunError if the disk is full or gone; lines stay whole."""
        if not self.waiting:
            return
        lines = b"".join(self.waiting)
        self.waiting.clear()
        try:
            written = os.write(self._fd, lines)
            if written != len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            os.ftruncate(self._fd, self._end)
            raise RunError.of("journal.not-written", path=self.path, error=error) from error
        self._end += written
        self._dirty = True

    def sync(self) -> None:
        """Put what was written on the disk, if anything was."""
        if self._dirty:
            self._dirty = False
            os.fsync(self._fd)

    def close(self) -> None:
        if self._fd >= 0:
            self.write()
            self.sync()
            os.close(self._fd)
            self._fd = -1


class Blocks:
    """Puts message bodies and texts into a file once, and turns requests into lists of their hashes.

    Hashes already written are kept in a bounded LRU; a block written twice is allowed and harmless.
    """

    def __init__(self, file: JournalFile, keep: int = 4096) -> None:
        self._file = file
        self._keep = keep
        self._written: OrderedDict[str, None] = OrderedDict()

    def _once(self, digest: str, record: BlockRecord) -> str:
        if digest in self._written:
            self._written.move_to_end(digest)
            return digest
        self._file.put(record)
        self._written[digest] = None
        if len(self._written) > self._keep:
            self._written.popitem(last=False)
        return digest

    def message(self, message: Message) -> str:
        """Hash of a message, its body written if it is new."""
        digest, extra = block_hash(_canonical.encode(message)), None
        if message.tool_calls or message.tool_call_id:
            extra = msgspec.to_builtins(message)
            del extra["role"], extra["content"]
        return self._once(digest, BlockRecord(digest, message.role, message.content, extra))

    def text(self, text: str) -> str:
        digest = block_hash(b"text\x1f" + text.encode())
        return self._once(digest, BlockRecord(digest, "text", text))

    def tools(self, request: Request) -> str:
        """Hash of the offered tools, "" if there are none."""
        if not request.tools:
            return ""
        body = _canonical.encode(request.tools)
        digest = block_hash(b"tools\x1f" + body)
        return self._once(digest, BlockRecord(digest, "tools", extra=msgspec.to_builtins(request.tools)))

    def fold(self, digests: list[str]) -> list[str]:
        """Replace each full run of 32 hashes, by index, with the hash of a list block."""
        if len(digests) < LIST_LENGTH:
            return digests
        folded = []
        for start in range(0, len(digests) - LIST_LENGTH + 1, LIST_LENGTH):
            chunk = digests[start : start + LIST_LENGTH]
            digest = block_hash(b"list\x1f" + "".join(chunk).encode())
            folded.append(self._once(digest, BlockRecord(digest, list=chunk)))
        return folded + digests[len(folded) * LIST_LENGTH :]


@contextmanager
def folder_lock(folder: Path, *, needed: bool = True, patience: float = 0.0) -> Iterator[None]:
    """One writer a run folder: an advisory lock that dies with the process. Raises RunError.

    needed: else there is none where the file system has no locks. patience: of who merges, seconds to wait.
    """
    with trying("write to the run folder", folder, CHOOSE_FOLDER):
        fd = open_append(folder / ".lock")
    with os.fdopen(fd, "rb"):
        until = time.monotonic() + patience
        try:
            while True:
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= until:
                        raise
                    time.sleep(0.05)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                if patience:
                    raise RunError.of("journal.lock.merging", folder=folder) from error
                raise RunError.of("journal.lock.taken", folder=folder) from error
            if needed:
                raise RunError.of("journal.lock.none", folder=folder, error=error) from error
        yield
