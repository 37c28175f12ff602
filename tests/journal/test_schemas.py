"""The schemas of a run's files take what its structs take, and refuse what a bundle must not hold."""

import json
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from suite.data.registry import registry_folder
from suite.journal.document_files import decode
from suite.journal.documents import Results, RunManifest, ScoringManifest

FOLDER = registry_folder() / "schemas"
BUNDLE = Path(__file__).parents[1] / "board/fixtures/format-1.suite.zip"
FILES: dict[str, tuple[type[msgspec.Struct], str]] = {
    "manifest.json": (RunManifest, "run-manifest.v1.json"),
    "scoring/manifest.json": (ScoringManifest, "scoring-manifest.v1.json"),
    "scoring/results.json": (Results, "results.v1.json"),
}


def document(name: str) -> Any:
    with zipfile.ZipFile(BUNDLE) as bundle:
        paths = {one.split("/", 2)[-1]: one for one in bundle.namelist() if one.startswith("runs/")}
        return json.loads(bundle.read(paths[name]))


def valid(name: str, value: Any) -> bool:
    schema = json.loads((FOLDER / FILES[name][1]).read_text())
    return bool(Draft202012Validator(schema).is_valid(value))


@pytest.mark.parametrize("name", FILES)
def test_documents_of_the_first_release_are_read_and_fit(name: str) -> None:
    value = document(name)
    assert valid(name, value)
    decode(json.dumps(value).encode(), FILES[name][0], Path(name))


MANIFEST, SCORING, RESULTS = FILES


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        (MANIFEST, ("plan",), None),  # None: without it
        (MANIFEST, ("imported_from",), {"importer": "x", "model": "y", "sha256": "0" * 64}),
        (MANIFEST, ("created",), "yesterday"),
        (MANIFEST, ("plan", "seed"), "0"),
        (MANIFEST, ("plan", "extra"), 1),
        (MANIFEST, ("cells", 0, "cell"), "0" * 11),
        (MANIFEST, ("cells", 0, "prompts"), ""),
        (MANIFEST, ("cells", 0, "version"), 0),
        (MANIFEST, ("cells",), []),
        (MANIFEST, ("roles", "candidate"), []),
        (MANIFEST, ("roles", "candidate", 0, "stage"), "later"),
        (MANIFEST, ("roles", "candidate", 0, "settings"), {}),
        (MANIFEST, ("roles", "candidate", 0, "settings"), {"unknown": [], "colour": "red"}),
        (MANIFEST, ("counts", "tags", "half", "first"), [1, 2, 3]),
        (MANIFEST, ("counts", "samples"), {"x": -1}),
        (SCORING, ("scoring",), "imported"),
        (SCORING, ("level",), 1.0),
        (SCORING, ("cells", 0, "facts"), {"n": 1}),
        (RESULTS, ("cells", 0, "metrics", 0, "coverage"), 1.5),
        (RESULTS, ("cells", 0, "metrics", 0, "bounds"), [0.5]),
        (RESULTS, ("cells", 0, "metrics", 0, "direction"), "up"),
        (RESULTS, ("calls", "candidate", "calls"), -1),
        (RESULTS, ("seconds",), -1),
        (RESULTS, ("findings",), [{"kind": "odd", "who": "x", "counts": {}, "of": 1}]),
        (RESULTS, ("extra",), 1),
    ],
)
def test_what_a_bundle_must_not_hold_is_refused(name: str, path: tuple[str | int, ...], value: Any) -> None:
    changed = place = document(name)
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    assert not valid(name, changed)
