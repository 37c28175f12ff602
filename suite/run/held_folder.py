"""A run's folder while it is worked on: made, locked, its journals repaired, its names on the disk."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from suite.errors import RunError
from suite.files import own_folder, sync_folder
from suite.journal.journal_file import FolderLock
from suite.journal.repairs import repair


@contextmanager
def held(
    folder: Path, all_done: Callable[[], bool], say: Callable[[str], None], others: Sequence[Path] = ()
) -> Iterator[str]:
    """Hold the folder of a run; what is done again, in words. One that cannot be written to is shown if
    nothing is left to do.

    others: run folders whose calls count as recorded, too. Raises RunError.
    """
    made = folder.exists()
    if made and not os.access(folder, os.W_OK) and all_done():
        yield ""
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"cannot make the run folder: {error.strerror}",
            where=str(folder),
            fix="choose a folder that can be written to with --output",
        ) from error
    if not made:
        sync_folder(folder.parent)
    with FolderLock(folder):
        told = ", ".join(f"{count:,} in {name}" for name, count in repair(folder, others).items())
        if told:
            told = f"records that lack a part count as not done: {told}"
            say(told)
        yield told


def check_no_records(folder: Path) -> None:
    """Raises RunError if records stand in a folder without the plan that they were made by."""
    for name in ("outputs.jsonl", "calls.jsonl"):
        path = folder / name
        if path.exists() and path.stat().st_size:
            raise RunError(
                f"{name} has records, but there is no manifest.json to say of which plan",
                where=str(folder),
                fix="restore manifest.json from a copy, or name another folder with --output",
            )


def make_scoring_folder(folder: Path) -> None:
    """Make the folder of a scoring. Raises RunError where something else stands in its place."""
    try:
        for one in (folder.parent, folder):
            own_folder(one)
    except OSError as error:
        raise RunError(
            f"cannot make the folder of the scoring: {error.strerror}", where=str(error.filename)
        ) from error
