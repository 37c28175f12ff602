"""What the tasks of a run say about their metrics: kind and range of each row of results.

Results do not record it, so the task is asked, where the same version of it is installed; else nothing is
known, and nothing is guessed. Not here: computing a metric (`suite.scoring`).
"""

from suite.journal.run import Run
from suite.plugins import catalogue
from suite.run.cells import AnyTask
from suite.run.reopen import Refusal, cell_again
from suite.scoring.measures import RowFacts
from suite.scoring.metrics.declared import metrics_of


def tasks_of(run: Run) -> dict[str, AnyTask]:
    """Cell -> its task object; a cell whose task is not installed in its version is left out."""
    plugins = catalogue()
    found: dict[str, AnyTask] = {}
    for record in run.manifest.cells:
        at_score = run.scored_cells.get(record.cell, record).score_parameters
        cell = cell_again(plugins, record, at_score)
        if not isinstance(cell, Refusal):
            found[record.cell] = cell.task
    return found


def rows_of(task: AnyTask) -> dict[str, RowFacts]:
    """Row name -> what the task declares about it."""
    return {name: facts for metric in metrics_of(task.metrics) for name, facts in metric.facts().items()}
