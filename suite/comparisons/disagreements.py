"""Samples on which two models differ most, to read: the question, both answers, both values."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from suite.comparisons.differences import MeasureRow
from suite.journal.index import digest64
from suite.journal.records import OutputRecord
from suite.journal.run import Run
from suite.report.traces import answer, question


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


def disagreements(a: Run, b: Run, rows: Sequence[MeasureRow], most: int) -> list[Disagreement]:
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
    outputs_a = _outputs(a, {(row.match.cell_a, digest) for row, digest, _ in chosen})
    outputs_b = _outputs(b, {(row.match.cell_b, digest) for row, digest, _ in chosen})
    found = []
    for row, digest, difference in chosen:
        one, two = outputs_a.get((row.match.cell_a, digest)), outputs_b.get((row.match.cell_b, digest))
        if one is None:
            continue  # its first trial has no output
        found.append(
            Disagreement(
                row.match.task,
                row.measure.name,
                one.sample,
                difference,
                question(a, one),
                answer(a, one),
                answer(b, two) if two else "",
            )
        )
    return found


def _queue(row: MeasureRow, sign: int, most: int) -> list[tuple[int, float]]:
    ids, d = row.found.ids, row.found.d
    if ids is None or d is None:
        return []
    order = np.lexsort((ids, -sign * d))[:most]
    return [(int(ids[i]), float(d[i])) for i in order if sign * d[i] > 0]


class _Key(msgspec.Struct):
    """What finding needs of an output; the rest of its line is skipped."""

    cell: str
    sample: str
    trial: int = 0


def _outputs(run: Run, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], OutputRecord]:
    """The outputs of some (cell, digest of the sample), first trial, by a pass over the journal."""
    lines, decode = run.journal.outputs, msgspec.json.Decoder(_Key).decode
    cells = {cell for cell, _ in wanted}
    keyed = ((decode(line), line) for line in lines.raw())
    first = ((one, line) for one, line in keyed if one.trial == 0 and one.cell in cells)
    found = (((one.cell, digest64(one.sample)), line) for one, line in first)
    return {key: lines.decode(line, 0) for key, line in found if key in wanted}
