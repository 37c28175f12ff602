"""What of a run's journals lacks a part: it counts as not done, and is done again.

A power cut may keep any beginning of each file. So the damaged end of a file is cut off, a call whose
texts are missing is dropped, then outputs whose calls are missing, then scores whose output or calls are.
Damage before good records is no power cut: it is an error that names file and line. A run that goes on is
mended (`repair`); who only reads journals that others write takes what is whole of them (`Survey.kept`).
"""

import os
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from suite.errors import RunError
from suite.files import open_append, open_regular, replacing, trying
from suite.journal.index import Name, OffsetIndex, key64
from suite.journal.lines import Lines, RecordT, damaged
from suite.journal.pairs import Key
from suite.journal.records import (
    AttemptRecord,
    BlockRecord,
    CallRecord,
    CommandRecord,
    OutputRecord,
    ScoreRecord,
    SpentRecord,
)

ROOM = "make room, then try again"
Offsets: TypeAlias = "array[int]"
# the files of a run or a scoring, what refers before what it refers to
REFERRING = tuple(
    f"{place}{name}.jsonl"
    for place, names in (("scorings/*/", ("scores", "calls", "blocks", "spent")),
                         ("", ("scores", "outputs", "calls", "blocks", "attempts", "spent", "commands")))
    for name in names
)  # fmt: skip


class Names(OffsetIndex):
    """Names seen in a journal, 16 bytes each. known: others that count as seen."""

    def __init__(self, known: "Names | None" = None) -> None:
        super().__init__()
        self._also = known

    def note(self, name: Name) -> None:
        self.add(key64(name), 0)

    def lacks(self, names: Sequence[Name]) -> bool:
        """Whether any of them was never kept."""
        here, also = (name for name in names if key64(name) not in self), self._also
        return any(also is None or also.lacks([name]) for name in here)


def repair(folder: Path, others: Sequence[Path] = (), run: Path | None = None) -> dict[str, int]:
    """Drop what lacks a part, in the run and in all its scorings; how many records of each file.

    others: folders whose calls count as recorded, too. run: where the folder holds a scoring alone, the run
    that it scores; it is only read. Writes nothing where nothing is wrong. Raises RunError for a record that
    was changed or damaged before others that were not.
    """
    found = Survey()
    for other in others:
        found.note(other, outputs=False)
    if run is not None:
        found.note(run)
    found.read(folder)
    found.mend()
    return found.lost(folder)


def sizes(folder: Path) -> dict[Path, int]:
    """The bytes of each journal of a run or scoring that others append to meanwhile, of what refers before
    what it refers to: so these beginnings of the files lack nothing that is only being written."""
    return {path: path.stat().st_size for pattern in REFERRING for path in folder.glob(pattern)}


class Survey:
    """What lacks a part in journals, found by reading them; `mend` alone changes them.

    upto: bytes to read of each file (of others nothing); None: all. known: a survey of what these journals
    may refer to. Its methods raise RunError for a record that was changed or damaged before others that were
    not.
    """

    def __init__(self, upto: Mapping[Path, int] | None = None, known: "Survey | None" = None) -> None:
        self._upto = upto
        self._lost: Counter[Path] = Counter()
        self._held: Counter[Path] = Counter()  # records that lack nothing
        self._gone: dict[Path, Offsets] = {}  # lines that lack a part
        self._ends: dict[Path, int] = {}  # bytes before a damaged end, of each file that was read
        self._torn: list[Path] = []
        self._calls: Names = Names(known._calls if known else None)
        self._outputs: Names = Names(known._outputs if known else None)

    def note(self, folder: Path, *, outputs: bool = True) -> None:
        """Take the calls of a run, and its outputs, for there."""
        for call in Lines(folder / "calls.jsonl", CallRecord):
            self._calls.note(call.id)
        for output in Lines(folder / "outputs.jsonl", OutputRecord) if outputs else ():
            self._outputs.note(Key.of(output))

    def read(self, folder: Path) -> None:
        """Read a run with all its scorings, or a scoring alone."""
        for name, kind in (("attempts", AttemptRecord), ("commands", CommandRecord), ("spent", SpentRecord)):
            self._sift(folder / f"{name}.jsonl", kind, lambda _: False)
        self._sift_calls(folder)
        self._sift(folder / "outputs.jsonl", OutputRecord, self._bad_output)
        self._sift(folder / "scores.jsonl", ScoreRecord, self._bad_score)
        for scoring in sorted((folder / "scorings").glob("*/")):
            self.read(scoring)

    def lost(self, folder: Path) -> dict[str, int]:
        """How many records lack a part or are damaged, by file below a folder."""
        return {path.relative_to(folder).as_posix(): lost for path, lost in sorted(self._lost.items())}

    def held(self, folder: Path) -> Counter[str]:
        """How many records lack nothing, by file below a folder."""
        found = {path.relative_to(folder).as_posix(): held for path, held in sorted(self._held.items())}
        return Counter(found)

    def kept(self, path: Path) -> Iterator[bytes]:
        """The lines of a file that lack nothing, each with its newline."""
        at, end, gone = 0, self._ends.get(path, 0), frozenset(self._gone.get(path, ()))
        if end:
            with open_regular(path) as file:
                for raw in file:
                    if at not in gone:
                        yield raw
                    at += len(raw)
                    if at >= end:
                        break

    def mend(self) -> None:
        """Take what lacks a part out of the files. Raises RunError where they cannot be written."""
        for path in self._torn:
            _cut(path, self._ends[path])
        for path in reversed(self._gone):  # what refers goes before what it refers to
            with trying(f"write {path.name}", path, ROOM), replacing(path) as new:
                new.writelines(self.kept(path))

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
            self._gone[path] = offsets
            self._lost[path] += len(offsets)
            self._held[path] -= len(offsets)

    def _records(self, path: Path, kind: type[RecordT]) -> Iterator[tuple[int, RecordT]]:
        """(offset, record) of each record before a damaged end. Raises RunError for damage before it."""
        if not path.exists():
            return
        lines = Lines(path, kind)
        left = sys.maxsize if self._upto is None else self._upto.get(path, 0)
        end, broken = 0, None
        with lines.opened() as file:
            for number, raw in enumerate(file, 1):
                if (left := left - len(raw)) < 0:
                    break
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
                self._held[path] += 1
        self._ends[path] = end
        if broken is not None:
            self._torn.append(path)


def _cut(path: Path, end: int) -> None:
    with trying(f"write {path.name}", path, ROOM), os.fdopen(open_append(path), "rb") as file:
        os.ftruncate(file.fileno(), end)
        os.fsync(file.fileno())
