"""The tasks of a run, to be asked what results do not record, such as kind and range of each row.

They are asked where the same version is installed; else nothing is known, and nothing is guessed.
"""

from suite.journal.run import Run
from suite.plugins import catalogue
from suite.run.cells import AnyTask
from suite.run.recorded_files import with_recorded
from suite.run.reopen import Refusal, cell_again


def tasks_of(run: Run) -> dict[str, AnyTask]:
    """Cell -> its task object; a cell whose task is not installed in its version is left out."""
    plugins = with_recorded(catalogue(), [run])
    found: dict[str, AnyTask] = {}
    for record in run.manifest.cells:
        at_score = run.scored_cells.get(record.cell, record).score_parameters
        cell = cell_again(plugins, record, at_score)
        if not isinstance(cell, Refusal):
            found[record.cell] = cell.task
    return found
