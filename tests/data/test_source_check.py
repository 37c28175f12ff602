"""Entries against their sources: a loopback Hub and Git host that fit, and that differ in one thing each."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from click.testing import CliRunner
from local_git import LocalGit
from local_hub import LocalHub, commit_of
from small_registry import COMMIT, QUESTIONS, Place, jsonl, listed

from suite.cli.data import data
from suite.data.entry import File
from suite.data.source_check import SourceCheck, check_entries, first_rows

pytestmark = pytest.mark.hub
Write = Callable[..., None]
CARD = "---\nlicense: {}\n---\n"
ODD = [{"a": '],{"'}, {"a": "]\\"}]
WRONG_ROW = {**QUESTIONS[0], "system": "us"}


@pytest.fixture
def folder(hub: LocalHub) -> Path:
    """The Hub's dataset, with a card."""
    folder = hub.root / "datasets/ours/questions"
    (folder / "README.md").write_text(CARD.format("cc0-1.0"))
    return folder


def checked(place: Place, remote: bool = True) -> SourceCheck:
    """The check of the only entry."""
    (found,) = check_entries([place.registry.dataset("questions")], place.cache, remote)
    return found


def test_an_entry_that_fits_its_hub_source_is_right(
    place: Place, hub: LocalHub, folder: Path, hub_entry: Write
) -> None:
    hub_entry()
    found = checked(place)
    assert (found.problems, found.remarks, found.state) == ([], [], "right")
    assert (found.revision, found.files, found.rows, found.licence) == (commit_of(folder), 2, 40, "cc0-1.0")
    assert not (place.cache_folder / "data/blobs").exists()
    large = [row for row in hub.log if row["path"].endswith("train.jsonl")]
    assert all(row["range"] for row in large if row["method"] == "GET")


def pinned(folder: Path, **told: Any) -> dict[str, Any]:
    """What pins an entry to a folder as it is now."""
    return {"source": {"kind": "hub", "repo": "ours/questions", "revision": commit_of(folder)}, **told}


def files(folder: Path, **test: Any) -> list[dict[str, Any]]:
    """The files of the entry, that of the part test changed."""
    content = {part: (folder / f"data/{part}.jsonl").read_bytes() for part in ("test", "train")}
    found = [listed(f"data/{part}.jsonl", data, part=part) for part, data in content.items()]
    return [{**found[0], **test}, found[1]]


def test_a_commit_that_is_gone_is_wrong(place: Place, folder: Path, hub_entry: Write) -> None:
    hub_entry()
    (folder / "more.txt").write_text("another commit")
    found = checked(place)
    assert found.state == "wrong"
    assert "the pinned revision is gone from the Hub" in found.problems[0]


@pytest.mark.parametrize(
    ("test", "problem"),
    [
        ({"path": "data/none.jsonl"}, "data/none.jsonl is not there"),
        ({"bytes": 7}, "data/test.jsonl has 1,300 bytes, the entry says 7"),
        ({"sha256": "0" * 64}, "data/test.jsonl has other bytes: sha256 "),
        ({"sha256": None, "git_blob": "0" * 40}, "data/test.jsonl has other bytes: blob "),
    ],
)
def test_a_file_that_differs_is_wrong(
    place: Place, folder: Path, hub_entry: Write, test: dict[str, Any], problem: str
) -> None:
    hub_entry(files=files(folder, **test))
    found = checked(place)
    assert (found.state, len(found.problems)) == ("wrong", 1)
    assert found.problems[0].startswith(problem)


def test_the_hash_of_a_large_file_is_the_hubs_own_word(
    place: Place, hub: LocalHub, folder: Path, hub_entry: Write
) -> None:
    told = files(folder)
    hub_entry(files=[told[0], {**told[1], "sha256": "0" * 64}])
    hub.log.clear()
    assert checked(place).problems[0].startswith("data/train.jsonl has other bytes: sha256 ")


@pytest.mark.parametrize(
    ("card", "ours", "problems"),
    [
        ("mit", "CC0-1.0", ["the card's licence is mit, the entry's CC0-1.0"]),
        ("odc-by", "ODC-BY-1.0", []),
        ("[mit, cc0-1.0]", "CC0-1.0", []),
        ("other", "CC0-1.0", []),
        ("mit", "various", []),
        ("''", "CC0-1.0", []),
    ],
)
def test_the_licence_of_the_card_is_held_against_the_entrys(
    place: Place, folder: Path, hub_entry: Write, card: str, ours: str, problems: list[str]
) -> None:
    (folder / "README.md").write_text(CARD.format(card))
    hub_entry(licence={"name": ours})
    assert checked(place).problems == problems


def test_a_row_that_breaks_the_schema_is_named(place: Place, folder: Path, hub_entry: Write) -> None:
    (folder / "data/test.jsonl").write_bytes(jsonl([*QUESTIONS[:3], WRONG_ROW]))
    hub_entry(**pinned(folder))
    (problem,) = checked(place).problems
    assert problem.startswith(
        "data/test.jsonl, line 4 breaks schemas/question.json: field `system`: 'us' is not"
    )


