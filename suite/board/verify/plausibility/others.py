"""What only many results beside each other show: scores pasted from task to task, and, beside a board's other
entries, copies, samples left out where others do worst, leaps, accretion.

Hints with their numbers and the other entry's name. A base model and what was tuned from it may honestly
agree on many a greedy reply, so that nothing here is an error.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.board.bundle.rungs import Findings
from suite.board.bundle.submission import Submission
from suite.board.define.board import Board
from suite.board.define.thresholds import Thresholds
from suite.board.entry.accepted_entry import GONE, AcceptedEntry
from suite.board.entry.verification import ColumnResult
from suite.board.rank.sample_tables import Values, by_sample, changes, read_numbers
from suite.board.rank.state import belongs
from suite.board.verify.column_results import CellUnits, VerifiedColumn, Want
from suite.board.verify.plausibility.rules import OddRules
from suite.board.verify.reply_digests import ReplyDigests, overlap, read_replies
from suite.board.verify.subject import VerifiedRun

Floats = NDArray[np.float64]
USUAL = 0.9  # share of outputs that are all the same, from which on scores say where the answers were put


@dataclass(frozen=True)
class Beside:
    """What is held against a board's entries. others: those accepted before it, oldest first."""

    board: Board
    submission: Submission
    kind: str
    columns: Sequence[VerifiedColumn]
    replies: ReplyDigests
    subjects: Sequence[VerifiedRun]
    others: Sequence[AcceptedEntry]

    @property
    def name(self) -> str:
        """The model's, as declared."""
        return self.submission.model.display_name

    def same_model(self, entry: AcceptedEntry) -> bool:
        """Whether an entry declares the same model."""
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


def check_others(mine: Beside, findings: Findings) -> None:
    """Everything. Raises DataError for an entry whose files are damaged."""
    rules = OddRules(Thresholds(mine.board.plausibility), findings)
    versions = [one for one in mine.before() if belongs(mine.board, one)]
    replaced = {one.id for one in mine.before()}
    for entry in mine.others:
        if entry.id not in replaced and not mine.same_model(entry):
            _copied(mine, rules, entry)
    here = [one for one in mine.others if belongs(mine.board, one) and one.record.status not in GONE]
    _by_sample(mine, rules, [one for one in here if one.id not in replaced])
    _accretion(mine, rules, versions)
    active = [one for one in here if one.record.status == "active" and one.verification.kind == mine.kind]
    for column in mine.columns:
        if column.result.value is not None and column.result.direction != "neither":
            sign = -1 if column.result.direction == "lower" else 1
            _ceiling(rules, column.result, column.result.value, sign, mine.board)
            _leap(rules, column.result, column.result.value, sign, active)


def _copied(mine: Beside, rules: OddRules, entry: AcceptedEntry) -> None:
    """Long replies that another model's entry has, too, for the same samples."""
    if entry.replies is None or not rules.enough(len(mine.replies)):
        return
    found = overlap(mine.replies, read_replies(entry.replies))
    if not rules.enough(found.replies):
        return
    same, near = found.same / found.replies, found.near / found.replies
    most_same, most_near = rules["near copies"], rules.thresholds["near_replies"]
    if same > most_same or near > most_near:
        rules.tell(
            "near copies",
            f"entry {entry.folder.name}",
            expected=f"at most {most_same:.0%} equal, {most_near:.0%} nearly",
            found=f"of {found.replies} of {mine.name}, {same:.0%} are equal and {near:.0%} nearly equal to "
            f"those of {entry.submission.model.display_name}",
        )


