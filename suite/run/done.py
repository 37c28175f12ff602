"""What a run has done already: which samples are solved and scored, found again by 16 bytes each."""

from pathlib import Path

from suite.errors import RunError
from suite.journal.reading import Lines, OffsetIndex, digest64
from suite.journal.records import OutputRecord, ScoreRecord


class Done:
    """The finished works of one stage. Raises RunError where a journal was changed or a record is double."""

    def __init__(self, path: Path, kind: type[OutputRecord] | type[ScoreRecord]) -> None:
        self.lines: Lines[OutputRecord | ScoreRecord] = Lines(path, kind)
        self._index = OffsetIndex()
        for offset, record in self.lines.with_offsets():
            self._index.add(digest64(record.cell, record.sample, record.trial), offset)

    def __len__(self) -> int:
        return len(self._index)

    def complete(self, works: int) -> bool:
        """Whether each of so many works stands here, once."""
        return len(self) == works == self._index.distinct()

    def find(self, cell: str, sample: str, trial: int) -> OutputRecord | ScoreRecord | None:
        """The record of a work."""
        if not len(self._index):
            return None
        found = []
        for offset in self._index.find(digest64(cell, sample, trial)):
            record = self.lines.at(offset)
            if (record.cell, record.sample, record.trial) == (cell, sample, trial):
                found.append(record)
        if len(found) > 1:
            raise RunError(
                f"sample {sample!r} of cell {cell}, trial {trial}, stands {len(found)} times",
                where=str(self.lines.path),
            )
        return found[0] if found else None

    def has(self, cell: str, sample: str, trial: int) -> bool:
        """Whether a work is done."""
        return self.find(cell, sample, trial) is not None


def output_of(done: Done, cell: str, sample: str, trial: int) -> OutputRecord | None:
    """The output record of a work."""
    found = done.find(cell, sample, trial)
    return found if isinstance(found, OutputRecord) else None
