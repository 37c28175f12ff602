import importlib
import json
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner
from suite_vibechecker.cli import parse_instruction, vericode, vibechecker
from suite_vibechecker.plugin import suite_register

import suite


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "solution.py"
    path.write_text("x = '" + "a " * 45 + "'  # noqa\n")
    return path


def test_findings_are_printed_by_line_and_exit_is_1(file: Path) -> None:
    done = CliRunner().invoke(vericode, ["check", str(file), "--instruction", "style_3:line_length=79"])
    assert (done.exit_code, done.output) == (
        1,
        f"style_3 line_length=79: broken\n  {file}:1:80 E501 Line too long (104 > 79)\n",
    )


def test_official_mode_heeds_the_comment(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(vericode, ["check", str(file), "-i", "style_3", "--mode", "official"])
    assert (done.exit_code, done.output) == (0, "style_3 line_length=79: followed\n")


def test_json_holds_every_verdict(file: Path) -> None:
    done = CliRunner().invoke(
        vericode, ["check", str(file), "-i", "style_3:line_length=88", "-i", "error_2", "--json"]
    )
    shown = json.loads(done.output)
    followed = [(one["instruction"], one["followed"], one["applicable"]) for one in shown["verdicts"]]
    assert (done.exit_code, followed) == (1, [("style_3", False, True), ("error_2", True, False)])


def test_a_whole_reply_is_checked_as_one(tmp_path: Path) -> None:
    reply = tmp_path / "reply.md"
    reply.write_text("Here:\n```python\nx = 1\n```\n")
    command = ["check", str(reply), "--response", "-i", "logic_1", "-i", "doc_4"]
    done = CliRunner().invoke(vericode, command)
    assert done.output.splitlines()[:2] == ["logic_1: followed", "doc_4: broken"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("style_33", "known: style_1"),
        ("style_3:width=3", "known: line_length"),
        ("style_1:width=3", "known: none"),
        ("style_3:line_length", "write name=value"),
        ("style_3:line_length=wide", "not a number"),
        ("style_3:line_length=-1", "outside 0"),
        ("doc_3:convention=latex", "known: google, numpy, pep257"),
    ],
)
def test_wrong_input_is_named(text: str, says: str) -> None:
    with pytest.raises(suite.SuiteError, match=says):
        parse_instruction(text)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_bytes(b"\xff")
    done = CliRunner().invoke(vericode, ["check", str(tmp_path / "x.py"), "-i", "style_1"])
    assert isinstance(done.exception, suite.ConfigError)


def test_the_list_names_all_thirty() -> None:
    lines = CliRunner().invoke(vericode, ["list"]).output.splitlines()
    shown = json.loads(CliRunner().invoke(vericode, ["list", "--json"]).output)
    assert (len(lines), [line.split()[0] for line in lines]) == (30, [row["id"] for row in shown])


@pytest.mark.slow
def test_the_environment_is_built_into_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "list.txt").write_text("# nothing\n")
    command = ["environment", "--requirements", str(tmp_path / "list.txt"), "--python", sys.executable]
    done = CliRunner().invoke(vibechecker, command)
    assert (done.exit_code, done.output.startswith(f"ready: {tmp_path}")) == (0, True)


def test_all_entries_are_sound_and_lead_somewhere() -> None:
    for entry in suite_register():
        module, _, name = entry.target.partition(":")
        there = hasattr(importlib.import_module(module), name)
        if entry.kind == "registry":  # a folder, not an object
            there = files(module).joinpath(name, "datasets").is_dir()
        assert (entry.problem(), there) == ("", True)
