"""The registry entries this plugin brings, read as the suite reads them."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from suite_prefeval import __file__ as package
from suite_prefeval.generation import PROMPTS, PUBLISHED
from suite_prefeval.plugin import suite_register

import suite

ROOT = Path(package).parent
MINI = yaml.safe_load((ROOT / "registry/datasets/prefeval-mini.yaml").read_text("utf-8"))


DEMO = yaml.safe_load((ROOT / "registry/datasets/prefeval-demo.yaml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("entry", "part"), [(entry, part) for entry in (MINI, DEMO) for part in entry["parts"]]
)
def test_the_bundled_rows_fit_their_schema_and_count(entry: dict[str, Any], part: str) -> None:
    told = entry["parts"][part]
    schema = json.loads((ROOT / "registry/schemas" / told["schema"]).read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    rows = [
        row
        for path in sorted((ROOT / entry["source"].get("folder", ".")).glob(told["pattern"]))
        for row in json.loads(path.read_text("utf-8"))
    ]
    assert len(rows) == told["rows"]
    for row in rows:
        validator.validate(row)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({})


@pytest.mark.parametrize("part", MINI["parts"])
def test_published_rows_fit_the_same_schema(published: Path, part: str) -> None:
    told = MINI["parts"][part]
    schema = json.loads((ROOT / "registry/schemas" / told["schema"]).read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    for path in sorted(published.glob(told["pattern"])):
        for row in json.loads(path.read_text("utf-8")):
            validator.validate(row)


def test_the_published_checks_are_listed_at_the_pinned_commit() -> None:
    entry = yaml.safe_load((ROOT / f"registry/datasets/{PROMPTS}.yaml").read_text("utf-8"))
    assert sorted(file["path"] for file in entry["files"]) == sorted(PUBLISHED.values())
    assert entry["source"]["commit"] == "50795054b5ff5f418d2b768a331d71e480f93331"
    assert entry["licence"]["accept_required"]


def test_everything_announced_is_well_formed_and_exists() -> None:
    entries = suite_register()
    assert [entry.problem() for entry in entries] == [""] * 5
    names = [(entry.kind, entry.name) for entry in entries]
    assert ("task", "prefeval/generation") in names
    assert ("importer", "prefeval") in names
    assert all(isinstance(entry, suite.Entry) for entry in entries)
