"""What was declared of training on a board's data, column by column.

Submitters declare by dataset; a column's datasets are those that its task reads, named as the registry
entries that were used (mini data has names of its own). A declaration by column or by task counts too.
"""

from collections.abc import Mapping, Sequence

from suite.board.definition import Board
from suite.errors import SuiteError
from suite.plugins import catalogue

EXPOSED = ("train_split", "evaluation_data", "synthetic_from_evaluation_data")


def datasets_of(board: Board) -> dict[str, tuple[str, ...]]:
    """Column -> the datasets it reads; none where its task is not installed here."""
    try:
        cells = board.cells(catalogue())
    except SuiteError:
        return {}
    found = {}
    for item in board.tasks:
        names: dict[str, None] = {}
        for cell in cells[item.name]:
            for name in cell.task.datasets():
                names[cell.task.info.mini.get(name, name) if item.data == "mini" else name] = None
        found[item.name] = tuple(names)
    return found


def exposure(
    board: Board, datasets: Mapping[str, Sequence[str]], declared: Mapping[str, str]
) -> dict[str, str]:
    """Column -> what was declared: an exposure if there is any, "none_known", or "unknown"."""
    return {
        item.name: _of(item.name, item.task, datasets.get(item.name, ()), declared) for item in board.tasks
    }


def _of(column: str, task: str, datasets: Sequence[str], declared: Mapping[str, str]) -> str:
    by_name = declared.get(column, declared.get(task))
    told = [by_name] if by_name is not None else [declared.get(name, "unknown") for name in datasets]
    for value in told:
        if value in EXPOSED:
            return value
    return "none_known" if told and all(value == "none_known" for value in told) else "unknown"
