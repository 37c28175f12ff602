"""What tells the cells of a task apart, in as few words as possible.

`swept` leaves out parameters that another one already determines (paper_turns is inter_turns + 2).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from suite.report.formatting import plain


def _determines(first: Sequence[str], second: Sequence[str]) -> bool:
    seen: dict[str, str] = {}
    return all(seen.setdefault(a, b) == b for a, b in zip(first, second, strict=True))


def swept(cells: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Names of the parameters that tell cells apart, without redundant ones, in the order of the first cell.

    cells: all parameters of each cell (solve and score). Redundant: determined by one that is kept; of two
    that determine each other the earlier one is kept.
    """
    columns: dict[str, list[str]] = {}
    for name in dict.fromkeys(name for cell in cells for name in cell):
        values = [repr(cell.get(name)) for cell in cells]
        if len(set(values)) > 1:
            columns[name] = values
    kept = dict(columns)
    for name in reversed(columns):  # later ones go first
        if any(_determines(kept[other], kept[name]) for other in kept if other != name):
            del kept[name]
    return tuple(kept)


def label(parameters: Mapping[str, Any], names: Sequence[str]) -> str:
    """The cell's swept parameters on one line, "" if nothing is swept."""
    return ", ".join(f"{name}={plain(parameters.get(name))}" for name in names)


def is_number(value: Any) -> bool:
    """Whether a value is a number (a bool is none)."""
    return isinstance(value, int | float) and not isinstance(value, bool)
