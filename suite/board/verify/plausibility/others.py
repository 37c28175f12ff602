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
from suite.board.rank.sample_tables import Values, by_sample, changes, read_numbers
from suite.board.rank.state import belongs
from suite.board.verify.column_results import CellUnits, VerifiedColumn, Want
from suite.board.verify.reply_digests import ReplyDigests, overlap, read_replies
from suite.board.verify.subject import VerifiedRun

Floats = NDArray[np.float64]
HARD = "samples without a value lie where the board's other entries do worst"
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
    thresholds = Thresholds(mine.board.plausibility)
    versions = [one for one in mine.before() if belongs(mine.board, one)]
    replaced = {one.id for one in mine.before()}
    for entry in mine.others:
        if entry.id not in replaced and not mine.same_model(entry):
            _copied(mine, thresholds, entry, findings)
    here = [one for one in mine.others if belongs(mine.board, one) and one.record.status not in GONE]
    _by_sample(mine, thresholds, [one for one in here if one.id not in replaced], findings)
    _accretion(mine, thresholds, versions, findings)
    for column in mine.columns:
        if column.result.value is not None and column.result.direction != "neither":
            _ceiling(mine, column, findings)
            active = [one for one in here if one.record.status == "active"]
            _leap(mine, thresholds, column, active, findings)


def _copied(mine: Beside, thresholds: Thresholds, entry: AcceptedEntry, findings: Findings) -> None:
    """Long replies that another model's entry has, too, for the same samples."""
    if entry.replies is None or len(mine.replies) < thresholds["least"]:
        return
    found = overlap(mine.replies, read_replies(entry.replies))
    if found.replies < thresholds["least"]:
        return
    same, near = found.same / found.replies, found.near / found.replies
    most_same, most_near = thresholds["copied_replies"], thresholds["near_replies"]
    if same > most_same or near > most_near:
        findings.warn(
            "R9.near-copies",
            "long replies are those of an accepted entry of another model",
            f"entry {entry.folder.name}",
            expected=f"at most {most_same:.0%} equal, {most_near:.0%} nearly",
            found=f"of {found.replies} of {mine.name}, {same:.0%} are equal and {near:.0%} nearly equal to "
            f"those of {entry.submission.model.display_name}",
        )


def _by_sample(
    mine: Beside, thresholds: Thresholds, others: Sequence[AcceptedEntry], findings: Findings
) -> None:
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
                _equal(mine, thresholds, key, one, value, entry, findings)
    for column in mine.columns:
        key = column.result.key
        if key in flat and counts[key].any() and column.result.direction != "neither":
            sign = -1 if column.result.direction == "lower" else 1
            known = counts[key] > 0
            easy = np.divide(sign * sums[key], counts[key], out=np.full_like(sums[key], np.nan), where=known)
            _missing(mine, thresholds, key, flat[key], easy, findings)


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
    mine: Beside,
    thresholds: Thresholds,
    key: str,
    one: _Flat,
    value: Floats,
    entry: AcceptedEntry,
    findings: Findings,
) -> None:
    if not np.allclose(one.value, value, rtol=0, atol=1e-12, equal_nan=True):
        return
    chance = chance_of(value)
    if chance < thresholds["equal_scores_p"]:
        findings.warn(
            "R9.equal-scores",
            "every sample of a column has the score that it has in another model's entry",
            f"column {key}, entry {entry.folder.name}",
            expected=f"by chance: p >= {thresholds['equal_scores_p']:.0e}",
            found=f"{len(value)} samples of {mine.name} as of {entry.submission.model.display_name}, "
            f"p = {chance:.0e}",
        )


def _missing(
    mine: Beside, thresholds: Thresholds, key: str, one: _Flat, easy: Floats, findings: Findings
) -> None:
    """Whether what is missing lies where it costs most: Fisher's exact test, one-sided."""
    from scipy import stats

    known = ~np.isnan(easy)
    hard = easy < easy[known].mean()
    failing = {
        (cell, name) for subject in mine.subjects for cell, names in subject.failed.items() for name in names
    }
    failed = np.array([pair in failing for pair in zip(one.cell.tolist(), one.digest.tolist(), strict=True)])
    for what, gone, severity in (
        (HARD, np.isnan(one.value), "warning"),
        ("failed samples lie where the board's other entries do worst, as honest ones may", failed, "note"),
    ):
        table = [
            [int((gone & hard & known).sum()), int((gone & ~hard & known).sum())],
            [int((~gone & hard & known).sum()), int((~gone & ~hard & known).sum())],
        ]
        p = float(stats.fisher_exact(table, alternative="greater").pvalue)
        if p < thresholds["missing_hard_p"]:
            (hard_gone, easy_gone), (hard_here, easy_here) = table
            findings.add(
                "R9.missing-hard",
                what,
                f"column {key}",
                severity="warning" if severity == "warning" else "note",
                expected=f"by chance: p >= {thresholds['missing_hard_p']:g}",
                found=f"{hard_gone} of {hard_gone + hard_here} hard samples, {easy_gone} of "
                f"{easy_gone + easy_here} others: p = {p:.1e}",
            )


