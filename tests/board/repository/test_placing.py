"""A bundle put into a clone of its board's repository is a pull request that the board takes."""

import hashlib
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from suite.board.bundle.bounds import SIGNATURE
from suite.board.define.board import Board
from suite.board.pack.bundle_files import write_archive
from suite.board.repository import acceptance
from suite.board.repository.acceptance import accept_new, place
from suite.board.repository.pull_request import check_pull_request
from suite.board.repository.shelves import init_board
from suite.cli.main import run
from suite.errors import BundleError, ConfigError

MINI = Path(__file__).parents[1] / "fixtures/mini.suite.zip"


@pytest.fixture
def made(good: Callable[[str], tuple[Path, Board]], tmp_path: Path) -> tuple[Path, Path]:
    """An archive, and an empty repository of the board that it is for."""
    bundle, board = good("choice")
    archive = tmp_path / "mine.suite.zip"
    write_archive(bundle, archive)
    folder = tmp_path / "repo/boards" / board.id
    folder.mkdir(parents=True)
    assert board.path is not None
    shutil.copyfile(board.path, folder / "board.yaml")
    (tmp_path / "repo/submissions" / board.id).mkdir(parents=True)
    return archive, tmp_path / "repo"


@pytest.mark.parametrize("form", ["archive", "folder"])
def test_what_is_placed_is_accepted(form: str, made: tuple[Path, Path], good: Callable[..., Any]) -> None:
    archive, root = made
    folder = place(archive if form == "archive" else good("choice")[0], root)
    bundle = folder / ("bundle.suite.zip" if form == "archive" else "bundle")
    assert {one.name for one in folder.iterdir()} == {"submission.json", bundle.name}
    assert folder.name[-12:] == hashlib.sha256((folder / "submission.json").read_bytes()).hexdigest()[:12]
    ((taken, found),) = accept_new(root)
    assert (taken, found.folder, found.reasons) == (folder, folder, ())
    with pytest.raises(ConfigError, match="exists") as caught:
        place(archive, root)
    assert caught.value.fix == "it is on the board"


@pytest.mark.parametrize("form", ["archive", "signed-folder"])
@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_board_looks_at_such_a_pull_request(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    root, bundle = tmp_path / "board", MINI
    init_board(root, "mini")
    if form == "signed-folder":
        bundle = tmp_path / "bundle"
        with zipfile.ZipFile(MINI) as archive:
            archive.extractall(bundle)
        (bundle / SIGNATURE).write_text("whatever it is: R10 looks at that")

    def git(*arguments: str) -> None:
        settings = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
        subprocess.run(["git", "-C", str(root), *settings, *arguments], check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "Begin")
    assert run(["submit", "place", str(bundle), "--repo", str(root)]) == 0
    printed = capsys.readouterr().out.splitlines()
    for line in printed:
        if line.startswith("  git switch"):
            git(*line.split()[1:])
    (folder,) = (root / "submissions/mini").glob("*-*")
    git("add", folder.relative_to(root).as_posix())
    git("commit", "-q", "-m", "Submit")
    checked = check_pull_request(root, "main", folder.name)
    assert checked.problems == ()
    assert checked.folder == f"submissions/mini/{folder.name}"


def test_a_large_bundle_needs_an_address_that_the_board_fetches_from(
    made: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, root = made
    monkeypatch.setattr(acceptance, "KEPT", 1000)
    with pytest.raises(ConfigError, match="MiB; the repository keeps"):
        place(archive, root)
    with pytest.raises(ConfigError, match=r"does not fetch from 'files\.example\.org'"):
        place(archive, root, urls=["https://files.example.org/mine.suite.zip"])
    assert list((root / "submissions").glob("*/*")) == []
    for url, why in (
        ("http://bundles.example.org/mine.suite.zip", "must be plain https"),
        ("https://bundles.example.org:8443/mine.suite.zip", "must be plain https"),
        ("https://bundles.example.org:x/mine.suite.zip", "address cannot be read"),
        ("https://[bundles.example.org/mine.suite.zip", "address cannot be read"),
        ("https://bundles.example.org/my bundle.suite.zip", "what no address may"),
    ):
        with pytest.raises(ConfigError, match=why):
            place(archive, root, urls=[url])
    assert list((root / "submissions").glob("*/*")) == []
    folder = place(archive, root, urls=["https://bundles.example.org/mine.suite.zip"])
    reference = yaml.safe_load((folder / "bundle.ref.yaml").read_text())
    assert reference["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert reference["bytes"] == archive.stat().st_size
    assert not (folder / "bundle.suite.zip").exists()


def test_what_cannot_be_placed_is_said(made: tuple[Path, Path], tmp_path: Path) -> None:
    archive, root = made
    (tmp_path / "text").write_text("no ZIP")
    with pytest.raises(BundleError):
        place(tmp_path / "text", root)
    with pytest.raises(ConfigError, match="the bundle is for the board 'mini'"):
        place(MINI, root)
    assert run(["submit", "place", str(archive), "--repo", str(tmp_path / "none")]) == 2
