"""Weights of four bits written out in eight: the same numbers, made once, checked before use."""

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Kind
from gguf import GGUFReader, GGUFWriter

from suite.data.cache import Cache, sha256_of
from suite.models.weights import in_eight_bits

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


def made(folder: Path) -> Path:
    path = folder / "small.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_uint32("one", 7)
    writer.add_string("two", "ok")
    writer.add_array("list", ["a", "bc"])
    writer.add_tensor("w", BLOCKS, raw_dtype=Kind.Q4_1)
    writer.add_tensor("n", PLAIN)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return in_eight_bits(path, sha256_of(path), Cache(folder / "cache"))


def test_each_weight_is_as_near_as_eight_bits_allow_and_the_rest_is_as_it_was(tmp_path: Path) -> None:
    told = GGUFReader(made(tmp_path))
    facts = {name: told.fields[name].contents() for name in ("general.architecture", "one", "two", "list")}
    assert facts == {"general.architecture": "llama", "one": 7, "two": "ok", "list": ["a", "bc"]}
    wide, plain = told.tensors
    assert (wide.name, wide.tensor_type, wide.shape.tolist()) == ("w", Kind.Q8_0, [32, 4])
    steps, bytes_ = (
        wide.data[:, :2].copy().view(np.float16).astype(np.float64),
        wide.data[:, 2:].view(np.int8),
    )
    scale, least = BLOCKS[:, :4].copy().view(np.float16).astype(np.float64).T[..., None]
    weights = np.concatenate([BLOCKS[:, 4:] & 15, BLOCKS[:, 4:] >> 4], axis=1) * scale + least
    allowed = np.abs(weights).max(axis=1, keepdims=True) * (1 / 254 + 2**-11)  # rounded, in a half-size step
    assert (np.abs(bytes_ * steps - weights) <= allowed).all()
    assert not bytes_[3].any()
    assert (plain.name, plain.tensor_type, plain.data.tolist()) == ("n", Kind.F32, PLAIN.tolist())


def test_a_made_file_is_used_again_and_a_damaged_one_made_anew(tmp_path: Path) -> None:
    first = made(tmp_path)
    whole, written_at = first.read_bytes(), first.stat().st_mtime_ns
    assert (made(tmp_path), first.stat().st_mtime_ns) == (first, written_at)
    first.write_bytes(whole[:-1] + b"x")
    assert made(tmp_path).read_bytes() == whole