def _accretion(
    mine: Beside, thresholds: Thresholds, versions: Sequence[AcceptedEntry], findings: Findings
) -> None:
    """Over the versions that it supersedes: samples that got better while not one got worse."""
    told = [by_sample(one.per_sample) for one in versions if one.per_sample is not None]
    if not told:
        return
    now: Values = {one.result.key: _Flat.of(one.units).scored() for one in mine.columns if one.units}
    ways = {one.result.key: one.result.direction for one in mine.columns if one.result.direction != "neither"}
    for flips in changes([*told, now], ways):
        if flips.only_up(thresholds["accretion"]):
            findings.warn(
                "R9.accretion",
                "over the versions it supersedes samples only got better: were only failures run again?",
                f"column {flips.key}",
                expected=f"some worse, or fewer than {thresholds['accretion']:g} better",
                found=f"{flips.better} better, 0 worse, {flips.same} the same, over {len(told) + 1} versions",
            )


def _ceiling(mine: Beside, column: VerifiedColumn, findings: Findings) -> None:
    key, value = column.result.key, column.result.value
    ceiling = mine.board.item(key).ceiling
    if ceiling is None or value is None:
        return
    sign = -1 if column.result.direction == "lower" else 1
    if sign * (value - ceiling) > 0:
        findings.note(
            "R9.ceiling",
            "the score lies beyond the ceiling that the board states: ask the model again (--rerun)",
            f"column {key}",
            expected=f"{'at least' if sign < 0 else 'at most'} {ceiling:g}",
            found=f"{value:.6g}",
        )


def _leap(
    mine: Beside,
    thresholds: Thresholds,
    column: VerifiedColumn,
    active: Sequence[AcceptedEntry],
    findings: Findings,
) -> None:
    """Far above the best entry of its class."""
    key, value = column.result.key, column.result.value
    assert value is not None
    sign = -1 if column.result.direction == "lower" else 1
    known = [
        (result, one)
        for one in active
        if one.verification.kind == mine.kind
        and (result := one.column(key)) is not None
        and result.value is not None
    ]
    if not known:
        return
    best, entry = max(known, key=lambda pair: sign * (pair[0].value or 0.0))
    assert best.value is not None
    parts = [
        _error(column.result.low, column.result.high, column.result.level),
        _error(best.low, best.high, best.level),
    ]
    error = float(np.sqrt(sum(one * one for one in parts if one is not None)))
    ahead = sign * (value - best.value)
    if error > 0 and ahead > thresholds["leap_errors"] * error:
        findings.note(
            "R9.leap",
            "the score is far above the best accepted entry: ask the model again (--rerun)",
            f"column {key}",
            expected=f"at most {thresholds['leap_errors']:g} standard errors of the difference",
            found=f"{value:.4g} against {best.value:.4g} of {entry.submission.model.display_name}: "
            f"{ahead / error:.1f}",
        )


def _error(low: float | None, high: float | None, level: float) -> float | None:
    """A standard error from an interval, as if it were normal."""
    from scipy import stats

    if low is None or high is None or not high > low:
        return None
    return (high - low) / 2 / float(stats.norm.ppf((1 + level) / 2))


def check_pasted(
    wants: Sequence[Want], columns: Sequence[VerifiedColumn], thresholds: Thresholds, findings: Findings
) -> None:
    """Cells of different tasks with the same scores: by sample where they share them, else in the data's
    order. wants: the columns' cells. Vectors that chance makes equal, and answers that are all the same
    (whose scores follow the order of options), say nothing.
    """
    seen: dict[bytes, tuple[str, str]] = {}
    for want, column in zip(wants, columns, strict=True):
        for (subject, cell, task), units in zip(want.cells, column.units, strict=False):
            if subject.usual.get(cell, 1.0) >= USUAL:
                continue
            told: set[str] = set()
            for kind, value in _vectors(subject, units):
                if chance_of(value) >= thresholds["equal_scores_p"]:
                    continue
                other, where = seen.setdefault(_key(kind, value), (task, subject.place("", f"cell {cell}")))
                if other != task and where not in told:
                    told.add(where)
                    findings.warn(
                        "R9.equal-scores",
                        "every sample has the score of another task's sample",
                        f"{subject.place('', f'cell {cell}')} and {where}",
                        expected=f"by chance: p >= {thresholds['equal_scores_p']:.0e}",
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
