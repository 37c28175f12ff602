"""A run that is being written, read on from where its journals ended: progress, and the headlines so far."""

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
    """heads: by cell. solved, scored: how many so far. Raises SuiteError for a task that cannot be loaded."""

    def __init__(self, run: Run) -> None:
        known = with_recorded(catalogue(), [run])
        tasks = {name: load_task(known, name)[0] for name in {cell.task for cell in run.manifest.cells}}
        self.heads = {
            one.cell: RunningHeadline(tasks[one.task].metrics, one.headline) for one in run.manifest.cells
        }
        self.solved = self.scored = 0
        self._run, self._ends = run, [0, 0]
        self._outputs: dict[Key, OutputRecord] = {}  # those that wait for their scores
        self._scores: dict[Key, ScoreRecord] = {}

    def read_on(self) -> None:
        """Read what was added, or the next part of it. Raises RunError for damage."""
        outputs, scores = self._new(0, self._run.journal.outputs), self._new(1, self._run.judged.scores)
        self._outputs |= {Key.of(one): one for one in outputs}
        self._scores |= {Key.of(one): one for one in scores}
        for key in self._outputs.keys() & self._scores.keys():
            self.heads[key.cell].add(self._scores.pop(key), self._outputs.pop(key))
        self.solved += len(outputs)
        self.scored += len(scores)

    def _new(self, which: int, lines: Lines[RecordT]) -> list[RecordT]:
        if not lines.path.exists():
            return []
        with lines.opened() as file:
            file.seek(self._ends[which])
            found = [raw for raw in file.readlines(AT_ONCE) if raw.endswith(b"\n")]  # a torn last one waits
        self._ends[which] += sum(map(len, found))
        return [lines.decode(raw, 0) for raw in found]
