"""A finished run opened again: its cells, tasks and data, to score it anew, to show it or to verify it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from pydantic import ValidationError

from suite.chat import Json
from suite.data.declared_rows import hub_entry
from suite.data.view import entry_told
from suite.errors import ConfigError, NotFound, PluginError, RunError, SuiteError, unknown
from suite.journal.documents import RunManifest
from suite.journal.records import CellPlan
from suite.journal.run import Run
from suite.journal.shapes import Values
from suite.parameters import SkipCell
from suite.plugins import Catalogue, catalogue
from suite.run.cells import AnyTask, Cell, load_task, local_values, make_cell, parameters_for
from suite.run.code import source_sha256
from suite.run.imported import imported_samples
from suite.run.plan import Plan, make_plan, sharded
from suite.run.recorded_files import missing_file, recorded_data, with_recorded
from suite.run.request import EvalRequest
from suite.run.run_folder import differing
from suite.task import HubRows


class Refusal(NamedTuple):
    """Why a recorded cell cannot be made again.

    why: its task is not installed, or in another version; a parameter names something of the machine that
    made the run; the task does not take the parameters, or gives the cell another identity. error: in words,
    for who cannot do without the cell. here, there: what is installed or allowed, and what is recorded.
    """

    why: Literal["task", "version", "local", "parameters", "identity"]
    error: SuiteError
    here: object = None
    there: object = None


def cell_again(
    plugins: Catalogue,
    record: CellPlan,
    score_parameters: Values,
    *,
    changed: Values | None = None,
    scoring: bool = False,
) -> Cell | Refusal:
    """The cell of a record, made anew. changed: at-score parameters that somebody gives now. scoring: whether
    it will be scored.

    What names a program or file of the machine that made the run is never taken from its record, since the
    run may be a stranger's: it is left out, and refused where scores rest on it.
    """
    try:
        task, plugin = load_task(plugins, record.task)
    except (NotFound, PluginError) as error:
        return Refusal("task", error, there=record.plugin)
    if record.file is not None and source_sha256(task) != record.file.sha256:
        return Refusal("task", missing_file(record.task, record.file), there=record.plugin)
    name = task.info.name
    if (here := task.info.version) != record.version:
        other = RunError.of("run.reopen.version", record=record, name=name, here=here)
        return Refusal("version", other, here, record.version)
    kind = task.parameters_type()
    values = {**record.parameters, **score_parameters, **(changed or {})}
    local = local_values(kind, {key: one for key, one in values.items() if key not in (changed or {})})
    if scoring and local:
        parameter, value = next(iter(local.items()))
        refused = ConfigError.of("run.reopen.local", name=name, parameter=parameter, value=value)
        return Refusal("local", refused, there=local)
    values = {key: value for key, value in values.items() if key not in local}
    try:
        cell = make_cell(task(kind.model_validate(values)), plugin)
    except (ValidationError, SuiteError, SkipCell, TypeError, ValueError) as error:
        invalid = RunError(f"{name} does not take these parameters: {error}")
        return Refusal("parameters", invalid, there=str(error))
    if cell.id != record.cell:
        what = f"{name} gives another identity to the cell {record.cell} than it did"
        return Refusal("identity", RunError(what, fix=f"install {record.plugin}"), cell.id, record.cell)
    return cell


def tasks_of(run: Run) -> dict[str, AnyTask]:
    """Cell -> its task, to be asked what results do not record, such as kind and range of each row. A cell
    whose task is not installed in its version is left out: nothing is guessed."""
    plugins = with_recorded(catalogue(), [run])
    found: dict[str, AnyTask] = {}
    for record in run.manifest.cells:
        at_score = run.scored_cells.get(record.cell, record).score_parameters
        cell = cell_again(plugins, record, at_score)
        if not isinstance(cell, Refusal):
            found[record.cell] = cell.task
    return found


def cells_of(
    run: Run,
    plugins: Catalogue,
    parameters: Sequence[tuple[str, str, Json]] = (),
    *,
    scoring: bool = False,
) -> list[Cell]:
    """The cells of a run, made anew. parameters: -P that change at-score parameters. scoring: whether they
    will be scored.

    Raises NotFound or PluginError for a task that is not installed, RunError for another version of it,
    ConfigError for a value of the machine that made the run and that nobody gave for this scoring.
    """
    found: list[Cell] = []
    changed: set[str] = set()
    for record in run.manifest.cells:
        given: dict[str, Json] = {}
        if parameters:
            task, _ = load_task(plugins, record.task)
            given = dict(parameters_for(parameters, task))
            if solves := [one for one in given if one not in task.parameters_type().at_score_names()]:
                raise ConfigError.of("run.reopen.solves", parameter=solves[0], task=task)
        changed |= given.keys()
        cell = cell_again(plugins, record, record.score_parameters, changed=given, scoring=scoring)
        if isinstance(cell, Refusal):
            error = cell.error
            raise type(error)(error.what, error.where or str(run.folder), error.fix)
        found.append(cell)
    for _, parameter, _ in parameters:
        if parameter not in changed:
            known = {one for cell in found for one in type(cell.task).parameters_type().at_score_names()}
            raise unknown("at-score parameter", parameter, known)
    return found


def request_again(manifest: RunManifest, cells: Sequence[Cell], asked: EvalRequest) -> EvalRequest:
    """What a run was asked for, of cells made anew. asked: what is of now: models, options, --data."""
    return replace(
        asked, tasks=tuple(dict.fromkeys(cell.plan.task for cell in cells)), parameters=(),
        mini=manifest.mini, limit=manifest.limit, trials=manifest.trials, seed=manifest.seed,
        prompts=manifest.prompts,
    )  # fmt: skip


def _entries_given(manifest: RunManifest, cells: Sequence[Cell]) -> dict[str, str]:
    """Dataset -> the entry that --data put in its place."""
    usual = {name: {name} for name in manifest.data}
    for name, entry in (pair for cell in cells for pair in cell.task.info.mini.items()):
        usual.setdefault(name, set()).add(entry)
    for name, rows in (pair for cell in cells for pair in cell.task.info.rows.items()):
        if isinstance(rows, HubRows):
            usual.setdefault(name, set()).add(hub_entry(rows).id)
    entries = {name: entry_told(one) for name, one in manifest.data.items() if one.get("entry")}
    return {name: entry for name, entry in entries.items() if ":" not in name and entry not in usual[name]}


def plan_again(
    run: Run, request: EvalRequest | None = None, stages: Sequence[str] = ("show",), check: bool = True
) -> Plan:
    """The plan of a run, made again from its manifest. request: models, options, -P and --data of now, and as
    tasks the files of those that come from one. check: as in `make_plan`.

    Raises SuiteError if its tasks or its data are not to be had, or are not what they were.
    """
    manifest = run.manifest
    asked = request or EvalRequest(())
    plugins = with_recorded(catalogue(), [run], asked.tasks)
    cells = cells_of(run, plugins, asked.parameters, scoring="score" in stages)
    whole = request_again(manifest, cells, asked)
    whole = replace(whole, data={**_entries_given(manifest, cells), **recorded_data(run), **whole.data})
    given_before = [name for name, one in manifest.data.items() if one.get("source") in ("file", "run")]
    beside = {name for cell in cells for name in cell.task.info.rows}
    for name in given_before:
        if ":" not in name and name not in beside and name not in whole.data:
            raise RunError.of("run.reopen.given", run=run, name=name)
    if request is not None:
        whole = replace(whole, prompts=asked.prompts)
    given = imported_samples(run, cells) if manifest.imported and not manifest.data else None
    plan = make_plan(whole, stages=stages, plugins=plugins, cells=cells, given=given, check=check)
    if manifest.shard:
        plan = sharded(plan, manifest.shard)
    was = {name: _bytes_of(one) for name, one in manifest.data.items() if name in plan.data_identity}
    if fields := differing(was, {name: _bytes_of(plan.data_identity[name]) for name in was}):
        rows = "bring the same rows back, or give the same --data again"
        what = f"the data is not what {run.folder.name} was made with: {', '.join(fields)}"
        raise RunError(what, fix=rows if given_before else "pull the same revision")
    return plan


def _bytes_of(identity: Values) -> dict[str, Json]:
    """What a dataset was, under whatever licence."""
    return {key: one for key, one in identity.items() if key != "licence"}
