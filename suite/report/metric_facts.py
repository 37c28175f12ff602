"""What the tasks of a run say about their metrics: kind and range of each row of results.

Results do not record it, so the task is asked, where the same version of it is installed; else nothing is
known, and nothing is guessed. Not here: computing a metric (`suite.scoring`).
"""

from pydantic import ValidationError

from suite.errors import SuiteError
from suite.parameters import SkipCell
from suite.plugins import catalogue
from suite.report.loading import LoadedRun
from suite.run.cells import AnyTask, load_task
from suite.scoring.measures import RowFacts
from suite.scoring.metrics.declared import metrics_of


def tasks_of(run: LoadedRun) -> dict[str, AnyTask]:
    """Cell -> its task object; a cell whose task is not installed in its version is left out."""
    plugins = catalogue()
    scored = {cell["cell"]: cell for cell in run.scoring_manifest.get("cells", ())}
    found: dict[str, AnyTask] = {}
    for cell in run.manifest["cells"]:
        try:
            kind, _, _ = load_task(plugins, cell["task"])
            if kind.info.version != cell["version"]:
                continue
            at_score = scored.get(cell["cell"], {}).get("score_parameters", cell.get("score_parameters", {}))
            values = {**cell["parameters"], **at_score}
            found[cell["cell"]] = kind(kind.parameters_type().model_validate(values))
        except (SuiteError, ValidationError, SkipCell):
            continue
    return found


def rows_of(task: AnyTask) -> dict[str, RowFacts]:
    """Row name -> what the task declares about it."""
    return {name: facts for metric in metrics_of(task.metrics) for name, facts in metric.facts().items()}
