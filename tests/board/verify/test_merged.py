"""A run that was made in shards is submitted like any other."""

import os
import subprocess
import sys
from pathlib import Path

import good_bundles
import pytest

from suite.board.pack.bundle_files import write_archive
from suite.board.verify import verify
from suite.board.verify.verification import as_text


@pytest.fixture
def merged(tmp_path: Path) -> Path:
    """The bundle of a run in three shards."""
    run = good_bundles.run(good_bundles.RECIPES["judged"], tmp_path / "run", shards=3)
    return good_bundles.bundle([run], None, tmp_path / "bundle")


def test_the_bundle_of_a_merged_run_verifies(merged: Path) -> None:
    found = verify(merged)
    assert found.exit_code() == 0, as_text(found)


@pytest.mark.slow
def test_it_verifies_elsewhere(merged: Path, tmp_path: Path) -> None:
    write_archive(merged, tmp_path / "run.suite.zip")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = [sys.executable, "-m", "suite", "submit", "verify", "../run.suite.zip"]
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    environment = kept | {"HOME": str(elsewhere), "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    done = subprocess.run(
        command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
