"""Thinking that led to tool calls: it has to go back with their results, signed, also after an interruption.

A message of the suite has no place for it, so it is kept here, in the folder of the run's logs.
"""

from contextlib import suppress
from pathlib import Path

import msgspec

import suite

Block = dict[str, suite.Json]


class Thoughts:
    """blocks: id of a reply's first tool call -> the blocks of thinking that stood before it."""

    def __init__(self) -> None:
        self.blocks: dict[str, list[Block]] = {}
        self._path: Path | None = None

    def keep_in(self, path: Path) -> None:
        """Take what a file has, whose last line may be torn, and write what comes there, too."""
        self._path = path
        for line in path.read_bytes().splitlines() if path.is_file() else []:
            with suppress(msgspec.DecodeError):
                self.blocks |= msgspec.json.decode(line, type=dict[str, list[Block]])

    def add(self, call: str, blocks: list[Block]) -> None:
        """Blocks of one reply."""
        self.blocks[call] = blocks
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(b"\n" + msgspec.json.encode({call: blocks}) + b"\n")
