"""Which samples people label: drawn at random within strata, and the same whenever they are drawn again.

A stratum is a cell of a run with what the judge said there, or that it said nothing; `shared_out` has the
rule. The page tells none of it: a labels file names the seed, and who has the runs draws again.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from suite.comparisons.runs import LabelledRun, load_tasks
from suite.errors import ConfigError, RunError, unknown
from suite.journal.pairs import Key
from suite.journal.shapes import Count
from suite.plugins import Catalogue, catalogue
from suite.scoring.measures import Measure
from suite.scoring.metrics.declared import measures_of
from suite.scoring.stats.clusters import Codes, clusters_of
from suite.scoring.stats.estimate import Pair
from suite.scoring.stats.stratified import shared_out
from suite.task import AnyTask, Unscored

LabelKind = Literal["flag", "pair", "grade"]


class LabelsWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """task, value: "" the one with a judge, its headline. n: samples. twice: each pair in both orders."""

    task: str = ""
    value: str = ""
    n: Count = 60
    seed: int = 0
    twice: bool = False


class LabelUnit(NamedTuple):
    """A sample of a run that can be labelled. judge: None where unscored. group: of a macro average."""

    run: int
    key: Key
    judge: float | None
    cluster: str
    group: str


class LabelItem(NamedTuple):
    """A place on the page. unit: in `LabelDraw.units`. swapped: the second answer is shown first."""

    id: str
    unit: int
    swapped: bool


@dataclass(frozen=True)
class LabelDraw:
    """strata: of each unit. drawn: how many of each stratum. items: as on the page. page: its id."""

    wanted: LabelsWanted
    runs: Sequence[LabelledRun]
    task: type[AnyTask]
    measure: Measure
    kind: LabelKind
    limits: Pair
    units: Sequence[LabelUnit]
    strata: Codes
    drawn: Sequence[int]
    items: Sequence[LabelItem] = ()
    page: str = ""


def run_id(one: LabelledRun) -> tuple[str, str]:
    """A run, without its model's name, and its scoring."""
    told = f"{one.run.name}\0{one.run.manifest.plan_sha256}"
    return hashlib.sha256(told.encode()).hexdigest()[:12], one.run.scoring


def draw(runs: Sequence[LabelledRun], wanted: LabelsWanted, plugins: Catalogue | None = None) -> LabelDraw:
    """Draw the samples to label from runs of one task.

    Raises ConfigError for what cannot be labelled, RunError for a run that is not wholly scored.
    """
    task = _task(runs, wanted.task, plugins or catalogue())
    name, rows = wanted.value or task.info.headline, measures_of(task.metrics)
    measure = next((one for one in rows if name in (one.name, one.value)), None)
    if measure is None and name != task.info.headline:
        raise unknown("value", name, [one.name for one in rows if one.value])
    if measure is None or not measure.value or measure.trials or measure.ends[1] - measure.ends[0] > 1e9:
        labelled = ", ".join(one.name for one in rows if one.value and one.range)
        what = f"{name} cannot be labelled: it is no mean over samples of a value whose scale has ends"
        raise ConfigError(what, fix=f"label another one with --value NAME: {labelled}")
    kind: LabelKind = "pair" if measure.kind == "win_rate" else "flag" if measure.binary else "grade"
    units = _units(runs, task.info.name, measure)
    names = [f"{one.run} {one.key.cell} {_verdict(one.judge, kind, measure.ends)}" for one in units]
    strata = clusters_of(names, len(names)).codes
    drawn = shared_out(np.bincount(strata).tolist(), wanted.n)
    if sum(drawn) > wanted.n:
        what = f"{wanted.n} labels are too few: {len(drawn)} strata (cells by verdicts) need two each"
        raise ConfigError(what, fix=f"--n {sum(drawn)}, or fewer runs")
    found = LabelDraw(wanted, runs, task, measure, kind, measure.ends, units, strata, drawn)
    state = (task.info.name, measure.name, *map(run_id, runs), wanted.n, wanted.seed, wanted.twice, units)
    page = hashlib.sha256(repr(state).encode()).hexdigest()[:16]
    return replace(found, page=page, items=_items(found, page))


def _task(runs: Sequence[LabelledRun], wanted: str, plugins: Catalogue) -> type[AnyTask]:
    """The task whose judge is checked."""
    classes = load_tasks(runs, plugins)
    roles = {name: one.info.roles.items() for name, one in classes.items()}
    judged = [
        name for name, all_ in roles.items() if any(r == "judge" or one.stage == "score" for r, one in all_)
    ]
    if not judged or (wanted and wanted not in judged):
        raise ConfigError(f"no judge scores {wanted or ', '.join(classes)}: there is no verdict to check")
    if len(judged) > 1 and not wanted:
        raise ConfigError("several tasks have a judge", ", ".join(judged), "name one: --task NAME")
    return classes[wanted or judged[0]]


def _units(runs: Sequence[LabelledRun], task: str, measure: Measure) -> list[LabelUnit]:
    found = []
    for _, run, place in runs:
        cells = {cell.cell for cell in run.manifest.cells if cell.task == task}
        if not cells:
            raise ConfigError(f"{run.name} has no cell of {task}", fix="give runs of one task")
        for output, score in run.pairs():
            if output.cell not in cells or not measure.takes(output.tags):
                continue
            if score is None:
                raise RunError(f"{run.name} is not wholly scored", fix="complete it by the same command")
            value = score.values.get(measure.value)
            if isinstance(value, str):
                raise ConfigError(f"{measure.name} cannot be labelled: it is a word, {value[:40]!r}")
            said = None if isinstance(value, Unscored | None) else float(value)
            group = output.tags.get(measure.macro, "") if measure.macro else ""
            if value is not None:
                found.append(LabelUnit(place, Key.of(score), said, output.cluster, group))
    if all(one.judge is None for one in found):
        raise ConfigError(f"there is no verdict of {measure.name} to check")
    return sorted(found, key=lambda one: (one.run, one.key))


def _verdict(value: float | None, kind: str, limits: Pair) -> int:
    """What the judge said, as one of a few: nothing, a side, a third of the scale."""
    if value is None:
        return -2
    share = (value - limits[0]) / (limits[1] - limits[0])
    return min(int(3 * share), 2) if kind == "grade" else (share > 0.5) - (share < 0.5)


def _items(found: LabelDraw, page: str) -> list[LabelItem]:
    """The page in a random order; half of each stratum's pairs swapped, or all pairs and then all again."""
    chance, pairs, once = random.Random(page), found.kind == "pair", []
    for stratum, count in enumerate(found.drawn):
        chosen = chance.sample(np.flatnonzero(found.strata == stratum).tolist(), count)
        start = chance.randrange(2)
        once += [(unit, pairs and (i + start) % 2 == 1) for i, unit in enumerate(chosen)]
    again = [(unit, not swapped) for unit, swapped in once if pairs and found.wanted.twice]
    places = [*chance.sample(once, len(once)), *chance.sample(again, len(again))]
    ids = (repr((page, found.units[unit].run, found.units[unit].key, swapped)) for unit, swapped in places)
    hashes = (hashlib.sha256(one.encode()).hexdigest()[:12] for one in ids)
    return [LabelItem(one, *place) for one, place in zip(hashes, places, strict=True)]
