"""The commands that worked on a run, in `commands.jsonl` of its folder: what a report says was run.

A file of its own, since a command may name paths of the machine: it is no part of an identity and of no
bundle. Texts come here without secrets (`suite.secrets.safe_command`).
"""

import os
from collections.abc import Sequence
from pathlib import Path

from suite.files import open_append
from suite.journal.lines import Lines
from suite.journal.records import CommandRecord, encode

FILE = "commands.jsonl"


def note_command(folder: Path, record: CommandRecord) -> None:
    """Append a command unless the last one is the very same. Raises OSError."""
    last = (commands(folder) or [CommandRecord("")])[-1]
    if record.command and (last.command, last.scoring) != (record.command, record.scoring):
        fd = open_append(folder / FILE)
        try:
            os.write(fd, encode(record))
        finally:
            os.close(fd)


def commands(folder: Path) -> Sequence[CommandRecord]:
    """All commands, oldest first; of a run made before there were any, or from Python's `run_plan`, none."""
    return list(Lines(folder / FILE, CommandRecord))


def solving_command(folder: Path) -> CommandRecord | None:
    """The last that asked the candidate: what makes the whole run again; None where none is recorded."""
    return next((one for one in reversed(commands(folder)) if one.solves), None)
