"""docs/exports.md: every command it shows is run, and what it says of versions is so."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from suite_exports.eee_schema import VERSION

import suite

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/exports.md").read_text("utf-8")
COMMANDS = re.findall(r"^    (suite .*)$", PAGE, re.MULTILINE)
Make = Callable[..., Path]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_does_what_it_says(
    whole: Make,
    tmp_path: Path,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = whole()
    monkeypatch.chdir(tmp_path)
    words = [{"RUN": str(folder), "TASK": "units/stated"}.get(word, word) for word in shlex.split(line)[1:]]
    assert suite.run_command(*words) == 0
    if "-O" in words:
        path = tmp_path / words[words.index("-O") + 1]
        assert path.is_dir() or path.stat().st_size
        assert f"wrote {words[words.index('-O') + 1]}" in capsys.readouterr().out


def test_one_version_of_the_other_project_is_meant_everywhere() -> None:
    for text in (PAGE, (ROOT / "tox.ini").read_text("utf-8")):
        assert re.findall(r"every-eval-ever==(\S+)", text) == [VERSION]
