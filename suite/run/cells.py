"""From task names, presets and -P to cells: one task object for each combination of parameters.

A scalar parameter is swept by a comma or by repeating the flag; a list-typed one takes its list in one
flag and is swept by repeating it. Combinations that a task refuses with SkipCell are left out, with the
reason; equal cells are one. Not here: data (`sources`), models (`role_members`).
"""

import itertools
import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from suite.chat import Json, canonical_json, sha256_hex
from suite.errors import ConfigError, PluginError, SuiteError, unknown
from suite.journal.documents import SkippedCell
from suite.journal.records import CellPlan, TaskSource
from suite.journal.shapes import Values
from suite.models.spec import parse_value
from suite.parameters import Parameters, SkipCell, varying
from suite.plugins import Catalogue, failed
from suite.run.request import EvalRequest
from suite.scoring.metrics.declared import row_names
from suite.scoring.value_checks import ValueChecks
from suite.task import AnySample as AnySample
from suite.task import AnyTask as AnyTask
from suite.task import Task
from suite.task_files import NOTEBOOK, source_of

MOST_CELLS = 10_000  # of one task in one run


@dataclass(frozen=True)
class Cell:
    """A task with one set of parameters, and the record of it."""

    task: AnyTask
    plan: CellPlan

    @cached_property
    def id(self) -> str:
        """First 12 hex digits of the hash over task, version and solve parameters."""
        return self.plan.cell

    @cached_property
    def checks(self) -> ValueChecks:
        """What its task's metrics say of the values of a score."""
        return ValueChecks(self.task.metrics)


def local_values(kind: type[Parameters], values: Values) -> dict[str, Json]:
    """Those of the values that name something of a machine (`at_score(local=True)`) and are set."""
    return {
        name: values[name]
        for name in sorted(kind.local_names() & values.keys())
        if values[name] != kind.model_fields[name].default
    }


def load_task(catalogue: Catalogue, name: str) -> tuple[type[AnyTask], str]:
    """(task class, "distribution version") for a name or alias. Raises NotFound, PluginError."""
    entry, plugin = catalogue.find("task", name)
    found = catalogue.load("task", name)
    if not (isinstance(found, type) and issubclass(found, Task)):
        raise PluginError(f"task {name!r} is not a suite.Task", where=entry.target)
    if found.info.name != entry.name:
        raise PluginError.of("run.cells.name", entry=entry, plugin=plugin, found=found)
    if (own := source_of(found)) and found.info.headline not in (rows := row_names(found.metrics)):
        told = ", ".join(rows) or "none; give it metrics = (suite.Rate(…),)"
        raise PluginError.of("run.cells.headline", plugin=plugin, found=found, own=own, rows=told)
    return found, f"{plugin.distribution} {plugin.version}".strip()


def make_cell(task: AnyTask, plugin: str) -> Cell:
    """The cell of a task object."""
    parameters: Parameters = task.parameters
    solve = parameters.solve_values()
    identity: dict[str, Json] = {"task": task.info.name, "version": task.info.version, "parameters": solve}
    plan = CellPlan(
        cell=sha256_hex(canonical_json(identity))[:12], task=task.info.name, version=task.info.version,
        parameters=solve, score_parameters=parameters.score_values(), prompts=task.prompts.set,
        prompts_sha256=task.prompts.sha256(), plugin=plugin, file=source_file(type(task)),
    )  # fmt: skip
    return Cell(task, plan)


def source_file(task: type[AnyTask]) -> TaskSource | None:
    """The file that holds a task, as records name it; None for a task of a distribution."""
    if (found := source_of(task)) is None:
        return None
    place = "" if found.path.name == NOTEBOOK else Path(os.path.relpath(found.path)).as_posix()
    return TaskSource(found.path.name, found.sha256, task.__name__, place)


def expand(
    request: EvalRequest, catalogue: Catalogue, fits: Callable[[AnyTask], bool] = lambda _: True
) -> tuple[list[Cell], list[SkippedCell]]:
    """All cells of a request, in the order asked for, and what was left out.

    fits: whether the models can do what a cell needs; a preset that says so is changed for another if not.

    Raises NotFound (task, parameter, preset) or ConfigError (bad value, nothing left).
    """
    if not request.tasks:
        raise ConfigError("no task given", fix="name one with --task; `suite tasks list` shows them all")
    names = (task for name in request.tasks for task in catalogue.tasks(name))
    loaded = [load_task(catalogue, name) for name in dict.fromkeys(names)]
    _check_names(request, [task for task, _ in loaded])
    cells: dict[str, Cell] = {}
    skipped: list[SkippedCell] = []
    for task, plugin in loaded:
        for values in _combinations(request, task, fits):
            try:
                made = make_task(task, values)
            except SkipCell as skip:
                left_out = SkippedCell(task.info.name, values, skip.reason)
                skipped += [] if left_out in skipped else [left_out]
                continue
            cell = make_cell(made, plugin)
            cells.setdefault(cell.id, cell)
    if not cells:
        why = "; ".join(dict.fromkeys(one.reason for one in skipped))
        raise ConfigError("every combination of these parameters was left out", where=why)
    return list(cells.values()), skipped


def make_task(task: type[AnyTask], values: Values) -> AnyTask:
    """A task with its parameters. Raises ConfigError for a bad value, SkipCell."""
    kind = task.parameters_type()
    try:
        return task(kind.model_validate(dict(values)))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where, file = ".".join(map(str, first["loc"])), source_file(task)
        shown = f"{file.path}:{file.kind}" if file and file.path else task.info.name
        given, said = (f"{name}={value}" for name, value in values.items()), first["msg"]
        what = f"{task.info.name}: parameter {where or 'values'}: {said.removeprefix('Value error, ')}"
        fix = f"`suite tasks show {shown}` lists parameters with their ranges"
        raise ConfigError(what, ", ".join(given), fix) from error
    except (SuiteError, SkipCell):
        raise
    except Exception as error:  # a plugin's code: anything may come out
        raise failed(task, f"{task.info.name}: __init__", error) from error


