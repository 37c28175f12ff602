"""What changed sample by sample between an entry and the one it supersedes.

Honest changes go both ways. Where no sample ever got worse over a new version, results may have been
gathered: only failures run again, the better kept.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from suite.board.entry import Entry
from suite.board.per_sample import read_numbers

FEWEST_FLIPS = 10  # better ones, before a lack of worse ones is remarkable


@dataclass(frozen=True)
class Flips:
    """Of one column: samples that got better, worse, stayed the same. only_up: remarkable."""

    key: str
    better: int
    worse: int
    same: int

    @property
    def only_up(self) -> bool:
        """Whether it only ever got better, over enough changes to be no accident."""
        return self.worse == 0 and self.better >= FEWEST_FLIPS


def flips(old: Entry, new: Entry) -> list[Flips]:
    """By column, over the samples that both have scored. Columns without samples are left out."""
    if old.per_sample is None or new.per_sample is None:
        return []
    before, after = _by_sample(old.per_sample), _by_sample(new.per_sample)
    found = []
    for result in new.verification.columns:
        sign = -1 if result.direction == "lower" else 1
        both = before.get(result.key, {}).keys() & after.get(result.key, {}).keys()
        if not both:
            continue
        changes = np.array([sign * (after[result.key][one] - before[result.key][one]) for one in both])
        up, down = int((changes > 1e-12).sum()), int((changes < -1e-12).sum())
        found.append(Flips(result.key, up, down, len(changes) - up - down))
    return found


def _by_sample(path: Path) -> dict[str, dict[tuple[str, str], float]]:
    """Column -> (cell, sample) -> value of the scored samples."""
    found: dict[str, dict[tuple[str, str], float]] = {}
    for key, labels, top, bottom in read_numbers(path):
        scored = bottom > 0
        values = np.divide(top, bottom, out=np.zeros_like(top), where=scored)
        pairs = zip(labels.cell[scored].tolist(), labels.sample[scored].tolist(), strict=True)
        found[key] = dict(zip(pairs, values[scored].tolist(), strict=True))
    return found
