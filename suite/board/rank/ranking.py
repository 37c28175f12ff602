"""The ranking of a board: every column and the overall number, with intervals and rank intervals.

Everything here is a pure function of the board and of what verification recomputed, so anyone gets the same
numbers. Ties are shown: entries that the data cannot tell apart have rank intervals that overlap.
Not here: who is eligible (`state`), pages.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from suite.board.define.board import Board
from suite.board.rank.columns import Floats, RankedColumn, interval, replicates, seed_for
from suite.board.rank.max_t import Pairwise, competition_ranks, pairwise
from suite.board.rank.overall import Scale, combine, drawn_strengths, scales, strengths

T = TypeVar("T")
FEW_CLUSTERS = 20
MANY = 300  # entries; beyond, fewer resamples
FEWER = 1000
MOST_FOR_BOOTSTRAPPED_BT = 60
RESAMPLES_OF_BT = 400
EXPECTED_MAXIMUM = {1: 0.0, 2: 0.5642, 3: 0.8463, 4: 1.0294, 5: 1.1630, 6: 1.2672, 7: 1.3522, 8: 1.4236,
                    9: 1.4850, 10: 1.5388}  # fmt: skip  # of k standard normals
PRECISION = 1e-6  # of float32 replicates


class Position(NamedTuple):
    """One entry in an order, with its interval and rank interval. None: unknown, or not in the order."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    rank: int | None = None
    lowest: int | None = None
    highest: int | None = None


@dataclass(frozen=True)
class Standing:
    """Entries in one order. All lists have one place per entry; None: the entry is not in it.

    value: as shown. low, high: its interval, None where there is none. rank: ties share a number. lowest,
    highest: the rank interval; None where ranks could not be tested. se: of the value. better: (K, K) among
    `members`, which are indices of entries. note: what a reader must know. lacking: how many columns add
    nothing to an entry's interval, since all its units are alike there.
    """

    value: list[float | None]
    low: list[float | None]
    high: list[float | None]
    rank: list[int | None]
    lowest: list[int | None]
    highest: list[int | None]
    se: list[float | None]
    members: list[int]
    pairs: Pairwise
    note: str = ""
    lacking: dict[int, int] = field(default_factory=dict)

    def at(self, place: int | None) -> Position:
        """One entry by its place, None for one that has none."""
        if place is None:
            return Position()
        ranks = self.rank[place], self.lowest[place], self.highest[place]
        return Position(self.value[place], self.low[place], self.high[place], *ranks)

    @property
    def leading(self) -> list[int]:
        """Entries that have a rank, best first."""
        ranked = [i for i, rank in enumerate(self.rank) if rank is not None]
        return sorted(ranked, key=lambda i: (self.rank[i] or 0, i))

    @property
    def order(self) -> list[int]:
        """All entries: those that have a rank, then the others."""
        return [*self.leading, *(i for i, rank in enumerate(self.rank) if rank is None)]

    @property
    def tied_for_first(self) -> list[int]:
        """Entries whose rank interval includes 1."""
        return [i for i, low in enumerate(self.lowest) if low == 1]


@dataclass(frozen=True)
class Other:
    """The overall number by another method, points only. leader: indices of entries with rank 1."""

    method: str
    value: list[float | None]
    rank: list[int | None]

    @property
    def leaders(self) -> list[int]:
        """Entries with rank 1."""
        return [i for i, rank in enumerate(self.rank) if rank == 1]


@dataclass(frozen=True)
class Ranking:
    """columns: key -> standing. overall: by the board's method. others: by its alternatives. leave_one_out:
    (lowest, highest) rank of an entry over leaving each column out. resamples: of the bootstrap.
    """

    columns: dict[str, Standing]
    overall: Standing
    others: list[Other]
    leave_one_out: list[tuple[int, int] | None]
    resamples: int
    note: str = ""

    @property
    def leaders_differ(self) -> list[str]:
        """Methods that have another leader than the board's."""
        first = {i for i, rank in enumerate(self.overall.rank) if rank == 1}
        return [one.method for one in self.others if set(one.leaders) != first]


