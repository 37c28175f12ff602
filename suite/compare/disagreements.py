"""Samples on which two models differ most, to read: the question, both answers, both values."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from suite.compare.loading import ComparedRun, Texts
from suite.compare.rows import MeasureRow
from suite.journal.index import digest64


@dataclass(frozen=True, slots=True)
class Disagreement:
    """task, sample: which. difference: A minus B of the metric. question: the user's last message."""

    task: str
    metric: str
    sample: str
    difference: float
    question: str
    answer_a: str
    answer_b: str


def disagreements(
    a: ComparedRun, b: ComparedRun, rows: Sequence[MeasureRow], most: int
) -> list[Disagreement]:
    """At most `most` samples for either side, from all cells in turn: largest difference first, then by id.

    Only measures over samples are read; a part of a score has no answer of its own.
    """
    chosen: list[tuple[MeasureRow, int, float]] = []
    readable = [row for row in rows if row.measure.over == "samples" and row.found.d is not None]
    for sign in (1, -1):
        queues = [_queue(row, sign, most) for row in readable]
        taken: set[tuple[str, int]] = set()
        for place, (row, queue) in itertools.product(range(most), list(zip(readable, queues, strict=True))):
            if place < len(queue) and len(taken) < most:
                key = (row.match.task, queue[place][0])  # a sample is read once, not in every cell
                if key not in taken:
                    taken.add(key)
                    chosen.append((row, *queue[place]))
    if not chosen:
        return []
    wanted_a: dict[str, set[int]] = {}
    wanted_b: dict[str, set[int]] = {}
    for row, digest, _ in chosen:
        wanted_a.setdefault(row.match.cell_a, set()).add(digest)
        wanted_b.setdefault(row.match.cell_b, set()).add(digest)
    texts = [
        Texts(run, {cell: frozenset(digests) for cell, digests in wanted.items()})
        for run, wanted in ((a, wanted_a), (b, wanted_b))
    ]
    found = []
    for row, digest, difference in chosen:
        record = texts[0].outputs.get((row.match.cell_a, digest))
        if record is None or digest64(record.sample) != digest:
            continue
        found.append(
            Disagreement(
                row.match.task,
                row.measure.name,
                record.sample,
                difference,
                texts[0].question(row.match.cell_a, digest),
                texts[0].answer(row.match.cell_a, digest),
                texts[1].answer(row.match.cell_b, digest),
            )
        )
    return found


def _queue(row: MeasureRow, sign: int, most: int) -> list[tuple[int, float]]:
    ids, d = row.found.ids, row.found.d
    if ids is None or d is None:
        return []
    order = np.lexsort((ids, -sign * d))[:most]
    return [(int(ids[i]), float(d[i])) for i in order if sign * d[i] > 0]
