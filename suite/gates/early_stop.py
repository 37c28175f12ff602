"""Ending a run once its claims are decided: the rule behind `--until`.

It looks after every block: a group, or several that share clusters, whose sum is one increment of
`scoring/stats/sequential`. Blocks are drawn by the plan's seed, and a look takes the longest finished
beginning of that order, so neither speed nor interruptions nor shards change what is found. The chance of a
false verdict is divided evenly over all claims (Bonferroni), and over their two sides.
"""

from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from suite.chat import sha256_hex
from suite.comparisons.differences import side
from suite.comparisons.runs import LabelledRun, open_runs
from suite.errors import ConfigError, worded
from suite.gates.claims import SIDES, ClaimCell, claim_cells, claim_table
from suite.gates.nights import Verdict
from suite.gates.policy import Policy, read_policy
from suite.journal.decisions import DECISION_FORMAT, DecidedClaim, Decision
from suite.journal.documents import Share
from suite.journal.index import digest64
from suite.journal.lines import Lines
from suite.journal.pairs import Key, RecordT
from suite.journal.records import OutputRecord, ScoreRecord
from suite.journal.run import Journal, Run
from suite.report.summary import label
from suite.run.manifest import run_manifest, scoring_manifest
from suite.run.order import Group
from suite.run.plan import Plan
from suite.run.request import AskedRun
from suite.scoring.stats.clusters import Codes, Floats
from suite.scoring.stats.estimate import Pair
from suite.scoring.stats.sequential import Wager, confidence_sequence
from suite.scoring.table import ScoreTable, TableBuilder
from suite.scoring.units import scope_of, units_of
from suite.task import AnySample


class PlannedRun(Run):
    """A run that is still to be made, as `differences` sees it: manifests, and no records yet."""

    def __init__(self, plan: Plan) -> None:
        self.folder, self.scoring, self.decision = Path("no run"), plan.scoring_id, None
        self.manifest = run_manifest(plan, "this run", {})
        self.scoring_manifest = scoring_manifest(plan, "this run", {}, plan.sha256, 0.95)
        self.journal = self.judged = Journal(self.folder)