def rank(board: Board, columns: Sequence[RankedColumn], threads: int = 2) -> Ranking:
    """Rank K entries. columns: one per item of the board, each over the same K entries.

    Raises ConfigError where ratings do not converge.
    """
    k = len(columns[0].value)
    resamples = board.uncertainty.resamples
    note = ""
    if k > MANY and resamples > FEWER:
        note = f"{FEWER:,} resamples in place of {resamples:,}: there are more than {MANY} entries"
        resamples = FEWER

    def one(column: RankedColumn) -> tuple[Standing, Floats]:
        return _column(board, column, resamples)

    with ThreadPoolExecutor(threads) as pool:
        done = list(pool.map(one, columns))
    drawn = {column.key: found for column, (_, found) in zip(columns, done, strict=True)}
    standings = {column.key: standing for column, (standing, _) in zip(columns, done, strict=True)}
    overall = _overall(board, columns, drawn, standings, resamples)
    others = []
    for method in board.overall.alternatives:
        if method != board.overall.method:
            values = _points(board, columns, method)
            others.append(Other(method, _listed(values), competition_ranks(values)))
    return Ranking(standings, overall, others, _leave_one_out(board, columns), resamples, note)


def _column(board: Board, column: RankedColumn, resamples: int) -> tuple[Standing, Floats]:
    """A column's standing, and its replicates (B, K) as float32, NaN where the entry has no value."""
    k = len(column.value)
    drawn: Floats = np.full((resamples, k), np.nan, np.float32)
    keep = np.flatnonzero(column.present)
    if not len(keep):
        return _nobody(k), drawn
    part = column.among(keep)
    found = replicates(part, resamples, seed_for(board, column), board.uncertainty.level)
    drawn[:, keep] = found
    scale = scales(board)[column.key]
    sign = 1.0 if column.higher else -1.0
    pairs = pairwise(
        sign * part.value,
        sign * found,
        level=board.uncertainty.level,
        epsilon=board.uncertainty.epsilon * (scale.high - scale.low),
        clusters=part.clusters,
        unknown=either(part.spread_unknown),
    )
    low, high = part.low, part.high  # the interval that verification recomputed
    notes = [column.why] if column.why else []
    if part.clusters is not None and part.clusters < FEW_CLUSTERS:
        notes.append(f"only {part.clusters} independent units: intervals are widened and still rough")
    se = np.where(part.spread_unknown, np.nan, found.std(axis=0, ddof=1))
    return _standing(k, keep, part.value, low, high, sign, pairs, se, notes), drawn


def _overall(
    board: Board,
    columns: Sequence[RankedColumn],
    drawn: dict[str, Floats],
    standings: dict[str, Standing],
    resamples: int,
) -> Standing:
    method, k = board.overall.method, len(columns[0].value)
    values = _points(board, columns, method)
    keep = np.flatnonzero(~np.isnan(values))
    if not len(keep):
        return _nobody(k)
    notes: list[str] = []
    if method == "bradley_terry":
        found = _bootstrapped_strengths(board, columns, keep, resamples)
        if found is None:
            notes.append(f"no rank intervals: more than {MOST_FOR_BOOTSTRAPPED_BT} entries")
        else:
            notes.append(f"intervals and ranks of strengths are from {len(found):,} resamples")
    else:
        higher = {column.key: column.higher for column in columns}
        found = combine(method, drawn, higher, scales(board), board.overall.missing)[:, keep]
    if found is None:
        untested = Pairwise(np.zeros((len(keep), len(keep)), np.bool_), np.zeros((0, 0)), None)
        nothing = np.full(len(keep), np.nan)
        return _standing(k, keep, values[keep], nothing, nothing, 1.0, untested, nothing, notes, tested=False)
    epsilon = board.uncertainty.epsilon if method == "mean_of_normalised" else 0.0
    clusters = effective_clusters(board, columns, drawn, keep)
    untold = doubtful([(one.members, one.pairs.se) for one in standings.values()], k)
    pairs = pairwise(
        values[keep],
        found,
        level=board.uncertainty.level,
        epsilon=epsilon,
        clusters=clusters,
        unknown=untold[np.ix_(keep, keep)],
        precision=PRECISION,
    )
    few = [c.key for c in columns if c.clusters is not None and c.clusters < FEW_CLUSTERS]
    if few:
        notes.append(f"{len(few)} of {len(columns)} tasks have fewer than {FEW_CLUSTERS} independent units")
    low, high = interval(values[keep], found, board.uncertainty.level, clusters)
    se = found.std(axis=0, ddof=1)
    blind = np.logical_or.reduce([column.spread_unknown for column in columns])[keep]
    blind |= se <= PRECISION * max(1.0, float(np.abs(values[keep]).max()))
    low[blind] = high[blind] = se[blind] = np.nan
    lacking = {}
    if method == "mean_of_normalised":
        same = alike(columns, drawn)[keep]
        lacking = {int(i): int(n) for i, n, none in zip(keep, same, blind, strict=True) if n and not none}
    if lacking:
        notes.append(
            f"{len(lacking)} of {len(keep)} intervals are too narrow: there are tasks where all units of the "
            "entry are alike, and these add nothing"
        )
    if blind.any():
        notes.append(
            f"{int(blind.sum())} of {len(keep)} entries have no interval: the spread of a task is not known, "
            "or nothing differs over the resamples"
        )
    return _standing(k, keep, values[keep], low, high, 1.0, pairs, se, notes, lacking=lacking)


