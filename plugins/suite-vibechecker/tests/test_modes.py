"""Where official and strict verdicts differ, and what counts as a failure of whom."""

from pathlib import Path
from typing import Any

import pytest
import suite_vibechecker.vericode as vericode
from suite_vibechecker.vericode import Item, Linter, Mode, Verdict, check, check_many

import suite


@pytest.fixture(scope="module")
def linter() -> Linter:
    return vericode.open_linter()


def followed(code: str, name: str, linter: Linter, **more: Any) -> tuple[bool | None, bool | None]:
    """The official and the strict verdict."""
    modes: tuple[Mode, Mode] = ("official", "strict")
    official, strict = (check(code, code, name, mode=mode, linter=linter, **more).followed for mode in modes)
    return official, strict


@pytest.mark.parametrize(
    ("name", "code", "official", "strict"),
    [
        ("logic_1", "", True, False),  # upstream pays for nothing
        ("logic_1", "  \n\n", True, False),
        ("doc_3", "", False, False),  # but a module docstring is missing even there
        ("doc_4", "", True, False),
        ("doc_5", "", True, False),
        ("logic_1", "# only a comment\n", True, False),
        ("logic_1", '"""Only a docstring."""\npass\n...\n', True, False),
        ("logic_1", "import os  # noqa\n", True, False),
        ("logic_1", "import os  # noqa: F401\n", True, False),
        ("logic_1", "# ruff: noqa\nimport os\n", True, False),
        ("logic_1", "# flake8: noqa: F401\nimport os\n", True, False),
        ("logic_1", "import os  # noqa: E501\n", False, False),
        ("style_3", "x = 1 +\n", False, False),  # a syntax error fails whatever is asked
        ("library_2", "def f(:\n", False, False),
        ("style_3", "x = '\ud800'\n", False, False),
        ("logic_4", "def f(" + "(" * 300, False, False),
    ],
)
def test_the_modes_differ_where_they_should(
    linter: Linter, name: str, code: str, official: bool, strict: bool
) -> None:
    assert followed(code, name, linter) == (official, strict)


def test_a_failed_answer_follows_nothing_in_strict_mode(linter: Linter) -> None:
    assert followed("x = 1\n", "logic_1", linter, failed=True) == (True, False)


def test_a_program_that_crashes_ruff_fails_and_spares_its_neighbours(linter: Linter) -> None:
    deep = "x = a" + ".a" * 100_000 + "\n"
    items = [Item(code, "", "logic_1") for code in ("y = 1\n", deep, "import os\n")]
    verdicts = check_many(items, linter=linter)
    assert [verdict.followed for verdict in verdicts] == [True, False, False]
    assert "signal" in verdicts[1].error


@pytest.mark.parametrize(
    ("parameters", "official", "strict"),
    [
        ({"line_length": 79}, True, True),
        ({}, True, True),
        ({"line_lenght": 79}, False, None),  # upstream: the verifier raises and scores False
        ({"line_length": "wide"}, False, None),
        ({"line_length": -1}, False, None),
        ({"line_length": True}, False, None),
        ({"line_length": 0}, False, None),  # ruff itself refuses: exit code 2
        ({"line_length": 400}, False, None),
    ],
)
def test_a_verifier_that_cannot_run_is_unscored_in_strict_mode(
    linter: Linter, parameters: dict[str, Any], official: bool, strict: bool | None
) -> None:
    assert followed("x = 1\n", "style_3", linter, parameters=parameters) == (official, strict)
    items = [Item("x = 1\n", "", "style_3", parameters, mode) for mode in ("official", "strict")]
    assert [verdict.followed for verdict in check_many(items, linter=linter)] == [official, strict]


def test_configuration_leaks_only_where_a_folder_is_named(linter: Linter, tmp_path: Path) -> None:
    (tmp_path / "ruff.toml").write_text("line-length = 20\n[lint.per-file-ignores]\n'*.py' = ['E501']\n")
    long = "value = 'more than twenty characters'\n"
    official = check(long, long, "style_1", linter=linter, folder=tmp_path)
    strict = check(long, long, "style_1", mode="strict", linter=linter, folder=tmp_path)
    assert (official.followed, strict.followed, check(long, long, "style_1", linter=linter).followed) == (
        False,
        True,
        True,
    )
    items = [Item(long, long, "style_1", mode=mode) for mode in ("official", "strict")]
    assert check_many(items, linter=linter, folder=tmp_path) == [official, strict]


def test_modules_and_settings_around_the_caller_change_nothing(
    linter: Linter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("")
    (tmp_path / "ruff.toml").write_text("line-length = 20\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUFF_OUTPUT_FILE", str(tmp_path / "stolen"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    code = "import os\n\nimport numpy\n\nprint(os, numpy, 'a long line')\n"
    fresh = vericode.open_linter()
    assert check(code, code, "style_2", linter=fresh) == Verdict(True)
    assert check_many([Item(code, code, "style_1")], linter=fresh) == [Verdict(True)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["numpy.py", "ruff.toml"]


def test_another_version_of_ruff_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "ruff"
    other.write_text("#!/bin/sh\necho ruff 0.13.0\n")
    other.chmod(0o755)
    with pytest.raises(suite.ConfigError, match=r"pip install ruff==0\.11\.13"):
        vericode.open_linter(str(other))


def test_an_unknown_instruction_is_named_with_its_neighbours(linter: Linter) -> None:
    with pytest.raises(suite.NotFound, match="style_1, style_2"):
        check("x = 1", "", "style_99", linter=linter)


APPLICABLE = [
    ("style_2", "x = 1", "import os"),
    ("style_4", "f(1)", "f(\n  1)"),
    ("style_5", "x = 1", "x = f'{y}'"),
    ("style_6", "X = 1", "def f():\n    x = 1"),
    ("style_7", "x.open()", "open('a')"),
    ("style_8", "x = 1", "x == 1"),
    ("style_9", "def f():\n    x = 1", "def f():\n    x, y = 1"),
    ("logic_2", "def f():\n    return 1", "def f():\n    if x:\n        pass"),
    ("logic_6", "def f():\n    pass", "def f():\n    return 1"),
    ("logic_8", "[x for x in y]", "def f():\n    for x in y:\n        pass"),
    ("logic_9", "x == 1", "x and y"),
    ("doc_1", "x = 1", "def f(): pass"),
    ("doc_2", "x = '# no comment'", "x = 1  # comment"),
    ("error_1", "raise A", "try:\n    a\nexcept B:\n    raise C"),
    ("error_2", "raise ValueError", "raise ValueError('x')"),
    ("error_3", "try:\n    a\nexcept B:\n    pass", "try:\n    a\nexcept socket.error:\n    pass"),
    ("library_1", "import json", "from os.path import join"),
    ("library_2", "import numpy", "import pandas.io as i"),
]


@pytest.mark.parametrize(("name", "without", "holding"), APPLICABLE)
def test_an_instruction_applies_to_code_that_holds_its_subject(
    linter: Linter, name: str, without: str, holding: str
) -> None:
    items = [Item(code, "", name) for code in (without, holding, "syntax error")]
    assert [verdict.applicable for verdict in check_many(items, linter=linter)] == [False, True, True]
