"""How tests are isolated never changes what passes: every way agrees with a plain process."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import isolating
from isolated_programs import PROGRAMS
from ordinary import as_ordinary_user, open_folder

HERE = Path(__file__).parent
SOME = [
    "a memo that spoils",
    "class state",
    "endless recursion caught",
    "an environment variable",
    "a generator",
    "a missing import in an annotation",
    "a future import",
]


def agreed(found: dict[str, dict[str, Any]]) -> None:
    """Cases agree with cases, tests with tests; what does not cross is judged in one process."""
    assert {
        name: ways
        for name, ways in found.items()
        if len({said for way, said in ways.items() if way.startswith("cases")}) != 1
        or len({said for way, said in ways.items() if way.startswith("tests")} - {"opaque"}) != 1
    } == {}


def test_there_are_more_than_sixty_right_and_wrong_ones() -> None:
    assert len(PROGRAMS) > 60


def test_some_programs_get_the_same_verdict_in_every_way(contained: None) -> None:
    found = asyncio.run(isolating.judge_all(SOME))
    agreed(found)
    assert {name for name, ways in found.items() if ways["tests apart"] == "opaque"} == {"a generator"}
    assert {ways["cases"] for ways in found.values()} == {True, False}


@pytest.mark.slow
def test_all_programs_get_the_same_verdict_in_every_way_from_root_and_an_ordinary_user(
    contained: None,
) -> None:
    own = asyncio.run(isolating.judge_all(list(PROGRAMS)))
    agreed(own)
    kept = [HERE / name for name in ("isolating.py", "isolated_programs.py", "isolated.toml")]
    with open_folder() as folder:
        ordinary = json.loads(as_ordinary_user(folder, kept, packages=("suite_vibechecker",)))
    assert ordinary == own
