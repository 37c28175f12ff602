import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from suite_vibechecker.cli import vibechecker
from suite_vibechecker.upstream import Following, following, read

import suite

CONSTRAINTS = [
    {"index": "logic_1", "parameters": {"line_length": None}},
    {"index": "style_3", "parameters": {"line_length": 79}},
]
ROWS = [
    {"task_id": "a", "solution": "x = 1\n", "full_response": "x", "if_info": {"constraints": CONSTRAINTS}},
    {
        "task_id": "b",
        "solution": "import os  # noqa\n",
        "full_response": "",
        "if_info": {"constraints": CONSTRAINTS},
    },
    {
        "task_id": "c",
        "solution": "",
        "full_response": "Error",
        "status": "failed_after_retries",
        "if_info": {"constraints": CONSTRAINTS[:1]},
    },
    {"task_id": "d", "solution": "x = 1", "full_response": ""},
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "outputs.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in ROWS) + "\n\n")
    return path


def test_official_mode_pays_for_failures_and_comments(file: Path) -> None:
    assert following(read(file), "official") == [
        Following(0, 1, None, None),
        Following(1, 1, 1.0, 1.0),
        Following(2, 2, 1.0, 1.0),
    ]


def test_strict_mode_does_not(file: Path) -> None:
    assert following(read(file), "strict")[1:] == [Following(1, 1, 0.0, 0.0), Following(2, 2, 0.75, 0.5)]


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "outputs.jsonl"
    path.write_text('{"task_id": "a"}\n{"solution": 1}\n')
    with pytest.raises(suite.DataError, match=r"outputs\.jsonl: line 2"):
        list(read(path))


def test_the_command_prints_both_modes(file: Path) -> None:
    done = CliRunner().invoke(vibechecker, ["outputs", str(file)])
    assert done.output.splitlines() == [
        "k  rows  official: instruction    task   strict: instruction    task",
        "0     1                      -       -                     -       -",
        "1     1                 100.00  100.00                  0.00    0.00",
        "2     2                 100.00  100.00                 75.00   50.00",
    ]