class FollowedClaim:
    """A claim in one cell while its run goes on. table: of the baseline. alphas: chance of a false pass
    and fail. unscored: the largest share of units for a verdict that lack a score on either side.
    Raises ConfigError where it cannot be followed.
    """

    verdict: Verdict = "undecided"

    def __init__(self, one: ClaimCell, table: ScoreTable, alphas: Sequence[float], unscored: float) -> None:
        claim, measure, shown = one.claim, one.measure, label(one.record.parameters, one.record.swept)
        self.cell, self.measure, self._unscored = one.record.cell, measure, unscored
        self._told, self._note = f"{claim.task} ({shown})" if shown else claim.task, ""
        where, (low, high) = f"claim {one.number}: {self._told} {measure.name}", measure.ends
        if measure.top is None or not measure.mean or measure.over != "samples" or measure.macro:
            raise ConfigError.of("gates.until.no-mean", where=where)
        self._top, self._sign = measure.top, -1 if measure.direction == "lower" else 1
        self._limits = low, high
        bound = self._sign * claim.threshold(self._sign)
        self._wanted = f"at {'least' if self._sign > 0 else 'most'} {bound:g}"
        self._theirs: dict[int, float] | None = None
        if margin := claim.better or claim.no_worse_than:
            self._limits, names = (low - high, high - low), [run.run.name for run, _ in one.places[1]]
            self._wanted = f"{'better' if claim.better else 'no worse'} than {' and '.join(names)}"
            self._wanted += f" by more than {margin.margin:g}" if margin.margin else ""
            theirs = side(measure, table, one.name(SIDES[1]), [])
            self._theirs = dict.fromkeys(theirs.every.tolist(), np.nan)
            self._theirs |= zip(theirs.ids.tolist(), self._top(theirs.columns), strict=True)
        if not np.isfinite(high - low):
            raise ConfigError.of("gates.until.range", where=f"{where} {self._wanted}", low=low, high=high)
        self._bounds, self._alphas = (bound - self._limits[0], self._limits[1] - bound), alphas[:: self._sign]
        self._rows: list[Sequence[float]] = []  # of blocks: units, sums of what is claimed of, own sums
        self._expected, self._reached = array("L"), [False, False]  # groups; that the mean is above, below
        self._units = self._missing = self._lacks = 0

    def expect(self, cell: str, group: int, sample: AnySample) -> None:
        """Note a sample of the plan, with its cell and the number of its group."""
        if cell == self.cell and self.measure.takes(sample.tags):
            self._expected.append(group)
            self._lacks += self._theirs is not None and digest64(sample.id) not in self._theirs

    def begin(self, block_of: Codes) -> None:
        """All is noted. block_of: of each group. Raises ConfigError where a baseline lacks samples."""
        if self._lacks:
            raise ConfigError.of("gates.until.lacks", lacks=self._lacks, told=self._told, than=self._wanted)
        sizes = np.bincount(block_of[np.array(self._expected, dtype=np.intp)], minlength=1)
        self._largest, self._planned = max(int(sizes.max()), 1), int((sizes > 0).sum())
        self._wagers = [Wager(one, self._planned) for one in self._bounds]

    def add(self, table: ScoreTable) -> None:
        """Take the samples of the next block."""
        units = units_of(self.measure, scope_of(table, self.cell, "samples", self.measure.where))
        own, theirs = np.asarray(self._top(units.columns), dtype=np.float64), np.zeros(units.n)
        if self._theirs is not None:
            theirs = np.array([self._theirs.get(one, np.nan) for one in units.samples.tolist()])
        both = ~np.isnan(theirs)
        self._rows.append((int(both.sum()), float((own - theirs)[both].sum()), float(own[both].sum())))
        self._units += int(both.sum())
        self._missing += units.unscored + int((~both).sum())
        above, sizes = self._sums(1, self._limits, -1)
        for one, sums in enumerate((above, (self._limits[1] - self._limits[0]) * sizes - above)):
            self._reached[one] |= bool(self._wagers[one].after(sums, sizes)[0] >= 1 / self._alphas[one])
        lost, met, most = self._missing, self._missing + self._units, self._unscored
        self._note = worded("gates.until.unscored", lost=lost, met=met, most=most) * (lost > most * met)
        if self.verdict == "undecided" and not self._note and any(self._reached):
            self.verdict = "pass" if self._reached[self._sign < 0] else "fail"

    def _sums(self, column: int, limits: Pair, first: int = 0) -> tuple[Floats, Floats]:
        found = np.array(self._rows[first:], dtype=np.float64).reshape(-1, 3).T / self._largest
        return np.clip(found[column] - limits[0] * found[0], 0, (limits[1] - limits[0]) * found[0]), found[0]

    def _mean(self, column: int, limits: Pair) -> tuple[float, float, float]:
        ends = confidence_sequence(*self._sums(column, limits), limits, self._alphas, self._planned)
        return sum(one[column] for one in self._rows) / self._units if self._units else sum(ends) / 2, *ends

    def found(self) -> DecidedClaim:
        return DecidedClaim(
            cell=self.cell, told=self._told, metric=self.measure.name, wanted=self._wanted,
            verdict=self.verdict, value=self._mean(1, self._limits), own=self._mean(2, self.measure.ends),
            level=1 - sum(self._alphas), units=self._units, missing=self._missing,
            note=self._note * (self.verdict == "undecided"),
        )  # fmt: skip


