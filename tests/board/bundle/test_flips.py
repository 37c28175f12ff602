"""Any single byte changed in an archive is noticed; nothing crashes, nothing runs without end."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suite.board.pack import bundle_files
from suite.errors import BundleError
from tests.board.making import look

CHECKS = list(HealthCheck)


@pytest.fixture(scope="module")
def archive(good_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("flips") / "good.suite.zip"
    bundle_files.write_archive(good_bundle, path)
    return path.read_bytes()


def noticed(data: bytes, folder: Path) -> bool:
    path = folder / "changed.suite.zip"
    path.write_bytes(data)
    try:
        _, findings = look(path)
    except BundleError:
        return True
    return any(one.severity == "error" for one in findings)


@settings(max_examples=300, deadline=None, suppress_health_check=CHECKS)
@given(st.data())
def test_byte_flipped(archive: bytes, tmp_path_factory: Any, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(archive) - 1))
    changed = bytearray(archive)
    changed[at] ^= data.draw(st.integers(1, 255))
    assert noticed(bytes(changed), tmp_path_factory.getbasetemp())


def test_every_byte_of_the_structure(archive: bytes, tmp_path: Path) -> None:
    """Headers, directory and end, each byte with each bit turned at least once in eight."""
    start = archive.rfind(b"PK\x01\x02", 0, archive.find(b"PK\x01\x02") + 4)
    places = [*range(start, len(archive)), *range(60)]
    for number, at in enumerate(places):
        changed = bytearray(archive)
        changed[at] ^= 1 << number % 8
        assert noticed(bytes(changed), tmp_path), at


@settings(max_examples=60, deadline=None, suppress_health_check=CHECKS)
@given(st.data())
def test_piece_cut_doubled_or_put_in(archive: bytes, tmp_path_factory: Any, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(archive)))
    length = data.draw(st.integers(1, 300))
    what = data.draw(st.sampled_from(["cut", "double", "insert", "truncate"]))
    changed = {
        "cut": archive[:at] + archive[at + length :],
        "double": archive[: at + length] + archive[at:],
        "insert": archive[:at] + data.draw(st.binary(min_size=1, max_size=20)) + archive[at:],
        "truncate": archive[:at],
    }[what]
    if changed != archive:
        assert noticed(changed, tmp_path_factory.getbasetemp())


@settings(max_examples=60, deadline=None, suppress_health_check=CHECKS)
@given(st.binary(max_size=400))
def test_any_bytes_are_no_bundle(tmp_path_factory: Any, data: bytes) -> None:
    assert noticed(data, tmp_path_factory.getbasetemp())
    assert noticed(b"PK\x03\x04" + data + b"PK\x05\x06" + bytes(18), tmp_path_factory.getbasetemp())
