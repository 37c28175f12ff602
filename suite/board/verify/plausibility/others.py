"""What only many results beside each other show: scores pasted from task to task, and, beside a board's other
entries, copies, samples left out where others do worst, leaps, accretion.

Hints with their numbers and the other entry's name. A base model and what was tuned from it may honestly
agree on many a greedy reply, so that nothing here is an error.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import gammaln

from suite.board.bundle.submission import Submission
from suite.board.define.board import Board
from suite.board.entry import GONE, AcceptedEntry, ColumnResult
from suite.board.rank.sample_tables import by_sample, changes, sample_values
from suite.board.rank.state import belongs
from suite.board.verify.column_results import CellUnits, VerifiedColumn, Want, ratios
from suite.board.verify.plausibility.rules import OddRules
from suite.board.verify.reply_digests import ReplyDigests, overlap, read_replies
from suite.board.verify.subject import VerifiedRun
from suite.scoring.stats.clusters import Floats
from suite.scoring.stats.intervals import normal_quantile

USUAL = 0.9  # share of outputs that are all the same, from which on scores say where the answers were put


@dataclass(frozen=True)
class Beside:
    """What is held against a board's entries. per_sample: its table of samples, None without one. others:
    the entries accepted before it, oldest first.
    """

    board: Board
    submission: Submission
    kind: str
    results: Sequence[ColumnResult]
    per_sample: Path | None
    replies: ReplyDigests
    subjects: Sequence[VerifiedRun]
    others: Sequence[AcceptedEntry]

    @property
    def name(self) -> str:
        return self.submission.model.display_name

    def same_model(self, entry: AcceptedEntry) -> bool:
        mine = self.submission.model.identity.name
        return mine.casefold() == entry.submission.model.identity.name.casefold()

    def before(self) -> list[AcceptedEntry]:
        """The entries that it supersedes, one after the other, oldest first."""
        by_id = {one.id: one for one in self.others}
        found: list[AcceptedEntry] = []
        name = self.submission.supersedes
        while name in by_id and by_id[name] not in found:
            found.insert(0, by_id[name])
            name = found[0].submission.supersedes
        return found


def check_others(mine: Beside, rules: OddRules) -> None:
    """Everything. Raises DataError for an entry whose files are damaged."""
    before = mine.before()
    replaced = {one.id for one in before}
    for entry in mine.others:
        if entry.id not in replaced and not mine.same_model(entry):
            _copied(mine, rules, entry)
    here = [one for one in mine.others if belongs(mine.board, one) and one.record.status not in GONE]
    _by_sample(mine, rules, [one for one in here if one.id not in replaced])
    _accretion(mine, rules, [one for one in before if belongs(mine.board, one)])
    active = [one for one in here if one.record.status == "active" and one.verification.kind == mine.kind]
    ceilings = {item.name: item.ceiling for item in mine.board.tasks}
    for result in mine.results:
        if result.value is not None and result.direction != "neither":
            sign, ceiling = _sign(result), ceilings[result.key]
            if ceiling is not None and sign * (result.value - ceiling) > 0:
                most = f"{'at least' if sign < 0 else 'at most'} {ceiling:g}"
                rules.tell("ceiling", f"column {result.key}", expected=most, found=f"{result.value:.6g}")
            _leap(rules, result, result.value, active)


def _sign(result: ColumnResult) -> int:
    """Times which a column's values are better the higher they are."""
    return -1 if result.direction == "lower" else 1


def _copied(mine: Beside, rules: OddRules, entry: AcceptedEntry) -> None:
    """Long replies that another model's entry has, too, for the same samples."""
    if entry.replies is None or not rules.enough(len(mine.replies)):
        return
    found = overlap(mine.replies, read_replies(entry.replies))
    if not rules.enough(found.replies):
        return
    same, near = found.same / found.replies, found.near / found.replies
    most_near = rules.thresholds["near_replies"]
    if same > rules["near copies"] or near > most_near:
        shares = {"same": same, "near": near, "most_near": most_near, "replies": found.replies}
        other, where = entry.submission.model.display_name, f"entry {entry.folder.name}"
        rules.compare("near copies", where, name=mine.name, other=other, **shares)


def _by_sample(mine: Beside, rules: OddRules, others: Sequence[AcceptedEntry]) -> None:
    """Equal scores, and how hard each sample is; every other entry's table is read once."""
    if mine.per_sample is None:
        return
    own = {key: (names, value) for key, names, value in sample_values(mine.per_sample)}
    sums, counts = ({key: np.zeros(len(value)) for key, (_, value) in own.items()} for _ in range(2))
    moved = {cell for one in mine.subjects for cell, share in one.usual.items() if share < USUAL}
    for entry in others:
        for key, names, value in sample_values(entry.per_sample) if entry.per_sample else ():
            if key not in own or own[key][0] != names:
                continue
            sums[key] += np.nan_to_num(value)
            counts[key] += ~np.isnan(value)
            another = not mine.same_model(entry) and {cell for cell, _ in names} <= moved
            if another and np.allclose(own[key][1], value, rtol=0, atol=1e-12, equal_nan=True):
                p, where = chance_of(value), f"column {key}, entry {entry.folder.name}"
                if p < rules["other model"]:
                    about = {"name": mine.name, "other": entry.submission.model.display_name, "p": p}
                    rules.compare("other model", where, samples=len(value), **about)
    for result in mine.results:
        key = result.key
        if key in own and counts[key].any() and result.direction != "neither":
            easy = ratios(_sign(result) * sums[key], counts[key])
            _missing(mine, rules, f"column {key}", *own[key], easy)


