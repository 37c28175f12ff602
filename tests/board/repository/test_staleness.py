"""Entries whose task has another version by now: told, marked, verified for the board as it is, left out."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from suite.board.define.board import Board
from suite.board.entry import read_entry
from suite.board.rank.state import belongs, stale_entries
from suite.board.repository.acceptance import accept, withdraw
from suite.board.repository.audit import check_board
from suite.board.repository.shelves import Shelf, open_repository
from suite.board.site.pages import build_site
from suite.cli.main import run
from suite.plugins import catalogue
from suite.run.cells import load_task
from tests.board.pages import soup


@pytest.fixture(scope="module")
def accepted_once(
    good: Callable[[str], tuple[Path, Board]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A repository with one entry of a real bundle. Do not change it."""
    bundle, board = good("choice")
    repo = tmp_path_factory.mktemp("accepted") / "repo"
    (repo / "boards" / board.id).mkdir(parents=True)
    (repo / "submissions" / board.id).mkdir(parents=True)
    assert board.path is not None
    shutil.copyfile(board.path, repo / "boards" / board.id / "board.yaml")
    assert accept(bundle, repo).folder is not None
    return repo


@pytest.fixture
def root(accepted_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(accepted_once, tmp_path / "repo"))


def shelf_of(root: Path) -> Shelf:
    return open_repository(root)[0]


def redefine(root: Path, old: str, new: str) -> Board:
    """Version 2.0.0 of the definition, with one more change; the former is kept in the history."""
    path = root / "boards/choice/board.yaml"
    text = path.read_text()
    (path.parent / "history").mkdir()
    (path.parent / "history/1.0.0.yaml").write_text(text)
    changed = text.replace("version: 1.0.0", "version: 2.0.0", 1)
    assert old in changed
    path.write_text(changed.replace(old, new, 1))
    return shelf_of(root).board


def another_version(monkeypatch: pytest.MonkeyPatch) -> int:
    """Install the task with a version one higher; which."""
    task = load_task(catalogue(), "prefeval/classification")[0]
    higher = replace(task.info, version=task.info.version + 1)
    monkeypatch.setattr(task, "info", higher)
    return higher.version


def test_a_board_as_its_entries_were_verified_for_has_no_stale_ones(root: Path) -> None:
    shelf = shelf_of(root)
    assert stale_entries(shelf.board, shelf.entries()) == {}


def test_a_task_installed_in_another_version_makes_its_entries_stale(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    version = another_version(monkeypatch)
    assert run(["board", "build", "--repo", str(root), "-O", str(tmp_path / "site")]) == 0
    warned = capsys.readouterr().err
    assert f"prefeval/classification was version {version - 1}, installed is {version}" in warned
    assert "suite board check --again" in warned
    assert (
        run(["board", "check", "--no-verify", "--repo", str(root)]) == 1
    )  # the definition cannot be resolved
    assert f"installed is {version}" in capsys.readouterr().out


def test_an_entry_of_an_earlier_definition_takes_its_place_again_once_it_is_verified_for_the_present(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = redefine(root, "title: A board", "title: Another board")
    (entry,) = shelf_of(root).entries()
    assert not belongs(board, entry)
    assert run(["board", "check", "--repo", str(root)]) == 0
    assert "note: choice" in (told := capsys.readouterr().out)
    assert "it was verified for version 1.0.0 of the board" in told
    assert run(["board", "check", "--again", "--repo", str(root)]) == 0
    assert "verified for version 2.0.0: it is ranked there from now on" in capsys.readouterr().out
    renewed = read_entry(entry.folder)
    assert belongs(board, renewed)
    assert renewed.record == entry.record
    assert [one.value for one in renewed.verification.columns] == [
        one.value for one in entry.verification.columns
    ]
    assert run(["board", "check", "--repo", str(root)]) == 0
    assert capsys.readouterr().out == "choice 2.0.0: fine\n"


def test_an_entry_that_does_not_pass_stays_where_it_is_and_is_marked(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    version = another_version(monkeypatch)
    board = redefine(root, f"\n    version: {version - 1}", f"\n    version: {version}")
    (entry,) = shelf_of(root).entries()
    before = (entry.folder / "verification.json").read_bytes()
    (trouble,) = [one for one in check_board(shelf_of(root), renew=True) if one.where == entry.folder.name]
    assert trouble.what.startswith("stale: not verified for version 2.0.0: ")
    assert not trouble.serious
    assert (entry.folder / "verification.json").read_bytes() == before
    assert not belongs(board, read_entry(entry.folder))
    site = build_site(open_repository(root), tmp_path / "site").folder
    said = f"prefeval/classification was version {version - 1}, the board asks for {version}"
    frozen = soup(site / f"v/1.0.0/entries/{entry.short}.html").select_one(".tombstone")
    assert frozen is not None
    assert said in frozen.text
    assert said in soup(site / "history.html").text
    caveats = soup(site / "index.html").select_one(".caveats")
    assert caveats is not None
    assert "1 entry was verified for an earlier version of this board and is not ranked here" in caveats.text


def test_who_is_withdrawn_is_not_verified_again(root: Path) -> None:
    redefine(root, "title: A board", "title: Another board")
    (entry,) = shelf_of(root).entries()
    withdraw(entry.folder, "withdrawn", "wrong revision")
    before = (entry.folder / "verification.json").read_bytes()
    assert check_board(shelf_of(root), renew=True) == []
    assert (entry.folder / "verification.json").read_bytes() == before
    assert stale_entries(shelf_of(root).board, shelf_of(root).entries()) == {}


def test_a_bundle_of_another_board_is_not_taken_for_one_of_an_earlier_definition(root: Path) -> None:
    (entry,) = shelf_of(root).entries()
    claimed = entry.submission.board
    assert claimed is not None
    board = redefine(root, "title: A board", "title: Another board")
    from suite.board.verify import verify

    bundle = entry.folder / "bundle"
    assert verify(bundle, board=board).verdict == "rejected"
    assert verify(bundle, board=board, earlier="0" * 64).verdict == "rejected"
    assert verify(bundle, board=board, earlier=claimed.definition_sha256).verdict != "rejected"
    other = board.model_copy(update={"id": "another"})
    assert verify(bundle, board=other, earlier=claimed.definition_sha256).verdict == "rejected"
