"""A policy's claims measured on runs: cells matched as `suite compare` does, and refused where it refuses.

Several runs of a side are further trials of the same samples: a sample's values are averaged over them.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from suite.comparisons.comparability import differences, match_cells, refuse
from suite.comparisons.differences import pair, side
from suite.comparisons.runs import LabelledRun, load_tasks, open_runs
from suite.errors import ConfigError, unknown
from suite.gates.evidence import Evidence, of_candidate, of_pairs
from suite.gates.nights import ClaimNight
from suite.gates.policy import Claim, Missing, Policy
from suite.journal.documents import CellRecord
from suite.plugins import Catalogue
from suite.run.cells import AnyTask
from suite.scoring.measures import Measure
from suite.scoring.metrics.declared import measures_of, values_of
from suite.scoring.stats.bootstrap import seed_for
from suite.scoring.table import ScoreTable, TableBuilder, Wanted
from suite.scoring.units import scope_of, units_of

SIDES = ("candidate", "baseline")


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


class Tested(NamedTuple):
    """A claim's numbers of tonight, and what they show; None where what is missing decides."""

    numbers: ClaimNight
    evidence: Evidence | None


class Measured(NamedTuple):
    """All claims of a policy. sides: the runs. remarks: what differs between them beside the model."""

    tested: Sequence[Tested]
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
    remarks: dict[str, None] = {}
    tasks, cells = load_tasks(runs, plugins), []
    for number, claim in enumerate(policy.claims, 1):
        cells += claim_cells(number, claim, sides, tasks, remarks)
    tables = claim_tables(cells, runs)
    tested = [_tested(one, tables[one.claim.task], policy.missing) for one in cells]
    return Measured(tested, sides, list(remarks))


def claim_cells(
    number: int,
    claim: Claim,
    sides: Sequence[Sequence[LabelledRun]],
    tasks: dict[str, type[AnyTask]],
    remarks: dict[str, None],
) -> list[ClaimCell]:
    """A claim in every cell of the first candidate that it is about."""
    where = f"claim {number} of the policy"
    mine, theirs = (
        [one for one in each if claim.task in {cell.task for cell in one.run.manifest.cells}]
        for each in sides
    )
    if not mine or (claim.kind != "at-least" and not theirs):
        side, each = SIDES[bool(mine)], sides[bool(mine)]
        known = {cell.task for one in each for cell in one.run.manifest.cells}
        raise unknown(f"task of a {side}", claim.task, known, where)
    chosen = _measure(claim, tasks[claim.task], where)
    first, found = mine[0], []
    partners = {one.number: _partners(first, one, remarks) for one in (*mine, *theirs)}
    records = [cell for cell in first.run.manifest.cells if cell.task == claim.task]
    for name in claim.cell:
        if all(name not in cell.parameters for cell in records):
            raise unknown("parameter", name, {one for cell in records for one in cell.parameters}, where)
    for record in records:
        if claim.cell.items() <= record.parameters.items():
            places = [
                [
                    (one, partners[one.number][record.cell])
                    for one in each
                    if record.cell in partners[one.number]
                ]
                for each in (mine, theirs)
            ]
            if claim.kind != "at-least" and not places[1]:
                raise ConfigError.of("gates.claims.no-partner", where=where, cell=record)
            found.append(ClaimCell(number, claim, chosen, record, places))
    if not found:
        raise ConfigError.of("gates.claims.no-cell", where=where, claim=claim)
    return found


def _partners(first: LabelledRun, other: LabelledRun, remarks: dict[str, None]) -> dict[str, str]:
    """Cell of the first run -> that of the other. Raises ConfigError where they are not comparable."""
    if first is other:
        return {cell.cell: cell.cell for cell in first.run.manifest.cells}
    matches, notes = match_cells(first.run, other.run)
    found = [*notes, *differences(first.run, other.run, matches)]
    refuse(first, other, found, "a gate has no --anyway: run or score one of them again")
    remarks |= dict.fromkeys(one.sentence(first.label, other.label) for one in found)
    return {one.cell_a: one.cell_b for one in matches}


