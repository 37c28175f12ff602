"""The commands that worked on a run, in `commands.jsonl` of its folder: what a report says was run.

A file of its own, since a command may name paths of the machine: it is no part of an identity and of no
bundle. Texts come here without secrets (`suite.secrets.safe_command`).
"""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from suite.errors import DamagedError
from suite.journal.journal_file import JournalFile
from suite.journal.lines import Lines
from suite.journal.records import CommandRecord

FILE = "commands.jsonl"


def note_command(folder: Path, record: CommandRecord) -> None:
    """Append a command unless the last one is the very same. Raises RunError."""
    last = (commands(folder) or [CommandRecord("")])[-1]
    if record.command and (last.command, last.scoring) != (record.command, record.scoring):
        with closing(JournalFile(folder / FILE)) as file:
            file.append(record)


def commands(folder: Path) -> Sequence[CommandRecord]:
    """All commands, oldest first; none where nobody recorded any. Raises DamagedError."""
    try:
        return list(Lines(folder / FILE, CommandRecord))
    except DamagedError as error:
        fix = "delete the file: reports then show an equivalent command"
        raise DamagedError(error.what, error.where, fix) from error


def scoring_command(folder: Path, scoring: str) -> CommandRecord | None:
    """The last that worked on a scoring; None where none is recorded, or the name is ""."""
    return next((one for one in reversed(commands(folder)) if scoring and one.scoring == scoring), None)


def solving_command(folder: Path) -> CommandRecord:
    """The last that asked the candidate: what makes the whole run again; "" where none is recorded."""
    return next((one for one in reversed(commands(folder)) if one.solves), CommandRecord(""))
