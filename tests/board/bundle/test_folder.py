"""The folder form: plain files of a bundle only, whoever tries to lead out of it."""

import os
from pathlib import Path

import pytest

from suite.board.bundle.bounds import SizeLimits
from suite.board.bundle.folder import Folder
from suite.board.bundle.rungs import Findings
from suite.errors import BundleError
from tests.board.making import codes, journal, look


def test_symbolic_link(bundle: Path, tmp_path: Path) -> None:
    path = journal(bundle, "outputs")
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert codes(bundle) == {"R0.link"}


def test_symbolic_link_to_a_folder(bundle: Path, tmp_path: Path) -> None:
    (bundle / "runs").rename(tmp_path / "runs")
    (bundle / "runs").symlink_to(tmp_path / "runs")
    assert codes(bundle) == {"R0.link"}


def test_hard_link(bundle: Path, tmp_path: Path) -> None:
    os.link(journal(bundle, "outputs"), tmp_path / "twin")
    assert codes(bundle) == {"R0.link"}


def test_pipe_is_not_waited_for(bundle: Path) -> None:
    path = journal(bundle, "outputs")
    path.unlink()
    os.mkfifo(path)
    assert codes(bundle) == {"R0.link"}


@pytest.mark.parametrize("name", ["plugin.py", "runs/x.pkl", "runs/a/b/c/d/e", ".DS_Store", "Readme.md"])
def test_file_that_may_not_stand_there(name: str, bundle: Path) -> None:
    (bundle / name).parent.mkdir(parents=True, exist_ok=True)
    (bundle / name).write_text("x")
    assert codes(bundle) <= {"R0.name-not-allowed", "R0.link"}
    assert codes(bundle)


@pytest.mark.parametrize("name", ["a\\b", "x:y", "con", "x. ", "caf\u00e9", "a\nb"])
def test_name_that_means_something_elsewhere(name: str, bundle: Path) -> None:
    (bundle / name).write_text("x")
    assert codes(bundle) == {"R0.unsafe-name"}


def test_a_document_may_be_no_folder(bundle: Path) -> None:
    (bundle / "README.md").unlink()
    (bundle / "README.md").mkdir()
    assert codes(bundle) == {"R0.link"}


def test_limits(bundle: Path) -> None:
    assert codes(bundle, SizeLimits(archive=1000)) == {"R0.archive-too-big"}
    assert codes(bundle, SizeLimits(members=2)) == {"R0.too-many-members"}


def test_exchanged_after_the_look(bundle: Path, tmp_path: Path) -> None:
    folder = Folder(bundle)
    assert folder.scan(Findings(), SizeLimits())
    (tmp_path / "secret").write_text("x" * (bundle / "README.md").stat().st_size)
    (bundle / "README.md").unlink()
    (bundle / "README.md").symlink_to(tmp_path / "secret")
    with pytest.raises(BundleError, match="changed while it was read"):
        folder.open("README.md")
    (bundle / "README.md").unlink()
    (bundle / "README.md").write_text("longer than before, by far")
    with pytest.raises(BundleError, match="changed while it was read"):
        folder.open("README.md")
    folder.close()


def test_signature_is_let_be_and_nothing_else_unlisted(bundle: Path) -> None:
    (bundle / "submission.json.sig").write_text("not even JSON")
    opened, findings = look(bundle)
    assert opened is not None
    assert not findings


def test_neither_file_nor_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BundleError, match="neither a file nor a folder"):
        look(tmp_path / "pipe")
