"""A bundle as one file: a ZIP that is wholly determined by its content.

Members are stored (the big ones are compressed inside), in the order of their names, dated 1980-01-01,
mode 0644, without extra fields, comments, descriptors or ZIP64. So there is one archive for a content,
and reading it is holding every byte of its structure against what `write` would have written: nothing
is left that two readers could see differently. Not here: what the members mean (`contents`).
"""

import io
import os
import struct
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from suite.board.bundle.file_names import allowed, unsafe
from suite.board.bundle.rungs import Findings
from suite.board.bundle.size_limits import SizeLimits
from suite.errors import BundleError

if TYPE_CHECKING:
    from typing_extensions import Buffer

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
    start: int  # of its bytes


def write(files: Mapping[str, Path], to: BinaryIO) -> None:
    """Write files by name as an archive."""
    central: list[bytes] = []
    offset = 0
    for name in sorted(files):
        raw = name.encode("ascii")
        size, crc = _measure(files[name])
        common = (_NEEDED, 0, 0, 0, _DATE, crc, size, size, len(raw), 0)
        to.write(_LOCAL.pack(_LOCAL_MARK, *common) + raw)
        with files[name].open("rb") as file:
            while chunk := file.read(_CHUNK):
                to.write(chunk)
        central.append(_CENTRAL.pack(_CENTRAL_MARK, _MADE_BY, *common, 0, 0, 0, _MODE, offset) + raw)
        offset += _LOCAL.size + len(raw) + size
    directory = b"".join(central)
    to.write(directory)
    to.write(_END.pack(_END_MARK, 0, 0, len(central), len(central), len(directory), offset, 0))


def _measure(path: Path) -> tuple[int, int]:
    size = crc = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            size += len(chunk)
            crc = zlib.crc32(chunk, crc)
    return size, crc


