"""One bad part never takes the whole down, and no path that data names leads out of its folder."""

import os
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from suite.data.entry import File
from suite.data.registry import Registry, find_schema
from suite.errors import DataError, PluginError
from suite.files import inside, unsafe
from suite.hookspecs import Entry
from suite.plugins import BUILTIN, catalogue_of

GOOD = """id: good
title: Good rows
licence: {name: CC0-1.0}
source: {kind: bundled, folder: FOLDER}
parts: {rows: {format: jsonl, schema: SCHEMA}}
files: [{path: PATH, part: rows}]
"""


def registry(folder: Path, **values: str) -> Registry:
    given = {"FOLDER": ".", "SCHEMA": "rows.json", "PATH": "rows.jsonl", **values}
    (folder / "datasets").mkdir(parents=True, exist_ok=True)
    text = GOOD
    for name, value in given.items():
        text = text.replace(name, value)
    (folder / "datasets" / "good.yaml").write_text(text, "utf-8")
    return Registry((), own=folder)


def test_what_cannot_be_read_is_listed_beside_what_can(tmp_path: Path) -> None:
    found = registry(tmp_path)
    folder = tmp_path / "datasets"
    (folder / "latin.yaml").write_bytes(b"id: latin\ntitle: \xff\n")
    (folder / "list-key.yaml").write_text("? [a, b]\n: 1\n")
    (folder / "number.yaml").write_text("12\n")
    (folder / "folder.yaml").mkdir()
    (folder / "nothing.yaml").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "pipe.yaml")
    (folder / "large.yaml").write_bytes(b"#" * (5 << 20))
    entries, problems = found.datasets()
    assert [one.id for one in entries] == ["good"]
    bad = {"latin", "list-key", "number", "folder", "nothing", "pipe", "large"}
    assert {one.file.stem for one in problems} == bad


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../etc", "a/../../b", "C:x", "a\\b", "a\0b", "a\nb", "CON", "nul.txt",
             "~/x", "a//b", "a./b", "x" * 300, "a\u202eb", "com1.yaml", ""]
)  # fmt: skip
def test_paths_that_lead_elsewhere_are_refused_before_anything_is_opened(tmp_path: Path, path: str) -> None:
    assert unsafe(path)
    with pytest.raises(OSError):
        inside(tmp_path, path)
    with pytest.raises(DataError):
        find_schema(path, [tmp_path])
    with pytest.raises(ValueError):
        File(path=path, bytes=None, rows=None)
    for field in ("FOLDER", "SCHEMA", "PATH"):
        if path and path.isprintable() and path[0] not in "~":
            _, problems = registry(tmp_path, **{field: f"'{path}'"}).datasets()
            assert len(problems) == 1


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text("{}")
    (tmp_path / "own" / "schemas").mkdir(parents=True)
    (tmp_path / "own" / "schemas" / "rows.json").symlink_to(outside)
    with pytest.raises(DataError, match="leads out of its folder"):
        find_schema("rows.json", [tmp_path / "own"])


SOURCES = {
    "exit": "raise SystemExit(0)",
    "base": "class Odd(BaseException): pass\nraise Odd('no')",
    "generator": "raise GeneratorExit",
    "late": "import suite\n@suite.hookimpl\ndef suite_register(): raise SystemExit(3)",
    "wrong": "import suite\n@suite.hookimpl\ndef suite_register(): return 5",
}


def test_a_plugin_that_leaves_is_named_and_the_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for name, source in SOURCES.items():
        (tmp_path / f"stubborn_{name}.py").write_text(source)
    points = [EntryPoint(name, f"stubborn_{name}", "suite") for name in SOURCES]
    found = catalogue_of(points, BUILTIN)
    assert {plugin.name for plugin in found.plugins if plugin.error} == set(SOURCES)
    assert "openai" in found.names("provider")


def test_a_task_that_leaves_when_it_is_loaded_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "leaving_task.py").write_text("raise SystemExit(0)")
    found = catalogue_of([], [Entry("task", "leaving", "Leaves", "leaving_task:Task")])
    with pytest.raises(PluginError, match="SystemExit"):
        found.load("task", "leaving")
