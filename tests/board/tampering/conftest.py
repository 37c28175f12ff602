"""A good bundle of one's own to forge."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import good_bundles
import pytest
from tamper import Forged

from suite.board.define.board import Board


@pytest.fixture
def forged(good: Callable[..., Any], tmp_path: Path) -> Callable[[str], tuple[Forged, Board]]:
    """Recipe -> (its bundle, copied, and the board that it is for)."""

    def one(name: str) -> tuple[Forged, Board]:
        folder, board = good(name)
        return Forged(good_bundles.copy(folder, tmp_path / "bundle")), board

    return one
