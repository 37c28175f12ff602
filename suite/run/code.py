"""The code of a task as a fingerprint: its distribution, and a hash over the source of its package.

Outputs are made by code, and scored by code that may have changed since. The manifests record both, and
results say where they differ.
"""

import hashlib
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from suite.journal.documents import TaskCode
from suite.run.cells import Cell
from suite.task import AnyTask
from suite.task_files import source_of

SOURCES = (".py", ".toml")


def code_record(cells: tuple[Cell, ...]) -> dict[str, TaskCode]:
    """Task -> its distribution with its version, and the hash of its source, as manifests hold them."""
    return {
        cell.plan.task: TaskCode(distribution=cell.plan.plugin, sha256=source_sha256(type(cell.task)))
        for cell in cells
    }


def other_code(was: Mapping[str, TaskCode], now: Mapping[str, TaskCode]) -> Iterator[tuple[str, str]]:
    """(task, what is another) of tasks whose code is not what a manifest records; nothing for old ones."""
    for task, here in now.items():
        there = was.get(task)
        if there is not None and there.sha256 != here.sha256:
            yield task, f"{_shown(there)}, now {_shown(here)}"


def _shown(one: TaskCode) -> str:
    return f"{one.distribution} ({one.sha256[:8]})"


def source_sha256(task: type[AnyTask]) -> str:
    """Of a task of a file or of a notebook: as that is known."""
    return found.sha256 if (found := source_of(task)) is not None else _package_sha256(task)


@cache
def _package_sha256(task: type[AnyTask]) -> str:
    """Over the files of the task's package (of a task of the suite: its module's folder), by path.

    A class without a file has the hash of its name.
    """
    module = sys.modules.get(task.__module__)
    file = getattr(module, "__file__", None)
    digest = hashlib.sha256(f"{task.__module__}.{task.__qualname__}".encode())
    if file is None:
        return digest.hexdigest()
    root = _package(task.__module__, Path(file))
    files = [root] if root.is_file() else sorted(one for one in root.rglob("*") if one.suffix in SOURCES)
    for one in files:
        digest.update(f"\0{one.relative_to(root.parent).as_posix()}\0".encode())
        digest.update(one.read_bytes())
    return digest.hexdigest()


def _package(module: str, file: Path) -> Path:
    top = module.partition(".")[0]
    if top == "suite":
        return file.parent
    found = getattr(sys.modules.get(top), "__file__", None)
    return Path(found).parent if found and Path(found).name == "__init__.py" else file