def _missing(
    mine: Beside, rules: OddRules, where: str, names: Sequence[tuple[str, str]], value: Floats, easy: Floats
) -> None:
    """Whether what is missing lies where it costs most: Fisher's exact test, one-sided."""
    from scipy import stats

    known = ~np.isnan(easy)
    hard = easy < easy[known].mean()
    failing = (found for subject in mine.subjects for found in subject.failed.items())
    digests = {(cell, f"{one:016x}") for cell, samples in failing for one in samples}
    failed = np.array([name in digests for name in names])
    for name, gone in (("missing", np.isnan(value)), ("failed", failed)):
        table = [
            [int((known & missing & where).sum()) for where in (hard, ~hard)] for missing in (gone, ~gone)
        ]
        p = float(stats.fisher_exact(table, alternative="greater").pvalue)
        if p < rules[name]:
            rules.compare(name, where, gone=table[0], every=np.sum(table, axis=0), p=p)


def _accretion(mine: Beside, rules: OddRules, versions: Sequence[AcceptedEntry]) -> None:
    """Over the versions that it supersedes: samples that got better while not one got worse."""
    told = [by_sample(one.per_sample) for one in versions if one.per_sample is not None]
    if not told or mine.per_sample is None:
        return
    ways = {one.key: one.direction for one in mine.results if one.direction != "neither"}
    for flips in changes([*told, by_sample(mine.per_sample)], ways):
        if flips.only_up(rules["accretion"]):
            rules.compare("accretion", f"column {flips.key}", flips=flips, versions=len(told) + 1)


def _leap(rules: OddRules, result: ColumnResult, value: float, active: Sequence[AcceptedEntry]) -> None:
    """Far above the best entry of its class."""
    others = ((one.column(result.key), one) for one in active)
    known = [(one.value, one, entry) for one, entry in others if one is not None and one.value is not None]
    if not known:
        return
    sign = _sign(result)
    best, theirs, entry = max(known, key=lambda each: sign * each[0])
    error = math.hypot(_error(result), _error(theirs))
    ahead = sign * (value - best)
    if error > 0 and ahead > rules["leap"] * error:
        about = {"best": best, "other": entry.submission.model.display_name, "errors": ahead / error}
        rules.compare("leap", f"column {result.key}", value=value, **about)


def _error(one: ColumnResult) -> float:
    """A standard error from an interval, as if it were normal; 0 without one."""
    if one.low is None or one.high is None:
        return 0.0
    return max(one.high - one.low, 0.0) / 2 / normal_quantile(one.level)


def check_pasted(wants: Sequence[Want], columns: Sequence[VerifiedColumn], rules: OddRules) -> None:
    """Cells of different tasks with the same scores: by sample where they share them, else in the data's
    order. wants: the columns' cells. Vectors that chance makes equal, and answers that are all the same
    (whose scores follow the order of options), say nothing.
    """
    seen: dict[bytes, tuple[str, str]] = {}
    for want, column in zip(wants, columns, strict=True):
        for (subject, cell), units in zip(want.cells, column.units, strict=False):
            task, place = cell.plan.task, subject.place("", f"cell {cell.id}")
            if subject.usual.get(cell.id, 1.0) >= USUAL:
                continue
            told: set[str] = set()
            for kind, value in _vectors(subject, units):
                if chance_of(value) >= rules["other task"]:
                    continue
                other, where = seen.setdefault(kind + _levels(value).tobytes(), (task, place))
                if other != task and where not in told:
                    told.add(where)
                    about = {"samples": len(value), "task": task, "other": other, "p": chance_of(value)}
                    rules.compare("other task", f"{place} and {where}", **about)


def _vectors(subject: VerifiedRun, units: CellUnits) -> list[tuple[bytes, Floats]]:
    """(what orders it, values): by the samples' names, and in the data's order where that is known."""
    values = ratios(units.top, units.bottom)
    found = [(units.sample.tobytes(), values)]
    data = np.frombuffer(subject.order.get(units.cell, b""), dtype=np.uint64)
    if np.array_equal(np.sort(data), units.sample):
        found.append((b"", values[np.searchsorted(units.sample, data)]))
    return found


def _levels(value: Floats) -> Floats:
    """Values with a number for those that are not there, and no noise of arithmetic."""
    return np.nan_to_num(np.round(value, 9), nan=-1e300)


def chance_of(value: Floats) -> float:
    """How likely the same scores come in the same order by chance: 1 over the number of their orders.

    value: shape (n,), NaN where there is none. 1 for vectors that are all alike, or empty.
    """
    _, counts = np.unique(_levels(value), return_counts=True)
    orders = gammaln(len(value) + 1) - gammaln(counts + 1).sum()
    return float(np.exp(-orders))
