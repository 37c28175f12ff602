"""Compressed journals: one plain frame, nothing else, and no bomb gets far."""

import io
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.board.bundle import frames
from suite.board.bundle.bounds import MIB, SizeLimits
from suite.board.bundle.rungs import Refused
from suite.board.pack import bundle_files
from tests.board.making import codes, journal, look


def frame(data: bytes, **options: object) -> bytes:
    chosen = {"write_checksum": True, "write_content_size": True, **options}
    return zstandard.ZstdCompressor(level=3, **chosen).compress(data)  # type: ignore[arg-type]


def bomb(declared: int, blocks: int, window_log: int = 17) -> bytes:
    """A frame of `blocks` blocks of 128 KiB zeros, 4 bytes each, declaring a content size."""
    head = b"\x28\xb5\x2f\xfd" + bytes([0b11000100, (window_log - 10) << 3]) + struct.pack("<Q", declared)
    block = struct.pack("<I", (128 * 1024) << 3 | 1 << 1)[:3] + b"\0"
    last = struct.pack("<I", (128 * 1024) << 3 | 1 << 1 | 1)[:3] + b"\0"
    return head + block * (blocks - 1) + last + b"\0\0\0\0"


def word(data: bytes, limits: SizeLimits | None = None) -> str:
    with pytest.raises(Refused) as caught:
        for _ in frames.unpack(io.BytesIO(data), len(data), limits or SizeLimits()):
            pass
    return caught.value.word


@given(st.binary(max_size=5000))
@settings(max_examples=50, deadline=None)
def test_what_goes_in_comes_out(data: bytes) -> None:
    packed = frames.compress(data)
    assert b"".join(frames.unpack(io.BytesIO(packed), len(packed), SizeLimits())) == data


def test_file_and_bytes_make_one_frame(tmp_path: Path) -> None:
    data = b"a line\n" * 500_000
    (tmp_path / "x").write_bytes(data)
    frames.compress_file(tmp_path / "x", tmp_path / "x.zst")
    packed = (tmp_path / "x.zst").read_bytes()
    assert b"".join(frames.unpack(io.BytesIO(packed), len(packed), SizeLimits())) == data
    found = zstandard.get_frame_parameters(packed)
    assert (found.content_size, found.has_checksum, found.dict_id) == (len(data), True, 0)
    frames.compress_file(tmp_path / "x", tmp_path / "y.zst")
    assert (tmp_path / "x.zst").read_bytes() == (tmp_path / "y.zst").read_bytes()
    size, _, lines = frames.facts(tmp_path / "x.zst")
    assert (size, lines) == (len(data), 500_000)


BAD = {
    "nothing": (b"", "frame"),
    "no frame": (b"hello", "frame"),
    "gzip": (b"\x1f\x8b\x08\0", "frame"),
    "skippable": (b"\x50\x2a\x4d\x18\4\0\0\0abcd" + frame(b"x"), "frame"),
    "second frame": (frame(b"x") + frame(b"y"), "frame-trailing"),
    "trailing bytes": (frame(b"x") + b"\0", "frame-trailing"),
    "trailing skippable": (frame(b"x") + b"\x50\x2a\x4d\x18\0\0\0\0", "frame-trailing"),
    "cut": (frame(b"x" * 1000)[:-1], "frame"),
    "cut head": (frame(b"x" * 1000)[:5], "frame"),
    "no size": (frame(b"x" * 1000, write_content_size=False), "frame-size"),
    "no checksum": (frame(b"x" * 1000, write_checksum=False), "frame-checksum"),
    "dictionary": (
        zstandard.ZstdCompressor(
            dict_data=zstandard.ZstdCompressionDict(b"some words " * 100, dict_type=1), write_checksum=True
        ).compress(b"some words " * 20)[:4]
        + bytes([0b01100101])
        + b"\7\0\0",
        "frame-dictionary",
    ),
    "wrong checksum": (frame(b"x" * 1000)[:-1] + b"\0", "frame"),
    "window": (bomb(2**20, 8, window_log=28), "frame-window"),
    "declares less": (bomb(1000, 8), "frame-size"),
    "declares more": (bomb(2**21, 8), "frame"),
    "too big": (bomb(3 * 2**30, 8), "too-big"),
    "too big a ratio": (bomb(2**30, 8), "bomb"),
}


