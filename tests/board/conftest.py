"""Bundles that are made once, and copied by whoever changes them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from suite.board import packing
from tests.board import making


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))


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
    packing.write_archive(bundle, path)
    return path
