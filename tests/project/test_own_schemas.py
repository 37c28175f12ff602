"""The JSON Schemas of the registry that are made from types are those of the types."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
NAMES = [
    *("board.v1", "dataset", "decision.v1", "labels.v1", "merge.v1", "model", "night.v1", "policy.v1"),
    *("prices", "record.v1"),
    *("results.v1", "run-manifest.v1", "scoring-manifest.v1", "submission.v1", "verification.v1"),
]


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    sys.path.insert(0, str(ROOT / ".ci"))
    try:
        import own_schemas

        return own_schemas.made()
    finally:
        sys.path.remove(str(ROOT / ".ci"))


@pytest.mark.parametrize("name", NAMES)
def test_the_registry_has_the_schema_of_the_type(made: dict[str, Any], name: str) -> None:
    Draft202012Validator.check_schema(made[f"{name}.json"])
    stored = json.loads((ROOT / "registry/schemas" / f"{name}.json").read_text("utf-8"))
    assert stored == made[f"{name}.json"], "run: python .ci/own_schemas.py"


def test_no_type_is_forgotten(made: dict[str, Any]) -> None:
    assert sorted(made) == [f"{name}.json" for name in NAMES]
