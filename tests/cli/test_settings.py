"""Settings: which wins, where they are looked for, and errors that name file, line and key."""

import string
import textwrap
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.cli.settings import line_of, read
from suite.files import SETTINGS as FILE

COMMAND = """
import click


@click.group()
def show() -> None: ...


@show.command()
@click.option("--limit", type=int, default=1)
@click.option("--judge", "judges", multiple=True)
@click.option("-P", "parameters", multiple=True)
@click.option("--dry-run/--no-dry-run")
@click.option("--depth", type=click.IntRange(1, 9))
@click.argument("word", default="-")
def all(limit, judges, parameters, dry_run, depth, word) -> None:
    click.echo(f"{limit} {','.join(judges)} {','.join(parameters)} {dry_run} {depth} {word}")
"""


@pytest.fixture
def shown(installed: Any, tmp_path: Path) -> Callable[..., Any]:
    """`suite show all` of a plugin that prints its options, run in a folder with the given settings."""
    installed.plugin("showing", "'command', 'show', 'Shows its options', 'showing_code:show'", code=COMMAND)

    def run(text: str, *arguments: str, **environment: str) -> Any:
        folder = tmp_path / "above" / "here"
        folder.mkdir(parents=True, exist_ok=True)
        (tmp_path / "above" / FILE).write_text(textwrap.dedent(text))
        return installed.suite("show", "all", *arguments, cwd=folder, **environment)

    return run


FULL = """
    # for all of us
    [show.all]
    limit = 7
    judge = ["a", "b"]
    P = "k=1"
    dry-run = true
    depth = 3
    """


@pytest.mark.parametrize(
    ("text", "arguments", "environment", "printed"),
    [
        ("", (), {}, "1   False None -"),
        (FULL, (), {}, "7 a,b k=1 True 3 -"),
        (FULL, (), {"SUITE_SHOW_ALL_LIMIT": "8"}, "8 a,b k=1 True 3 -"),
        (FULL, ("--limit", "9", "w"), {"SUITE_SHOW_ALL_LIMIT": "8"}, "9 a,b k=1 True 3 w"),
        (FULL, ("--judge", "c", "--no-dry-run"), {}, "7 c k=1 False 3 -"),
        ("[show]\nall = {limit = 4}", (), {}, "4   False None -"),
        ("[show.all]\njudge = 'one whole word'", (), {}, "1 one whole word  False None -"),
        ("[data.pull]\naccept-licence = true\n[show.all]\ndry_run = true", (), {}, "1   True None -"),
    ],
)
def test_flags_win_over_environment_over_file_over_defaults(
    shown: Callable[..., Any],
    text: str,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    printed: str,
) -> None:
    answer = shown(text, *arguments, **environment)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == printed + "\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[show.all]\n\nlimt = 3", 3, "no setting of `suite show all` named 'limt'\n  did you mean 'limit'?"),
        ("[show]\nal = {}", 2, "no setting of `suite show` named 'al'\n  did you mean 'all'?"),
        ("[shw.all]\nlimit = 3", 1, "no command named 'shw'\n  did you mean 'show'?"),
        ("# x\nlimit = 3", 2, "setting 'limit' stands outside of a table"),
        ("[show.all]\nlimit = 'many'", 2, "setting 'limit': 'many' is not a valid integer"),
        ("[show.all]\ndepth = 12", 2, "setting 'depth': 12 is not in the range 1<=x<=9"),
        ("[show.all]\nlimit = true", 2, "setting 'limit' takes a whole number, not True"),
        ("[show.all]\nlimit = 2.7", 2, "setting 'limit' takes a whole number, not 2.7"),
        ("[show.all]\nlimit = 2026-01-01", 2, "setting 'limit' takes a whole number, not 2026-01-01"),
        ("[show.all]\nlimit = [3]", 2, "setting 'limit' takes one value, not several"),
        ("[show.all]\nword = 'x'", 2, "no setting of `suite show all` named 'word'"),
    ],
)
def test_a_wrong_key_is_named_with_file_and_line(
    shown: Callable[..., Any], tmp_path: Path, text: str, line: int, said: str
) -> None:
    answer = shown(text)
    assert (answer.code, answer.out) == (2, "")
    first, *rest = said.split("\n")
    assert answer.err.startswith(f"error: {first}\n")
    assert f"\n  {tmp_path / 'above' / FILE}, line {line}\n" in answer.err
    assert all(f"\n{one}" in answer.err for one in rest)


def test_a_file_that_is_not_toml_is_named_with_the_line(shown: Callable[..., Any], tmp_path: Path) -> None:
    answer = shown("[show.all]\nlimit = = 3")
    assert answer.code == 2
    assert "suite.toml is not TOML: Invalid value (at line 2, column 9)" in answer.err
    assert str(tmp_path / "above" / FILE) in answer.err


def test_the_nearest_file_counts(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / FILE).write_text("[eval]\nlimit = 1\n")
    (tmp_path / "a" / FILE).write_text("[eval]\nlimit = 2\n")
    found = read(below)
    assert found.path == tmp_path / "a" / FILE
    assert found.tables == {"eval": {"limit": 2}}


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xef\xbb\xbf[eval]\r\nlimit = 1\r\n")
    assert read(tmp_path).text == "[eval]\r\nlimit = 1\r\n"


def test_nothing_is_read_for_a_command_that_does_not_run(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("[eval]\nnonsense = 1\n")
    command = click.Command("list", params=[click.Option(["--json"], is_flag=True)])
    found = read(tmp_path)
    assert found.defaults(click.Context(command), command, ("list",)) == {}


KEYS = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=6)
LEAVES = st.integers() | st.booleans() | st.text(max_size=8) | st.lists(st.integers(), max_size=3)
TABLES = st.dictionaries(
    KEYS, st.dictionaries(KEYS, LEAVES | st.dictionaries(KEYS, LEAVES, max_size=3), max_size=4)
)


@settings(deadline=None, max_examples=50)
@given(TABLES)
def test_the_line_of_a_key_holds_the_key(tables: dict[str, Any]) -> None:
    text = tomli_w.dumps(tables)
    assert tomllib.loads(text) == tables
    lines = text.splitlines()
    for name, table in tables.items():
        for key in table:
            line = lines[line_of(text, (name, key)) - 1]
            assert key in line
