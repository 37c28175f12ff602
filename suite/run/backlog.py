"""What is left to do of a plan, group by group, in the plan's order."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from suite.journal.records import OutputRecord, ScoreRecord
from suite.roles import Stage
from suite.run.order import CellSample, Group
from suite.run.plan import Plan
from suite.run.progress import Progress
from suite.run.run_folder import Done
from suite.run.work import GroupCalls

Item = tuple[CellSample, int, GroupCalls]  # a sample, its trial, what its group shares


@dataclass
class Backlog:
    """The groups with anything left to do in some stages; what is done already is told to the progress.
    ordered: puts them into another order than the plan's."""

    plan: Plan
    stages: Collection[Stage]
    solved: Done[OutputRecord]
    scored: Done[ScoreRecord]
    progress: Progress
    ordered: Callable[[Iterator[Group]], Iterable[Group]] = iter

    def __post_init__(self) -> None:
        self._fresh = not len(self.solved)

    def __iter__(self) -> Iterator[tuple[int, Group, list[tuple[CellSample, int]]]]:
        """(number of the group in the plan, the group, samples with their trials that are left)."""
        trials = range(self.plan.request.trials)
        for number, group in enumerate(self.ordered(self.plan.groups())):
            left = [(one, trial) for trial in trials for one in group.items if not self._done(one, trial)]
            if left:
                yield number, group, left

    def items(self) -> Iterator[list[Item]]:
        """The works of each group; the trials of a group share nothing."""
        for number, group, left in self:
            many = len(group.items) > 1
            shared = {trial: GroupCalls(number, many) for trial in dict.fromkeys(trial for _, trial in left)}
            yield [(one, trial, shared[trial]) for one, trial in left]

    def _done(self, item: CellSample, trial: int) -> bool:
        """Whether nothing is left to do for an item, in these stages."""
        if self._fresh:
            return Stage.SOLVE not in self.stages
        cell, sample = self.plan.cells[item.cell].id, item.sample.id
        solved = self.solved.work(cell, sample, trial) is not None
        if solved:
            self.progress.already(Stage.SOLVE)
        if Stage.SCORE in self.stages and self.scored.work(cell, sample, trial) is not None:
            self.progress.already(Stage.SCORE)
            return True
        return Stage.SCORE not in self.stages if solved else Stage.SOLVE not in self.stages