@pytest.mark.parametrize("name", BAD)
def test_frame_that_is_refused(name: str) -> None:
    data, expected = BAD[name]
    found = word(data)
    assert found == expected or (name.startswith("declares") and found in ("frame", "frame-size"))


class Counted(io.BytesIO):
    """A file that knows how much of it was read."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


@pytest.mark.parametrize(
    ("data", "limits", "expected", "read", "made"),
    [
        (bomb(2**31, 2**14), SizeLimits(), {"bomb"}, 18, 0),
        (bomb(2**31, 2**14), SizeLimits(ratio=10**9, content=2**30), {"too-big"}, 18, 0),
        (bomb(2**20, 2**14), SizeLimits(ratio=10**9), {"frame", "frame-size"}, 18 + 1024, 2**20),
    ],
    ids=["over the ratio", "over the size", "declares less"],
)
def test_bomb_stops_at_once(
    data: bytes, limits: SizeLimits, expected: set[str], read: int, made: int
) -> None:
    """2 GiB behind 64 KiB: nothing is unpacked beyond what may be."""
    source, total = Counted(data), 0
    with pytest.raises(Refused) as caught:
        for piece in frames.unpack(source, len(data), limits):
            total += len(piece)
    assert caught.value.word in expected
    assert source.taken <= read
    assert total <= made


# A process of its own: the highest memory of this one is that of whichever test came before.
HIGHEST = """
import resource, sys
from pathlib import Path
from suite.board.bundle import frames
from suite.board.bundle.rungs import Refused
from suite.board.bundle.bounds import SizeLimits
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    for _ in frames.unpack(Path(sys.argv[1]).open("rb"), 2**16, SizeLimits(ratio=10**9)):
        pass
except Refused:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_bomb_is_unpacked_in_bounded_memory(tmp_path: Path) -> None:
    (tmp_path / "bomb").write_bytes(bomb(2**31, 2**14))
    command = [sys.executable, "-c", HIGHEST, str(tmp_path / "bomb")]
    grown = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # KiB
    assert grown < 200 * 1024


def test_pieces_stay_small() -> None:
    data = bomb(2**28, 2**11)
    most = 0
    with pytest.raises(Refused):  # its checksum is made up
        for piece in frames.unpack(io.BytesIO(data), len(data), SizeLimits(ratio=10**9)):
            most = max(most, len(piece))
    assert 0 < most <= 33 * MIB


def test_bomb_in_a_bundle(bundle: Path) -> None:
    """Sealed by its maker: what it declares is refused, not what it unpacks to."""
    path = journal(bundle, "outputs")
    path.write_bytes(bomb(2**30, 2**13))
    _lie(bundle, path)
    assert codes(bundle) >= {"R0.bomb"}
    assert look(bundle)[0] is None


def test_all_files_together(bundle: Path) -> None:
    assert codes(bundle, SizeLimits(total=1000)) == {"R0.too-big"}


@pytest.mark.parametrize("tail", [b"\0", frame(b""), b"\x50\x2a\x4d\x18\0\0\0\0"])
def test_more_than_a_frame_in_a_bundle(tail: bytes, bundle: Path) -> None:
    path = journal(bundle, "outputs")
    path.write_bytes(path.read_bytes() + tail)
    _lie(bundle, path)
    assert codes(bundle) == {"R0.frame-trailing"}
    assert look(bundle)[0] is None


def test_changed_frame_that_is_not_sealed_is_a_changed_file(bundle: Path) -> None:
    path = journal(bundle, "outputs")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    opened, findings = look(bundle)
    assert opened is not None
    assert not opened.runs[0].sound
    assert {one.code for one in findings} >= {"R2.bytes-differ"}
    assert {one.rung for one in findings} == {"R2"}


def _lie(bundle: Path, path: Path) -> None:
    """List a file by its compressed bytes; what it holds is made up."""
    import hashlib
    import json

    from suite.chat import canonical_json

    name = path.relative_to(bundle).as_posix()
    submission = json.loads((bundle / "submission.json").read_bytes())
    for one in submission["files"]:
        if one["path"] == name:
            one["bytes"], one["sha256"] = path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()
    (bundle / "submission.json").write_bytes(canonical_json(submission) + b"\n")
    assert bundle_files.files_of(bundle)
