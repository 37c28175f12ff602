"""What was run: command, tasks, parameters, models, data, date, calls. Every result starts with it.

Derived once, from manifests, results and recorded commands; every form of a result reads this. For a run that
recorded no command stands an equivalent one, and is called so.
"""

import shlex
from collections.abc import Mapping, Sequence

import msgspec

from suite.chat import Json, text_of
from suite.data.view import entry_told
from suite.errors import SuiteError, listed
from suite.journal.commands import scoring_command, solving_command
from suite.journal.documents import CallTotals, RoleMember
from suite.journal.run import Run
from suite.journal.shapes import Values
from suite.models.prices import Cost, costs, shown_costs
from suite.parameters import SkipCell
from suite.plugins import catalogue
from suite.report.numbers import number, percent, plain
from suite.report.remarks import parameters_of
from suite.report.text_templates import Macros
from suite.run.cells import load_task
from suite.run.ledger import untold_tokens
from suite.run.recorded_files import with_recorded
from suite.run.role_members import flag_of

MOST_VALUES = 8  # of a swept parameter on one line


class TaskFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A task: parameter -> its values over the cells. changed: those that differ from the default; None where
    this version of the task is not installed, so that its defaults are not known. file: that holds it, with
    the beginning of its hash; "" for a task of a distribution. shots: what its cells tell of theirs."""

    name: str
    version: int
    cells: int
    changed: Mapping[str, Sequence[Json]] | None
    parameters: Mapping[str, Sequence[Json]]
    file: str = ""
    shots: Sequence[str] = ()

    @property
    def shown(self) -> Mapping[str, Sequence[Json]]:
        """The parameters that a reader must see."""
        return self.parameters if self.changed is None else self.changed


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was run. recorded: whether `command` is what was typed, not an equivalent. settings: flags from
    suite.toml or the environment. scored_by: the command of the scoring, "" if it is the same. data: identity
    by dataset, without single files. calls: by member; seconds: of wall time; both empty without results."""

    command: str
    recorded: bool
    settings: str
    scored_by: str
    suite: str
    tasks: Sequence[TaskFacts]
    models: Sequence[RoleMember]
    data: Mapping[str, Values]
    mini: bool
    prompts: str
    seed: int
    trials: int
    limit: int | None
    level: float
    date: str
    seconds: float | None
    calls: Mapping[str, CallTotals]
    cost: Mapping[str, Cost]


def run_facts(run: Run) -> RunFacts:
    """What was run. Raises RunError if the files do not have their form."""
    manifest = run.manifest
    tasks = [_task(run, name) for name in dict.fromkeys(cell.task for cell in manifest.cells)]
    began, scored = solving_command(run.folder), scoring_command(run.folder, run.scoring)
    return RunFacts(
        command=began.command or equivalent_command(run, tasks), recorded=bool(began.command),
        settings=began.settings, scored_by=scored.command if scored and not scored.solves else "",
        suite=manifest.suite, tasks=tasks,
        models=[one for members in run.roles.values() for one in members],
        data={name: _identity(name, one) for name, one in manifest.data.items()}, mini=manifest.mini,
        prompts=next((one.prompts for one in run.scoring_manifest.cells), manifest.prompts),
        seed=manifest.seed, trials=manifest.trials, limit=manifest.limit, level=run.results.level,
        date=manifest.created, seconds=run.results.seconds if run.has_results else None,
        calls=run.results.calls, cost=costs(run.roles, run.results.calls, untold_tokens(run)),
    )  # fmt: skip


