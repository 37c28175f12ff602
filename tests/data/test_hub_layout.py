"""Configs and splits of a Hub dataset, from the card to rows, with the real libraries on a loopback Hub."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from local_hub import LocalHub
from small_registry import QUESTIONS, Place, jsonl

from suite.data.local_entry import LocalDataset
from suite.data.pins import pin
from suite.data.pull import pull
from suite.errors import DataError, SuiteError

pytestmark = pytest.mark.hub
CARD = """---
license: cc0-1.0
configs:
- config_name: lines
  data_files:
  - {split: train, path: "lines/*.json"}
  - {split: test, path: "array.json"}
- config_name: table
  data_files: "table.csv"
  sep: ";"
- config_name: columns
  data_files: "*.parquet"
---
"""
DATED = [
    {"id": "q-1", "day": "2024-01-02", "told": {"a": 1}},
    {"id": "q-2", "day": "soon", "told": {"b": "x"}},
]
Write = Callable[..., None]


@pytest.fixture
def folder(hub: LocalHub) -> Path:
    """A dataset with four configs and files that datasets of rows do not have."""
    folder = hub.root / "datasets/ours/configs"
    (folder / "lines").mkdir(parents=True)
    (folder / "README.md").write_text(CARD)
    (folder / "code.py").write_text("raise SystemExit('never run')")
    for number in (0, 1):
        (folder / f"lines/{number}.json").write_bytes(jsonl(QUESTIONS[number * 12 : number * 12 + 12]))
    (folder / "array.json").write_text(json.dumps(DATED))
    (folder / "table.csv").write_text("id;text\n1;one\n2;\n")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(QUESTIONS), folder / "q.parquet")
    return folder


@pytest.fixture
def pulled(place: Place, folder: Path) -> Callable[..., LocalDataset]:
    """Pins and pulls an entry with one part."""

    def make(repo: str = "ours/configs", **part: Any) -> LocalDataset:
        place.entry("configs", source={"kind": "hub", "repo": repo}, parts={"rows": part})
        entry = place.registry.dataset("configs")
        pin(entry, place.cache)
        return pull(entry, place.cache)

    return make


@pytest.mark.parametrize(
    ("part", "files", "rows"),
    [
        ({"config": "lines", "split": "train", "schema": "question.json", "rows": 20},
         ["lines/0.json", "lines/1.json"], QUESTIONS),
        ({"config": "lines", "split": "test"}, ["array.json"], DATED),
        ({"config": "columns", "split": "train"}, ["q.parquet"], QUESTIONS),
    ],
)  # fmt: skip
def test_a_config_and_split_are_pinned_pulled_and_read_as_stored(
    pulled: Callable[..., LocalDataset],
    hub: LocalHub,
    part: dict[str, Any],
    files: list[str],
    rows: list[Any],
) -> None:
    local = pulled(**part)
    assert [(one.path, one.part, one.sha256 is not None) for one in local.entry.files] == [
        (path, "rows", True) for path in files
    ]
    hub.log.clear()
    assert [row for _, row in local.rows()] == rows
    assert hub.log == []


def test_the_only_config_need_not_be_named(pulled: Callable[..., LocalDataset], hub: LocalHub) -> None:
    plain = hub.root / "datasets/ours/plain"
    plain.mkdir()
    (plain / "test.csv").write_text("id,text\n1,one\n")
    (plain / "dataset_infos.json").write_text("{}")  # as old datasets have it
    local = pulled("ours/plain", split="test", derived={"at": "row-index"})
    assert [row for _, row in local.rows()] == [{"id": 1, "text": "one", "at": 0}]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            {"config": "line", "split": "train"},
            "has no config 'line'.*\n.*\n  configs: lines, table, columns",
        ),
        (
            {"config": "lines", "split": "dev"},
            "has no split 'dev' in config lines\n.*\n  splits: train, test",
        ),
        ({"split": "train"}, "has no config that is meant if none .*\n.*\n  configs: lines, table, columns"),
        ({"config": "table", "split": "train"}, "the card wants config table read .*: sep: ;"),
    ],
)
def test_what_is_not_there_lists_what_is_and_writes_nothing(
    place: Place, pulled: Callable[..., LocalDataset], part: dict[str, Any], message: str
) -> None:
    with pytest.raises(SuiteError, match=message):
        pulled(**part)
    assert not (place.cache_folder / "data/pins").exists()


@pytest.mark.parametrize(
    ("card", "name", "message"),
    [
        ("", "rows.xlsx", "(?s)finds no rows in ours/odd.*files: README.md, rows.xlsx"),
        (
            "---\nconfigs:\n- {config_name: a, data_files: rows.xml}\n---\n",
            "rows.xml",
            r"rows can't be read from rows\.xml: its format is \.xml",
        ),
        (
            "---\nconfigs:\n- {config_name: a, data_files: /etc/hostname}\n---\n",
            "rows.csv",
            "finds no rows|outside",
        ),
        ("---\nconfigs: 3\n---\n", "rows.csv", "finds no rows in ours/odd"),
    ],
)
def test_files_that_nobody_can_read_are_named(
    pulled: Callable[..., LocalDataset], hub: LocalHub, card: str, name: str, message: str
) -> None:
    odd = hub.root / "datasets/ours/odd"
    odd.mkdir()
    (odd / "README.md").write_text(card)
    (odd / name).write_text("x")
    with pytest.raises(DataError, match=message):
        pulled("ours/odd", split="train")


def test_only_hub_datasets_have_splits(place: Place) -> None:
    place.entry("configs", source={"kind": "bundled"}, parts={"rows": {"split": "train"}})
    with pytest.raises(DataError, match="names a split, which only Hub datasets have"):
        place.registry.dataset("configs")
