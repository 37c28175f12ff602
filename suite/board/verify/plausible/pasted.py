"""Scores that were pasted: two tasks of a bundle whose samples have the same scores in the same order."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from suite.board.findings import Findings
from suite.board.thresholds import Thresholds
from suite.board.verify.columns import Column, Units, Want
from suite.board.verify.subject import Subject

Floats = NDArray[np.float64]
USUAL = 0.9  # share of outputs that are all the same, from which on scores say where the answers were put


def check_pasted(
    wants: Sequence[Want], columns: Sequence[Column], thresholds: Thresholds, findings: Findings
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


def _vectors(subject: Subject, units: Units) -> list[tuple[bytes, Floats]]:
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