def _by_sample(mine: Beside, rules: OddRules, others: Sequence[AcceptedEntry]) -> None:
    """Equal scores, and how hard each sample is; every other entry's table is read once."""
    flat = {one.result.key: _Flat.of(one.units) for one in mine.columns if one.units}
    sums = {key: np.zeros(len(one.value)) for key, one in flat.items()}
    counts = {key: np.zeros(len(one.value)) for key, one in flat.items()}
    moved = {cell for one in mine.subjects for cell, share in one.usual.items() if share < 0.9}
    for entry in others:
        if entry.per_sample is None:
            continue
        for key, labels, top, bottom in read_numbers(entry.per_sample):
            one = flat.get(key)
            if one is None or not one.same_units(labels.cell, labels.sample):
                continue
            value = np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)
            scored = ~np.isnan(value)
            sums[key][scored] += value[scored]
            counts[key] += scored
            if not mine.same_model(entry) and set(one.cell.tolist()) <= moved:
                _equal(mine, rules, f"column {key}, entry {entry.folder.name}", one, value, entry)
    for column in mine.columns:
        key = column.result.key
        if key in flat and counts[key].any() and column.result.direction != "neither":
            sign = -1 if column.result.direction == "lower" else 1
            known = counts[key] > 0
            easy = np.divide(sign * sums[key], counts[key], out=np.full_like(sums[key], np.nan), where=known)
            _missing(mine, rules, f"column {key}", flat[key], easy)


@dataclass(frozen=True)
class _Flat:
    """A column's units in one row, by (cell, sample). value: NaN where there is none."""

    cell: NDArray[np.str_]
    digest: NDArray[np.uint64]
    sample: NDArray[np.str_]
    value: Floats

    @classmethod
    def of(cls, units: Sequence[CellUnits]) -> "_Flat":
        cells, digests, values = [], [], []
        for one in sorted(units, key=lambda each: each.cell):
            order = np.argsort(one.sample, kind="stable")
            cells.append(np.full(len(order), one.cell))
            digests.append(one.sample[order])
            top, bottom = one.top[order], one.bottom[order]
            values.append(np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0))
        digest = np.concatenate(digests)
        names = np.array([f"{one:016x}" for one in digest.tolist()], dtype=np.str_)
        return cls(np.concatenate(cells), digest, names, np.concatenate(values))

    def scored(self) -> dict[tuple[str, str], float]:
        """(cell, sample) -> value, where there is one."""
        rows = zip(self.cell.tolist(), self.sample.tolist(), self.value.tolist(), strict=True)
        return {(cell, sample): value for cell, sample, value in rows if not math.isnan(value)}

    def same_units(self, cell: NDArray[np.str_], sample: NDArray[np.str_]) -> bool:
        """Whether these are the same units in the same order."""
        return np.array_equal(self.cell, cell) and np.array_equal(self.sample, sample)


def _equal(
    mine: Beside, rules: OddRules, where: str, one: _Flat, value: Floats, entry: AcceptedEntry
) -> None:
    if not np.allclose(one.value, value, rtol=0, atol=1e-12, equal_nan=True):
        return
    chance, least = chance_of(value), rules["other model"]
    if chance < least:
        rules.tell(
            "other model",
            where,
            expected=f"by chance: p >= {least:.0e}",
            found=f"{len(value)} samples of {mine.name} as of {entry.submission.model.display_name}, "
            f"p = {chance:.0e}",
        )


def _missing(mine: Beside, rules: OddRules, where: str, one: _Flat, easy: Floats) -> None:
    """Whether what is missing lies where it costs most: Fisher's exact test, one-sided."""
    from scipy import stats

    known = ~np.isnan(easy)
    hard = easy < easy[known].mean()
    failing = {
        (cell, name) for subject in mine.subjects for cell, names in subject.failed.items() for name in names
    }
    failed = np.array([pair in failing for pair in zip(one.cell.tolist(), one.digest.tolist(), strict=True)])
    for name, gone in (("missing", np.isnan(one.value)), ("failed", failed)):
        table = [
            [int((gone & hard & known).sum()), int((gone & ~hard & known).sum())],
            [int((~gone & hard & known).sum()), int((~gone & ~hard & known).sum())],
        ]
        p = float(stats.fisher_exact(table, alternative="greater").pvalue)
        if p < rules[name]:
            (hard_gone, easy_gone), (hard_here, easy_here) = table
            rules.tell(
                name,
                where,
                expected=f"by chance: p >= {rules[name]:g}",
                found=f"{hard_gone} of {hard_gone + hard_here} hard samples, {easy_gone} of "
                f"{easy_gone + easy_here} others: p = {p:.1e}",
            )


