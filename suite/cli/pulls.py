"""What `suite data` and `suite models` share: the registry with plugins' folders, progress, output."""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import click

from suite.cli.flags import accept_flag, json_flag, say_json, say_text
from suite.data.cache import Cache
from suite.data.entry import DatasetEntry, ModelEntry, Progress, RegistryEntry
from suite.data.local_entry import LocalFiles
from suite.data.locks import lock_path, locked
from suite.data.pull import pull as pull_entry
from suite.data.pull import ready
from suite.data.registry import Problem, Registry
from suite.errors import DataError
from suite.plugins import catalogue
from suite.report.numbers import counted


def registry() -> Registry:
    """The suite's registry and those of all plugins."""
    return Registry(catalogue().registry_folders())


@contextmanager
def progress_bars() -> Iterator[Progress | None]:
    """Progress on a terminal, a bar for each file that is on its way; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}
        guard = threading.Lock()

        def step(path: str, done: int, total: int | None) -> None:
            with guard:
                if path not in tasks:
                    tasks[path] = bars.add_task(path.rpartition("/")[2], total=total)
                bars.update(tasks[path], completed=done, total=total)
                if total is not None and done >= total:
                    bars.update(tasks[path], visible=False)

        yield step


@dataclass(frozen=True)
class EntryState:
    """An entry with its pins, and whether its files are here. problem: why neither could be told."""

    entry: DatasetEntry | ModelEntry
    pinned: DatasetEntry | ModelEntry
    here: bool
    accepted: bool
    problem: str = ""

    @property
    def bytes(self) -> int | None:
        """Of all files; None where the size of one is not known."""
        sizes = [file.bytes for file in self.pinned.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def facts(self) -> dict[str, object]:
        """All of it in short, as JSON."""
        entry, pinned = self.entry, self.pinned
        found: dict[str, object] = {
            "id": entry.id,
            "title": entry.title,
            "licence": entry.licence.name,
            "accept_required": entry.licence.accept_required,
            "accepted": self.accepted,
            "source": entry.source.kind,
            "revision": pinned.revision,
            "pinned": pinned.pinned,
            "here": self.here,
            "files": len(pinned.files),
            "bytes": self.bytes,
        }
        if isinstance(entry, DatasetEntry):
            found["rows"] = {name: part.rows for name, part in entry.parts.items()}
        return {**found, "problem": self.problem} if self.problem else found


def state(entry: DatasetEntry | ModelEntry, cache: Cache) -> EntryState:
    """What the cache knows of an entry."""
    accepted = not entry.licence.accept_required or cache.accepted(entry)
    try:
        return EntryState(entry, locked(entry, cache), ready(entry, cache) is not None, accepted)
    except DataError as error:
        return EntryState(entry, entry, here=False, accepted=accepted, problem=error.what)


def add_commands(
    group: click.Group,
    every: Callable[[Registry], tuple[Sequence[DatasetEntry | ModelEntry], Sequence[Problem]]],
    find: Callable[[Registry, str], DatasetEntry | ModelEntry],
    word: str,
    *,
    list_: str,
    show: str,
    pull: str,
) -> None:
    """Give a group `list`, `show` and `pull`. every, find: entries of the registry; word: what names one.

    list_, show, pull: what help says of each.
    """

    @group.command("list", help=list_)
    @json_flag
    def _list(as_json: bool) -> None:
        cache = Cache()
        entries, problems = every(registry())
        rows = [state(entry, cache) for entry in entries]
        if as_json:
            broken = [{"file": problem.file.name, "problem": problem.error.what} for problem in problems]
            say_json({"entries": [row.facts() for row in rows], "problems": broken})
            return
        if rows:
            say_text("entries", rows)
        for problem in problems:
            click.echo(f"can't be read: {problem.error}", err=True)

    @group.command("show", help=show)
    @click.argument("name", metavar=word.upper())
    @json_flag
    def _show(name: str, as_json: bool) -> None:
        cache, entry = Cache(), find(registry(), name)
        found, pinned, path = state(entry, cache), locked(entry, cache), lock_path(cache, entry)
        lock = str(path) if path.is_file() else None
        if as_json:
            whole = pinned.model_dump(mode="json", by_alias=True, exclude_none=True)
            say_json({**found.facts(), "entry": whole, "lock": lock})
        else:
            say_text("entry", found, lock)

    @group.command("pull", help=pull)
    @click.argument("names", nargs=-1, required=True, metavar=f"{word.upper()}…")
    @accept_flag
    @json_flag
    def _pull(names: tuple[str, ...], accept_licence: bool, as_json: bool) -> None:
        known, cache = registry(), Cache()
        found = []
        for entry in [find(known, name) for name in names]:
            with progress_bars() as progress:
                found.append(pull_entry(entry, cache, accept_licence=accept_licence, progress=progress))
        done(found, as_json)


def done(found: Sequence[LocalFiles[RegistryEntry]], as_json: bool) -> None:
    """Say what has been pulled or imported; as JSON, the identities by name."""
    if as_json:
        say_json({local.entry.id: local.identity() for local in found})
        return
    for local in found:
        revision = f"revision {local.entry.revision[:12]}" if local.entry.revision else "bundled"
        click.echo(f"{local.entry.id}: {counted(len(local.paths()), 'file')} verified, {revision}")
