"""Rows that a task brings without a registry entry: a file beside its module, or rows on the Hub.

Rows on the Hub are an entry made on the spot: found by `datasets`, fetched, hashed and kept as any other.
"""

import hashlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path

from suite.data import hub_source
from suite.data.cache import Cache
from suite.data.entry import DatasetEntry, DatasetPart, HubSource, Licence
from suite.data.locks import lock_path
from suite.data.pins import pin
from suite.data.pull import pull, ready
from suite.data.view import FileSource, Source
from suite.errors import DataError, SourceUnreachable
from suite.task import AnyTask, HubRows

_COMMIT = re.compile(r"[0-9a-f]{40}")


def declared_rows(task: AnyTask, name: str, cache: Cache, say: Callable[[str], None]) -> Source:
    """The dataset of that name in a task's `info.rows`; fetched if it is not here yet, after saying so.

    Raises DataError for a file that is not there, a revision that is no commit, a config or split that is
    not there, and as `pull` does.
    """
    rows, told = task.info.rows[name], f"{task.info.name}: dataset {name!r}"
    if isinstance(rows, str):
        return file_source(task, name, rows)
    if not _COMMIT.fullmatch(rows.revision):
        raise DataError(
            f"{told} names the revision {rows.revision!r}, which may change", rows.repo, _commit_advice(rows)
        )
    entry = hub_entry(rows)
    try:
        if (local := ready(entry, cache)) is None:
            say(f"pulling {rows.repo} at {rows.revision[:12]}")
            if not lock_path(cache, entry).is_file():
                pin(entry, cache, branch=rows.revision)
            local = pull(entry, cache)
    except DataError as error:  # what helps an entry of the registry helps nobody here
        fix = "correct `rows` in the task's `info`" if "`suite data " in error.fix else error.fix
        raise type(error)(f"{told}: {error.what}", error.where, fix) from error
    return local


def file_source(task: AnyTask | type[AnyTask], name: str, path: str) -> FileSource:
    """A file of rows, its path beginning at the task's module. Raises DataError if none is there."""
    kind = task if isinstance(task, type) else type(task)
    return FileSource(name, folder_of(kind) / path, f"{task.info.name}: dataset {name!r}")


def folder_of(kind: type[AnyTask]) -> Path:
    """The folder of a class's module; of a class of a notebook, the current one."""
    try:
        return Path(inspect.getfile(kind)).parent
    except (TypeError, OSError):
        return Path()


def hub_entry(rows: HubRows) -> DatasetEntry:
    """Rows on the Hub as a registry entry without pins of its files, under a name of its own.

    Raises DataError for a repository whose name is none.
    """
    what = f"{rows.repo}\n{rows.revision}\n{rows.config}\n{rows.split}"
    slug = re.sub(r"[^a-z0-9.]+", "-", rows.repo.lower()).strip("-.")[:60]
    try:
        source = HubSource(kind="hub", repo=rows.repo, revision=rows.revision)
        part = DatasetPart(config=rows.config or None, split=rows.split)
    except ValueError as error:
        raise DataError(f"{rows.repo!r} names no dataset on the Hub", fix="write ORG/NAME") from error
    return DatasetEntry(
        id=f"{slug}-{hashlib.sha256(what.encode()).hexdigest()[:12]}",
        title=rows.repo,
        licence=Licence(name="as the dataset's card says"),
        source=source,
        parts={rows.split: part},
    )


def _commit_advice(rows: HubRows) -> str:
    source = HubSource(kind="hub", repo=rows.repo, branch=rows.revision)
    try:
        commit = hub_source.resolve(source, rows.repo, rows.revision)
    except SourceUnreachable:
        return "write a full commit of 40 hex digits; the dataset's page lists them"
    return f"write the commit that it is at now: revision={commit!r}"
