"""Members of ZIP archives that strangers may have made, one at a time, each within a limit.

Inspect compresses with Zstandard (method 93), which `zipfile` knows from Python 3.14 on; those members are
read here. What a header claims is not believed: a member ends at the limit whatever it says.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import zstandard

import suite

ZSTD = 93
MOST = 256 * 2**20  # bytes of one member, decompressed
MEMBERS = 1_000_000
_WAY = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, ZSTD)
_LOCAL = struct.Struct("<4s5H3L2H")


class Archive:
    """An open archive. names: of its members, in the order of the directory."""

    def __init__(self, path: Path, opened: zipfile.ZipFile) -> None:
        self.path = path
        self._zip = opened
        self._members = dict(opened.NameToInfo)  # of one name the last counts, as for inspect
        if len(opened.infolist()) > MEMBERS:
            raise suite.DataError(f"{path.name} has more than {MEMBERS:,} members", str(path))
        self.names = list(self._members)

    def read(self, name: str) -> bytes:
        """The bytes of a member. Raises DataError for one that is damaged, too big or kept in another way."""
        one = self._members[name]
        if one.flag_bits & 1 or one.compress_type not in _WAY:
            raise suite.DataError(
                f"{name} is encrypted or compressed in an unknown way", str(self.path), _ASK
            )
        try:
            if one.compress_type == ZSTD:
                found = self._zstd(one)
            else:
                with self._zip.open(one) as file:
                    found = file.read(MOST + 1)
        except (
            zipfile.BadZipFile,
            zstandard.ZstdError,
            zlib.error,
            EOFError,
            OSError,
            struct.error,
        ) as error:
            raise suite.DataError(f"{name} is damaged: {error}", str(self.path), _ASK) from error
        if len(found) > MOST:
            raise suite.DataError(f"{name} has more than {MOST // 2**20} MiB", str(self.path))
        return found

    def _zstd(self, one: zipfile.ZipInfo) -> bytes:
        """Of several frames, too: long members have them."""
        with self.path.open("rb") as file:
            file.seek(one.header_offset)
            mark, *_, name, extra = _LOCAL.unpack(file.read(_LOCAL.size))
            if mark != b"PK\x03\x04":
                raise zipfile.BadZipFile("no local header where the directory says")
            file.seek(name + extra, 1)
            packed = file.read(min(one.compress_size, MOST))
            reader = zstandard.ZstdDecompressor(max_window_size=2**27)
            with reader.stream_reader(packed, read_across_frames=True) as stream:
                found = stream.read(MOST + 1)
        if len(found) <= MOST and zlib.crc32(found) != one.CRC:
            raise zipfile.BadZipFile("its checksum is another one")
        return found


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """An archive. Raises DataError for a file that is none."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, struct.error) as error:
        raise suite.DataError(f"{path.name} is no ZIP archive: {error}", str(path), _ASK) from error
    with archive:
        yield Archive(path, archive)


_ASK = "copy the log again from where it was made"
