"""The schemas of a bundle's files: closed, valid, and the same as the records in code."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from suite.board.bundle.documents_check import SCHEMAS
from suite.board.bundle.schemas import schema_errors, validator
from suite.data.registry import registry_folder
from tests.board.making import lines_of

NAMES = ["submission.v1.json", "record.v1.json", *SCHEMAS.values()]
FOLDER = registry_folder() / "schemas"


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / name).read_text("utf-8"))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_one_and_its_objects_are_closed(name: str) -> None:
    found = schema(name)
    Draft202012Validator.check_schema(found)
    assert found["$id"] == f"suite:{name.removesuffix('.json')}"

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if "properties" in value:
                assert value.get("additionalProperties") is False, value
                assert set(value.get("required", ())) <= set(value["properties"])
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(found)


def test_a_real_run_keeps_them(good_bundle: Path) -> None:
    run = next((good_bundle / "runs").iterdir())
    for name, file in SCHEMAS.items():
        assert not list(schema_errors(file, json.loads((run / name).read_bytes())))
    assert not list(
        schema_errors("submission.v1.json", json.loads((good_bundle / "submission.json").read_bytes()))
    )
    names = {"output": "outputs", "call": "calls", "block": "blocks", "attempt": "attempts"}
    for part, name in {**names, "score": "scoring/scores"}.items():
        for line in lines_of(run / f"{name}.jsonl.zst"):
            assert not list(schema_errors("record.v1.json", json.loads(line), part=part))
            assert validator("record.v1.json").is_valid(json.loads(line))


def test_pattern_ends_at_the_end() -> None:
    """`$` of Python's re would let a line break through."""
    good: dict[str, Any] = {
        "cell": "0" * 12,
        "sample": "x",
        "trial": 0,
        "output_sha256": "0" * 64,
        "values": {},
        "crc": "0" * 8,
    }
    assert not list(schema_errors("record.v1.json", good, part="score"))
    assert list(schema_errors("record.v1.json", good | {"cell": "0" * 12 + "\n"}, part="score"))


def test_errors_do_not_quote_the_document() -> None:
    field, what, found = next(iter(schema_errors("submission.v1.json", {"<script>": "x" * 10_000})))
    assert (field, found) == ("", "dict")
    assert "script" not in what
