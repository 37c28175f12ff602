"""Rows that a task brings without a registry entry: a file beside its module, or rows on the Hub.

Rows on the Hub are an entry made on the spot: found by `datasets`, fetched, hashed and kept as any other.
"""

import inspect
import re
import shlex
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from suite.chat import sha256_hex
from suite.data import hub_source
from suite.data.cache import Cache
from suite.data.entry import DatasetEntry, DatasetPart, HubSource, Licence
from suite.data.found import licence_at
from suite.data.locks import lock_path
from suite.data.pins import pin
from suite.data.pull import pull, ready
from suite.data.view import FileSource, Source
from suite.errors import DataError, LicenceRequired, NotFound, SourceUnreachable
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
        raise DataError.of("data.rows.no-commit", told=told, rows=rows, advice=_commit_advice(rows))
    entry = hub_entry(rows)
    try:
        entry = _with_terms(entry, rows, cache)
        if (local := ready(entry, cache)) is None:
            say(f"pulling {rows.repo} at {rows.revision[:12]}")
            if not lock_path(cache, entry).is_file():
                pin(entry, cache, branch=rows.revision)
            local = pull(entry, cache)
    except (DataError, NotFound) as error:  # what helps an entry of the registry helps nobody here
        other = "`suite data " in error.fix and not isinstance(error, LicenceRequired)
        fix = "correct `rows` in the task's `info`" if other else error.fix
        raise type(error)(f"{told}: {error.what.replace(entry.id, rows.repo)}", error.where, fix) from error
    return replace(local, called=rows.repo)


def _with_terms(entry: DatasetEntry, rows: HubRows, cache: Cache) -> DatasetEntry:
    """The entry under the licence that the dataset's card names at its commit, which is asked for once.

    Raises LicenceRequired where that has to be accepted and nobody has: an entry of the registry asks for it.
    """
    assert isinstance(entry.source, HubSource)
    if not cache.note("terms", entry.id):
        cache.write_note("terms", entry.id, licence_at(entry.source, rows.repo).model_dump(mode="json"))
    licence = Licence.model_validate(cache.note("terms", entry.id))
    entry = entry.model_copy(update={"licence": licence})
    if licence.accept_required and not cache.accepted(entry):
        if not cache.accepted_of_any(licence):
            name = _slug(rows.repo.partition("/")[2]) or "rows"
            words = ["--hub", rows.repo, "--revision", rows.revision, "--split", rows.split]
            words += ["--config", rows.config] if rows.config else []
            told = shlex.join(words)
            raise LicenceRequired.of("data.rows.licence", rows=rows, licence=licence, name=name, words=told)
        cache.accept(entry)
    return entry


def file_source(task: AnyTask | type[AnyTask], name: str, path: str) -> FileSource:
    """A file of rows, its path beginning at the task's module. Raises DataError if none is there."""
    folder = Path()  # of a class of a notebook
    with suppress(TypeError, OSError):
        folder = Path(inspect.getfile(task if isinstance(task, type) else type(task))).parent
    return FileSource(name, folder / path, f"{task.info.name}: dataset {name!r}")


def hub_entry(rows: HubRows) -> DatasetEntry:
    """Rows on the Hub as a registry entry without pins of its files, under a name of its own.

    Raises DataError for a repository whose name is none.
    """
    if not rows.split:
        raise DataError(f"HubRows of {rows.repo!r} names no split", fix="write split='train', or another")
    what = f"{rows.repo}\n{rows.revision}\n{rows.config}\n{rows.split}"
    slug = _slug(rows.repo)[:60]
    try:
        source = HubSource(kind="hub", repo=rows.repo, revision=rows.revision)
        part = DatasetPart(config=rows.config or None, split=rows.split)
    except ValueError as error:
        raise DataError(f"{rows.repo!r} names no dataset on the Hub", fix="write ORG/NAME") from error
    name = f"{slug}-{sha256_hex(what.encode())[:12]}"
    licence = Licence(name="as the dataset's card says")  # which is asked before rows are (`_with_terms`)
    return DatasetEntry(id=name, title=rows.repo, licence=licence, source=source, parts={rows.split: part})


def _slug(text: str) -> str:
    """A text as the name of an entry may be written."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")


def _commit_advice(rows: HubRows) -> str:
    source = HubSource(kind="hub", repo=rows.repo, branch=rows.revision)
    try:
        commit, _ = hub_source.about(source, rows.repo, rows.revision)
    except SourceUnreachable:
        return "write a full commit of 40 hex digits; the dataset's page lists them"
    return f"write the commit that it is at now: revision={commit!r}"
