"""What reports compute from a run's scores beside results.json: numbers by tags that hold all at once, who is
served worst; and what each metric is, as its task declares it.

Where a task is not installed as it was, or its code fails, the numbers of `results.json` are shown, and that
each of their intervals is for itself.
"""

import inspect
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from suite.journal.documents import MetricResult
from suite.journal.run import Run
from suite.scoring.metrics.declared import Declared, OfOneCell, metrics_of

if TYPE_CHECKING:
    from suite.run.cells import AnyTask
    from suite.scoring.rows import Context
    from suite.scoring.served import Best, Worst
    from suite.scoring.stats.estimate import Estimate

MOST_CELLS = 12  # of which the best is asked for
Rows = Mapping[str, Sequence[MetricResult]]  # by cell


class Served(NamedTuple):
    """Who is served worst by each cell; its worst tenths by tag, "" for clusters; the best cell for whom."""

    worst: Sequence["Worst"] = ()
    tenths: Sequence[tuple[str, str, "Estimate"]] = ()
    best: Sequence["Best"] = ()


class Scores:
    """A run's scores as tables, read when first asked for. Nothing here raises."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @cached_property
    def _tasks(self) -> Mapping[str, "AnyTask"]:
        """Those that are installed as they were."""
        from suite.run.reopen import tasks_of

        try:
            return {type(one).info.name: one for one in tasks_of(self._run).values()}
        except Exception:  # third-party code
            return {}

    @cached_property
    def _contexts(self) -> Mapping[str, "Context"]:
        from suite.scoring.computation import wanted
        from suite.scoring.rows import Context
        from suite.scoring.table import TableBuilder

        task_of = {one.cell: one.task for one in self._run.manifest.cells}
        made = {task: TableBuilder(wanted(one.metrics)) for task, one in self._tasks.items()}
        for output, score in self._run.pairs():
            if score is not None and (builder := made.get(task_of[output.cell])):
                builder.add(output, score)
        seed, level = self._run.manifest.seed, self._run.results.level
        return {task: Context(one.build(), "", "", seed, level) for task, one in made.items()}

    def declared(self, task: str) -> Sequence[Declared]:
        return list(metrics_of(self._tasks[task].metrics)) if task in self._tasks else ()

    def docs(self, task: str) -> str:
        """What its author says of a task, at the top of its module."""
        module = inspect.getmodule(type(self._tasks.get(task)))
        return inspect.cleandoc(module.__doc__ or "") if module and task in self._tasks else ""

    def by_tags(self, task: str, told: Rows) -> Rows:
        """The rows by tags, with intervals that hold at once for all numbers of a metric; {} without them.

        told: the rows of results.json.
        """
        from suite.scoring.served import at_once

        every = (one for rows in told.values() for one in rows if one.slice and one.low is not None)
        shown = Counter(one.name for one in every)
        sliced = [one for one in self.declared(task) if isinstance(one, OfOneCell) and one.slices]
        claims = [max(shown[row] for row in one.rows()) for one in sliced]
        found: dict[str, list[MetricResult]] = {}
        try:
            for cell in told if shown and sliced else ():
                asked = [at_once(self._contexts[task], count, cell) for count in claims]
                pairs = zip(sliced, asked, strict=True)
                found[cell] = [row for one, each in pairs for row in one.results(each) if row.slice]
        except Exception:  # of a formula, say
            return {}
        return found

    def served(self, task: str, row: str, cells: Sequence[str]) -> Served:
        """Who is served worst; nothing where no end of the row is better, or it has no sums."""
        from suite.scoring.served import at_once, best_cells, worst_served, worst_tenths

        declared = [one for one in self.declared(task) if isinstance(one, OfOneCell) and row in one.rows()]
        measures = [one for metric in declared for one in metric.measures() if one.name == row and one.top]
        if not measures or measures[0].direction == "neither":
            return Served()
        metric, measure = declared[0], measures[0]
        try:
            context = self._contexts[task]
            worst, several = list(worst_served(metric, row, context, cells)), 1 < len(cells) <= MOST_CELLS
            each = [at_once(context, len(cells), cell) for cell in cells if measure.mean]
            tenths = [(one.cell, *found) for one in each for found in worst_tenths(measure, one)]
            best = list(best_cells(measure, context, cells)) if measure.mean and several else ()
            return Served(worst, tenths, best)
        except Exception:  # as above
            return Served()
