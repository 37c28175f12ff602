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

_Chosen = tuple[MeasureRow, int, float]  # a row, a sample's digest, A minus B


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
    readable = [row for row in rows if row.measure.over == "samples"]
    chosen: list[_Chosen] = []
    for sign in (1, -1):
        turns = itertools.zip_longest(*(_queue(row, sign, most) for row in readable))
        taken: dict[tuple[str, int], _Chosen] = {}  # a sample is read once, not in every cell
        for one in filter(None, itertools.chain.from_iterable(turns)):
            taken.setdefault((one[0].match.task, one[1]), one)
        chosen += list(taken.values())[:most]
    if not chosen:
        return []
    outputs_a = _outputs(a, {(row.match.cell_a, digest) for row, digest, _ in chosen})
    outputs_b = _outputs(b, {(row.match.cell_b, digest) for row, digest, _ in chosen})
    found = []
    for row, digest, difference in chosen:
        one, two = outputs_a.get((row.match.cell_a, digest)), outputs_b.get((row.match.cell_b, digest))
        if one is None:
            continue  # its first trial has no output
        answers = answer(a, one), answer(b, two) if two else ""
        which = row.match.task, row.measure.name, one.sample
        found.append(Disagreement(*which, difference, question(a, one), *answers))
    return found


def _queue(row: MeasureRow, sign: int, most: int) -> list[_Chosen]:
    ids, d = row.found.ids, row.found.d
    if ids is None or d is None:
        return []
    order = np.lexsort((ids, -sign * d))[:most]
    return [(row, int(ids[i]), float(d[i])) for i in order if sign * d[i] > 0]


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
