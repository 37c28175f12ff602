"""What asking the model and asking the judge again (R11) share: the draw, two live passes, the verdict.

Two live passes over the same samples: how often a model agrees with itself is the yardstick for how often it
agrees with the record, since engines do not repeat themselves bit for bit. The paired difference of the
headline is a second look.
"""

import asyncio
import hashlib
import heapq
import json
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from pathlib import Path

import numpy as np

from suite.board.entry.verification import RerunLabel, RerunResult
from suite.board.verify.column_results import table_of
from suite.board.verify.equality import same
from suite.board.verify.subject import Half, VerifiedRun
from suite.chat import Json
from suite.comparisons.differences import side
from suite.journal.pairs import RecordT, pairs
from suite.journal.records import OutputRecord, ScoreRecord
from suite.journal.run import Run
from suite.models.spec import SAMPLING
from suite.run.order import Group
from suite.run.outcome import RunSettings
from suite.run.plan import Plan
from suite.run.session import run_plan
from suite.scoring.metrics.declared import measures_of
from suite.scoring.stats.intervals import t_interval

ALPHA = 0.01  # of either test
LEAST = 10  # samples below which nothing is concluded
Picked = Mapping[tuple[str, str], int]  # (cell, sample) -> the recorded trial to compare with
Said = Mapping[tuple[str, str], Json]  # cell and sample -> what was said of it


@dataclass(frozen=True)
class Rerun:
    """What to ask again. samples: how many, over all runs. models, options: as --model, --judge, -o.
    seed: text that the submitter could not know (a commit, a throw of dice); it chooses the samples.
    judged: about how many samples the judge alone is asked again. 0 of either is none.
    """

    samples: int
    models: Mapping[str, Sequence[str]]
    options: Sequence[tuple[str, str, str]] = ()
    seed: str = ""
    judged: int = 0


@dataclass
class Rerunning:
    """How it went so far, over all runs."""

    samples: int = 0
    same: int = 0
    same_itself: int = 0
    differences: list[float] = field(default_factory=list)

    def count(self, first: Said, second: Said, recorded: Said) -> None:
        """What was said in both passes, and what the record says."""
        for key, said in first.items():
            self.samples += 1
            self.same += same(said, recorded.get(key))
            self.same_itself += same(said, second.get(key))

    def difference(self) -> tuple[float | None, float | None, float | None]:
        """Mean of (now - recorded) of the headline over samples, with its t interval at 1 - ALPHA."""
        n = len(self.differences)
        if n < 2:
            return None, None, None
        values = np.array(self.differences)
        mean, error = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(n)
        return mean, *t_interval(mean, error, n - 1, 1 - ALPHA)


@dataclass(frozen=True)
class _Picked(Plan):
    """A plan with some of its works only."""

    works: frozenset[tuple[str, str]] = frozenset()

    def groups(self) -> Iterator[Group]:
        """Groups that hold a picked work, with those alone."""
        for group in super().groups():
            items = tuple(
                item for item in group.items if (self.cells[item.cell].id, item.sample.id) in self.works
            )
            if items:
                yield group._replace(items=items)


def pick(
    subjects: Sequence[VerifiedRun],
    count: int,
    seed: str,
    cells: Collection[tuple[str, str]] | None = None,
    *,
    judged: bool = False,
) -> Mapping[str, Picked]:
    """What to ask again, by run: `count` samples, as many of each cell as of the others, of each the works
    with the smallest sha256(seed, work); which of a sample's trials is looked at is drawn the same way.

    cells: (run, cell) to choose from, None for all. Only what counts must be drawn from, and each cell as
    often: else genuine records of no weight, or of an easy cell, would hide a fabricated cell. judged: only
    works for which a model was asked while scoring.
    """
    queues = []
    for subject in subjects:
        for cell, works in _first_works(subject, count, seed, cells, judged).items():
            drawn: dict[str, tuple[bytes, int]] = {}
            for digest, sample, trial in works:
                drawn.setdefault(sample, (digest, trial))
            one = [(digest, subject.run_id, cell, name, n) for name, (digest, n) in drawn.items()]
            queues.append(one[:count])
    order = (work for each in zip_longest(*queues) for work in sorted(filter(None, each)))
    found: defaultdict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    for _, run_id, name, sample, trial in islice(order, count):
        found[run_id][name, sample] = trial
    return found


def _first_works(
    subject: VerifiedRun, count: int, seed: str, cells: Collection[tuple[str, str]] | None, judged: bool
) -> dict[str, list[tuple[bytes, str, int]]]:
    """Cell -> (digest, sample, trial) of its first works by digest, enough for `count` samples."""
    most = count * subject.manifest.trials
    found: dict[str, list[tuple[bytes, str, int]]] = {}
    for one in subject.run.scores() if judged else subject.run.outputs():
        if (judged and not one.calls) or (cells is not None and (subject.run_id, one.cell) not in cells):
            continue
        name = "\x1f".join((seed, subject.run_id, one.cell, one.sample, str(one.trial)))
        works = found.setdefault(one.cell, [])
        works.append((hashlib.sha256(name.encode()).digest(), one.sample, one.trial))
        if len(works) > 4 * most + 1000:
            works[:] = heapq.nsmallest(most, works)
    return {cell: heapq.nsmallest(most, works) for cell, works in found.items()}