def _check_names(request: EvalRequest, tasks: Sequence[type[AnyTask]]) -> None:
    """Each -P must have a task that knows it. Two tasks of one name would stand for each other."""
    by_name = {task.info.name: task.parameters_type().model_fields for task in tasks}
    for name, count in Counter(task.info.name for task in dict.fromkeys(tasks)).items():
        if count > 1:
            told = " and --task ".join(request.tasks)
            raise ConfigError.of("run.cells.same-name", name=name, tasks=told)
    for scope, name, _ in request.parameters:
        if scope and not any(_is_scope(scope, task) for task in by_name):
            raise unknown("chosen task", scope, by_name, where=f"-P {scope}:{name}=…")
        fields = [known for task, known in by_name.items() if not scope or _is_scope(scope, task)]
        if not any(name in known for known in fields):
            names = itertools.chain.from_iterable(fields)
            raise unknown("parameter", name, names, f"of {', '.join(by_name)}")
    if request.preset and not any(request.preset in task.info.presets for task in tasks):
        known = itertools.chain.from_iterable(task.info.presets for task in tasks)
        raise unknown("preset", request.preset, known, f"of {', '.join(by_name)}")


def _is_scope(scope: str, task: str) -> bool:
    return scope in (task, task.partition("/")[0])


def parameters_for(given: Iterable[tuple[str, str, Json]], task: type[AnyTask]) -> Iterable[tuple[str, Json]]:
    """(parameter, value as it was given) of each -P that is for a task and known to it."""
    fields = task.parameters_type().model_fields
    for scope, parameter, value in given:
        if parameter in fields and (not scope or _is_scope(scope, task.info.name)):
            yield parameter, value


def _combinations(
    request: EvalRequest, task: type[AnyTask], fits: Callable[[AnyTask], bool]
) -> Iterable[dict[str, Json]]:
    """Raw parameter values of each cell: preset cells crossed with what -P sweeps."""
    kind = task.parameters_type()
    given: dict[str, list[Json]] = {}
    for parameter, text in parameters_for(request.parameters, task):
        given.setdefault(parameter, []).extend(_values(task, parameter, text))
    preset = request.preset or ("mini" if request.mini and not given else "")
    bases: Sequence[Values] = task.info.presets.get(preset, [{}])
    if preset in task.info.instead and not all(fits(make_task(task, {**base})) for base in bases):
        bases = task.info.presets[task.info.instead[preset]]
    if request.preset and request.preset not in task.info.presets:
        raise unknown("preset", request.preset, task.info.presets, f"of {task.info.name}")
    if (many := len(bases) * math.prod(map(len, given.values()))) > MOST_CELLS:
        raise ConfigError.of("run.cells.many", many=many, task=task, MOST_CELLS=MOST_CELLS)
    for base in bases:
        for combination in itertools.product(*given.values()):
            yield kind.over(base, dict(zip(given, combination, strict=True)))


def _values(task: type[AnyTask], name: str, text: Json) -> list[Json]:
    """The values that one -P gives a parameter, or a list of them: where a value is a list, one of lists."""
    field = task.parameters_type().model_fields[name]
    annotation: Any = field.annotation  # whatever stands behind a parameter's colon
    whole: Any = Annotated[annotation, *field.metadata] if field.metadata else annotation
    adapter: TypeAdapter[Json] = TypeAdapter(whole)
    if isinstance(text, list):
        one_list = _is_list(annotation) and not (text and all(isinstance(one, list) for one in text))
        if not (text or one_list):
            raise ConfigError(f"parameter {name!r} has no value", fix="give at least one")
        return [_fitting(adapter, one, name) for one in ([text] if one_list else text)]
    text = str(text)
    if _is_list(annotation):
        texts: list[Json] = [text if text.lstrip().startswith("[") else text.split(",")]
        texts = [parse_value(one) if isinstance(one, str) else one for one in texts]
    else:
        texts = [*text.split(",")]
    return [_fitting(adapter, one, name) for one in texts]


def _fitting(adapter: TypeAdapter[Json], value: Json, name: str) -> Json:
    """The text as it is where the type takes it, else read as JSON; "none" is null."""
    readings = [value]
    if isinstance(value, str):
        readings.append(None if value.lower() in ("none", "null") else parse_value(value))
    messages = []
    for one in readings:
        try:
            adapter.validate_python(one)
            return one
        except ValidationError as error:
            messages.append(error.errors(include_url=False, include_input=False)[0]["msg"])
    raise ConfigError(f"parameter {name!r} cannot be {value!r}: {messages[0]}")


def _is_list(annotation: object) -> bool:
    arms = [annotation, *get_args(annotation)]
    lists = (list, tuple, set, frozenset, Sequence)
    return any(get_origin(one) in lists or one in lists for one in arms)


def by_task(cells: Iterable[Cell]) -> dict[str, list[Values]]:
    """Task -> the solve parameters of its cells."""
    found: dict[str, list[Values]] = {}
    for cell in cells:
        found.setdefault(cell.plan.task, []).append(cell.plan.parameters)
    return found


def swept(cells: Sequence[Cell]) -> dict[str, list[str]]:
    """Task -> names of the solve parameters that differ between its cells."""
    return {task: [*varying(some)] for task, some in by_task(cells).items()}
