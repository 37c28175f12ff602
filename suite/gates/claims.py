"""A policy's claims measured on runs: cells matched as `suite compare` does, and refused where it refuses.

Several runs of a side are further trials of the same samples: a sample's values are averaged over them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from suite.chat import canonical_json
from suite.comparisons.comparability import differences, match_cells, refuse
from suite.comparisons.differences import pair, side
from suite.comparisons.runs import LabelledRun, load_tasks, open_runs
from suite.errors import ConfigError, unknown
from suite.gates.evidence import Evidence, of_candidate, of_pairs
from suite.gates.nights import ClaimNight, Verdict
from suite.gates.policy import Claim, Missing, Policy
from suite.journal.documents import CellRecord
from suite.plugins import Catalogue
from suite.run.cells import AnyTask
from suite.scoring.measures import Measure
from suite.scoring.metrics.declared import measures_of, values_of
from suite.scoring.stats.bootstrap import seed_for
from suite.scoring.stats.estimate import Pair, joined
from suite.scoring.table import ScoreTable, TableBuilder, Wanted
from suite.scoring.units import scope_of, units_of

Partners = tuple[Mapping[str, str], Sequence[str]]  # cell of a run -> that of another; what else differs
SIDES = ("candidate", "baseline")
LEVEL = 0.95  # of the interval that is shown beside the bound that decides


class ClaimCell(NamedTuple):
    """A claim about one cell. places: of each side, its runs and what each calls the cell."""

    number: int
    claim: Claim
    measure: Measure
    record: CellRecord
    places: Sequence[Sequence[tuple[LabelledRun, str]]]

    def name(self, side: str) -> str:
        """What the table calls the cell of a side."""
        return f"{side}/{self.record.cell}"


class WeighedClaim(NamedTuple):
    """A claim's numbers of tonight, and what they show; None where what is missing decides."""

    numbers: ClaimNight
    evidence: Evidence | None


class Measured(NamedTuple):
    """All claims of a policy. sides: the runs. remarks: what differs between them beside the model."""

    tested: Sequence[WeighedClaim]
    sides: Sequence[Sequence[LabelledRun]]
    remarks: Sequence[str]


def measure(
    policy: Policy, candidate: Sequence[str], baseline: Sequence[str], plugins: Catalogue
) -> Measured:
    """Every claim in every matching cell. Places and errors are those of `open_runs`; and NotFound for an
    unknown task, parameter or metric, ConfigError for runs that cannot be compared.
    """
    runs = open_runs([*candidate, *baseline])
    sides = runs[: len(candidate)], runs[len(candidate) :]
    for name, each in zip(SIDES, sides, strict=True):
        if len(models := dict.fromkeys(one.run.specs("candidate") for one in each)) > 1:
            raise ConfigError.of("gates.claims.models", side=name, models=", ".join(models))
    tasks, cells, seen = load_tasks(runs, plugins), list[ClaimCell](), dict[tuple[int, int], Partners]()
    for number, claim in enumerate(policy.claims, 1):
        cells += claim_cells(number, claim, sides, tasks, seen)
    table = claim_table(cells, runs)
    tested = [_tested(one, table, policy.missing) for one in cells]
    return Measured(tested, sides, list(dict.fromkeys(one for _, told in seen.values() for one in told)))


def claim_cells(
    number: int, claim: Claim, sides: Sequence[Sequence[LabelledRun]], tasks: Mapping[str, type[AnyTask]],
    seen: dict[tuple[int, int], Partners],
) -> Iterator[ClaimCell]:  # fmt: skip
    """A claim in every cell of the candidate that it is about. seen: pairs of runs, gets new ones."""
    where, having = f"claim {number} of the policy", []
    for name, each in zip(SIDES[: 1 + claim.paired], sides, strict=False):
        known = {cell.task for one in each for cell in one.run.manifest.cells}
        if claim.task not in known:
            place = where if each else f"{where} needs --baseline"
            raise unknown(f"task of a {name}", claim.task, known, place)
        having.append([one for one in each if any(o.task == claim.task for o in one.run.manifest.cells)])
    measures = {one.name: one for one in measures_of(tasks[claim.task].metrics)}
    if (metric := claim.metric or tasks[claim.task].info.headline) not in measures:
        raise unknown("metric", metric, measures, where)
    if measures[metric].direction == "neither":
        raise ConfigError.of("gates.claims.neither", name=metric, where=where)
    need_reachable(claim, measures[metric].ends, where)
    first = having[0][0]
    for other in (one for each in having for one in each if (first.number, one.number) not in seen):
        seen[first.number, other.number] = _partners(first, other)
    partners = [[(one, seen[first.number, one.number][0]) for one in each] for each in having]
    records = [cell for cell in first.run.manifest.cells if cell.task == claim.task]
    names = {name for cell in records for name in cell.parameters}
    for name in sorted(claim.cell.keys() - names):
        raise unknown("parameter", name, names, where)
    about = [_about(claim, one) for one in having[0]]
    if not (records := list(about[0].values())):
        raise ConfigError.of("gates.claims.no-cell", where=where, claim=claim)
    for record in records:
        places = [[(one, of[record.cell]) for one, of in each if record.cell in of] for each in partners]
        if not places[-1]:
            raise ConfigError.of("gates.claims.no-partner", where=where, cell=record)
        lacking = any(len(found) < len(each) for found, each in zip(places, having, strict=True))
        if lacking or any(one.keys() != about[0].keys() for one in about):
            raise ConfigError.of("gates.claims.cells", where=where, claim=claim)
        yield ClaimCell(number, claim, measures[metric], record, places)


