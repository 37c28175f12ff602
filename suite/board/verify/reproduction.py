"""R11: ask the model itself, or the judge alone, anew about random records, and see whether it says the same.

Two live passes over the same samples: how often who is asked agrees with itself is the yardstick for how
often it agrees with the record, since engines do not repeat themselves bit for bit. Where the samples can be
scored here too, the paired difference of the headline is a second look, for whoever seldom repeats itself.
Not proof: models and judges drift, samples are few. To ask the judge no candidate is needed.
"""

import asyncio
import hashlib
import heapq
import json
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, zip_longest
from pathlib import Path

import numpy as np
from msgspec import structs

from suite.board.bundle.rungs import Findings, Severity
from suite.board.entry import RerunLabel, RerunResult
from suite.board.verify.column_results import Scored, headline_measure, table_of
from suite.board.verify.equality import same
from suite.board.verify.subject import Half, VerifiedRun
from suite.chat import Json
from suite.comparisons.differences import side
from suite.errors import ConfigError
from suite.journal.document_files import write_json
from suite.journal.pairs import RecordT, pairs
from suite.journal.records import encode
from suite.journal.run import Run
from suite.models.spec import SAMPLING
from suite.plugins import Catalogue
from suite.run.order import Group
from suite.run.outcome import RunSettings
from suite.run.plan import Plan, make_plan
from suite.run.role_members import flag_of
from suite.run.session import run_plan
from suite.scores import Unscored, Value
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
            works = (((self.cells[item.cell].id, item.sample.id), item) for item in group.items)
            if items := tuple(item for work, item in works if work in self.works):
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
    drawn: defaultdict[tuple[str, str], dict[str, tuple[bytes, int]]] = defaultdict(dict)
    for subject in subjects:
        for one in subject.run.scores() if judged else subject.run.outputs():
            place = subject.run_id, one.cell
            if (judged and not one.calls) or (cells is not None and place not in cells):
                continue
            name = "\x1f".join((seed, *place, one.sample, str(one.trial)))
            lot = hashlib.sha256(name.encode()).digest(), one.trial
            drawn[place][one.sample] = min(lot, drawn[place].get(one.sample, lot))
    queues = [
        heapq.nsmallest(count, ((lot, *place, sample, trial) for sample, (lot, trial) in works.items()))
        for place, works in drawn.items()
    ]
    order = (work for each in zip_longest(*queues) for work in sorted(filter(None, each)))
    found: defaultdict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    for _, run_id, cell, sample, trial in islice(order, count):
        found[run_id][cell, sample] = trial
    return found


def _chosen(records: Iterable[RecordT], works: Picked) -> Iterator[RecordT]:
    """The outputs or scores of picked works."""
    return (one for one in records if works.get((one.cell, one.sample)) == one.trial)