def _points(
    board: Board, columns: Sequence[RankedColumn], method: str, parts: Mapping[str, Scale] | None = None
) -> Floats:
    """(K,). parts: the columns that count, with their scales; None for all."""
    parts, missing = parts or scales(board), board.overall.missing
    if method == "bradley_terry":
        return strengths(columns, parts, missing, board.overall.ties)
    values = {column.key: column.value for column in columns}
    return combine(method, values, {column.key: column.higher for column in columns}, parts, missing)


def _bootstrapped_strengths(
    board: Board, columns: Sequence[RankedColumn], keep: NDArray[np.intp], resamples: int
) -> Floats | None:
    """(B, K) strengths over resamples of each column's clusters; None where that would take too long."""
    if len(keep) > MOST_FOR_BOOTSTRAPPED_BT:
        return None
    parts = [column.among(keep) for column in columns]
    return drawn_strengths(board, parts, min(resamples, RESAMPLES_OF_BT))


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
    value: Floats,
    low: Floats,
    high: Floats,
    sign: float,
    pairs: Pairwise,
    se: Floats,
    notes: Sequence[str],
    *,
    tested: bool = True,
    lacking: dict[int, int] | None = None,
) -> Standing:
    members = [int(index) for index in keep]
    spans = pairs.intervals if tested else []

    def whole(found: Iterable[T | None]) -> list[T | None]:
        by_place = dict(zip(members, found, strict=False))
        return [by_place.get(i) for i in range(k)]

    return Standing(
        value=whole(_listed(value)),
        low=whole(_listed(low)),
        high=whole(_listed(high)),
        rank=whole(competition_ranks(sign * value)),
        lowest=whole(a for a, _ in spans),
        highest=whole(b for _, b in spans),
        se=whole(_listed(se)),
        members=members,
        pairs=pairs,
        note="; ".join(notes),
        lacking=lacking or {},
    )


def _nobody(k: int) -> Standing:
    none: Floats = np.zeros(0)
    empty = Pairwise(np.zeros((0, 0), np.bool_), np.zeros((0, 0)), None)
    return _standing(k, np.zeros(0, np.intp), none, none, none, 1.0, empty, none, ())


def _listed(values: Floats) -> list[float | None]:
    return [float(value) if math.isfinite(value) else None for value in values]


def expected_gain(se: float | None, runs: int) -> float | None:
    """What the best of `runs` equal runs is expected to gain by luck alone: se x E[max of k normals]."""
    if se is None or runs < 1:
        return None
    if runs in EXPECTED_MAXIMUM:
        return se * EXPECTED_MAXIMUM[runs]
    from scipy.special import ndtri

    # Blom's approximation, within 1 % for more than ten
    return se * float(ndtri((runs - 0.375) / (runs + 0.25)))


def either(unknown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(K, K) of (K,): pairs with such an entry."""
    return np.asarray(unknown[:, None] | unknown[None, :], np.bool_)


def doubtful(standings: Iterable[tuple[Sequence[int], Floats]], k: int) -> NDArray[np.bool_]:
    """(K, K) of (members, standard errors among them) by column: pairs whose difference in some column has a
    spread that is not known, so nobody knows it of the overall number either.
    """
    found = np.zeros((k, k), np.bool_)
    for members, errors in standings:
        found[np.ix_(members, members)] |= np.isinf(errors)
    return found


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
