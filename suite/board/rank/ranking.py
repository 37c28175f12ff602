"""The ranking of a board: every column and the overall number, with intervals and rank intervals.

Everything here is a pure function of the board and of what verification recomputed, so anyone gets the same
numbers. Ties are shown: entries that the data cannot tell apart have rank intervals that overlap.
Not here: who is eligible (`state`), pages.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from suite.board.define.board import Board
from suite.board.rank.columns import Floats, RankedColumn, interval, replicates, seed_for
from suite.board.rank.max_t import Pairwise, competition_ranks, pairwise
from suite.board.rank.overall import Scale, combine, drawn_strengths, scales, strengths
from suite.errors import worded
from suite.scoring.stats.estimate import finite

FEW_CLUSTERS = 20
MANY = 300  # entries; beyond, fewer resamples
FEWER = 1000
MOST_FOR_BOOTSTRAPPED_BT = 60
RESAMPLES_OF_BT = 400
EXPECTED_MAXIMUM = {1: 0.0, 2: 0.5642, 3: 0.8463, 4: 1.0294, 5: 1.1630, 6: 1.2672, 7: 1.3522, 8: 1.4236,
                    9: 1.4850, 10: 1.5388}  # fmt: skip  # of k standard normals
PRECISION = 1e-6  # of float32 replicates


class Position(NamedTuple):
    """One entry in an order: its value as shown, the value's interval and standard error, its rank, which
    ties share, and the rank interval. None: unknown, or not in the order. lacking: how many columns add
    nothing to the interval, since all units of the entry are alike there.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    rank: int | None = None
    lowest: int | None = None
    highest: int | None = None
    se: float | None = None
    lacking: int = 0

    @property
    def precedence(self) -> tuple[bool, int, bool]:
        """To sort by: rank, then whether there is an interval."""
        return self.rank is None, self.rank or 0, self.low is None


@dataclass(frozen=True)
class Standing:
    """Entries in one order. places: of all entries. members: indices of those that are in it. pairs: of the
    members; None where they were not tested. note: what a reader must know.
    """

    places: list[Position]
    members: Sequence[int] = ()
    pairs: Pairwise | None = None
    note: str = ""

    def at(self, place: int | None) -> Position:
        """One entry by its place, None for one that has none."""
        return Position() if place is None else self.places[place]

    @property
    def order(self) -> list[int]:
        """All entries: those with a rank, best first, of equals those with an interval; then the others."""
        return sorted(range(len(self.places)), key=lambda i: self.places[i].precedence)

    @property
    def leading(self) -> list[int]:
        """Entries that have a rank, best first."""
        return [i for i in self.order if self.places[i].rank is not None]

    @property
    def bare(self) -> list[int]:
        """Entries without an interval, best first; they keep the rank of their value, and pages tell it."""
        return [i for i in self.leading if self.places[i].low is None]

    @property
    def tied_for_first(self) -> list[int]:
        """Entries whose rank interval includes 1, best first."""
        return [i for i in self.leading if self.places[i].lowest == 1]


@dataclass(frozen=True)
class Ranking:
    """columns: key -> standing. overall: by the board's method. others: by its alternatives, values and ranks
    only. leave_one_out: (lowest, highest) rank of an entry over leaving each column out. resamples: of the
    bootstrap.
    """

    columns: dict[str, Standing]
    overall: Standing
    others: dict[str, Standing]
    leave_one_out: list[tuple[int, int] | None]
    resamples: int
    note: str = ""

    @property
    def leaders_differ(self) -> list[str]:
        """Methods that have another leader than the board's."""
        first, *others = (
            [i for i, one in enumerate(standing.places) if one.rank == 1]
            for standing in (self.overall, *self.others.values())
        )
        return [method for method, theirs in zip(self.others, others, strict=True) if theirs != first]


def rank(board: Board, columns: Sequence[RankedColumn]) -> Ranking:
    """Rank K entries. columns: one per item of the board, each over the same K entries.

    Raises ConfigError where ratings do not converge.
    """
    k = len(columns[0].value)
    resamples = board.uncertainty.resamples
    note = ""
    if k > MANY and resamples > FEWER:
        note = f"{FEWER:,} resamples in place of {resamples:,}: there are more than {MANY} entries"
        resamples = FEWER
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda column: _column(board, column, resamples), columns))
    standings = {column.key: standing for column, (standing, _) in zip(columns, done, strict=True)}
    drawn = {column.key: found for column, (_, found) in zip(columns, done, strict=True)}
    others: dict[str, Standing] = {
        method: _points_only(_points(board, columns, method))
        for method in board.overall.alternatives
        if method != board.overall.method
    }
    overall = _overall(board, columns, drawn, standings)
    return Ranking(standings, overall, others, _leave_one_out(board, columns), resamples, note)