def test_what_is_not_pinned_is_looked_at_as_it_is_now(place: Place, folder: Path, hub_entry: Write) -> None:
    part = {"schema": "question.json", "split": "test"}
    hub_entry(source={"kind": "hub", "repo": "ours/questions"}, files=[], parts={"test": part})
    found = checked(place)
    assert (found.state, found.problems, found.files, found.rows) == ("not pinned", [], 1, 20)
    hub_entry(source={"kind": "hub", "repo": "ours/questions"}, files=[], parts={"test": {"split": "tset"}})
    (problem,) = checked(place).problems
    assert problem == "ours/questions has no split 'tset' in config default: splits: train, test"


def test_what_cant_be_reached_or_is_gated_is_not_wrong(
    place: Place, hub: LocalHub, folder: Path, hub_entry: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_entry()
    hub.faults.gate, hub.faults.token = "/resolve/", "hf_ours"
    found = checked(place)
    assert (found.state, found.problems) == ("gated", [])
    assert "terms to be accepted first" in found.remarks[0]
    hub.faults.gate, hub.faults.fault_match = "", "."
    hub.faults.fail_first, hub.faults.fail_status = 1000, 403
    found = checked(place)
    assert (found.state, found.problems) == ("unreachable", [])


def test_a_repository_that_a_mirror_lacks_is_not_wrong(place: Place, hub: LocalHub, hub_entry: Write) -> None:
    hub_entry(source={"kind": "hub", "repo": "ours/none", "revision": COMMIT})
    found = checked(place)
    assert (found.state, found.problems) == ("unreachable", [])
    assert "no such repository" in found.remarks[0]
    assert "HF_TOKEN" in found.remarks[0]


def test_what_keeps_the_network_away_is_named(
    place: Place, hub: LocalHub, hub_entry: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_entry()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE is set" in checked(place).remarks[0]


def test_no_content_is_read_under_a_licence_that_nobody_accepted(
    place: Place, hub: LocalHub, folder: Path, hub_entry: Write
) -> None:
    (folder / "data/test.jsonl").write_bytes(jsonl([WRONG_ROW]))
    hub_entry(**pinned(folder), licence={"name": "CC0-1.0", "accept_required": True})
    found = checked(place)
    assert (found.state, found.rows) == ("right", 0)
    assert found.remarks == ["rows not read: CC0-1.0 is not accepted (--accept-licence)"]
    assert not [row for row in hub.log if row["path"].endswith(".jsonl")]
    place.cache.accept(place.registry.dataset("questions"))
    assert checked(place).state == "wrong"


def test_a_git_source_is_held_against_its_entry(place: Place, git: LocalGit, git_entry: Write) -> None:
    git_entry()
    found = checked(place)
    assert (found.state, found.problems, found.files, found.rows) == ("right", [], 2, 8)
    space = git.root / "ours/questions" / COMMIT / "data/space.json"
    text = space.read_text()
    space.write_text(text.replace("number 0", "nummer 0"))
    assert checked(place).problems[0].startswith("data/space.json has other bytes: sha256 ")
    space.write_text(text + "\n")
    assert "bytes, the entry says" in checked(place).problems[0]
    space.unlink()
    assert checked(place).problems == ["data/space.json is not there"]
    shutil.rmtree(space.parent)
    assert checked(place).problems == [f"commit {COMMIT[:12]} is gone, or none of the entry's files is in it"]


def test_a_twin_is_looked_at_too(place: Place, folder: Path, hub_entry: Write, git: LocalGit) -> None:
    copy = git.root / "ours/questions" / COMMIT / "rows.jsonl"
    copy.write_bytes((folder / "data/test.jsonl").read_bytes())
    template = "https://files.example/ours/questions/{commit}/{path}"
    source = {"kind": "git", "repo": "ours/twin", "url_template": template, "commit": COMMIT}
    hub_entry(files=files(folder, twin={"path": "rows.jsonl", "source": source}))
    assert checked(place).problems == []
    copy.write_bytes(jsonl(QUESTIONS[1:] + QUESTIONS[:1]))
    assert checked(place).problems[0].startswith("in ours/twin, rows.jsonl has other bytes: sha256 ")
    copy.unlink()
    assert checked(place).problems == ["in ours/twin, rows.jsonl is not there"]


def test_rows_of_git_break_the_schema_too(place: Place, git: LocalGit, git_entry: Write) -> None:
    path = git.root / "ours/questions" / COMMIT / "data/space.json"
    path.write_text(json.dumps([WRONG_ROW]))
    git_entry(parts={"all": {"format": "json-array", "schema": "question.json"}})
    assert "data/space.json, row 0 breaks schemas/question.json" in checked(place).problems[0]


def test_a_git_host_that_fails_is_unreachable(
    place: Place, git: LocalGit, git_entry: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    git_entry()
    git.faults.fail_first, git.faults.fail_status = 1000, 403
    assert checked(place).state == "unreachable"


@pytest.mark.parametrize(
    ("name", "content", "cut", "rows"),
    [
        ("a.jsonl", jsonl(QUESTIONS), 180, QUESTIONS[:2]),
        ("a.json", json.dumps(QUESTIONS[:4], indent=1).encode(), 220, QUESTIONS[:2]),
        ("a.json", jsonl(QUESTIONS), 180, QUESTIONS[:2]),
        ("a.json", json.dumps([*ODD, {"a": [1, 2]}]).encode(), 42, ODD),
        ("a.csv", b"id,text\n1,one\n2,two\n", 18, [{"id": 1, "text": "one"}]),
        ("a.jsonl", jsonl(QUESTIONS), 10, []),
    ],
)  # fmt: skip
def test_rows_that_are_whole_are_read_from_the_beginning_of_a_file(
    name: str, content: bytes, cut: int, rows: list[Any]
) -> None:
    file = File(path=f"data/{name}", bytes=None, rows=None)
    assert [row for _, row in first_rows("questions", file, None, content[:cut], whole=False)] == rows


def test_an_object_of_rows_is_cut_between_two_of_them() -> None:
    content = json.dumps({f"k{i}": row for i, row in enumerate(QUESTIONS)}).encode()
    found = first_rows(
        "questions", File(path="a.json", bytes=None, rows=None), "json-object", content[:190], False
    )
    assert [(place.key, row) for place, row in found] == [("k0", QUESTIONS[0]), ("k1", QUESTIONS[1])]


def test_parquet_is_read_whole(place: Place, folder: Path, hub_entry: Write) -> None:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([WRONG_ROW]), folder / "data/q.parquet")
    told = listed("data/q.parquet", (folder / "data/q.parquet").read_bytes(), part="test")
    hub_entry(**pinned(folder), files=[told], parts={"test": {"schema": "question.json"}})
    assert "data/q.parquet, row 0 breaks schemas/question.json" in checked(place).problems[0]


def test_a_file_in_no_format_of_rows_is_named(place: Place, folder: Path, hub_entry: Write) -> None:
    (folder / "data/q.xyz").write_bytes(gzip.compress(b"rows"))
    told = listed("data/q.xyz", (folder / "data/q.xyz").read_bytes(), part="test")
    hub_entry(**pinned(folder), files=[told], parts={"test": {}})
    assert checked(place).problems == ["q.xyz is in a format that holds no rows here"]


def test_the_command_prints_a_line_an_entry_and_tells_states_apart(
    place: Place, hub: LocalHub, folder: Path, hub_entry: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("suite.cli.pulls.registry", lambda: place.registry)
    hub_entry()
    right = CliRunner().invoke(data, ["check", "--remote"])
    assert right.exit_code == 0, right.output
    assert right.stdout.splitlines()[1].split() == [
        "questions", "right", "hub", commit_of(folder)[:8], "2", "40",
    ]  # fmt: skip
    place.entry("bundled", source={"kind": "bundled"}, parts={"a": {"schema": "none.json"}})
    (place.folder / "datasets/broken.yaml").write_text("id: broken\n")
    hub.faults.gate = "."
    wrong = CliRunner().invoke(data, ["check", "--remote", "--json"])
    assert wrong.exit_code == 1
    assert {name: one["state"] for name, one in json.loads(wrong.stdout).items()} == {
        "bundled": "wrong", "questions": "gated", "broken": "wrong",
    }  # fmt: skip
    assert "no schema 'none.json'" in wrong.stdout
    hub.faults.gate, hub.faults.fault_match = "", "."
    hub.faults.fail_first, hub.faults.fail_status = 1000, 403
    offline = CliRunner().invoke(data, ["check", "--remote", "questions"])
    assert (offline.exit_code, "unreachable" in offline.stdout) == (2, True)


def test_without_the_network_schemas_files_and_pins_are_looked_at(
    place: Place, hub: LocalHub, hub_entry: Write
) -> None:
    hub_entry()
    assert (checked(place, remote=False).state, hub.log) == ("right", [])
    hub_entry(source={"kind": "hub", "repo": "ours/questions"}, files=[{"path": "a.jsonl", "part": "test"}])
    found = checked(place, remote=False)
    assert (found.state, len(found.remarks)) == ("not pinned", 1)
    place.schema("question.json", {"type": 3})
    found = checked(place, remote=False)
    assert (found.state, found.problems[0].count("\n")) == ("wrong", 0)


@pytest.mark.parametrize("remote", [False, True])
def test_files_without_a_hash_are_not_right(
    place: Place, folder: Path, hub_entry: Write, remote: bool
) -> None:
    hub_entry(files=files(folder, sha256=None))
    found = checked(place, remote)
    assert (found.state, found.problems) == ("not pinned", [])
    assert found.remarks[0].startswith("the hash of 1 of 2 files is not known")