def _accretion(mine: Beside, rules: OddRules, versions: Sequence[AcceptedEntry]) -> None:
    """Over the versions that it supersedes: samples that got better while not one got worse."""
    told = [by_sample(one.per_sample) for one in versions if one.per_sample is not None]
    if not told:
        return
    now: Values = {one.result.key: _Flat.of(one.units).scored() for one in mine.columns if one.units}
    ways = {one.result.key: one.result.direction for one in mine.columns if one.result.direction != "neither"}
    for flips in changes([*told, now], ways):
        if flips.only_up(rules["accretion"]):
            rules.tell(
                "accretion",
                f"column {flips.key}",
                expected=f"some worse, or fewer than {rules['accretion']:g} better",
                found=f"{flips.better} better, 0 worse, {flips.same} the same, over {len(told) + 1} versions",
            )


def _ceiling(rules: OddRules, result: ColumnResult, value: float, sign: int, board: Board) -> None:
    ceiling = board.item(result.key).ceiling
    if ceiling is not None and sign * (value - ceiling) > 0:
        most = f"{'at least' if sign < 0 else 'at most'} {ceiling:g}"
        rules.tell("ceiling", f"column {result.key}", expected=most, found=f"{value:.6g}")


def _leap(
    rules: OddRules, result: ColumnResult, value: float, sign: int, active: Sequence[AcceptedEntry]
) -> None:
    """Far above the best entry of its class."""
    others = ((one.column(result.key), one) for one in active)
    known = [(one.value, one, entry) for one, entry in others if one is not None and one.value is not None]
    if not known:
        return
    best, theirs, entry = max(known, key=lambda each: sign * each[0])
    parts = [_error(one.low, one.high, one.level) for one in (result, theirs)]
    error = float(np.sqrt(sum(one * one for one in parts if one is not None)))
    ahead = sign * (value - best)
    if error > 0 and ahead > rules["leap"] * error:
        rules.tell(
            "leap",
            f"column {result.key}",
            expected=f"at most {rules['leap']:g} standard errors of the difference",
            found=f"{value:.4g} against {best:.4g} of {entry.submission.model.display_name}: "
            f"{ahead / error:.1f}",
        )


def _error(low: float | None, high: float | None, level: float) -> float | None:
    """A standard error from an interval, as if it were normal."""
    from scipy import stats

    if low is None or high is None or not high > low:
        return None
    return (high - low) / 2 / float(stats.norm.ppf((1 + level) / 2))


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
                other, where = seen.setdefault(_key(kind, value), (task, place))
                if other != task and where not in told:
                    told.add(where)
                    rules.tell(
                        "other task",
                        f"{place} and {where}",
                        expected=f"by chance: p >= {rules['other task']:.0e}",
                        found=f"{len(value)} samples of {task} and {other}, p = {chance_of(value):.0e}",
                    )


def _vectors(subject: VerifiedRun, units: CellUnits) -> list[tuple[bytes, Floats]]:
    """(what orders it, values): by the samples' names, and in the data's order where that is known."""
    order = np.argsort(units.sample, kind="stable")
    sample = units.sample[order]
    top, bottom = units.top[order], units.bottom[order]
    value = np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)
    found = [(sample.tobytes(), value)]
    data = np.frombuffer(subject.order.get(units.cell, b""), dtype=np.uint64)
    if len(data) == len(sample) and np.array_equal(np.sort(data), sample):
        found.append((b"", value[np.searchsorted(sample, data)]))
    return found


def _key(kind: bytes, value: Floats) -> bytes:
    return kind + np.round(np.nan_to_num(value, nan=-1e300), 9).tobytes()


def chance_of(value: Floats) -> float:
    """How likely the same scores come in the same order by chance: 1 over the number of their orders.

    value: shape (n,), NaN where there is none. 1 for vectors that are all alike, or empty.
    """
    from scipy import special

    _, counts = np.unique(np.nan_to_num(np.round(value, 9), nan=-1e300), return_counts=True)
    orders = special.gammaln(len(value) + 1) - special.gammaln(counts + 1).sum()
    return float(np.exp(-orders))
