"""Rows that a task brings without a registry entry: a file beside its module, or rows on the Hub."""

import inspect
from pathlib import Path

from suite.data.view import FileSource, Source
from suite.task import AnyTask


def declared(task: AnyTask | type[AnyTask], name: str) -> Source | None:
    """The dataset of that name as a task's `info.rows` says; None where a registry entry is meant.

    Raises DataError for a file that is not there.
    """
    place = task.info.rows.get(name)
    if isinstance(place, str):
        kind = task if isinstance(task, type) else type(task)
        return FileSource(name, folder_of(kind) / place, f"{task.info.name}: dataset {name!r}")
    return None


def folder_of(kind: type[AnyTask]) -> Path:
    """The folder of a class's module; of a class of a notebook, the current one."""
    try:
        return Path(inspect.getfile(kind)).parent
    except (TypeError, OSError):
        return Path()
