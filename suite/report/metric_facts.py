"""What the tasks of a run say about their metrics: kind and range of each row of results.

Results do not record it, so the task is asked, where the same version of it is installed; else nothing is
known, and nothing is guessed. Not here: computing a metric (`suite.scoring`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from suite.errors import SuiteError
from suite.parameters import SkipCell
from suite.plugins import catalogue
from suite.report.loading import LoadedRun
from suite.run.cells import AnyTask, load_task
from suite.scoring.metrics import Agreement, Mean, PassAt, Rate, WinRate

_KINDS = {"Rate": "rate", "Mean": "mean", "Ratio": "ratio", "PassAt": "pass_rate", "Agreement": "agreement"}


@dataclass(frozen=True)
class RowFacts:
    """A row of results as its task declares it.

    kind: rate, mean, ratio, pass_rate, agreement, win_rate, statistic or over_cells. low, high: ends of its
    scale, infinite where it has none. value: the value of a sample whose mean (over samples, each the mean
    of its trials) this row is, "" if it is something else. macro: the tag over whose categories the row is
    a mean of means, "" for a plain one. where: only samples with these tags.
    """

    kind: str
    low: float
    high: float
    value: str = ""
    macro: str = ""
    binary: bool = False
    where: Mapping[str, Any] | None = None

    @property
    def proportion(self) -> bool:
        """Whether it lies between 0 and 1."""
        return (self.low, self.high) == (0.0, 1.0)


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
    metrics: Sequence[Any] = task.metrics
    return {name: row_facts(metric, name) for metric in metrics for name in metric.rows()}


def row_facts(metric: Any, name: str) -> RowFacts:
    """The facts of one row of a metric."""
    low, high = getattr(metric, "range", None) or (-math.inf, math.inf)
    if isinstance(metric, PassAt):
        return RowFacts("pass_rate", 0.0, 1.0)
    if isinstance(metric, WinRate):
        net = name.endswith("_net")
        plain = name == metric.name
        return RowFacts(
            "win_rate", -1.0 if net else 0.0, 1.0, metric.value if plain else "", where=metric.where
        )
    if isinstance(metric, Agreement):
        return RowFacts("agreement", 0.0 if name.endswith("_percent") else -math.inf, 1.0)
    if isinstance(metric, Mean):
        kind = "rate" if isinstance(metric, Rate) else "mean"
        if metric.over != "samples":
            return RowFacts(kind, low, high)
        is_macro = (metric.average == "macro") == (name == metric.name) and bool(metric.other)
        macro = metric.slices[0] if is_macro else ""
        return RowFacts(kind, low, high, metric.value, macro, metric.binary, metric.where)
    return RowFacts(_KINDS.get(type(metric).__name__, "statistic"), low, high)


def matches(tags: Mapping[str, str], where: Mapping[str, Any] | None) -> bool:
    """Whether a sample with these tags is one of those that a metric is taken over."""
    for tag, wanted in (where or {}).items():
        allowed = (wanted,) if isinstance(wanted, str) else tuple(wanted)
        if tags.get(tag, "") not in allowed:
            return False
    return True