def need_reachable(claim: Claim, ends: Pair, where: str) -> None:
    """Raises ConfigError for a threshold that values with these ends have not on both sides."""
    low, high = (ends[0] - ends[1], ends[1] - ends[0]) if claim.paired else ends
    if not low < claim.threshold(1) < high:
        raise ConfigError.of("gates.until.range", where=f"{where}: {claim.kind}", low=ends[0], high=ends[1])


def _about(claim: Claim, run: LabelledRun) -> dict[bytes, CellRecord]:
    cells = (one for one in run.run.manifest.cells if one.task == claim.task)
    return {canonical_json(o.parameters): o for o in cells if claim.cell.items() <= o.parameters.items()}


def _partners(first: LabelledRun, other: LabelledRun) -> Partners:
    """Raises ConfigError where two runs are not comparable."""
    if first is other:
        return {cell.cell: cell.cell for cell in first.run.manifest.cells}, ()
    matches, notes = match_cells(first.run, other.run)
    planned = first.run.manifest
    strict = {f"data {name}" for name, one in planned.data.items() if one.get("source") == "file"}
    strict |= {f"code ({one.task})" for one in planned.cells if one.file}  # no version tells of its changes
    found = [*notes, *differences(first.run, other.run, matches)]
    found = [replace(one, weight="refuse") if one.what in strict else one for one in found]
    refuse(first, other, found, "a gate has no --anyway: run or score one of them again")
    told = [one.sentence(first.label, other.label) for one in found]
    return {one.cell_a: one.cell_b for one in matches}, told


def claim_table(cells: Sequence[ClaimCell], runs: Sequence[LabelledRun]) -> ScoreTable:
    """All scores. A cell is named SIDE/CELL; trials of further runs follow those of the first."""
    builder = TableBuilder(Wanted(*values_of(one.measure for one in cells)))
    names: dict[tuple[int, str], tuple[str, int]] = {}  # run, cell -> name, trials before
    for one in cells:
        for name, places in zip(SIDES, one.places, strict=False):
            before = 0
            for run, cell in places:
                names[run.number, cell] = one.name(name), before
                before += run.run.manifest.trials
    for run in runs:
        for output, score in run.run.pairs():
            if score is not None and (found := names.get((run.number, output.cell))):
                output.cell = score.cell = found[0]
                output.trial += found[1]
                builder.add(output, score)
    return builder.build()


def _tested(one: ClaimCell, table: ScoreTable, missing: Missing) -> WeighedClaim:
    measure, record = one.measure, one.record
    sign: Literal[1, -1] = -1 if measure.direction == "lower" else 1
    seed = seed_for(min(run.run.manifest.seed for run, _ in one.places[0]), "gate", measure.name)
    tags = [measure.macro] if measure.macro else []
    baseline: float | None = None
    if one.claim.paired:
        mine, theirs = (side(measure, table, one.name(each), tags) for each in SIDES)
        found = pair(measure, mine, theirs, seed=seed, level=LEVEL)
        if len(mine.every) and len(theirs.every) and found.only_a == len(mine.every):
            raise ConfigError.of("gates.claims.no-sample", number=one.number, record=record)
        evidence, d = of_pairs(found, measure), found.comparison.difference
        lost = [np.array(each, dtype=np.uint64) for each in (mine.lost, theirs.lost, found.lone)]
        unscored = len(np.intersect1d(np.concatenate(lost), np.intersect1d(mine.every, theirs.every)))
        n, clusters, note = d.n, d.clusters or 0, found.note
        value, baseline = found.a, found.b
    else:
        scope = scope_of(table, one.name(SIDES[0]), measure.over, measure.where)
        held = units_of(measure, scope, [f"tag:{tag}" for tag in tags])
        evidence = of_candidate(measure, held, seed)
        value, n, unscored, note = evidence.value, held.n, held.unscored, ""
        clusters = len(set(held.clusters))
    evidence = evidence if sign > 0 else evidence.mirrored
    verdict: Verdict = "undecided"
    pending, told = _pending(one), f"{unscored:,} of {n + unscored:,} samples are unscored" * bool(unscored)
    if lacks := unscored > missing.unscored * (n + unscored):
        told, note = f"{told}, more than {missing.unscored:.1%}", ""
    note = joined(told, pending, note)
    if missing.pending != "ignore" and pending:
        note, verdict, lacks = pending, missing.pending, True
    low, high = evidence.test.interval(LEVEL) if evidence.test else (None, None)
    numbers = ClaimNight(
        claim=one.number, task=record.task, version=record.version, cell=record.parameters, sign=sign,
        metric=measure.name, kind=one.claim.kind, unit=measure.unit, threshold=one.claim.threshold(sign),
        value=value, baseline=baseline, d=evidence.value, low=low, high=high, level=LEVEL, n=n,
        unscored=unscored, clusters=clusters, verdict=verdict,
        note=note if evidence.test else joined(note, "there is no interval"),
    )  # fmt: skip
    return WeighedClaim(numbers, None if lacks else evidence)


def _pending(one: ClaimCell) -> str:
    """How many samples are not solved or not scored yet, and why, in words; "" if there are none."""
    total, ends = 0, dict[str, None]()
    for run, cell in (each for places in one.places for each in places):
        found = next((one for one in run.run.results.cells if one.cell == cell), None)
        total += run.run.manifest.works_of(cell) if found is None else found.pending
        ends |= {f"{run.run.name} stopped early, {run.run.stopped.when}": None} if run.run.stopped else {}
    return f"{total:,} samples are pending: {joined(*ends) or 'a run did not finish'}" * bool(total)
