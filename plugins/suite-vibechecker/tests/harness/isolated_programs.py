"""The programs of `isolated.toml` with the cases that each is called with."""

import tomllib
from pathlib import Path
from typing import Any

Cases = list[tuple[list[Any], Any]]
CASES: dict[str, Cases] = {
    "double": [([2], 4), ([3], 6), ([2], 4)],
    "sum": [([[1, 2]], 3), ([[5]], 5), ([[]], 0)],
}
_ROWS = tomllib.loads(Path(__file__).with_name("isolated.toml").read_text())["program"]
PROGRAMS = {row["name"]: (row["code"], CASES[row["cases"]]) for row in _ROWS}
