"""Golden inputs and values, made with the libraries named in tests/golden/statistics (see README there)."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "statistics"


@pytest.fixture(scope="session")
def given() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "inputs.json").read_text())
    return found


@pytest.fixture(scope="session")
def golden() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text())
    return found


@pytest.fixture(scope="session")
def rows() -> list[dict[str, str]]:
    with (FOLDER / "votes.csv").open() as file:
        return list(csv.DictReader(file))
