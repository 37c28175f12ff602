"""Archives and documents that a stranger made: bounded, whatever they say of themselves."""

import json
import struct
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from suite_imports import archives, inspect_logs
from suite_imports.json_parts import parts

import suite


def packed(path: Path, data: bytes, method: int = archives.ZSTD, size: int | None = None) -> Path:
    """An archive with one member, a header.json, whose directory tells a size."""
    body = zstandard.ZstdCompressor().compress(data) if method == archives.ZSTD else data
    told = (0, 0, 33, 0, len(body), len(data) if size is None else size, 11)
    local = struct.pack("<4s2H", b"PK\3\4", 63, 0) + struct.pack(
        "<3H3L2H", method, *told[1:3], *told[3:6], 11, 0
    )
    entry = struct.pack("<4s4H", b"PK\1\2", 63, 63, 0, method) + struct.pack(
        "<2H3L5H2L", 0, 33, 0, len(body), told[5], 11, 0, 0, 0, 0, 0, 0
    )
    end = len(local) + 11 + len(body)
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entry) + 11, end, 0)
    path.write_bytes(local + b"header.json" + body + entry + b"header.json" + tail)
    return path


def test_a_bomb_is_stopped_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST", 2**20)
    bomb = packed(tmp_path / "bomb.eval", bytes(2**24), size=100)
    with pytest.raises(suite.DataError, match=r"header\.json has more than 1 MiB"):
        list(inspect_logs.read(bomb))


def test_a_wrong_checksum_is_damage(tmp_path: Path) -> None:
    with pytest.raises(suite.DataError, match="its checksum is another one"):
        list(inspect_logs.read(packed(tmp_path / "log.eval", b"{}")))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@settings(max_examples=40)
@given(
    found=st.dictionaries(st.text('ab{[\\",: \n', min_size=1, max_size=4), JSON, max_size=4),
    each=st.lists(JSON, max_size=4),
)
def test_parts_of_a_document_are_those_of_the_whole(
    found: dict[str, object], each: list[object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("parts") / "x.json"
    path.write_text(json.dumps({**found, "samples": each}), "utf-8")
    got = [(json.loads(f'"{name}"'), json.loads(raw)) for name, raw in parts(path, "samples")]
    assert got == [*found.items(), *(("samples", one) for one in each)]
