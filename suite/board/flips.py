"""What changed sample by sample between an entry and the one it supersedes.

Honest changes go both ways. Where no sample ever got worse over new versions, results may have been gathered:
only failures run again, the better kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from suite.board.entry import Entry
from suite.board.per_sample import read_numbers

Values = Mapping[str, Mapping[tuple[str, str], float]]  # column -> (cell, sample) -> value of scored samples


@dataclass(frozen=True)
class Flips:
    """Of one column: samples that got better, worse, stayed the same."""

    key: str
    better: int
    worse: int
    same: int

    def only_up(self, fewest: float) -> bool:
        """Whether it only ever got better, over enough changes to be no accident."""
        return self.worse == 0 and self.better >= fewest


def flips(old: Entry, new: Entry) -> list[Flips]:
    """By column, over the samples that both have scored. Columns without samples are left out."""
    if old.per_sample is None or new.per_sample is None:
        return []
    directions = {one.key: one.direction for one in new.verification.columns}
    return changes([by_sample(old.per_sample), by_sample(new.per_sample)], directions)


def changes(versions: Sequence[Values], directions: Mapping[str, str]) -> list[Flips]:
    """By column, summed over each step from one version to the next, oldest first. directions: which end of
    a column is the better one, of those to look at.
    """
    found = []
    for key, direction in directions.items():
        sign = -1 if direction == "lower" else 1
        up = down = same = 0
        for before, after in pairwise(versions):
            then, now = before.get(key, {}), after.get(key, {})
            steps = np.array([sign * (now[one] - then[one]) for one in then.keys() & now.keys()])
            better, worse = int((steps > 1e-12).sum()), int((steps < -1e-12).sum())
            up, down, same = up + better, down + worse, same + len(steps) - better - worse
        if up + down + same:
            found.append(Flips(key, up, down, same))
    return found


def by_sample(path: Path) -> dict[str, dict[tuple[str, str], float]]:
    """The values of a per_sample.parquet. Raises DataError."""
    found: dict[str, dict[tuple[str, str], float]] = {}
    for key, labels, top, bottom in read_numbers(path):
        scored = bottom > 0
        values = np.divide(top, bottom, out=np.zeros_like(top), where=scored)
        pairs = zip(labels.cell[scored].tolist(), labels.sample[scored].tolist(), strict=True)
        found[key] = dict(zip(pairs, values[scored].tolist(), strict=True))
    return found
