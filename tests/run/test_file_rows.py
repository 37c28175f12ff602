"""Rows of a task in a file: beside it in any format, or on the Hub by commit and licence."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from local_hub import LocalHub, commit_of
from task_sources import EVAL, WHOLE, manifest, written

from suite import run_command


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("model", "rows", "said"),
    [
        ("class Row(suite.Payload):\n    id: str\n    n: int", '{"id": "a", "n": 1}\n{"id": "b", "n": "x"}\n',
         ("rows.jsonl, line 2 is no Row", "field `n`")),
        ("class Row(TypedDict):\n    id: str\n    n: int", '{"id": "a"}\n',
         ("line 1 is no Row", "field `n`")),
        ("class Row(msgspec.Struct):\n    id: str\n    n: int", '{"id": "a", "n": "x"}\n',
         ("rows.jsonl, line 1 is no Row", "field `n`")),
        ('Row = {"required": ["n"], "properties": {"n": {"type": "integer"}}}', '{"id": "a", "n": 1.5}\n',
         ("rows.jsonl, line 1", "field `n`")),
        ("Row = dict", "", ("dataset 'rows': rows.jsonl is empty",)),
        ("Row = print", '{"id": "a"}\n', ("print is no model of a row",)),
        ("Row = dict", '{"id": "a"}\n{"id": \n', ("rows.jsonl, line 2",)),
    ],
)  # fmt: skip
def test_a_row_that_breaks_its_model_is_a_sentence(
    model: str, rows: str, said: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    text = WHOLE.format(name="A", task="a").replace('row["id"]', '"x"').replace("dict", "Row")
    written(
        "units.py",
        f"import msgspec\nfrom typing_extensions import TypedDict\nimport suite\n{model}\n{text}",
        rows,
    )
    assert run_command(*EVAL, "--task", "units.py") == 2
    error = capsys.readouterr().err
    assert all(one in error for one in said), error
    assert not Path("runs").exists()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    folder = tmp_path / "hub/datasets/org/Numbers"
    for config in ("easy", "hard"):
        (folder / config).mkdir(parents=True)
        (folder / config / "test.csv").write_text(
            f"id,text\n{config}-1,Say yes\n{config}-2,Say no\n", "utf-8"
        )
    told = "".join(f"- config_name: {one}\n  data_files: {one}/*.csv\n" for one in ("easy", "hard"))
    (folder / "README.md").write_text(f"---\nlicense: mit\nconfigs:\n{told}---\n", "utf-8")
    with LocalHub(tmp_path / "hub") as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


def with_hub_rows(tmp_path: Path, **said: str) -> None:
    place = tmp_path / "hub/datasets/org/Numbers"
    told = {"repo": "org/Numbers", "revision": commit_of(place), "split": "train", "config": "hard", **said}
    rows = ", ".join(f"{name}={value!r}" for name, value in told.items())
    written(
        "units.py", WHOLE.format(name="Units", task="units").replace('"rows.jsonl"', f"suite.HubRows({rows})")
    )


def test_rows_of_the_hub_come_by_commit_and_stay(
    tmp_path: Path, hub: LocalHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_hub_rows(tmp_path)
    assert run_command(*EVAL, "--task", "units.py", "--output", "one") == 0
    samples = [
        json.loads(line)["sample"] for line in Path("one/outputs.jsonl").read_text("utf-8").splitlines()
    ]
    assert sorted(samples) == ["hard-1", "hard-2"]
    data: Any = manifest("one")["data"]["rows"]
    assert (data["source"], data["repo"], list(data["files"])) == ("hub", "org/Numbers", ["hard/test.csv"])
    assert data["licence"] == {"name": "mit"}
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert run_command("score", "one", "--quiet") == 0
    text = Path("units.py").read_text("utf-8").replace('data.rows("rows", dict)', 'data.rows("rows", Row)')
    Path("units.py").write_text(f"import suite\nclass Row(suite.Payload):\n    n: int\n{text}", "utf-8")
    capsys.readouterr()
    assert run_command(*EVAL, "--task", "units.py") == 2
    assert "org/Numbers: hard/test.csv, line 2 is no Row" in capsys.readouterr().err


@pytest.mark.parametrize(("card", "name"), [("cc-by-nc-4.0", "cc-by-nc-4.0"), ("", "not stated")])
def test_rows_of_the_hub_wait_for_their_licence(
    card: str, name: str, tmp_path: Path, hub: LocalHub, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "hub/datasets/org/Numbers/README.md"
    readme.write_text(readme.read_text("utf-8").replace("mit", card), "utf-8")
    with_hub_rows(tmp_path)
    run = (*EVAL, "--task", "units.py", "--output", "one")
    assert run_command(*run) == 2
    error = capsys.readouterr().err
    assert f"org/Numbers: its licence is {name}, and has to be accepted first" in error
    assert not list(tmp_path.glob("cache/**/*.csv"))
    new, pull = (shlex.split(one)[1:] for one in re.findall("`(suite [^`]*)`", error))
    assert run_command(*new) == run_command(*pull) == 0
    assert run_command(*run) == 0
    assert manifest("one")["data"]["rows"]["licence"] == {"name": name, "accepted": True}  # type: ignore[index]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            {"revision": "main"},
            ("names the revision 'main', which may change", "write the commit that it is at"),
        ),
        ({"config": "none"}, ("dataset 'rows': org/Numbers has no config 'none'", "easy, hard")),
        ({"split": "none"}, ("has no split 'none'", "splits: train")),
        ({"revision": "0" * 40}, ("the Hub has no revision '000",)),
        ({"repo": "org/Other"}, ("the Hub has no such repository",)),
        ({"repo": "Numbers of org"}, ("'Numbers of org' names no dataset on the Hub",)),
    ],
)
def test_rows_of_the_hub_that_are_not_there_are_a_sentence(
    said: dict[str, str],
    told: tuple[str, ...],
    tmp_path: Path,
    hub: LocalHub,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with_hub_rows(tmp_path, **said)
    assert run_command(*EVAL, "--task", "units.py") == 2
    error = capsys.readouterr().err
    assert all(one in error for one in told), error
    assert "suite data" not in error
    assert not Path("runs").exists()
    assert not list(tmp_path.glob("cache/**/*.yaml"))


@pytest.mark.parametrize("model", ["suite.Payload", "msgspec.Struct"])
@pytest.mark.parametrize("ending", ["csv", "parquet", "json"])
def test_rows_lie_beside_it_in_any_format(
    ending: str, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"id": "1", "text": "1.50", "n": 3}, {"id": "2", "text": "2", "n": None}]
    if ending == "csv":
        Path("rows.csv").write_text("id,text,n\n1,1.50,3\n2,2,\n", "utf-8")
    elif ending == "json":
        Path("rows.json").write_text(json.dumps(rows), "utf-8")
    else:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), "rows.parquet")
    row = (
        f"import msgspec\nimport suite\nclass Row({model}):\n    id: str\n    text: str\n    n: int | None\n"
    )
    task = WHOLE.format(name="A", task="a").replace("dict", "Row").replace('row["id"]', "row.id")
    task = task.replace('payload["text"]', "payload.text").replace("rows.jsonl", f"rows.{ending}")
    written("units.py", row + task.replace('"yes"', "sample.payload.text"))
    command = (
        "eval",
        "--task",
        "units.py",
        "--model",
        "scripted/echo",
        "--quiet",
        "--output",
        "one",
        "--json",
    )
    assert run_command(*command) == 0
    (cell,) = json.loads(capsys.readouterr().out)["cells"]
    assert [one["value"] for one in cell["metrics"] if one["name"] == "right"] == [1.0]
