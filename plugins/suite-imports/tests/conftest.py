"""The fixture that imports a log."""

from pathlib import Path

import pytest
from imported_runs import Import


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    """Import a log below `LOGS`, or of another place; what the importer said is `notes` of the function."""
    return Import(tmp_path)
