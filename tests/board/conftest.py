"""Bundles that are made once, and copied by whoever changes them."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import good_bundles
import pytest

from suite.board.define.board import Board
from suite.board.pack import bundle_files
from suite.board.repository.acceptance import accept
from tests.board import making
from tests.board.rewriting import changed


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is verified in a process of its own is verified here: a start costs a second."""

    def here(
        work: Callable[..., Any], *arguments: object, hear: Callable[..., Any] = lambda _: None, **_: object
    ) -> object:
        return work(hear, *arguments)

    for module in ("verify.ladder", "repository.acceptance"):
        monkeypatch.setattr(f"suite.board.{module}.in_child", here)


@pytest.fixture(scope="session")
def good_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A finished run with a judge, two cells, a long shared history. Do not change it."""
    with pytest.MonkeyPatch.context() as patch:
        base = tmp_path_factory.mktemp("good")
        patch.setenv("SUITE_CACHE", str(base / "cache"))
        yield making.make_run(base / "good-run")


@pytest.fixture(scope="session")
def good_bundle(good_run: Path) -> Path:
    """An unpacked bundle of it. Do not change it."""
    return making.stage(good_run.parent / "bundle", good_run)


@pytest.fixture
def bundle(good_bundle: Path, tmp_path: Path) -> Path:
    """A bundle folder of your own to change."""
    return Path(shutil.copytree(good_bundle, tmp_path / "bundle"))


@pytest.fixture
def zipped(bundle: Path, tmp_path: Path) -> Path:
    """An archive of your own to change."""
    path = tmp_path / "good.suite.zip"
    bundle_files.write_archive(bundle, path)
    return path


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Board]]:
    """Recipe -> (bundle folder, board). The folder is shared: copy it before changing anything."""
    made: dict[str, tuple[Path, Board]] = {}

    def one(name: str) -> tuple[Path, Board]:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            recipe = good_bundles.RECIPES[name]
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("SUITE_CACHE", str(folder / "cache"))
                run = good_bundles.run(recipe, folder / "run")
            board = good_bundles.board(name, recipe, folder)
            made[name] = good_bundles.bundle([run], board, folder / "bundle"), board
        return made[name]

    return one


@pytest.fixture
def run(good_run: Path, tmp_path: Path) -> Path:
    """A run folder of your own to change."""
    return Path(shutil.copytree(good_run, tmp_path / "good-run"))


HOSTILE_NAME = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="session")
def twins(good: Callable[[str], tuple[Path, Board]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two entries of real bundles, the second with a hostile name. Do not change it."""
    base = tmp_path_factory.mktemp("twins")
    first, board = good("choice")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUITE_CACHE", str(base / "cache"))
        other = good_bundles.run(good_bundles.RECIPES["choice"], base / "run", constant="<choice>B</choice>")
        plain = good_bundles.bundle([other], board, base / "bundle")
        second = changed(plain, base / "named", model={"display_name": HOSTILE_NAME})
        (base / "repo" / "boards" / board.id).mkdir(parents=True)
        (base / "repo" / "submissions" / board.id).mkdir(parents=True)
        assert board.path is not None
        shutil.copyfile(board.path, base / "repo" / "boards" / board.id / "board.yaml")
        for bundle in (first, second):
            assert accept(bundle, base / "repo").folder is not None
    return base / "repo"
