"""A finished run opened again: its tasks and data, to score it anew or to show its samples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from suite.errors import ConfigError, PluginError, RunError, unknown
from suite.journal.reading import RunReader
from suite.parameters import Parameters
from suite.plugins import Catalogue, catalogue
from suite.run.cells import AnyTask, Cell, load_task, local_values, make_cell
from suite.run.folders import differing
from suite.run.imported import imported_samples
from suite.run.plan import Plan, make_plan
from suite.run.request import EvalRequest
from suite.task import Sample


@dataclass(frozen=True)
class Reopened:
    """The tasks of a run by cell, and their samples."""

    plan: Plan

    @property
    def tasks(self) -> dict[str, AnyTask]:
        """Cell -> its task object."""
        return {cell.id: cell.task for cell in self.plan.cells}

    def samples(self, cell: str) -> Iterator[Sample[Any]]:
        """The samples that the run took of a cell, in order, lazily."""
        for group in self.plan.groups():
            for item in group.items:
                if self.plan.cells[item.cell].id == cell:
                    yield item.sample


def cells_of(
    run: RunReader,
    plugins: Catalogue,
    parameters: Sequence[tuple[str, str, str]] = (),
    *,
    scoring: bool = False,
) -> list[Cell]:
    """The cells of a run, made anew. parameters: -P that change at-score parameters. scoring: whether they
    will be scored. What names a program or file of the machine that made the run is never taken from its
    record, since the run may be a stranger's.

    Raises NotFound or PluginError for a task that is not installed, RunError for another version of it,
    ConfigError for such a value that nobody gave for this scoring.
    """
    found: list[Cell] = []
    changed: set[str] = set()
    for record in run.manifest["cells"]:
        task, name, plugin = load_task(plugins, record["task"])
        if task.info.version != record["version"]:
            raise RunError(
                f"{run.folder.name} was made with version {record['version']} of {name}, "
                f"installed is version {task.info.version}",
                fix=f"install {record['plugin']}",
            )
        kind: type[Parameters] = task.parameters_type()
        values = {**record["parameters"], **record["score_parameters"]}
        elsewhere = local_values(kind, values)
        values = {key: value for key, value in values.items() if key not in elsewhere}
        for scope, parameter, text in parameters:
            if scope not in ("", name, name.partition("/")[0]) or parameter not in kind.model_fields:
                continue
            if parameter not in kind.at_score_names():
                raise ConfigError(
                    f"parameter {parameter!r} of {name} changes what is asked, not how it is scored",
                    fix="start another run with `suite eval`",
                )
            values[parameter] = text
            elsewhere.pop(parameter, None)
            changed.add(parameter)
        if scoring and elsewhere:
            parameter, value = next(iter(elsewhere.items()))
            raise ConfigError(
                f"{name} was scored with {parameter} = {value!r}, which is of the machine that made the run",
                where=str(run.folder),
                fix=f"give -P {parameter}=… for this machine; -P {parameter}= for the usual one",
            )
        cell = make_cell(task(kind.model_validate(values)), plugin)
        if cell.id != record["cell"]:
            raise RunError(
                f"{name} gives another identity to the cell {record['cell']} than it did",
                fix=f"install {record['plugin']}",
            )
        found.append(cell)
    for _, parameter, _ in parameters:
        if parameter not in changed:
            known = {one for cell in found for one in type(cell.task).parameters_type().at_score_names()}
            raise unknown("at-score parameter", parameter, known)
    return found


def plan_again(run: RunReader, request: EvalRequest | None = None, stages: Sequence[str] = ("show",)) -> Plan:
    """The plan of a run, made again from its manifest. request: models, options, -P and --data of now.

    Raises SuiteError if its tasks or its data are not to be had, or are not what they were.
    """
    manifest = run.manifest
    plugins = catalogue()
    asked = request or EvalRequest(())
    cells = cells_of(run, plugins, asked.parameters, scoring="score" in stages)
    whole = replace(
        asked,
        tasks=tuple(dict.fromkeys(cell.plan.task for cell in cells)),
        parameters=(),
        mini=manifest["mini"],
        limit=manifest["limit"],
        trials=manifest["trials"],
        seed=manifest["seed"],
        prompts=asked.prompts if request else manifest["prompts"],
    )
    brought = manifest.get("imported") and not manifest.get("data")
    given = imported_samples(run, cells) if brought else None
    plan = make_plan(whole, stages=stages, plugins=plugins, cells=cells, given=given)
    if shard := manifest.get("shard"):
        plan = replace(plan, shard=tuple(shard))
    was = {name: one for name, one in manifest["data"].items() if name in plan.data_identity}
    now = {name: dict(plan.data_identity[name]) for name in was}
    if fields := differing(was, now):
        raise RunError(
            f"the data is not what {run.folder.name} was made with: {', '.join(fields)}",
            fix="pull the same revision, or give the same --data",
        )
    return plan


def reopen(run: RunReader) -> Reopened:
    """The tasks and samples of a run. Raises SuiteError if they are not to be had."""
    try:
        return Reopened(plan_again(run))
    except KeyError as error:
        raise PluginError(f"the manifest of {run.folder.name} lacks {error}") from error