@dataclass(frozen=True)
class Reproducer:
    """Asks again about a bundle, and whom. cells: (run, cell) to choose samples from, None for all."""

    asked: Rerun
    bundle_id: str
    plugins: Catalogue
    cells: Collection[tuple[str, str]] | None = None

    def again(
        self, subjects: Sequence[VerifiedRun], scratch: Path, findings: Findings, *, judging: bool = False
    ) -> RerunResult:
        """Climb R11, or with `judging` R11 for the judge.

        Raises SuiteError for models that cannot be had; for the judge ConfigError for one that lacks, or a
        panel of another size.
        """
        ready = [subject for subject in subjects if subject.plan is not None]
        count, mark = (self.asked.judged, "\x1fjudge") if judging else (self.asked.samples, "")
        seed = f"{self.asked.seed}\x1f{self.bundle_id}{mark}"
        picked = pick(ready, count, seed, self.cells, judged=judging)
        going = Rerunning()
        findings.ran("R11")
        for subject in ready:
            if works := picked.get(subject.run_id):
                ask = self._judge if judging else self._solve
                ask(subject, works, scratch / subject.run_id, going)
        if judging:
            found = conclude(going, "verdicts", "the judge", "no headline is a mean of samples")
            if not found.samples:
                found = structs.replace(found, why="no record was judged by a model")
        else:
            found = conclude(going, "answers", "the model", "it was not scored: give --judge")
        if found.label != "reproduced":
            code = f"R11.{'judge-' if judging else ''}{found.label.replace('_', '-')}"
            severity: Severity = "error" if found.label == "not_reproduced" else "warning"
            findings.add(code, severity=severity, found=found.why)
        return found

    def _solve(self, subject: VerifiedRun, works: Picked, scratch: Path, going: Rerunning) -> None:
        """Ask the candidate again. Without a judge only answers are compared."""
        given = self.asked.models
        roles = {name: role for cell in subject.planned.cells for name, role in cell.task.roles().items()}
        judged = [name for name, role in roles.items() if role.stage == "score" and not role.optional]
        stages = ("solve", "score") if all(name in given for name in judged) else ("solve",)
        models = {role: specs for role, specs in given.items() if role in roles}
        plan = self._live(subject, works, stages, models)
        passes = _live_passes(plan, scratch, stages)
        first, second = (_texts(run, dict.fromkeys(works, 0)) for run in passes)
        going.count(first, second, _texts(subject.run, works))
        if "score" in stages:
            _compare_headlines(subject, plan, passes[0], going)

    def _judge(self, subject: VerifiedRun, works: Picked, scratch: Path, going: Rerunning) -> None:
        """Ask the judge again about the recorded outputs."""

        def prepare(folder: Path) -> None:  # a run that holds the picked outputs and nothing else
            folder.mkdir(parents=True)
            write_json(folder / "manifest.json", subject.run.manifest)
            with (folder / "outputs.jsonl").open("wb") as file:
                file.writelines(map(encode, _chosen(subject.run.outputs(), works)))

        plan = self._live(subject, works, ("score",), self._judges(subject))
        texts = (subject.run.folder,)  # where the texts of outputs stand
        passes = _live_passes(plan, scratch, ("score",), prepare, texts)
        first, second = (_verdicts(one, works) for one in passes)
        both = {key: first[key] for key in first.keys() & second.keys()}
        going.count(both, second, _verdicts(subject.run, works))
        _compare_headlines(subject, plan, passes[0], going, works)

    def _live(
        self,
        subject: VerifiedRun,
        works: Picked,
        stages: tuple[str, ...],
        models: Mapping[str, Sequence[str]],
    ) -> Plan:
        """The run's plan with live models and these works; solved anew, each once."""
        request, solving = subject.planned.request, "solve" in stages
        options = _options(subject.halves if solving else subject.halves[1:], self.asked, models)
        trials = 1 if solving else request.trials
        request = replace(
            request, models=models, options=options, trials=trials, limit=None, concurrency=None
        )
        cells = subject.planned.cells
        live = make_plan(request, stages=(*stages, "both"), plugins=self.plugins, cells=cells)
        return _Picked(**vars(live), works=frozenset(works))

    def _judges(self, subject: VerifiedRun) -> dict[str, Sequence[str]]:
        """The models that are given for the roles that judge."""
        models: dict[str, Sequence[str]] = {}
        for role, records in subject.run.scoring_manifest.roles.items():
            given = self.asked.models.get(role, ())
            if given and len(given) != len(records):
                seats = f"{len(records)} in the role {role}, {len(given)} were given"
                raise ConfigError.of("board.rerun.seats", subject=subject, seats=seats)
            if not given and any(one.stage != "both" for one in records):
                flag = " ".join(flag_of(role))
                raise ConfigError.of("board.rerun.nobody", subject=subject, role=role, flag=flag)
            # who was asked while solving, too, may stand in by its recorded replies
            models[role] = given or [f"replay/{subject.run.folder}?role={one.member}" for one in records]
        return models


