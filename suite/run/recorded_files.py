"""Tasks of files and given data of a run: found again, and only with the bytes recorded."""

import re
from collections.abc import Sequence
from pathlib import Path

from suite.data.cache import cache_folder, sha256_of
from suite.errors import PluginError, SuiteError
from suite.journal.commands import commands
from suite.journal.records import TaskSource
from suite.journal.run import Run
from suite.plugins import Catalogue
from suite.task_files import NOTEBOOK, TaskFile, handed_class, split_name, task_file


def with_recorded(plugins: Catalogue, runs: Sequence[Run], named: Sequence[str] = ()) -> Catalogue:
    """The catalogue with the tasks of these runs that come from files, each under its name.

    named: files that somebody names, PATH.py. Else a file is looked for where it was, and under its name in
    the current folder. One with other bytes is never run: its task is an error, raised on use.
    """
    found: dict[str, TaskFile | SuiteError] = {}
    for run in runs:
        for cell in run.manifest.cells:
            if cell.file is not None and not isinstance(found.get(cell.task), TaskFile):
                one = len({cell.task for cell in run.manifest.cells if cell.file is not None}) == 1
                places = [Path(split_name(name)[0]) for name in named]
                places += [] if named and one else _places(cell.file, run)
                found[cell.task] = _again(cell.task, cell.file, places)
    return plugins.with_tasks(found)


def recorded_data(run: Run) -> dict[str, str]:
    """Dataset -> the file or run that --data gave, where it is as it was: at the place that a command of the
    run names, beside that run, or among the rows that Python calls have kept.
    """
    commanded = "\n".join(f"{one.command} {one.settings}" for one in commands(run.folder))
    home = run.folder.resolve().parent.parent  # as of a task's file
    found: dict[str, str] = {}
    for name, one in run.manifest.data.items():
        files = one.get("files")
        ((file, sha256),) = files.items() if isinstance(files, dict) and len(files) == 1 else (("", ""),)
        if one.get("source") == "run":
            file, sha256 = str(one.get("run")), one.get("sha256")
        elif one.get("source") != "file" or ":" in name:
            continue
        told = [file, *re.findall(rf"[^\s'\"=]*{re.escape(file)}(?![^\s'\"])", commanded)]
        told = [*told, *(str(home / each) for each in told)]
        for place in (*told, str(cache_folder() / "rows" / file), str(run.folder.parent / file)):
            path = Path(place).expanduser()
            bytes_at = path / "outputs.jsonl" if path.is_dir() else path
            if bytes_at.is_file() and sha256_of(bytes_at) == sha256:
                found[name] = str(path)
                break
    return found


def missing_file(task: str, file: TaskSource, changed: Path | None = None) -> PluginError:
    """That the file of a task is not to be had. changed: one in its place."""
    if changed is None and file.name == NOTEBOOK:
        return PluginError.of("run.files.class", task=task, file=file)
    if changed is None:
        return PluginError.of("run.files.gone", task=task, file=file)
    return PluginError.of("run.files.changed", file=file, changed=changed, now=sha256_of(changed))


def _places(file: TaskSource, run: Run) -> list[Path]:
    home = run.folder.resolve().parent.parent  # a run lies under runs/ of the folder it was started in
    return [Path(file.path), Path(file.name), home / file.path, home / file.name]


def _again(task: str, file: TaskSource, places: Sequence[Path]) -> TaskFile | SuiteError:
    if (handed := handed_class(file.sha256)) is not None:
        return handed
    here = [place for place in places if place.is_file()]
    for place in here:
        if sha256_of(place) == file.sha256:
            try:
                return task_file(f"{place}:{file.kind}")
            except SuiteError as error:
                return error
    return missing_file(task, file, here[0] if here else None)
