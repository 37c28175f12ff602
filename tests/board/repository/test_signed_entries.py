"""Signed bundles on a board: shown, superseded by their signers only, checked as of their acceptance."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import good_bundles
import pytest

from suite.board.bundle import signatures
from suite.board.define.board import Board
from suite.board.entry import read_entry
from suite.board.pack.bundle_files import sign_bundle
from suite.board.repository.acceptance import accept
from suite.board.repository.audit import check_board
from suite.board.repository.shelves import open_repository
from suite.board.site.pages import build_site
from suite.chat import Reply, Request, Usage
from suite.models.engine import Asking
from suite.testing.answers import plausible
from tests.board.rewriting import changed
from tests.board.signing_keys import make_keys, signers

pytestmark = pytest.mark.skipif(not signatures.available(), reason="needs ssh-keygen")
WHEN = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def made(good: Callable[[str], tuple[Path, Board]]) -> tuple[Path, Board]:
    return good("choice")


@pytest.fixture
def root(made: tuple[Path, Board], keys: Path, tmp_path: Path) -> Path:
    """An empty repository of the board, whose only signer is Ada, with our key, until December."""
    board = made[1]
    folder = tmp_path / "repo" / "boards" / board.id
    folder.mkdir(parents=True)
    assert board.path is not None
    shutil.copyfile(board.path, folder / "board.yaml")
    signers(folder / "signers", keys, '# one of us\nada@lab.org valid-before="20261201Z" {ours}')
    (tmp_path / "repo" / "submissions" / board.id).mkdir(parents=True)
    return tmp_path / "repo"


def accepted(bundle: Path, root: Path, key: Path, to: Path) -> Path:
    """Sign a copy and have it taken; the entry's folder."""
    shutil.copytree(bundle, to)
    sign_bundle(to, key)
    found = accept(to, root, when=WHEN)
    assert found.folder is not None, found.reasons
    return found.folder


def test_an_entry_shows_who_signed_and_is_checked_as_of_its_acceptance(
    made: tuple[Path, Board], root: Path, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = read_entry(accepted(made[0], root, keys / "ours", tmp_path / "signed"))
    assert entry.verification.trust == "L2"
    (shelf,) = open_repository(root)
    assert list(check_board(shelf)) == []  # the key has run out since
    build_site([shelf], tmp_path / "site")
    assert "ada@lab.org" in (tmp_path / f"site/entries/{entry.short}.html").read_text()
    signers(root / "boards" / made[1].id / "signers", keys, "bob@lab.org {theirs}")
    (trouble,) = check_board(shelf)
    assert "says that ada@lab.org signed, verified again nobody" in trouble.what
    monkeypatch.setattr(signatures, "available", lambda: False)
    (trouble,) = check_board(shelf)
    assert (trouble.what, trouble.serious) == ("its signature was not checked: no ssh-keygen here", False)


def test_an_unknown_key_is_shown_as_such(
    made: tuple[Path, Board], root: Path, keys: Path, tmp_path: Path
) -> None:
    entry = read_entry(accepted(made[0], root, keys / "theirs", tmp_path / "signed"))
    assert entry.verification.trust == "L1"
    build_site(open_repository(root), tmp_path / "site")
    assert "a key that the board does not list" in (tmp_path / f"site/entries/{entry.short}.html").read_text()


def test_what_was_signed_is_superseded_by_its_signers_only(
    made: tuple[Path, Board], root: Path, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = read_entry(accepted(made[0], root, keys / "ours", tmp_path / "signed"))
    usual = plausible

    def other(request: Request, asking: Asking) -> Reply:
        reply = usual(request, asking)
        return Reply(
            f"{reply.text} Indeed, {asking.call[:4]}.", usage=Usage(9, request.options.max_tokens or 9)
        )

    monkeypatch.setattr(good_bundles, "plausible", other)
    runs = [good_bundles.run(good_bundles.RECIPES["choice"], tmp_path / "new-run")]
    fresh = good_bundles.bundle(runs, made[1], tmp_path / "fresh")
    changed(fresh, tmp_path / "next", supersedes=old.id)
    for key in (None, "theirs"):
        if key is not None:
            sign_bundle(tmp_path / "next", keys / key)
        found = accept(tmp_path / "next", root, when=WHEN)
        assert found.folder is None
        assert "which ada@lab.org signed, and is not signed by them" in found.reasons[0]
    sign_bundle(tmp_path / "next", keys / "ours", replace=True)
    assert accept(tmp_path / "next", root, when=WHEN).folder is not None
    assert read_entry(old.folder).record.status == "superseded"
