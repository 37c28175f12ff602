"""What verification writes has the shape of registry/schemas/verification.v1.json, whatever the verdict."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import good_bundles
import pytest
from forge_files import raise_metric
from jsonschema import Draft202012Validator
from tamper import Forged

from suite.board.verify import Rerun, verify
from suite.data.registry import registry_folder
from tests.board.making import as_values

SCHEMA = json.loads((registry_folder() / "schemas/verification.v1.json").read_text(encoding="utf-8"))
SHAPE = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)


def held(data: dict[str, Any]) -> None:
    """Data as it is written and read again."""
    SHAPE.validate(json.loads(json.dumps(data)))


@pytest.mark.parametrize("recipe", good_bundles.RECIPES)
def test_a_good_bundle(recipe: str, good: Callable[..., Any]) -> None:
    folder, board = good(recipe)
    held(as_values(verify(folder, board=board)))


def test_a_rejected_and_an_unreadable_one(good: Callable[..., Any], tmp_path: Path) -> None:
    forged = Forged(good_bundles.copy(good("choice")[0], tmp_path / "bundle"))
    raise_metric(forged)
    held(as_values(verify(forged.bundle)))
    (forged.bundle / "task.py").write_text("import os")
    unreadable = as_values(verify(forged.bundle, board=good("choice")[1]))
    assert unreadable["verdict"] == "rejected"
    held(unreadable)


def test_a_re_run(good: Callable[..., Any]) -> None:
    held(as_values(verify(good("choice")[0], again=Rerun(3, {"candidate": ["scripted/words"]}, seed="a"))))