class Archive:
    """An archive opened for reading. Close it."""

    def __init__(self, path: Path) -> None:
        """Raises BundleError if it cannot be opened or is no ZIP at all."""
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise BundleError(f"cannot open the bundle: {error.strerror}", where=str(path)) from error
        self.size = os.fstat(self._fd).st_size
        self._members: dict[str, ArchiveMember] = {}
        tail = os.pread(
            self._fd, _END.size + _LONGEST_COMMENT, max(0, self.size - _END.size - _LONGEST_COMMENT)
        )
        if self.size < _END.size or _END_MARK not in tail:
            self.close()
            raise BundleError(
                f"{path.name} is no bundle: it is no ZIP archive, or its end is missing",
                where=str(path),
                fix="give what `suite submit pack` wrote, a .suite.zip or a folder",
            )

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def sizes(self) -> Mapping[str, int]:
        """Name -> bytes, once `scan` found nothing wrong."""
        return {name: one.size for name, one in self._members.items()}

    def open(self, name: str) -> BinaryIO:
        """The bytes of a member."""
        member = self._members[name]
        return io.BufferedReader(_Window(self._fd, member.start, member.size), 2**16)

    def scan(self, findings: Findings, limits: SizeLimits) -> bool:
        """Whether every byte of its structure is as it must be; what is not goes into `findings` (R0)."""
        try:
            if self.size > limits.archive:
                raise _Wrong("archive-too-big", f"it is over {limits.archive} bytes")
            members = self._central(*self._end(limits), limits)
            self._locals(members)
            self._checksums(members)
        except _Wrong as wrong:
            findings.add(f"R0.{wrong.word}", wrong.what, wrong.where, found=wrong.found)
            return False
        self._members = {one.name: one for one in members}
        return True

    def _read(self, offset: int, size: int) -> bytes:
        return os.pread(self._fd, size, offset)

    def _end(self, limits: SizeLimits) -> tuple[int, int, int]:
        """(entries, offset, size) of the central directory."""
        last = self._read(self.size - _END.size, _END.size)
        if len(last) != _END.size or last[:4] != _END_MARK:
            raise _Wrong("trailing-bytes", "there are bytes, or a comment, after the end of the archive")
        _, disk, start_disk, here, entries, size, offset, comment = _END.unpack(last)
        if comment:
            raise _Wrong("comment", "the archive has a comment")
        if 0xFFFF in (here, entries, disk) or 0xFFFFFFFF in (size, offset):
            raise _Wrong("zip64", "the archive asks for ZIP64, which no bundle needs")
        if disk or start_disk or here != entries:
            raise _Wrong("disks", "the archive is split over disks")
        if entries > limits.members:
            raise _Wrong("too-many-members", f"there are more than {limits.members} members", found=entries)
        if offset + size != self.size - _END.size:
            raise _Wrong("directory", "the central directory does not end where the end record begins")
        if size > limits.members * (_CENTRAL.size + limits.name):
            raise _Wrong("directory", "the central directory is bigger than its entries can be")
        return entries, offset, size

    def _central(self, entries: int, offset: int, size: int, limits: SizeLimits) -> list[ArchiveMember]:
        raw = self._read(offset, size)
        at = expected = 0
        found: list[ArchiveMember] = []
        for _ in range(entries):
            if at + _CENTRAL.size > len(raw):
                raise _Wrong("directory", "the central directory is shorter than its entries")
            length, start, plain = self._entry(raw, at, found, expected, limits)
            expected = start + _LOCAL.size + length + plain
            at += _CENTRAL.size + length
        if at != len(raw):
            raise _Wrong("directory", "the central directory is longer than its entries")
        if expected != offset:
            raise _Wrong("layout", "bytes between the members and the directory belong to none")
        return found

    def _entry(
        self, raw: bytes, at: int, found: list[ArchiveMember], expected: int, limits: SizeLimits
    ) -> tuple[int, int, int]:
        """Check one entry of the directory and add its member; (length of the name, offset, size)."""
        fields = _CENTRAL.unpack_from(raw, at)
        mark, made_by, needed, flags, method, time, day, crc, packed, plain, length = fields[:11]
        extra, comment, disk, internal, external, start = fields[11:]
        if mark != _CENTRAL_MARK:
            raise _Wrong("directory", "an entry of the central directory is damaged")
        name = self._name(raw[at + _CENTRAL.size : at + _CENTRAL.size + length], length, limits)
        _check_flags(name, flags, method)
        _check_attributes(name, (made_by, needed, time, day, internal, external, disk))
        if extra or comment:
            raise _Wrong("extra", "a member has an extra field or a comment", name)
        if packed != plain:
            raise _Wrong("member-size", "a stored member has two different sizes", name)
        if found and name == found[-1].name:
            raise _Wrong("duplicate-name", "two members have one name", name)
        if found and name < found[-1].name:
            raise _Wrong("order", "members are not in the order of their names", name)
        if start != expected:
            raise _Wrong("layout", "members overlap, or bytes between them belong to none", name, start)
        found.append(ArchiveMember(name, plain, crc, start, start + _LOCAL.size + length))
        return length, start, plain

    @staticmethod
    def _name(raw: bytes, length: int, limits: SizeLimits) -> str:
        name = raw.decode("latin-1")
        if length > limits.name:
            raise _Wrong("unsafe-name", f"a member's name is over {limits.name} bytes", name)
        if len(raw) != length:
            raise _Wrong("directory", "the central directory is shorter than its entries")
        if name.endswith("/"):
            raise _Wrong("link", "a member is a folder", name)
        if why := unsafe(name):
            raise _Wrong("unsafe-name", f"a member's name {why}", name)
        if not allowed(name):
            raise _Wrong("name-not-allowed", "a member may not stand in a bundle", name)
        return name

    def _locals(self, members: Iterable[ArchiveMember]) -> None:
        for member in members:
            raw = member.name.encode("latin-1")
            wanted = _LOCAL.pack(
                _LOCAL_MARK, _NEEDED, 0, 0, 0, _DATE, member.crc, member.size, member.size, len(raw), 0
            )
            found = self._read(member.offset, _LOCAL.size + len(raw))
            if found != wanted + raw:
                raise _Wrong(
                    "headers-differ", "a member's own header says other than the directory", member.name
                )

    def _checksums(self, members: Iterable[ArchiveMember]) -> None:
        for member in members:
            crc, at, end = 0, member.start, member.start + member.size
            while at < end:
                chunk = self._read(at, min(_CHUNK, end - at))
                if not chunk:
                    raise _Wrong("changed", "the file changed while it was read", member.name)
                crc = zlib.crc32(chunk, crc)
                at += len(chunk)
            if crc != member.crc:
                raise _Wrong("member-checksum", "a member's bytes do not have its checksum", member.name)


def _check_flags(name: str, flags: int, method: int) -> None:
    if flags & 1 or flags & 0x40:
        raise _Wrong("encrypted", "a member is encrypted", name)
    if flags & 8:
        raise _Wrong("descriptor", "a member's sizes stand behind it (a data descriptor)", name)
    if flags:
        raise _Wrong("flags", "a member sets flags that no bundle needs", name, flags)
    if method:
        raise _Wrong("method", "a member is compressed by the archive; members are stored", name, method)


def _check_attributes(name: str, found: tuple[int, int, int, int, int, int, int]) -> None:
    """found: made by, needed, time, day, internal, external, disk."""
    external = found[5]
    if external >> 16 & 0o170000 not in (0, 0o100000):
        raise _Wrong("link", "a member is a link, a folder or a device", name, oct(external >> 16))
    if found != (_MADE_BY, _NEEDED, 0, _DATE, 0, _MODE, 0):
        raise _Wrong("attributes", "a member has another date, version or mode than a bundle's", name)


class _Wrong(Exception):
    def __init__(self, word: str, what: str, where: str = "", found: object = "") -> None:
        super().__init__(what)
        self.word, self.what, self.where, self.found = word, what, where, found


class _Window(io.RawIOBase):
    """A part of a file, read by position."""

    def __init__(self, fd: int, start: int, size: int) -> None:
        self._fd, self._at, self._end = fd, start, start + size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        view = memoryview(buffer).cast("B")
        data = os.pread(self._fd, min(len(view), self._end - self._at), self._at)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
