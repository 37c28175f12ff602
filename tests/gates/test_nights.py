"""The history of nights: what is kept, and what damage does."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from suite.errors import DataError
from suite.gates.nights import KEPT, GatedRun, Night, UnitValues, add_night, read_nights

RUN = GatedRun(name="a", plan_sha256="0" * 64, created="2026-11-01T00:00:00Z", scoring="s", model="m/a")


def night(index: int, **other: object) -> Night:
    found = Night(
        night=f"{index:016x}", pool="c" * 16, time=f"2026-11-{index + 1:02}T02:00:00+00:00", level=0.05,
        policy_sha256="b" * 64, control="family", alpha=0.01, candidate=[RUN], baseline=[RUN],
        verdict="pass", claims=[], units={0: bytes([index])},
    )  # fmt: skip
    return replace(found, **other)


def test_a_night_that_is_given_again_replaces_itself_in_its_place(tmp_path: Path) -> None:
    for one in (night(0), night(1), night(0, verdict="fail")):
        add_night(tmp_path / "history", one)
    nights, note = read_nights(tmp_path / "history")
    assert ([(one.night, one.verdict) for one in nights], note) == (
        [(night(0).night, "fail"), (night(1).night, "pass")],
        "",
    )


def test_only_the_last_nights_keep_their_units(tmp_path: Path) -> None:
    for index in range(KEPT + 2):
        add_night(tmp_path, night(index))
    nights, _ = read_nights(tmp_path)
    assert [bool(one.units) for one in nights] == [False] * 2 + [True] * KEPT


def test_a_torn_last_line_is_left_out_and_told(tmp_path: Path) -> None:
    for index in range(2):
        add_night(tmp_path, night(index))
    path = tmp_path / "nights.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    nights, note = read_nights(tmp_path)
    assert [one.night for one in nights] == [night(0).night]
    assert "was torn" in note


def test_any_other_damaged_line_is_named(tmp_path: Path) -> None:
    for index in range(2):
        add_night(tmp_path, night(index))
    path = tmp_path / "nights.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"family"', b'"famly"', 1))
    with pytest.raises(DataError, match=r"nights.jsonl line 1 is no night"):
        read_nights(tmp_path)


def test_a_changed_line_that_still_reads_is_named(tmp_path: Path) -> None:
    for index in range(2):
        add_night(tmp_path, night(index))
    path = tmp_path / "nights.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"pass"', b'"fail"', 1))
    with pytest.raises(DataError, match="line 1 is no night of a gate: its checksum does not match"):
        read_nights(tmp_path)


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.floats(allow_nan=False)), min_size=1))
def test_units_come_back_as_they_were(pairs: list[tuple[int, float]]) -> None:
    ids = np.array([one for one, _ in pairs], dtype=np.uint64)
    d = np.array([one for _, one in pairs])
    found = UnitValues.unpacked(UnitValues(ids, ids[::-1], ids, d).packed())
    assert (found.ids.tolist(), found.clusters.tolist(), found.d.tolist()) == (
        ids.tolist(),
        ids[::-1].tolist(),
        d.tolist(),
    )


def test_damaged_units_are_an_error() -> None:
    with pytest.raises(DataError, match="units of a night are damaged"):
        UnitValues.unpacked(b"no zlib")
