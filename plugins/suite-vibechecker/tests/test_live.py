from typing import Any

import pytest
from suite_vibechecker import live


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("[1, 2]\n9", [[1, 2], 9]),
        ('"abc"', ["abc"]),
        ("'abc'", ["abc"]),
        ("2.5\ntrue\nnull", [2.5, True, None]),
        ("plain words", ["plain words"]),
        ("nums = [1, 2], k = 3", [[1, 2], 3]),
        ("name = unknown", ["name = unknown"]),
        ("a == b", ["a == b"]),
        ("\n5\n\n", [5]),
        ("[1, 2", ["[1, 2"]),
        ("", []),
    ],
)
def test_arguments_are_read_line_by_line(text: str, values: list[Any]) -> None:
    assert live.arguments(text) == values


@pytest.mark.parametrize(
    ("output", "text"), [("3\n", "3"), (" a b \n-\n", "a b"), ("-", ""), ("x -1", "x -1")]
)
def test_the_expected_text_is_stripped_and_loses_a_trailing_dash(output: str, text: str) -> None:
    assert live.expected_text(output) == text


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("def a(): ...\ndef solve(): ...\ndef b(): ...", "solve"),
        ("def a(): ...\ndef b(): ...\nclass C:\n    def d(self): ...", "b"),
        ("x = 1", ""),
        ("def (", ""),
        ("if True:\n    def solve(x): ...", "solve"),
        ("solve = lambda x: x\ndef other(): ...", "solve"),
        ("from mine import answer as solve", "solve"),
        ("try:\n    pass\nexcept E:\n    solve: int = 1\nfor a, solve in b: ...", "solve"),
        ("async def solve(x): ...\ndef other(): ...", "solve"),
        ("class Solution:\n    def solve(self, x): ...", ""),
        ("def outer():\n    def solve(x): ...", "outer"),
    ],
)
def test_the_entry_is_solve_or_the_last_function(code: str, name: str) -> None:
    assert live.entry_point(code) == name


def test_one_limit_covers_all_tests_of_a_problem() -> None:
    assert live.wall_limit(10) == 135.0
