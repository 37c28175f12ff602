"""Every test of the Python calls has a folder and a cache of its own; one finished run is there for all."""

from pathlib import Path

import pytest

import suite
from suite.api import background
from tests.api.asking import YES, Asking


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    # drawn for `made` alone: they take more time than the runs
    monkeypatch.setattr(background, "outcome_reports", lambda *_, **__: [])


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> suite.Evaluation:
    """A finished run that stays as it is: `suite.evaluate(Asking, **YES)` into a folder runs/asking."""
    place = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUITE_CACHE", str(place / "cache"))
        return suite.evaluate(Asking, output=place / "runs" / "asking", **YES)
