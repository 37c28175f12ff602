"""The samples that an imported run brought along, so that its answers can be judged without their dataset.

They stand in `samples.jsonl`, a line {cell, sample, payload} for each sample with an output; group, cluster,
tags and the payload's hash stand in the output. Not here: writing them (`suite.report.imports`).
"""

from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter, ValidationError

from suite.chat import Json
from suite.data.text_files import json_lines
from suite.errors import RunError
from suite.journal.run import SAMPLES, Run
from suite.run.cells import AnySample, AnyTask, Cell
from suite.run.records import payload_sha256
from suite.task import Sample

Given = Mapping[str, Sequence[AnySample]]


def payload_of(task: type[AnyTask], value: Json) -> object:
    """A payload of a task from plain data. Raises ValueError where it is none."""
    kind = task.payload_type()
    return value if kind is None else TypeAdapter(kind).validate_python(value)


def imported_samples(run: Run, cells: Sequence[Cell]) -> Given:
    """Cell -> its samples that have an output, in one order for all cells.

    Raises RunError for a run whose importer brought none, or for a file that was changed.
    """
    path = run.folder / SAMPLES
    if not path.is_file():
        raise RunError.of("run.imported-samples", run=run)
    tasks = {cell.id: type(cell.task) for cell in cells}
    outputs = {(one.cell, one.sample): one for one in run.outputs()}  # all trials have one payload
    found: dict[str, list[AnySample]] = {cell.id: [] for cell in cells}
    for row in json_lines(path):
        try:
            record = outputs[str(row.value["cell"]), str(row.value["sample"])]
            payload = payload_of(tasks[record.cell], row.value["payload"])
            if payload_sha256(payload) != record.payload_sha256:
                raise ValueError("the payload is another one than the output was made for")
        except (KeyError, TypeError, ValidationError, ValueError) as error:
            raise RunError(f"{SAMPLES} {row.place} was changed: {error}", where=str(path)) from error
        found[record.cell].append(Sample(record.sample, payload, record.group, record.cluster, record.tags))
    return {cell: sorted(samples, key=lambda one: (one.group, one.id)) for cell, samples in found.items()}