def chosen(records: Iterable[RecordT], works: Picked) -> Iterator[RecordT]:
    """The outputs or scores of picked works."""
    return (one for one in records if works.get((one.cell, one.sample)) == one.trial)


def picked_plan(plan: Plan, works: frozenset[tuple[str, str]]) -> Plan:
    """A plan with these works only."""
    return _Picked(**vars(plan), works=works)


def recorded_options(
    halves: Sequence[Half], asked: Rerun, models: Mapping[str, Sequence[str]]
) -> list[tuple[str, str, str]]:
    """The given options of the models, and the recorded sampling of each member of a role that none were
    given for. models: who is asked in this run, which may lack a role that another run of the bundle has.
    """
    given = {scope.partition("/")[0] for scope, _, _ in asked.options}
    here = asked.models.keys() & models.keys()
    options = [one for one in asked.options if (one[0].partition("/")[0] or "candidate") in here]
    done: set[str] = set()
    for half in halves:
        for role, records in half.manifest.roles.items():
            scope = "" if role == "candidate" else role
            if role not in asked.models or scope in given or role in done:
                continue
            done.add(role)
            for number, record in enumerate(records[: len(models.get(role, ()))], 1):
                sampling = record.sampling
                whose = f"{role}/{number}" if len(records) > 1 else scope
                options += [(whose, key, json.dumps(sampling[key])) for key in SAMPLING if key in sampling]
    return options


def live_passes(
    plan: Plan,
    scratch: Path,
    stages: tuple[str, ...],
    prepare: Callable[[Path], None] = lambda _: None,
    extra_recorded: tuple[Path, ...] = (),
) -> tuple[Run, Run]:
    """Run a plan twice with live models. prepare: what a run's folder is to hold before. extra_recorded: run
    folders whose recorded calls are asked first. Raises what stops a run.
    """
    found = []
    for number in ("first", "second"):
        folder = scratch / number
        prepare(folder)
        # other draws the second time: agreement with oneself must not come from one and the same seed
        draws = None if number == "first" else plan.request.seed + 1
        settings = RunSettings(
            cache=False, quiet=True, signals=False, level=0.95, call_seed=draws, extra_recorded=extra_recorded
        )
        outcome = asyncio.run(run_plan(plan, folder, stages=stages, settings=settings))
        if outcome.error is not None:
            raise outcome.error
        found.append(Run(folder))
    return found[0], found[1]


def compare_headlines(
    subject: VerifiedRun, plan: Plan, now: Run, going: Rerunning, works: Picked | None = None
) -> None:
    """The headline of each sample now and as recorded, where it is a mean of samples. works: the only trials
    that are looked at, None for all.
    """
    for cell in plan.cells:
        name = cell.task.info.headline
        measure = next((one for one in measures_of(cell.task.metrics) if one.name == name), None)
        if measure is None or measure.top is None or not measure.mean:
            continue
        tables = (table_of(_scored(run, works), [cell.id], cell.task.metrics) for run in (now, subject.run))
        here, there = (side(measure, table, cell.id, ()) for table in tables)
        _, mine, theirs = np.intersect1d(here.ids, there.ids, return_indices=True)
        if len(mine):
            found = measure.top(here.columns)[mine] - measure.top(there.columns)[theirs]
            going.differences += found.tolist()


def _scored(run: Run, works: Picked | None) -> Iterator[tuple[OutputRecord, ScoreRecord | None]]:
    if works is None:
        return run.pairs()
    return pairs(chosen(run.outputs(), works), chosen(run.scores(), works))  # few: they alone wait


def conclude(going: Rerunning, what: str, who: str, hint: str) -> RerunResult:
    """The label and the reason. what: was compared; who: was asked; hint: why no headline could be."""
    from scipy import stats

    n, same, itself = going.samples, going.same, going.same_itself
    told = f"{same} of {n} {what} as recorded; {who} agrees with itself on {itself} of {n}"
    mean, low, high = going.difference()
    if mean is not None:
        told += f"; headline {mean:+.3f} [{low:+.3f}, {high:+.3f}]"
    p = float(stats.fisher_exact([[same, n - same], [itself, n - itself]], alternative="less").pvalue)
    scored = len(going.differences)
    differs = low is not None and high is not None and not low <= 0 <= high
    label: RerunLabel = "inconclusive"
    if n < LEAST:
        told += f"; {n} samples are too few (at least {LEAST})"
    elif p < ALPHA or (differs and scored >= LEAST):
        label = "not_reproduced"
    elif itself >= n / 2 or scored >= LEAST:
        label = "reproduced"
    else:
        lacks = f"only {scored} have a headline (at least {LEAST})" if scored else hint
        told += f": too seldom to tell, and {lacks}"
    return RerunResult(label, told, n, same, itself, mean, low, high, 1 - 0.95**n)
