"""What `-P` made of a preset: a preset that was changed is not the preset any more, and says so."""

from collections.abc import Iterable, Sequence

from suite.chat import canonical_json
from suite.journal.documents import ChangedPreset
from suite.parameters import SkipCell
from suite.run.cells import AnyTask, Cell, make_task, parameters_for
from suite.run.request import EvalRequest


def changed_presets(request: EvalRequest, cells: Sequence[Cell]) -> dict[str, ChangedPreset]:
    """Task -> what was given on top of the preset that was asked for, where that changed its cells."""
    found: dict[str, ChangedPreset] = {}
    for name, task in {cell.plan.task: type(cell.task) for cell in cells}.items():
        given = [f"{parameter}={text}" for parameter, text in parameters_for(request, task, name)]
        if not given or request.preset not in task.info.presets:
            continue
        presets = (request.preset, task.info.instead.get(request.preset, request.preset))
        now = _values(cell.task for cell in cells if cell.plan.task == name)
        if all(now != _values(_made(task, preset)) for preset in presets):
            found[name] = ChangedPreset(preset=request.preset, given=given)
    return found


def _made(task: type[AnyTask], preset: str) -> Iterable[AnyTask]:
    for values in task.info.presets[preset]:
        try:
            yield make_task(task, values)
        except SkipCell:
            continue


def _values(tasks: Iterable[AnyTask]) -> set[bytes]:
    return {canonical_json(task.parameters.model_dump(mode="json")) for task in tasks}
