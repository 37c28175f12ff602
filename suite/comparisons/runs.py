"""The runs of a comparison: each with one scoring and a short label; their values in one table per task."""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from suite.errors import ConfigError
from suite.journal.run import Run, open_run
from suite.plugins import Catalogue
from suite.run.cells import AnyTask, load_task
from suite.run.recorded_files import with_recorded
from suite.scoring.table import ScoreTable, TableBuilder, Wanted


class LabelledRun(NamedTuple):
    """label: what to call the run, its candidate if that is not another's too. number: its place, from 0."""

    label: str
    run: Run
    number: int

    def cell(self, cell: str) -> str:
        """What a cell of this run is called in the tables."""
        return f"{self.number}/{cell}"


def open_runs(places: Sequence[str]) -> list[LabelledRun]:
    """Scored runs with labels that tell them apart; places and errors are those of `scored_runs`."""
    found = scored_runs(places)
    return [LabelledRun(*one) for one in zip(_labels(found), found, itertools.count())]


def scored_runs(places: Sequence[str]) -> list[Run]:
    """Scored runs; a place is what `find_run` takes.

    Raises NotFound for no such run, RunError for a folder that holds none or was not scored, ConfigError for
    one run given twice.
    """
    found = [open_run(place) for place in places]
    for run in found:
        run.need_scoring()
    where = [(run.folder.resolve(), run.scoring) for run in found]
    for index, one in enumerate(where):
        if one in where[:index]:
            raise ConfigError(f"run {found[index].name} is given twice", fix="name each run once")
    return found


def _labels(runs: Sequence[Run]) -> list[str]:
    """The candidates where they tell all runs apart, else the folders: with as many of those that hold them
    as it takes, and the scoring where two are of one folder.
    """
    candidates = [run.candidate.spec if run.candidate else "" for run in runs]
    if all(candidates) and len(set(candidates)) == len(runs):
        return candidates
    folders = [run.folder.absolute().parts for run in runs]
    depth = next(n for n in itertools.count(1) if len({one[-n:] for one in folders}) == len(set(folders)))
    names = ["/".join(one[-depth:]) for one in folders]
    scored = [f"{name}@{run.scoring}" for name, run in zip(names, runs, strict=True)]
    return names if len(set(names)) == len(names) else scored


def load_tasks(runs: Sequence[LabelledRun], plugins: Catalogue) -> dict[str, type[AnyTask]]:
    """The task classes of the runs by name, for their metrics. Raises NotFound or PluginError."""
    names = dict.fromkeys(cell.task for one in runs for cell in one.run.manifest.cells)
    known = with_recorded(plugins, [one.run for one in runs])
    return {name: load_task(known, name)[0] for name in names}


def load_tables(
    runs: Sequence[LabelledRun], values: Mapping[str, Wanted], cells: frozenset[str]
) -> dict[str, ScoreTable]:
    """One table per task over all runs, its cells named by `LabelledRun.cell`.

    values: task -> what its table keeps. cells: those names to keep.
    """
    builders = {task: TableBuilder(wanted) for task, wanted in values.items()}
    for one in runs:
        task_of = {one.cell(cell.cell): cell.task for cell in one.run.manifest.cells}
        for output, score in one.run.pairs():
            name = one.cell(output.cell)
            if score is not None and name in cells:
                output.cell = score.cell = name
                builders[task_of[name]].add(output, score)
    return {task: builder.build() for task, builder in builders.items()}