class DecidedClaims:
    """Stops a run once its verdict is known: one claim fails, or none is undecided. See `StopRule`."""

    def __init__(self, plan: Plan, policy: Policy, against: Sequence[str], until: str) -> None:
        """until: what was asked for, in words. against: baseline runs. Raises ConfigError, NotFound."""
        if bool(against) != any(one.better or one.no_worse_than for one in policy.claims):
            raise ConfigError.of("gates.until.against", until=until)
        runs, planned = open_runs(against), LabelledRun("this run", PlannedRun(plan), -1)
        sides, tasks = ([planned], runs), {cell.plan.task: type(cell.task) for cell in plan.cells}
        numbered = enumerate(policy.claims, 1)
        cells = [one for number, claim in numbered for one in claim_cells(number, claim, sides, tasks, {})]
        table, most = claim_table(cells, runs), policy.missing.unscored
        alphas = policy.level / len(cells) / 2, policy.nightly / len(cells) / 2
        self._claims = [FollowedClaim(one, table, alphas, most) for one in cells]
        self._policy, self._until, self._scores_of = policy, until, f"scorings/{plan.scoring_id}/scores.jsonl"
        self._against = {one.run.name: one.run.manifest.plan_sha256 for one in runs}
        self._draw(plan)
        self._held: list[list[tuple[OutputRecord, ScoreRecord]]] = [[] for _ in self._left]
        self._outputs: dict[Key, OutputRecord] = {}
        self._scores: dict[Key, ScoreRecord] = {}
        self._seen, self._offsets, self._looks = set[Key](), dict[Path, int](), 0  # looks: blocks

    def _draw(self, plan: Plan) -> None:
        """The block of each group, in the order of looks; of each block its groups, and what is to score."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        names: list[str] = []
        works, met = array("L"), array("L")  # met: pairs of groups that share a cluster
        having: dict[tuple[str, str], int] = {}  # task, cluster -> the first group that has it
        for at, group in enumerate(plan.groups()):
            names.append(group.name)
            works.append(len(group.items))
            for place, sample in group.items:
                cell = plan.cells[place]
                met.extend((at, having.setdefault((cell.plan.task, sample.cluster), at)))
                for one in self._claims:
                    one.expect(cell.id, at, sample)
        pairs = np.array(met).reshape(-1, 2).T
        graph = coo_array((np.ones(pairs.shape[1]), pairs), shape=(len(names), len(names)))
        count, blocks = connected_components(graph, directed=False)
        least = dict(sorted(zip(blocks.tolist(), names, strict=True), reverse=True))  # that draws a block
        drawn = [sha256_hex(f"{plan.request.seed}\x1f{least[one]}".encode()) for one in range(count)]
        block_of = np.argsort(np.argsort(drawn))[blocks]
        self._block_of = dict(zip(names, block_of.tolist(), strict=True))
        self._after = [0, *np.bincount(block_of).cumsum().tolist()]  # groups, by blocks looked at
        self._left = np.bincount(block_of, works).astype(int) * plan.request.trials
        for one in self._claims:
            one.begin(block_of)

    def ordered(self, groups: Iterable[Group]) -> list[Group]:
        """The groups in the order of looks, all of them in memory."""
        return sorted(groups, key=lambda one: self._block_of[one.name])

    def look(self, folders: Sequence[Path]) -> bool:
        """Take what is new in the journals, and all blocks whose turn it is."""
        for folder in folders:
            self._take(Lines(folder / self._scores_of, ScoreRecord), self._scores)
            self._take(Lines(folder / "outputs.jsonl", OutputRecord), self._outputs)
        for key in (self._scores.keys() & self._outputs.keys()) - self._seen:
            self._seen.add(key)
            block = self._block_of[(output := self._outputs.pop(key)).group]
            self._held[block].append((output, self._scores.pop(key)))
            self._left[block] -= 1
        while self._verdict == "undecided" and self._looks < len(self._left) and not self._left[self._looks]:
            builder = TableBuilder()
            for pair in self._held[self._looks]:
                builder.add(*pair)
            table, self._held[self._looks] = builder.build(), []
            self._looks += 1
            for one in self._claims:
                one.add(table)
        return self._verdict != "undecided"

    def _take(self, lines: Lines[RecordT], kept: dict[Key, RecordT]) -> None:
        for offset, size, record in lines.placed(self._offsets.get(lines.path, 0)):
            self._offsets[lines.path] = offset + size
            kept[Key.of(record)] = record

    @property
    def _verdict(self) -> Verdict:
        found = {one.verdict for one in self._claims}
        return "fail" if "fail" in found else "undecided" if "undecided" in found else "pass"

    def decision(self) -> Decision:
        """What the looks found so far."""
        return Decision(
            format=DECISION_FORMAT, until=self._until, policy_sha256=self._policy.sha256,
            against=self._against, level=self._policy.level, verdict=self._verdict,
            groups=Share(taken=self._after[self._looks], all=self._after[-1]),
            claims=[one.found() for one in self._claims],
        )  # fmt: skip


def stop_rule(plan: Plan, asked: AskedRun) -> DecidedClaims:
    """What may end a run before its plan. Raises SuiteError, before anything is paid for."""
    run, margin = asked.until_better_than, asked.margin
    if bool(run) == bool(asked.until) or (asked.against and run) or (margin and asked.until):
        raise ConfigError.of("gates.until.flags")
    if "score" not in asked.stages or asked.one_engine:
        raise ConfigError.of("gates.until.stages")
    if asked.until:
        path = Path(asked.until)
        return DecidedClaims(plan, read_policy(path), asked.against, f"--until {path.name}")
    tasks = dict.fromkeys(one.plan.task for one in plan.cells)
    claims = [{"task": task, "better": {"margin": margin}} for task in tasks]
    policy = Policy.model_validate({"level": round(1 - asked.level, 12), "claims": claims})
    words = f"--until-better-than {Path(run or '').name}" + f" --margin {margin:g}" * bool(margin)
    return DecidedClaims(plan, policy, [run or ""], words)
