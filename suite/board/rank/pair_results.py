"""Two entries of a table held against each other, in a column or by the overall number.

Difference, interval and p are those of the ranking: all pairs of the table were tested at once, so they agree
with the word and with the ranks. Samples are counted apart from that test.
"""

from typing import NamedTuple

import numpy as np

from suite.board.rank.columns import RankedColumn
from suite.board.rank.overall import outcomes
from suite.board.rank.state import RankTable


class PairStanding(NamedTuple):
    """word: better, worse or tied, of the first against the second; "" where they were not tested.

    difference: by how much the first is better; low, high: its interval; p: corrected for all pairs; None
    where unknown. won, lost, same: samples that both have scored, over all columns for the overall number.
    """

    word: str = ""
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    won: int = 0
    lost: int = 0
    same: int = 0

    @property
    def share(self) -> float | None:
        """Of the samples, those that the first does better."""
        both = self.won + self.lost + self.same
        return self.won / both if both else None


def pair_result(table: RankTable, first: int, second: int, key: str = "") -> PairStanding:
    """first, second: places of two ranked entries. key: a column; "" for the overall number."""
    columns = [table.columns[key]] if key else list(table.columns.values())
    won, lost, same = np.sum([_counts(column, first, second) for column in columns], axis=0).tolist()
    standing = table.standing(key)
    pairs, members = standing.pairs, list(standing.members)
    if pairs is None or first not in members or second not in members:
        return PairStanding(won=won, lost=lost, same=same)
    at = members.index(first), members.index(second)
    word = "better" if pairs.better[at] else "worse" if pairs.better[at[::-1]] else "tied"
    difference, se = float(pairs.values[at[0]] - pairs.values[at[1]]), float(pairs.se[at])
    half = pairs.critical * se if pairs.critical is not None and 0 < se < np.inf else None
    low, high = (None, None) if half is None else (difference - half, difference + half)
    return PairStanding(word, difference, low, high, pairs.p(*at), won, lost, same)


def _counts(column: RankedColumn, first: int, second: int) -> tuple[int, int, int]:
    """Samples won, lost and the same; none of a column that is not paired."""
    if column.units is None:
        return 0, 0, 0
    one, two = outcomes(column.among(np.array([first, second]))).T
    won, lost, same = one > two, one < two, one == two  # a sample without a value is none of these
    return int(won.sum()), int(lost.sum()), int(same.sum())