def _options(
    halves: Sequence[Half], asked: Rerun, models: Mapping[str, Sequence[str]]
) -> list[tuple[str, str, str]]:
    """The given options of the models, and the recorded sampling of each member of a role that none were
    given for. models: who is asked in this run, which may lack a role that another run of the bundle has.
    """
    scopes = [one[0].partition("/")[0] or "candidate" for one in asked.options]
    here = asked.models.keys() & models.keys()
    options = [one for scope, one in zip(scopes, asked.options, strict=True) if scope in here]
    seated = {role: records for half in halves[::-1] for role, records in half.manifest.roles.items()}
    for role in [role for role in seated if role in here and role not in scopes]:
        records = seated[role]
        for number, record in enumerate(records[: len(models[role])], 1):
            scope = f"{role}/{number}" if len(records) > 1 else "" if role == "candidate" else role
            sampling = record.sampling
            options += [(scope, key, json.dumps(sampling[key])) for key in SAMPLING if key in sampling]
    return options


def _live_passes(
    plan: Plan,
    scratch: Path,
    stages: tuple[str, ...],
    prepare: Callable[[Path], None] = lambda _: None,
    extra_recorded: tuple[Path, ...] = (),
) -> tuple[Run, Run]:
    """Run a plan twice with live models. prepare: what a run's folder is to hold before. extra_recorded: run
    folders whose recorded calls are asked first. Raises what stops a run.
    """
    # other draws the second time: agreement with oneself must not come from one and the same seed
    seeds = {"first": None, "second": plan.request.seed + 1}
    for name, seed in seeds.items():
        prepare(scratch / name)
        settings = RunSettings(
            cache=False, quiet=True, signals=False, level=0.95, call_seed=seed, extra_recorded=extra_recorded
        )
        outcome = asyncio.run(run_plan(plan, scratch / name, stages=stages, settings=settings))
        if outcome.error is not None:
            raise outcome.error
    return Run(scratch / "first"), Run(scratch / "second")


def _texts(run: Run, works: Picked) -> Said:
    """The answer of the picked trial; outputs without a text by their data."""
    found: dict[tuple[str, str], Json] = {}
    for one in _chosen(run.outputs(), works):
        data = json.dumps(one.output.data, sort_keys=True) if one.output.data is not None else ""
        found[one.cell, one.sample] = f"{run.text(one)}\x1f{data}"
    return found


def _verdicts(run: Run, works: Picked) -> Said:
    """All that was said of it, plain; of what is unscored, the reason."""
    return {
        (one.cell, one.sample): [
            _plain(one.values),
            [[part.id, dict(part.tags), _plain(part.values)] for part in one.parts],
        ]
        for one in _chosen(run.scores(), works)
    }


def _plain(values: Mapping[str, Value]) -> dict[str, Json]:
    return {
        name: {"unscored": one.reason} if isinstance(one, Unscored) else one for name, one in values.items()
    }


def _compare_headlines(
    subject: VerifiedRun, plan: Plan, now: Run, going: Rerunning, works: Picked | None = None
) -> None:
    """The headline of each sample now and as recorded, where it is a mean of samples. works: the only trials
    that are looked at, None for all.
    """
    for cell in plan.cells:
        measure = headline_measure(cell, cell.task.info.headline)
        if measure is None or measure.top is None or not measure.mean:
            continue
        tables = (table_of(_scored(run, works), [cell.id], cell.task.metrics) for run in (now, subject.run))
        here, there = (side(measure, table, cell.id, ()) for table in tables)
        _, mine, theirs = np.intersect1d(here.ids, there.ids, return_indices=True)
        if len(mine):
            found = measure.top(here.columns)[mine] - measure.top(there.columns)[theirs]
            going.differences += found.tolist()


def _scored(run: Run, works: Picked | None) -> Iterator[Scored]:
    if works is None:
        return run.pairs()
    return pairs(_chosen(run.outputs(), works), _chosen(run.scores(), works))  # few: they alone wait


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
