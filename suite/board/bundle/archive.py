"""A bundle as one file: a ZIP that is wholly determined by its content.

Members are stored (the big ones are compressed inside), in the order of their names, dated 1980-01-01,
mode 0644, without extra fields, comments, descriptors or ZIP64. So there is one archive for a content,
and reading it is holding every byte of its structure against what `write` would have written: nothing
is left that two readers could see differently. Not here: what the members mean (`contents`).
"""

import io
import os
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from suite.board.bundle.bounds import SizeLimits, allowed, unsafe
from suite.board.bundle.rungs import Findings, Refused, refuse
from suite.errors import BundleError
from suite.files import open_regular, trying

# signature, version needed, flags, method, time, date, crc, compressed size, size, name length, extra length
_LOCAL = struct.Struct("<4s5H3L2H")
# signature, version made by, then as local; comment length, disk, internal and external attributes, offset
_CENTRAL = struct.Struct("<4s6H3L5H2L")
# signature, disk, disk of the directory, entries here, entries, directory size and offset, comment length
_END = struct.Struct("<4s4H2LH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_MADE_BY = 3 << 8 | 20  # Unix, version 2.0 of the format
_NEEDED = 20
_DATE = 1 << 5 | 1  # 1980-01-01
_MODE = 0o100644 << 16
_CHUNK = 2**20
_LONGEST_COMMENT = 65535


class ArchiveMember(NamedTuple):
    """One file of an archive. offset: of its local header."""

    name: str
    size: int
    crc: int
    offset: int

    @property
    def start(self) -> int:
        """Where its bytes begin."""
        return self.offset + _LOCAL.size + len(self.name)

    @property
    def end(self) -> int:
        return self.start + self.size

    @property
    def _common(self) -> tuple[int, ...]:
        return _NEEDED, 0, 0, 0, _DATE, self.crc, self.size, self.size, len(self.name), 0

    @property
    def local(self) -> bytes:
        """What stands before its bytes."""
        return _LOCAL.pack(_LOCAL_MARK, *self._common) + self.name.encode("ascii")

    @property
    def central(self) -> bytes:
        """Its entry in the directory."""
        packed = _CENTRAL.pack(_CENTRAL_MARK, _MADE_BY, *self._common, 0, 0, 0, _MODE, self.offset)
        return packed + self.name.encode("ascii")


def write(files: Mapping[str, Callable[[], BinaryIO]], to: BinaryIO) -> None:
    """Write files by name as an archive. files: what opens each; it is read twice."""
    central: list[bytes] = []
    offset = 0
    for name in sorted(files):
        with files[name]() as file:
            member = ArchiveMember(name, *_size_and_crc(file), offset)
        to.write(member.local)
        with files[name]() as file:
            shutil.copyfileobj(file, to)
        central.append(member.central)
        offset = member.end
    directory = b"".join(central)
    to.write(directory)
    to.write(_END.pack(_END_MARK, 0, 0, len(central), len(central), len(directory), offset, 0))


def _size_and_crc(file: BinaryIO) -> tuple[int, int]:
    size = crc = 0
    while chunk := file.read(_CHUNK):
        size, crc = size + len(chunk), zlib.crc32(chunk, crc)
    return size, crc


class Archive:
    """An archive opened for reading. Close it."""

    def __init__(self, path: Path) -> None:
        """Raises BundleError if it cannot be opened or is no ZIP at all."""
        with trying("open the bundle", path, kind=BundleError):
            self._file = open_regular(path)
        self._fd = self._file.fileno()
        self.size = os.fstat(self._fd).st_size
        self._members: dict[str, ArchiveMember] = {}
        self.sizes: dict[str, int] = {}  # name -> bytes, once `scan` found nothing wrong
        longest = _END.size + _LONGEST_COMMENT
        tail = os.pread(self._fd, longest, max(0, self.size - longest))
        if self.size < _END.size or _END_MARK not in tail:
            self.close()
            raise BundleError.of("board.archive.no-zip", path=path)

    def close(self) -> None:
        self._file.close()

    def open(self, name: str) -> io.BufferedReader:
        return self._bytes(self._members[name])

    def _bytes(self, member: ArchiveMember) -> io.BufferedReader:
        return io.BufferedReader(_Window(self._fd, member.start, member.size), 2**16)

    def scan(self, findings: Findings, limits: SizeLimits) -> bool:
        """Whether every byte of its structure is as it must be; what is not goes into `findings` (R0)."""
        try:
            refuse(self.size > limits.archive, "archive-too-big", limits.archive)
            members = list(self._entries(*self._end(limits), limits))
            for one in members:
                here = os.pread(self._fd, _LOCAL.size + len(one.name), one.offset)
                refuse(here != one.local, "headers-differ", where=one.name)
            for one in members:
                other = _size_and_crc(self._bytes(one)) != (one.size, one.crc)
                refuse(other, "member-checksum", where=one.name)
        except Refused as wrong:
            findings.refused("R0", wrong)
            return False
        self._members = {one.name: one for one in members}
        self.sizes = {one.name: one.size for one in members}
        return True

    def _end(self, limits: SizeLimits) -> tuple[int, int, int]:
        """(entries, offset, size) of the central directory."""
        last = os.pread(self._fd, _END.size, self.size - _END.size)
        refuse(len(last) != _END.size or last[:4] != _END_MARK, "trailing-bytes")
        _, disk, start_disk, here, entries, size, offset, comment = _END.unpack(last)
        refuse(comment, "comment")
        refuse(0xFFFF in (here, entries, disk) or 0xFFFFFFFF in (size, offset), "zip64")
        refuse(disk or start_disk or here != entries, "disks")
        refuse(entries > limits.members, "too-many-members", limits.members, found=entries)
        refuse(offset + size != self.size - _END.size, "directory/end")
        refuse(size > limits.members * (_CENTRAL.size + limits.name), "directory/size")
        return entries, offset, size

    def _entries(self, entries: int, offset: int, size: int, limits: SizeLimits) -> Iterator[ArchiveMember]:
        raw = os.pread(self._fd, size, offset)
        at = end = 0
        before = ""
        for _ in range(entries):
            member = _entry(raw, at, limits)
            name = member.name
            refuse(name == before, "duplicate-name", where=name)
            refuse(name < before, "order", where=name)
            refuse(member.offset != end, "layout/members", where=name, found=member.offset)
            yield member
            before, end = name, member.end
            at += _CENTRAL.size + len(name)
        refuse(at != len(raw), "directory/longer")
        refuse(end != offset, "layout/directory")


def _entry(raw: bytes, at: int, limits: SizeLimits) -> ArchiveMember:
    """The member of one entry of the directory."""
    refuse(at + _CENTRAL.size > len(raw), "directory/shorter")
    mark, _, _, flags, method, _, _, crc, packed, size, length, *rest = _CENTRAL.unpack_from(raw, at)
    extra, comment, _, _, external, offset = rest
    refuse(mark != _CENTRAL_MARK, "directory/damaged")
    name = raw[at + _CENTRAL.size : at + _CENTRAL.size + length].decode("latin-1")
    refuse(length > limits.name, "unsafe-name/long", limits.name, where=name)
    refuse(len(name) != length, "directory/shorter")
    refuse(name.endswith("/"), "link/folder", where=name)
    why, special = unsafe(name), external >> 16 & 0o170000 not in (0, 0o100000)
    member = ArchiveMember(name, size, crc, offset)
    refuse(why, "unsafe-name", why, where=name)
    refuse(not allowed(name), "name-not-allowed", where=name)
    refuse(flags & 0x41, "encrypted", where=name)
    refuse(flags & 8, "descriptor", where=name)
    refuse(flags, "flags", where=name, found=flags)
    refuse(method, "method", where=name, found=method)
    refuse(special, "link", where=name, found=oct(external >> 16))
    refuse(extra or comment, "extra", where=name)
    refuse(packed != size, "member-size", where=name)
    refuse(not raw.startswith(member.central, at), "attributes", where=name)
    return member


class _Window(io.RawIOBase):
    """A part of a file, read by position."""

    def __init__(self, fd: int, start: int, size: int) -> None:
        self._fd, self._at, self._end = fd, start, start + size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = os.pread(self._fd, min(len(view), self._end - self._at), self._at)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