def _measure(claim: Claim, task: type[AnyTask], where: str) -> Measure:
    known = {one.name: one for one in measures_of(task.metrics)}
    name = claim.metric or task.info.headline
    if name not in known:
        raise unknown("metric", name, known, where)
    if known[name].direction == "neither":
        raise ConfigError.of("gates.claims.neither", name=name, where=where)
    return known[name]


def claim_tables(cells: Sequence[ClaimCell], runs: Sequence[LabelledRun]) -> dict[str, ScoreTable]:
    """One table a task. Its cells are named by side; the trials of further runs follow those of the first."""
    builders: dict[str, TableBuilder] = {}
    names: dict[tuple[int, str], tuple[str, str, int]] = {}  # run, cell -> task, name, trials before
    for task in dict.fromkeys(one.claim.task for one in cells):
        mine = [one for one in cells if one.claim.task == task]
        builders[task] = TableBuilder(Wanted(*values_of(one.measure for one in mine)))
        for one in mine:
            for side_name, places in zip(SIDES, one.places, strict=True):
                before = 0
                for run, cell in places:
                    names[run.number, cell] = task, one.name(side_name), before
                    before += run.run.manifest.trials
    for run in runs:
        for output, score in run.run.pairs():
            if score is not None and (found := names.get((run.number, output.cell))):
                task, output.cell, before = found
                score.cell = output.cell
                output.trial += before
                builders[task].add(output, score)
    return {task: one.build() for task, one in builders.items()}


def _tested(one: ClaimCell, table: ScoreTable, missing: Missing) -> Tested:
    measure, record = one.measure, one.record
    sign: Literal[1, -1] = -1 if measure.direction == "lower" else 1
    seed = seed_for(one.places[0][0][0].run.manifest.seed, "gate", measure.name)
    tags = [measure.macro] if measure.macro else []
    if one.claim.kind == "at-least":
        scope = scope_of(table, one.name("candidate"), measure.over, measure.where)
        held = units_of(measure, scope, [f"tag:{tag}" for tag in tags])
        evidence, counted, note = of_candidate(measure, held, seed), (held.n, held.unscored, held.n), ""
        values: tuple[float | None, float | None] = evidence.value, None
        evidence = evidence if sign > 0 else evidence.mirrored
    else:
        mine, theirs = (side(measure, table, one.name(each), tags) for each in SIDES)
        found = pair(measure, mine, theirs, seed=seed, level=0.95)
        if len(mine.every) and len(theirs.every) and found.only_a == len(mine.every):
            raise ConfigError.of("gates.claims.no-sample", number=one.number, record=record)
        d, values, note = found.comparison.difference, (found.a, found.b), found.note
        evidence, counted = of_pairs(found, measure), (d.n, d.n_unscored, d.clusters or 0)
        evidence = evidence if sign > 0 else evidence.mirrored
    low, high = evidence.test.interval(0.95) if evidence.test else (None, None)
    numbers = ClaimNight(
        claim=one.number, task=record.task, version=record.version, cell=record.parameters, sign=sign,
        metric=measure.name, kind=one.claim.kind, unit=measure.unit, threshold=one.claim.threshold(sign),
        value=values[0], baseline=values[1], d=evidence.value, low=low, high=high, n=counted[0],
        unscored=counted[1], clusters=counted[2], note=note or ("" if evidence.test else "no interval"),
    )  # fmt: skip
    pending = sum(_pending(run, cell) for places in one.places for run, cell in places)
    if pending and missing.pending != "ignore":
        note, verdict = f"{pending:,} samples are pending: a run did not finish", missing.pending
        return Tested(msgspec.structs.replace(numbers, note=note, verdict=verdict), None)
    if counted[1] > missing.unscored * sum(counted[:2]):
        note = (
            f"{counted[1]:,} of {sum(counted[:2]):,} samples are unscored: more than {missing.unscored:.0%}"
        )
        return Tested(msgspec.structs.replace(numbers, note=note), None)
    return Tested(numbers, evidence)


def _pending(run: LabelledRun, cell: str) -> int:
    """Samples of a cell that are not solved or not scored yet."""
    found = next((one for one in run.run.results.cells if one.cell == cell), None)
    return run.run.manifest.works_of(cell) if found is None else found.pending
