"""A run that is being written, read on from where its journals ended: progress, and the headlines so far."""

from contextlib import suppress

from suite.errors import SuiteError
from suite.journal.lines import Lines, RecordT
from suite.journal.pairs import Key
from suite.journal.records import OutputRecord, ScoreRecord
from suite.journal.run import Run
from suite.plugins import catalogue
from suite.run.cells import load_task
from suite.run.recorded_files import with_recorded
from suite.scoring.headline import RunningHeadline

AT_ONCE = 8 * 2**20  # bytes of a journal that are read at a time, so that a page waits for no long one


class RunningScores:
    """heads: the headline so far by cell; none of a task that is not here any more."""

    def __init__(self, run: Run) -> None:
        self.heads: dict[str, RunningHeadline] = {}
        known = with_recorded(catalogue(), [run])
        for one in run.manifest.cells:
            with suppress(SuiteError):
                self.heads[one.cell] = RunningHeadline(load_task(known, one.task)[0].metrics, one.headline)
        self._run, self._ends, self._counts = run, [0, 0], [0, 0]
        self._outputs: dict[Key, OutputRecord] = {}  # those that wait for their scores
        self._scores: dict[Key, ScoreRecord] = {}

    def read_on(self) -> str:
        """Read what was added, or the next part of it, and tell how far it is. Raises RunError for damage."""
        self._outputs |= {Key.of(one): one for one in self._new(0, self._run.journal.outputs)}
        self._scores |= {Key.of(one): one for one in self._new(1, self._run.judged.scores)}
        for key in self._outputs.keys() & self._scores.keys():
            score, output = self._scores.pop(key), self._outputs.pop(key)
            if key.cell in self.heads:
                self.heads[key.cell].add(score, output)
        return "{:,} solved, {:,} scored of {:,}".format(*self._counts, self._run.manifest.all_works)

    def _new(self, which: int, lines: Lines[RecordT]) -> list[RecordT]:
        if not lines.path.exists():
            return []
        with lines.opened() as file:
            file.seek(self._ends[which])
            found = [raw for raw in file.readlines(AT_ONCE) if raw.endswith(b"\n")]  # a torn last one waits
        self._ends[which] += sum(map(len, found))
        self._counts[which] += len(found)
        return [lines.decode(raw, 0) for raw in found]
