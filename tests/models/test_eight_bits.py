"""Weights of four bits written out in eight: the same numbers, made once, checked before use."""

import struct
from pathlib import Path

import numpy as np

from suite.data.cache import Cache, sha256_of
from suite.models.eight_bits import in_eight_bits

F32, Q4_1, Q8_0 = 0, 3, 8
FACTS = (  # key, type and value: a number, a text, a list of texts
    struct.pack("<Q3sII", 3, b"one", 4, 7)
    + struct.pack("<Q3sIQ2s", 3, b"two", 8, 2, b"ok")
    + struct.pack("<Q4sIIQQ1sQ2s", 4, b"list", 9, 8, 2, 1, b"a", 2, b"bc")
)
RANDOM = np.random.default_rng(3)
BLOCKS = np.concatenate(
    [
        RANDOM.normal(size=(4, 2)).astype(np.float16).view(np.uint8),  # scale and minimum
        RANDOM.integers(0, 256, size=(4, 16), dtype=np.uint8),
    ],
    axis=1,
)
BLOCKS[3, :4] = 0  # a block of zeros
PLAIN = np.arange(32, dtype=np.float32)


def written(path: Path) -> Path:
    """A GGUF file: 4 blocks of Q4_1 (80 bytes, 96 with what aligns them), then 32 floats."""
    tensors = struct.pack("<Q1sIQQIQ", 1, b"w", 2, 32, 4, Q4_1, 0) + struct.pack(
        "<Q1sIQIQ", 1, b"n", 1, 32, F32, 96
    )
    head = struct.pack("<4sIQQ", b"GGUF", 3, 2, 3) + FACTS + tensors
    path.write_bytes(
        head.ljust(-(-len(head) // 32) * 32, b"\0") + BLOCKS.tobytes().ljust(96, b"\0") + PLAIN.tobytes()
    )
    return path


def made(folder: Path) -> Path:
    path = written(folder / "small.gguf")
    return in_eight_bits(path, sha256_of(path), Cache(folder / "cache"))


def test_each_weight_is_as_near_as_eight_bits_allow_and_the_rest_is_as_it_was(tmp_path: Path) -> None:
    told = made(tmp_path).read_bytes()
    listed = struct.pack("<Q1sIQQIQ", 1, b"w", 2, 32, 4, Q8_0, 0) + struct.pack(
        "<Q1sIQIQ", 1, b"n", 1, 32, F32, 160
    )
    head = struct.pack("<4sIQQ", b"GGUF", 3, 2, 3) + FACTS + listed
    assert told.startswith(head)
    start = -(-len(head) // 32) * 32
    blocks = np.frombuffer(told[start:][: 4 * 34], np.uint8).reshape(4, 34)
    steps, bytes_ = blocks[:, :2].copy().view(np.float16).astype(np.float64), blocks[:, 2:].view(np.int8)
    scale, least = BLOCKS[:, :4].copy().view(np.float16).astype(np.float64).T[..., None]
    weights = np.concatenate([BLOCKS[:, 4:] & 15, BLOCKS[:, 4:] >> 4], axis=1) * scale + least
    allowed = np.abs(weights).max(axis=1, keepdims=True) * (1 / 254 + 2**-11)  # rounded, in a half-size step
    assert (np.abs(bytes_ * steps - weights) <= allowed).all()
    assert not bytes_[3].any()
    assert told[start + 160 :] == PLAIN.tobytes()


def test_a_made_file_is_used_again_and_a_damaged_one_made_anew(tmp_path: Path) -> None:
    first = made(tmp_path)
    whole, written_at = first.read_bytes(), first.stat().st_mtime_ns
    assert (made(tmp_path), first.stat().st_mtime_ns) == (first, written_at)
    first.write_bytes(whole[:-1] + b"x")
    assert made(tmp_path).read_bytes() == whole
