"""What a run has done already: which samples are solved and scored, found again by 16 bytes each."""

from pathlib import Path

from suite.errors import DamagedError
from suite.journal.index import Recorded
from suite.journal.lines import Lines
from suite.journal.pairs import Key
from suite.journal.records import OutputRecord, ScoreRecord


class Done(Recorded[OutputRecord | ScoreRecord]):
    """The finished works of one stage. Raises RunError where a journal was changed or a record is double."""

    def __init__(self, path: Path, kind: type[OutputRecord] | type[ScoreRecord]) -> None:
        super().__init__(Lines(path, kind), Key.of)

    def complete(self, works: int) -> bool:
        """Whether each of so many works stands here, once."""
        return len(self) == works == self._index.distinct()

    def work(self, cell: str, sample: str, trial: int) -> OutputRecord | ScoreRecord | None:
        """The record of a work."""
        if not len(self):  # as in every new run
            return None
        found = self.every((cell, sample, trial))
        if len(found) > 1:
            raise DamagedError(
                f"sample {sample!r} of cell {cell}, trial {trial}, stands {len(found)} times",
                where=str(self.lines.path),
                fix="restore the file from a copy, or start another run with --new",
            )
        return found[0] if found else None

    def has(self, cell: str, sample: str, trial: int) -> bool:
        """Whether a work is done."""
        return self.work(cell, sample, trial) is not None


def output_of(done: Done, cell: str, sample: str, trial: int) -> OutputRecord | None:
    """The output record of a work."""
    found = done.work(cell, sample, trial)
    return found if isinstance(found, OutputRecord) else None