def _column(board: Board, column: RankedColumn, resamples: int) -> tuple[Standing, Floats]:
    """A column's standing, and its replicates (B, K) as float32, NaN where the entry has no value."""
    k = len(column.value)
    drawn: Floats = np.full((resamples, k), np.nan, np.float32)
    keep = np.flatnonzero(column.present)
    if not len(keep):
        return _points_only(column.value), drawn
    part = column.among(keep)
    found = replicates(part, resamples, seed_for(board, column), board.uncertainty.level)
    drawn[:, keep] = found
    scale = scales(board)[column.key]
    sign = 1.0 if column.higher else -1.0
    unknown = part.spread_unknown
    pairs = pairwise(
        sign * part.value,
        sign * found,
        level=board.uncertainty.level,
        epsilon=board.uncertainty.epsilon * (scale.high - scale.low),
        clusters=part.clusters,
        unknown=unknown[:, None] | unknown[None, :],
    )
    notes = [column.why] if column.why else []
    if part.clusters is not None and part.clusters < FEW_CLUSTERS:
        notes.append(f"only {part.clusters} independent units: intervals are widened and still rough")
    se = np.where(unknown, np.nan, found.std(axis=0, ddof=1))
    numbers = np.stack([part.value, part.low, part.high, se])  # the interval that verification recomputed
    return _standing(k, keep, numbers, notes, pairs, higher=column.higher), drawn


def _overall(
    board: Board, columns: Sequence[RankedColumn], drawn: dict[str, Floats], standings: dict[str, Standing]
) -> Standing:
    method, k, rules = board.overall.method, len(columns[0].value), board.uncertainty
    values = _points(board, columns, method)
    keep = np.flatnonzero(~np.isnan(values))
    mine = values[keep]
    if not len(keep):
        return _points_only(values)
    notes: list[str] = []
    if method == "bradley_terry":
        if len(keep) > MOST_FOR_BOOTSTRAPPED_BT:
            return _points_only(values, [f"no rank intervals: more than {MOST_FOR_BOOTSTRAPPED_BT} entries"])
        parts = [column.among(keep) for column in columns]
        found = drawn_strengths(board, parts, min(len(drawn[columns[0].key]), RESAMPLES_OF_BT))
        notes.append(f"intervals and ranks of strengths are from {len(found):,} resamples")
    else:
        higher = {column.key: column.higher for column in columns}
        found = combine(method, drawn, higher, scales(board), board.overall.missing)[:, keep]
    clusters = effective_clusters(board, columns, drawn, keep)
    # where the spread of a difference is not known in some column, nobody knows it of the overall number
    untold = np.zeros((k, k), np.bool_)
    for one in standings.values():
        if one.pairs is not None:
            untold[np.ix_(one.members, one.members)] |= np.isinf(one.pairs.se)
    pairs = pairwise(
        mine,
        found,
        level=rules.level,
        epsilon=rules.epsilon if method == "mean_of_normalised" else 0.0,
        clusters=clusters,
        unknown=untold[np.ix_(keep, keep)],
        precision=PRECISION,
    )
    if few := sum(one.clusters is not None and one.clusters < FEW_CLUSTERS for one in columns):
        notes.append(f"{few} of {len(columns)} tasks have fewer than {FEW_CLUSTERS} independent units")
    se = found.std(axis=0, ddof=1)
    blind = np.logical_or.reduce([column.spread_unknown for column in columns])[keep]
    blind |= se <= PRECISION * max(1.0, float(np.abs(mine).max()))
    numbers = np.stack([mine, *interval(mine, found, rules.level, clusters), se])
    numbers[1:, blind] = np.nan
    lacking = np.zeros(len(keep), np.intp)
    if method == "mean_of_normalised":
        lacking = np.where(blind, 0, alike(columns, drawn)[keep])
    if narrow := np.count_nonzero(lacking):
        notes.append(worded("board.rank.narrow", narrow=narrow, entries=len(keep)))
    if blind.any():
        notes.append(worded("board.rank.blind", blind=blind.sum(), entries=len(keep)))
    return _standing(k, keep, numbers, notes, pairs, lacking=lacking.tolist())


