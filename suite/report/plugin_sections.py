"""What plugins add to a report: sections of analyses, and tasks' own views of samples.

Third-party code runs here: whatever it raises becomes a sentence in the report and harms nothing else.
"""

from collections.abc import Iterator, Sequence

import msgspec

from suite.blocks import Block, Section, Text
from suite.errors import PluginError, SuiteError
from suite.journal.pairs import Key
from suite.journal.run import Run
from suite.plugins import Catalogue, catalogue
from suite.report.sample_choice import Picked
from suite.run.cells import AnySample, AnyTask
from suite.run.recorded_files import recorded_data
from suite.run.reopen import plan_again, tasks_of
from suite.task import Output, Score


def own_views(run: Run, picked: Sequence[Picked]) -> tuple[dict[Key, Sequence[Block]], str]:
    """Blocks by sample, and why there are none ("" if there are)."""
    try:
        if missing := missing_data(run):
            return {}, missing
        plan = plan_again(run)
        wanted: dict[tuple[str, str], list[Picked]] = {}
        for one in picked:
            wanted.setdefault((one.key.cell, one.key.sample), []).append(one)
        found: dict[Key, Sequence[Block]] = {}
        for group in plan.groups():
            for item in group.items:
                cell = plan.cells[item.cell]
                for one in wanted.pop((cell.id, item.sample.id), ()):
                    found[one.key] = _blocks(run, cell.task, item.sample, one)
            if not wanted:
                break
    except SuiteError as error:
        return {}, error.what
    except Exception as error:  # a task's reading of its data is third-party code
        return {}, f"{type(error).__name__}: {error}"
    return found, ""


def missing_data(run: Run) -> str:
    """Why the run's data is not at hand, "" if it is. A report fetches nothing."""
    from suite.data.cache import Cache
    from suite.data.declared_rows import hub_entry
    from suite.data.pull import ready
    from suite.data.registry import Registry

    registry, cache = Registry(catalogue().registry_folders()), Cache()
    tasks = tasks_of(run)
    for cell in run.manifest.cells:
        if cell.file is not None and cell.cell not in tasks:
            return f"{cell.file.name} is not here as it was"
    given = recorded_data(run)
    own = {  # as a plan calls them: with the task's name where two tasks call other data so
        key: one
        for task in tasks.values()
        for name, one in task.info.rows.items()
        for key in (name, f"{task.info.name}:{name}")
    }
    for name, identity in run.manifest.data.items():
        entry, rows = identity.get("entry"), own.get(name)
        if isinstance(rows, str) or name in given:
            continue  # beside the task, or where --data found it
        if not entry:
            return f"the run was given its data for {name} with --data"
        if ready(registry.dataset(str(entry)) if rows is None else hub_entry(rows), cache) is None:
            return f"the data set {entry} is not on this machine; `suite data pull {entry}` brings it"
    return ""


def _blocks(run: Run, task: AnyTask, sample: AnySample, one: Picked) -> Sequence[Block]:
    kept = one.output.output
    try:
        output = Output(run.text(one.output), kept.data, kept.finish)
        score = None if one.score is None else Score(one.score.values, one.score.parts)
        return tuple(task.show(msgspec.structs.replace(sample, trial=one.output.trial), output, score))
    except Exception as error:  # third-party code: anything may come out
        return (Text(f"The task's own view failed: {type(error).__name__}: {error}"),)


def plugin_sections(run: Run, plugins: Catalogue | None = None) -> list[Section]:
    """Sections of every analysis that applies to a task of this run; none before it is scored."""
    if not run.has_results:
        return []
    found = plugins or catalogue()
    tasks = {cell.task for cell in run.manifest.cells}
    # an analysis that cannot be loaded concerns only runs with tasks of its own plugin
    own = {plugin.name for entry, plugin in found.entries("task") if entry.name in tasks}
    return [
        section
        for entry, plugin in found.entries("analysis")
        for section in _sections(run, found, entry.name, tasks, plugin.name in own)
    ]


def _sections(run: Run, plugins: Catalogue, name: str, tasks: set[str], concerned: bool) -> Iterator[Section]:
    try:
        analysis = plugins.load("analysis", name)
    except PluginError as error:
        if concerned:
            yield Section(name, (Text(str(error)),))
        return
    wanted: str | Sequence[str] = getattr(analysis, "tasks", ())
    wanted = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    if any(wanted) and not tasks.intersection(wanted):
        return
    try:
        yield from tuple(analysis([run]))
    except Exception as error:  # third-party code: anything may come out
        what = Text(f"The analysis {name!r} failed: {type(error).__name__}: {error}")
        yield Section(getattr(analysis, "title", "") or name, (what,))
