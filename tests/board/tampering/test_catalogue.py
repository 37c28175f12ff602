"""Every forgery of the catalogue is caught at its rung, or shown to be beyond what a bundle can show."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import good_bundles
import pytest
from forgeries import CATALOGUE, Row
from tamper import Forged

from suite.board.verify import VerifiedBundle, verify

# Rows whose forgery is not of one bundle folder: the test that makes it, by number.
ELSEWHERE = {
    "5": "tests/board/bundle/test_archive.py::test_hostile_archive_is_refused",
    "6": "tests/board/bundle/test_folder.py::test_hard_link",
    "7": "tests/board/bundle/test_archive.py::test_hostile_archive_is_refused",
    "8": "tests/board/bundle/test_archive.py::test_hostile_archive_is_refused",
    "9": "tests/board/bundle/test_archive.py::test_hostile_archive_is_refused",
    "10": "tests/board/bundle/test_frames.py::test_frame_that_is_refused",
    "11": "tests/board/bundle/test_frames.py::test_bomb_in_a_bundle",
    "54": "tests/board/repository/test_acceptance.py::test_it_is_taken_once_whatever_it_is_called",
    "61": "tests/board/repository/test_pull_request.py::test_everything_else_is_refused_and_named",
    "62": "tests/board/repository/test_remote_bundle.py::"
    "test_a_name_that_leads_to_a_private_address_is_never_asked",
}
HONEST = {"R9.no-model"}  # a script answered: true, and told


def codes(found: VerifiedBundle) -> dict[str, str]:
    """Code -> severity of all findings that an honest bundle does not have."""
    return {one.code: one.severity for one in found.findings if one.code not in HONEST}


@pytest.mark.parametrize("row", CATALOGUE, ids=lambda row: f"{row.number} {row.title}".replace(" ", "-"))
def test_forgery(row: Row, good: Callable[..., Any], tmp_path: Path) -> None:
    folder, board = good(row.recipe)
    forged = Forged(good_bundles.copy(folder, tmp_path / "bundle"))
    row.forge(forged)
    found = verify(forged.bundle, board=board)
    got = codes(found)
    if not row.caught:
        assert got == {}
        assert found.verdict == "verified_with_warnings"
        return
    hits = [code for code in row.caught if code in got]
    assert hits, f"{row.caught} expected, found {got}"
    assert got[hits[0]] == row.severity
    if row.severity == "error":
        assert found.verdict == "rejected"
        assert found.exit_code() == 1


def test_another_candidate_for_another_task(good: Callable[..., Any], tmp_path: Path) -> None:
    """Row 45: the best model for each task."""
    board = good("choice")[1]
    other = good_bundles.RECIPES["dialogue"]
    runs = [
        good_bundles.run(good_bundles.RECIPES["choice"], tmp_path / "one"),
        good_bundles.run(other, tmp_path / "two", spec="scripted/constant?text=stronger"),
    ]
    found = verify(good_bundles.bundle(runs, board, tmp_path / "bundle"), board=board)
    assert codes(found)["R5.one-candidate"] == "error"


def test_one_reply_for_all(tmp_path: Path) -> None:
    """Row 51: a constant answer, of a length that no two samples share by chance."""
    recipe = good_bundles.RECIPES["judged"]
    run = good_bundles.run(recipe, tmp_path / "run", constant="word " * 30)
    board = good_bundles.board("judged", recipe, tmp_path)
    found = verify(good_bundles.bundle([run], board, tmp_path / "bundle"), board=board)
    got = codes(found)
    assert got["R9.copies"] == "error"
    assert got["R9.constant"] == "warning"


def test_the_catalogue_is_whole() -> None:
    """All 64 rows are here, or name the test that makes them."""
    here = {row.number.partition(" ")[0] for row in CATALOGUE} | {"45", "51"}
    assert here.isdisjoint(ELSEWHERE)
    assert {int(one) for one in here | set(ELSEWHERE)} == set(range(1, 65))
    root = Path(__file__).parents[3]
    for test in ELSEWHERE.values():
        file, _, name = test.partition("::")
        assert f"def {name}(" in (root / file).read_text(), test