def _task(run: Run, name: str) -> TaskFacts:
    cells = [cell for cell in run.manifest.cells if cell.task == name]
    rows = [parameters_of(cell, run.scored_cells.get(cell.cell)) for cell in cells]
    values: dict[str, list[Json]] = {}
    for key in dict.fromkeys(key for row in rows for key in row):
        values[key] = list({repr(row[key]): row[key] for row in rows if key in row}.values())
    defaults = _defaults(run, name, cells[0].version)
    changed = None
    if defaults is not None:
        changed = {key: each for key, each in values.items() if each != [defaults.get(key)]}
    return TaskFacts(
        name=name, version=cells[0].version, cells=len(cells), changed=changed, parameters=values,
        file="" if cells[0].file is None else cells[0].plugin,
        shots=[*dict.fromkeys(one.facts["shots"] for one in cells if "shots" in one.facts)],
    )  # fmt: skip


def _defaults(run: Run, name: str, version: int) -> dict[str, Json] | None:
    """The default parameters of a task; None where this version is not installed."""
    try:
        task = load_task(with_recorded(catalogue(), [run]), name)[0]
        usual = task.parameters_type()()
    except (SuiteError, SkipCell, ValueError):
        return None
    return usual.model_dump(mode="json") if task.info.version == version else None


def _identity(name: str, one: Values) -> Values:
    """A dataset without its single files; the file of a given one is named."""
    files = one.get("files")
    given = dict(files) if isinstance(files, dict) and not one.get("entry") else {}
    named = {"entry": ", ".join(given) or one.get("run") or name, "sha256": next(iter(given.values()), None)}
    found = {**named, **{key: value for key, value in one.items() if key != "files"}}
    return {**found, "entry": entry_told(one) or named["entry"]}


def equivalent_command(run: Run, tasks: Sequence[TaskFacts]) -> str:
    """A command that asks for the same, from the manifests: of a run that recorded none."""
    manifest = run.manifest
    if origin := manifest.imported_from:
        return shlex.join(["suite", "runs", "import", "PATH", "--from", origin.importer, "-O", run.name])
    words = ["suite", "eval"]
    files = {one.task: f"{one.file.path}:{one.file.kind}" for one in manifest.cells if one.file is not None}
    for task in tasks:
        words += ["--task", files.get(task.name, task.name)]
        scope = f"{task.name}:" if len(tasks) > 1 else ""
        for name, values in task.shown.items():
            lists = any(isinstance(one, list) for one in values)
            texts = [text_of(one) for one in values]
            for text in texts if lists else [",".join(texts)]:
                words += ["-P", f"{scope}{name}={text}"]
    words += ["--mini"] if manifest.mini else []
    for flag, value, usual in (
        ("--limit", manifest.limit, None),
        ("--trials", manifest.trials, 1),
        ("--seed", manifest.seed, 0),
        ("--prompts", manifest.prompts, "own"),
        ("--level", run.results.level, 0.95),
    ):
        words += [flag, str(value)] if value != usual else []
    for name, one in manifest.data.items():
        entry = str(_identity(name, one)["entry"])
        if not one.get("entry") or entry not in (name, f"{name}-mini"):  # another entry, too, can be given
            words += ["--data", f"{name}={entry}"]
    for role, members in run.roles.items():
        for member in members:
            words += flag_of(role, member.spec)
            prefix = "" if member.member == "candidate" else f"{member.member}."
            for key, told in member.sampling.items():
                words += ["-o", f"{prefix}{key}={text_of(told)}"]
    return shlex.join(words)


def fact_lines(facts: RunFacts) -> list[tuple[str, str]]:
    """(label, text) of everything but the parameters at their defaults."""
    return _TEXTS.said("facts", facts)


def values(every: Sequence[Json]) -> str:
    """The values of a parameter on one line."""
    return listed([plain(one) for one in every], MOST_VALUES, " | ")


_TEXTS = Macros("report/templates/facts.j2", number, percent, plain, shown_costs, values)


def parameter_rows(facts: RunFacts) -> list[tuple[str, str, str]]:
    """(task, parameter, values) of all parameters; those that are not at their default are marked."""
    return [
        (task.name, f"{name} *" if name in (task.changed or ()) else name, values(every))
        for task in facts.tasks
        for name, every in task.parameters.items()
    ]
