"""docs/exports.md: every command it shows is run, and what it says of columns and versions is so."""

import csv
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from suite.cli.main import cli
from suite.report.eee_schema import VERSION

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/exports.md").read_text("utf-8")
COMMANDS = re.findall(r"^    (suite .*)$", PAGE, re.MULTILINE)
Make = Callable[..., Path]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_does_what_it_says(
    whole: Make, tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = whole()
    monkeypatch.chdir(tmp_path)
    words = [{"RUN": str(folder), "TASK": "units/stated"}.get(word, word) for word in shlex.split(line)[1:]]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output + str(done.exception)
    if "-O" in words:
        path = tmp_path / words[words.index("-O") + 1]
        assert path.is_dir() or path.stat().st_size
        assert f"wrote {words[words.index('-O') + 1]}" in done.output


def test_the_columns_of_the_tables_are_those_listed(whole: Make, tmp_path: Path) -> None:
    folder = whole()
    for table in ("samples", "values", "results"):
        (said,) = re.findall(rf"^\| `{table}` \|[^|]*\| (.*) \|$", PAGE, re.MULTILINE)
        place = tmp_path / f"{table}.csv"
        words = ["report", "export", str(folder), "--to", "csv", "--table", table, "-O", str(place)]
        assert CliRunner().invoke(cli, words).exit_code == 0
        with place.open(newline="", encoding="utf-8") as file:
            header = next(csv.reader(file))
        plain = [re.sub(r"^(parameter|tag|value|unscored)\..*", r"\1.NAME", name) for name in header]
        assert list(dict.fromkeys(plain)) == re.findall(r"`([^`]+)`", said)


def test_one_version_of_the_other_project_is_meant_everywhere() -> None:
    for text in (PAGE, (ROOT / "tox.ini").read_text("utf-8")):
        assert re.findall(r"every-eval-ever==(\S+)", text) == [VERSION]
