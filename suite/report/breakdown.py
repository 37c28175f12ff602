"""What a report computes from a run's scores beside results.json: numbers by tags that hold all at once, who
is served worst, and what each metric is, as its task declares it.

Where a task is not installed as it was, or its code fails, the numbers of `results.json` are shown, and that
each of their intervals is for itself.
"""

import inspect
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from suite.journal.documents import MetricResult
from suite.journal.run import Run
from suite.scoring.metrics.declared import Declared, OfOneCell, metrics_of

if TYPE_CHECKING:
    from suite.run.cells import AnyTask
    from suite.scoring.rows import Context
    from suite.scoring.served import Best, Worst
    from suite.scoring.stats.estimate import Estimate
    from suite.scoring.table import ScoreTable

MOST_CELLS = 12  # of which the best is asked for


@dataclass(frozen=True)
class Served:
    """Who is served worst by a task's headline, over all its cells. tenths: the worst tenth by a tag, or by
    "" for clusters. best: the best cell by tag and value.
    """

    worst: Sequence["Worst"] = ()
    tenths: Sequence[tuple[str, "Estimate"]] = ()
    best: Sequence["Best"] = ()


class Scores:
    """A run's scores as tables, read when first asked for."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @cached_property
    def _tasks(self) -> Mapping[str, "AnyTask"]:
        """Those that are installed as they were."""
        from suite.run.reopen import tasks_of

        try:
            cells, found = {one.cell: one.task for one in self._run.manifest.cells}, tasks_of(self._run)
            return {cells[cell]: task for cell, task in found.items()}
        except Exception:  # a task is third-party code; its numbers are in results.json
            return {}

    def declared(self, task: str) -> Sequence[Declared]:
        """The metrics of a task."""
        return list(metrics_of(self._tasks[task].metrics)) if task in self._tasks else ()

    def docs(self, task: str) -> str:
        """What its author says of a task, at the top of its module."""
        known = self._tasks.get(task)
        return inspect.cleandoc(getattr(inspect.getmodule(type(known)), "__doc__", "") or "") if known else ""

    @cached_property
    def _tables(self) -> Mapping[str, "ScoreTable"]:
        from suite.scoring.computation import wanted
        from suite.scoring.table import TableBuilder

        task_of = {one.cell: one.task for one in self._run.manifest.cells}
        made = {task: TableBuilder(wanted(one.metrics)) for task, one in self._tasks.items()}
        for output, score in self._run.pairs():
            if score is not None and (builder := made.get(task_of[output.cell])):
                builder.add(output, score)
        return {task: builder.build() for task, builder in made.items()}

    def by_tags(
        self, task: str, headline: str, cells: Mapping[str, Sequence[MetricResult]]
    ) -> Mapping[str, Sequence[MetricResult]]:
        """The rows by tags of these cells, with intervals that hold at once; {} where they cannot be had."""
        from suite.scoring.served import simultaneous

        shown = Counter(
            one.name for rows in cells.values() for one in rows if one.slice and one.low is not None
        )
        sliced = [one for one in self.declared(task) if isinstance(one, OfOneCell) and one.slices]
        if not sliced or not shown:
            return {}
        try:
            return simultaneous(sliced, self._context(task, headline), list(cells), shown)
        except Exception:
            return {}

    def served(self, task: str, headline: str, cells: Sequence[str]) -> Served:
        """Who is served worst; nothing where the headline has no tags, or no end that is better."""
        from suite.scoring.served import best_cells, together, worst_served, worst_tenths

        metrics = [one for one in self.declared(task) if headline in one.rows()]
        if not metrics or not isinstance(metric := metrics[0], OfOneCell) or metric.direction == "neither":
            return Served()
        measure = next(one for one in metric.measures() if one.name == headline)
        if measure.top is None:
            return Served()
        try:
            context = self._context(task, headline)
            scope = together(metric, context, cells)
            several = measure.mean and 1 < len(cells) <= MOST_CELLS
            return Served(
                list(worst_served(metric, headline, context, scope)),
                list(worst_tenths(measure, context.level, scope)) if measure.mean else (),
                list(best_cells(measure, context, cells)) if several else (),
            )
        except Exception:
            return Served()

    def _context(self, task: str, headline: str) -> "Context":
        from suite.scoring.rows import Context

        results = self._run.results
        return Context(self._tables[task], "", headline, self._run.manifest.seed, results.level)
