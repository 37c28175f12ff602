"""Samples solved and scored without a run, and their metrics as the suite computes them."""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from suite.data.rows import Raw
from suite.journal.records import OutputRecord, ScoreRecord
from suite.roles import Model, Models
from suite.run.sources import output_row
from suite.run.tools import RunTools
from suite.scoring.computation import compute, wanted
from suite.scoring.metrics import Custom
from suite.scoring.table import TableBuilder
from suite.task import AnySample, AnyTask, Data, Output, Score

_FOLDER = Path(tempfile.gettempdir()) / "suite-testing"
_CELL = "cell"
_UNKNOWN = "0" * 64  # hashes that nothing here reads


class Solved(NamedTuple):
    """A sample with its output and the score of it."""

    sample: AnySample
    output: Output
    score: Score

    def row(self, task: AnyTask, model: str = "scripted") -> Raw:
        """The output as a row for the next stage, as `--data NAME=RUN` gives it.

        model: spec of the candidate.
        """
        parameters = task.parameters.solve_values()
        return output_row(_record(self), self.output.text, task.info.name, parameters, model)


def task_tools(folder: Path = _FOLDER) -> RunTools:
    """What `open` may ask for, as in a run. folder: where the folders are made that last between runs."""
    return RunTools(folder)


async def solve_all(task: AnyTask, data: Data, **roles: Model | Sequence[Model]) -> list[Solved]:
    """Open a task, solve and score all of its samples one after the other, close it.

    roles: who fills them, as `candidate=ScriptedModel(...)`; several members are a panel.
    """
    models = Models({name: [one] if isinstance(one, Model) else one for name, one in roles.items()})
    with tempfile.TemporaryDirectory(prefix="suite-solve-") as folder:
        tools = task_tools(Path(folder))
        try:
            await task.open(data, tools)
            found = []
            for sample in task.samples(data):
                output = await task.solve(sample, models)
                found.append(Solved(sample, output, await task.score(sample, output, models)))
            return found
        finally:
            await task.close()
            await tools.close()


def metrics_of(task: AnyTask, solved: Iterable[Solved]) -> dict[str, float | None]:
    """The task's metrics of these scores: name, or name[slice] -> value. Intervals are left out."""
    metrics = [replace(one, interval="none") if isinstance(one, Custom) else one for one in task.metrics]
    table = TableBuilder(wanted(metrics))
    for one in solved:
        values, parts = dict(one.score.values), list(one.score.parts)
        of = one.sample
        score = ScoreRecord(
            cell=_CELL, sample=of.id, trial=of.trial, output_sha256=_UNKNOWN, values=values, parts=parts
        )
        table.add(_record(one), score)
    rows = compute(metrics, task.info.headline, table.build())
    return {one.name + (f"[{'/'.join(one.slice.values())}]" if one.slice else ""): one.value for one in rows}


def _record(solved: Solved) -> OutputRecord:
    one = solved.sample
    return OutputRecord(
        cell=_CELL,
        sample=one.id,
        trial=one.trial,
        group=one.group,
        cluster=one.cluster,
        tags=dict(one.tags),
        payload_sha256=_UNKNOWN,
        output=solved.output,
    )
