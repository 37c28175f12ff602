"""Entries: what they may say, where they are found, and the suite's own."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from small_registry import COMMIT, ROOT, Place

from suite.data.entry import (
    BundledSource,
    DatasetEntry,
    HubSource,
    Licence,
)
from suite.data.registry import Registry, find_schema, read_entry, registry_folder
from suite.errors import DataError, NotFound

OWN = Registry()
SHARED = ROOT / "../shared/data"


def test_the_suites_own_entries_can_all_be_read() -> None:
    datasets, problems = OWN.datasets()
    models, more = OWN.models()
    assert problems + more == []
    assert {"prefeval", "contexteval", "rag-rewardbench", "reward-bench"} <= {one.id for one in datasets}
    assert {one.id for one in models} == {"smollm2-135m", "minilm-l6-v2"}


@pytest.mark.parametrize("folder", ["datasets", "models"])
def test_the_suites_own_entries_fit_their_json_schema(folder: str) -> None:
    schema = json.loads((registry_folder() / "schemas" / f"{folder.removesuffix('s')}.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    for path in sorted((registry_folder() / folder).glob("*.yaml")):
        if "_" not in path.stem:
            validator.validate(yaml.safe_load(path.read_text()))


def test_row_schemas_that_are_named_exist_and_are_schemas() -> None:
    for entry in OWN.datasets()[0]:
        for part in entry.parts.values():
            if part.row_schema is not None:
                schema = json.loads(find_schema(part.row_schema, OWN.folders).read_text())
                jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    ("name", "more", "open_"),
    [
        ("Apache-2.0", {}, True),
        ("cc-by-sa-4.0", {}, True),
        ("ODC-BY-1.0, mit", {}, True),
        ("CC-BY-NC-4.0", {}, False),
        ("cc-by-nd-4.0", {}, False),
        ("MIT, CC-BY-NC-4.0", {}, False),
        ("various", {}, False),
        ("mitre", {}, False),
        ("MIT", {"accept_required": True}, False),
        ("MIT", {"pass_rows_on": False}, False),
        ("not stated", {"pass_rows_on": True}, True),
    ],
)
def test_rows_are_passed_on_under_an_open_licence_alone(
    name: str, more: dict[str, bool], open_: bool
) -> None:
    assert Licence(name=name, **more).open is open_


def test_of_the_suites_own_entries_those_are_open_that_the_docs_say() -> None:
    closed = {one.id for one in OWN.datasets()[0] if not one.licence.open}
    assert closed == {
        "contexteval", "contexteval-contexts", "contexteval-judgements", "pref-test-sets", "prefeval",
    }  # fmt: skip


def test_every_pinned_file_has_what_it_is_checked_by() -> None:
    for entry in OWN.datasets()[0]:
        for file in entry.files:
            hub = isinstance(entry.source, HubSource)
            assert file.sha256 or file.git_blob or hub, f"{entry.id}: {file.path}"


def test_prefeval_is_81_files_at_its_commit() -> None:
    entry = OWN.dataset("prefeval")
    assert (entry.revision, len(entry.files)) == ("50795054b5ff5f418d2b768a331d71e480f93331", 81)
    assert {name: part.rows for name, part in entry.parts.items()} == {
        "explicit": 1000,
        "implicit-choice": 1000,
        "implicit-persona": 1000,
        "mcq": 1000,
        "inter-turns": 24,
    }
    sizes = {name: sum(file.bytes or 0 for file in entry.files_of(name)) for name in entry.parts}
    assert sizes == {
        "explicit": 456_865,
        "implicit-choice": 1_808_732,
        "implicit-persona": 5_509_041,
        "mcq": 860_244,
        "inter-turns": 571_564,
    }
    assert entry.licence.accept_required


def base(**told: Any) -> dict[str, Any]:
    """A small entry that is fine."""
    entry = {
        "id": "small",
        "title": "Small",
        "licence": {"name": "CC0-1.0"},
        "source": {"kind": "hub", "repo": "ours/small", "revision": COMMIT},
        "parts": {"all": {"format": "jsonl"}},
        "files": [{"path": "a.jsonl", "part": "all"}],
    }
    return {**entry, **told}


@pytest.mark.parametrize(
    ("told", "message", "where"),
    [
        ({"titel": "x"}, "there is no field `titel`", "field `titel`"),
        ({"title": None}, "Input should be a valid string", "line 2, field `title`"),
        (
            {"source": {"kind": "hub", "repo": "ours/small", "revision": "main"}},
            "pattern",
            "`source.revision`",
        ),
        ({"source": {"kind": "ftp"}}, "does not match any of the expected tags", "`source`"),
        ({"files": [{"path": "../a"}]}, "without '..'", "`files.0.path`"),
        ({"files": [{"path": "/etc/passwd"}]}, "must be relative", "`files.0.path`"),
        ({"files": [{"path": "a", "sha256": "XY"}]}, "pattern", "`files.0.sha256`"),
        ({"files": [{"path": "a"}, {"path": "a"}]}, "file a is listed twice", "`the whole`"),
        ({"files": [{"path": "a", "part": "none"}]}, "part 'none', which is not described", "`the whole`"),
        (
            {
                "parts": {"all": {"format": "jsonl", "rows": 3}},
                "files": [{"path": "a", "part": "all", "rows": 2}],
            },
            "should have 3 rows, its files have 2",
            "`the whole`",
        ),
        (
            {"source": {"kind": "git", "repo": "a", "url_template": "https://x/{path}"}},
            "needs {commit}",
            "`source`",
        ),
        (
            {"source": {"kind": "git", "repo": "a", "url_template": "http://x/{commit}/{path}"}},
            "https://",
            "`source`",
        ),
        ({"id": "other"}, "the entry is called 'other'", "small.yaml"),
    ],
)
def test_a_wrong_entry_names_file_line_and_field(
    tmp_path: Path, told: dict[str, Any], message: str, where: str
) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(base(**told), sort_keys=False))
    with pytest.raises(DataError) as caught:
        read_entry(path, DatasetEntry)
    assert message in caught.value.what
    assert where in caught.value.where
    assert str(path) in caught.value.where


def test_an_unknown_dataset_names_the_nearest() -> None:
    with pytest.raises(NotFound) as caught:
        OWN.dataset("prefevl")
    assert caught.value.fix.startswith("did you mean 'prefeval'")


def test_a_broken_entry_harms_no_other(place: Place) -> None:
    place.entry("fine", source={"kind": "bundled", "folder": "."})
    (place.folder / "datasets/broken.yaml").write_text("id: broken\nid: again\n")
    entries, problems = place.registry.datasets()
    assert [one.id for one in entries] == ["fine"]
    assert [str(one.error).splitlines()[0] for one in problems] == [
        "broken.yaml can't be read: key 'id' is given twice (line 2)"
    ]


def test_plugins_bring_folders_and_two_claims_are_an_error(place: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "plugin", tmp_path / "cache")
    place.entry("mine", source={"kind": "bundled"})
    other.entry("theirs", source={"kind": "bundled"})
    registry = Registry([other.folder], own=place.folder)
    assert registry.dataset("theirs").folder == other.folder
    other.entry("mine", source={"kind": "bundled"})
    with pytest.raises(DataError, match="dataset 'mine' is described twice") as caught:
        registry.dataset("mine")
    assert str(place.folder) in caught.value.where
    assert str(other.folder) in caught.value.where


def test_in_the_source_of_another_suite_the_installed_one_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = tmp_path / "registry"
    (copied / "datasets").mkdir(parents=True)
    (copied / "schemas").mkdir()
    for name in ("datasets/prefeval.yaml", "schemas/dataset.json"):
        (copied / name).write_bytes((registry_folder() / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SUITE_REGISTRY", raising=False)
    assert Registry().dataset("prefeval").folder == registry_folder()


def test_the_digest_is_of_bytes_and_rows_only() -> None:
    small = DatasetEntry.model_validate(base())
    assert small.digest() == DatasetEntry.model_validate(base(title="Other", note="new")).digest()
    other = base(parts={"all": {"format": "jsonl", "rows": 5}})
    assert small.digest() != DatasetEntry.model_validate(other).digest()


def test_bundled_entries_need_no_pin() -> None:
    entry = DatasetEntry.model_validate(base(source=BundledSource(kind="bundled").model_dump(), files=[]))
    assert entry.pinned