def _points(
    board: Board, columns: Sequence[RankedColumn], method: str, parts: Mapping[str, Scale] | None = None
) -> Floats:
    """(K,). parts: the columns that count, with their scales; None for all."""
    parts, missing = parts or scales(board), board.overall.missing
    if method == "bradley_terry":
        return strengths(columns, parts, missing, board.overall.ties)
    values = {column.key: column.value for column in columns}
    return combine(method, values, {column.key: column.higher for column in columns}, parts, missing)


def _leave_one_out(board: Board, columns: Sequence[RankedColumn]) -> list[tuple[int, int] | None]:
    """Lowest and highest rank over leaving each column out, by the board's method, among the same entries:
    those that have an overall number.
    """
    k = len(columns[0].value)
    method = board.overall.method
    keep = np.flatnonzero(~np.isnan(_points(board, columns, method)))
    if len(columns) < 2 or not len(keep):
        return [None] * k
    parts = scales(board)
    seen: list[list[int]] = [[] for _ in range(k)]
    for gone in columns:
        rest = {key: scale for key, scale in parts.items() if key != gone.key}
        kept = [column.among(keep) for column in columns if column.key != gone.key]
        for i, place in enumerate(competition_ranks(_points(board, kept, method, rest))):
            if place is not None:
                seen[keep[i]].append(place)
    return [(min(one), max(one)) if one else None for one in seen]


def _standing(
    k: int,
    keep: NDArray[np.intp],
    numbers: Floats,
    notes: Sequence[str],
    pairs: Pairwise | None = None,
    *,
    higher: bool = True,
    lacking: Sequence[int] = (),
) -> Standing:
    """The standing of K entries, of whom `keep` are in it. numbers: (4, M), their value, low, high and se."""
    ranks = competition_ranks(numbers[0] if higher else -numbers[0])
    spans: Sequence[tuple[int | None, int | None]]
    spans = [(None, None)] * len(keep) if pairs is None else pairs.intervals
    places = [Position()] * k
    for at, i in enumerate(keep.tolist()):
        value, low, high, se = map(finite, numbers[:, at].tolist())
        places[i] = Position(value, low, high, ranks[at], *spans[at], se, lacking[at] if lacking else 0)
    return Standing(places, keep.tolist(), pairs, "; ".join(notes))


def _points_only(values: Floats, notes: Sequence[str] = ()) -> Standing:
    """The standing of values (K,) without intervals and tests."""
    keep = np.flatnonzero(~np.isnan(values))
    return _standing(len(values), keep, np.vstack([values[keep], np.full((3, len(keep)), np.nan)]), notes)


def expected_gain(se: float | None, runs: int) -> float | None:
    """What the best of `runs` equal runs is expected to gain by luck alone: se x E[max of k normals]."""
    if se is None or runs < 1:
        return None
    if runs in EXPECTED_MAXIMUM:
        return se * EXPECTED_MAXIMUM[runs]
    # Blom's approximation, within 1 % for more than ten
    return se * float(ndtri((runs - 0.375) / (runs + 0.25)))


def alike(columns: Sequence[RankedColumn], drawn: dict[str, Floats]) -> NDArray[np.intp]:
    """(K,): in how many paired columns all of an entry's units are alike, so that its replicates are, too."""
    found = np.zeros(len(columns[0].value), np.intp)
    for column in columns:
        if column.units is not None:
            same = np.ptp(drawn[column.key], axis=0) <= PRECISION * np.maximum(np.abs(column.value), 1e-9)
            found += column.present & same
    return found


def effective_clusters(
    board: Board, columns: Sequence[RankedColumn], drawn: dict[str, Floats], keep: NDArray[np.intp]
) -> float | None:
    """How many clusters the overall number rests on: Satterthwaite's degrees of freedom + 1, over columns
    whose variances add up with their weights squared; columns drawn together are one; an unpaired one is
    as good as infinitely many. Without any variance the smallest number counts.
    """
    together: dict[int, tuple[Floats, int | None]] = {}
    for column in columns:
        scale = scales(board)[column.key]
        share = scale.weight / (scale.high - scale.low) * (1 if column.higher else -1)
        part = np.nan_to_num(drawn[column.key][:, keep]) * share
        seed, count = seed_for(board, column), column.clusters
        together[seed] = (together[seed][0] + part if seed in together else part, count)
    whole, divided = 0.0, 0.0
    for summed, count in together.values():
        variance = float(summed.var(axis=0).mean())
        whole += variance
        divided += 0.0 if count is None else variance**2 / max(count - 1, 1e-9)
    if whole <= PRECISION**2:
        return min((count for _, count in together.values() if count is not None), default=None)
    return None if divided == 0 else 1 + whole**2 / divided
