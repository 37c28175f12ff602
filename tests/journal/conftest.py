"""Run folders to read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.report.making_runs import Build, build_run


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Builds a run folder; keyword arguments as in `Build`."""

    def make(**options: Any) -> Path:
        build = Build(**options)
        return build_run(tmp_path / "runs" / build.name, build)

    return make
