"""Journals compressed: one zstd frame with content size and checksum, written and read back with care.

Reading feeds a kilobyte at a time: a bomb makes 128 KiB of 4 bytes, so one step yields at most some 32
MiB, and the size that the frame's header declares is checked before the first. The one-shot functions
of the library would ignore a second frame in silence.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import zstandard

from suite.board.bundle.bounds import MIB, SizeLimits
from suite.board.bundle.rungs import Refused, refuse
from suite.files import open_regular

_compressor = zstandard.ZstdCompressor(level=9, write_checksum=True, write_content_size=True)
_STEP = 1024
_MAGIC = b"\x28\xb5\x2f\xfd"
_LONGEST_HEADER = 18
_ALWAYS = 64 * MIB  # is no bomb, however little it was


def compress_file(source: Path, to: Path) -> None:
    """Write a file as one frame. The same bytes give the same frame with the same library version."""
    with open_regular(source) as inside, to.open("wb") as outside:
        _compressor.copy_stream(inside, outside, size=os.fstat(inside.fileno()).st_size)


def compress(data: bytes) -> bytes:
    """A frame of these bytes."""
    return _compressor.compress(data)


def declared(head: bytes, size: int, limits: SizeLimits) -> int:
    """The content size that a frame's first bytes declare. size: of the whole file.

    Raises Refused for what is no plain frame, or one that may not be read.
    """
    refuse(head[:4] != _MAGIC, "frame")
    refuse(len(head) > 4 and head[4] & 0b1011, "frame-dictionary")
    try:
        found = zstandard.get_frame_parameters(head)
    except zstandard.ZstdError as error:
        raise Refused("frame/header") from error
    refuse(found.content_size == zstandard.CONTENTSIZE_UNKNOWN, "frame-size")
    refuse(not found.has_checksum, "frame-checksum")
    content = int(found.content_size)
    refuse(content > limits.content, "too-big/file", limits.content)
    refuse(content > max(_ALWAYS, limits.ratio * size), "bomb", limits.ratio)
    refuse(found.window_size > max(limits.window, 1024), "frame-window", limits.window)
    return content


def unpack(source: BinaryIO, size: int, limits: SizeLimits) -> Iterator[bytes]:
    """The content of a file that is one frame and nothing else, in pieces. Raises Refused."""
    data = source.read(_LONGEST_HEADER)
    content = declared(data, size, limits)
    engine = zstandard.ZstdDecompressor(max_window_size=limits.window).decompressobj()
    total = 0
    while data:
        try:
            piece = engine.decompress(data)
        except zstandard.ZstdError as error:
            raise Refused("frame/damaged") from error
        total += len(piece)
        refuse(total > content, "frame-size/more")
        if piece:
            yield piece
        if engine.eof:
            refuse(engine.unused_data or source.read(1), "frame-trailing")
            break
        data = source.read(_STEP)
    refuse(not engine.eof, "frame/short")
    refuse(total != content, "frame-size/less")


def facts(path: Path) -> tuple[int, str, int]:
    """(content bytes, content SHA-256, lines) of a compressed file, as a stream. Raises Refused."""
    digest = hashlib.sha256()
    size = lines = 0
    with path.open("rb") as file:
        for piece in unpack(file, path.stat().st_size, SizeLimits()):
            digest.update(piece)
            size += len(piece)
            lines += piece.count(b"\n")
    return size, digest.hexdigest(), lines
