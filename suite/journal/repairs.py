"""A run's journals before it goes on: what lacks a part counts as not done, and is done again.

A power cut may keep any beginning of each file. So the damaged end of a file is cut off, a call whose
texts are missing is dropped, then outputs whose calls are missing, then scores whose output or calls are.
Damage before good records is no power cut: it is an error that names file and line.
"""

import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

from suite.errors import RunError
from suite.files import open_append, open_regular, replacing, trying
from suite.journal.index import Name, OffsetIndex, key64
from suite.journal.lines import Lines, damaged
from suite.journal.pairs import Key
from suite.journal.records import (
    AttemptRecord,
    BlockRecord,
    CallRecord,
    OutputRecord,
    ScoreRecord,
    SpentRecord,
)

ROOM = "make room, then try again"
RecordT = TypeVar("RecordT")
Offsets: TypeAlias = "array[int]"


class Names(OffsetIndex):
    """Names seen in a journal, 16 bytes each."""

    def note(self, name: Name) -> None:
        self.add(key64(name), 0)

    def lacks(self, names: Sequence[Name]) -> bool:
        """Whether any of them was never kept."""
        return any(key64(name) not in self for name in names)


def repair(folder: Path, others: Sequence[Path] = ()) -> dict[str, int]:
    """Drop what lacks a part, in the run and in all its scorings; how many records of each file.

    others: folders whose calls count as recorded, too. Writes nothing where nothing is wrong. Raises
    RunError for a record that was changed or damaged before others that were not.
    """
    return _Repair(folder, others).done()


class _Repair:
    def __init__(self, folder: Path, others: Sequence[Path]) -> None:
        self._folder = folder
        self._lost: Counter[Path] = Counter()
        self._dropping: list[tuple[Path, Offsets]] = []
        self._calls, self._outputs = Names(), Names()
        for other in others:
            for call in Lines(other / "calls.jsonl", CallRecord):
                self._calls.note(call.id)

    def done(self) -> dict[str, int]:
        self._sift(self._folder / "attempts.jsonl", AttemptRecord, lambda _: False)
        self._sift(self._folder / "spent.jsonl", SpentRecord, lambda _: False)
        self._sift_calls(self._folder)
        self._sift(self._folder / "outputs.jsonl", OutputRecord, self._bad_output)
        for scoring in sorted((self._folder / "scorings").glob("*/")):
            self._sift_calls(scoring)
            self._sift(scoring / "spent.jsonl", SpentRecord, lambda _: False)
            self._sift(scoring / "scores.jsonl", ScoreRecord, self._bad_score)
        for path, offsets in reversed(self._dropping):  # what refers goes before what it refers to
            _drop(path, offsets)
        return {path.relative_to(self._folder).as_posix(): lost for path, lost in sorted(self._lost.items())}

    def _bad_output(self, output: OutputRecord) -> bool:
        bad = self._calls.lacks([*output.calls, *filter(None, [output.text_from])])
        if not bad:
            self._outputs.note(Key.of(output))
        return bad

    def _bad_score(self, score: ScoreRecord) -> bool:
        return self._outputs.lacks([Key.of(score)]) or self._calls.lacks(score.calls)

    def _sift_calls(self, folder: Path) -> None:
        """The calls whose texts are not all there go; the others become known."""
        blocks, lists = Names(), []
        for _, block in self._records(folder / "blocks.jsonl", BlockRecord):
            if block.list is None:
                blocks.note(block.sha256)
            else:
                lists.append(block)
        for name in [block.sha256 for block in lists if not blocks.lacks(block.list or ())]:
            blocks.note(name)

        def bad_call(call: CallRecord) -> bool:
            bad = blocks.lacks([*call.request, *call.texts, *filter(None, (call.prompt, call.tools))])
            if not bad:
                self._calls.note(call.id)
            return bad

        self._sift(folder / "calls.jsonl", CallRecord, bad_call)

    def _sift(self, path: Path, kind: type[RecordT], bad: Callable[[RecordT], bool]) -> None:
        offsets = array("Q", (offset for offset, record in self._records(path, kind) if bad(record)))
        if offsets:
            self._dropping.append((path, offsets))
            self._lost[path] += len(offsets)

    def _records(self, path: Path, kind: type[RecordT]) -> Iterator[tuple[int, RecordT]]:
        """(offset, record) of each record; a damaged end is cut off. Raises RunError for damage before it."""
        if not path.exists():
            return
        lines = Lines(path, kind)
        end, broken = 0, None
        with lines.opened() as file:
            for number, raw in enumerate(file, 1):
                try:
                    if not raw.endswith(b"\n"):
                        raise damaged(path, number, "it has no end")
                    record = lines.decode(raw, number)
                except RunError as error:
                    broken = broken or error
                    self._lost[path] += 1
                    continue
                if broken is not None:
                    raise broken
                yield end, record
                end += len(raw)
        if broken is not None:
            _cut(path, end)


def _cut(path: Path, end: int) -> None:
    with trying(f"write {path.name}", path, ROOM), os.fdopen(open_append(path), "rb") as file:
        os.ftruncate(file.fileno(), end)
        os.fsync(file.fileno())


def _drop(path: Path, offsets: Offsets) -> None:
    """Write a journal anew without the lines at these offsets."""
    gone = set(offsets)
    with trying(f"write {path.name}", path, ROOM), open_regular(path) as old, replacing(path) as new:
        at = 0
        for raw in old:
            if at not in gone:
                new.write(raw)
            at += len(raw)
