"""Samples on which two models differ most: a few to read as text, and many to click through in a page."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from suite.comparisons.differences import MeasureRow
from suite.journal.index import digest64
from suite.journal.pairs import Key
from suite.journal.records import OutputRecord
from suite.journal.run import Run
from suite.report.traces import answer, question

Chosen = tuple[MeasureRow, int, float]  # a row, a sample's digest, A minus B


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
    chosen: list[Chosen] = []
    apart = telling(rows)
    for sign in (1, -1):
        taken: dict[tuple[str, int], Chosen] = {}  # a sample is read once, not in every cell
        for one in apart:
            if sign * one[2] > 0:
                taken.setdefault((one[0].match.task, one[1]), one)
        chosen += list(taken.values())[:most]
    if not chosen:
        return []
    outputs_a, outputs_b = map(_outputs, (a, b), keys_of(chosen))
    found = []
    for row, digest, difference in chosen:
        mine, theirs = outputs_a.get((row.match.cell_a, digest)), outputs_b.get((row.match.cell_b, digest))
        if mine is None:
            continue  # its first trial has no output
        answers = answer(a, mine), answer(b, theirs) if theirs else ""
        told = row.match.task, row.measure.name, mine.sample
        found.append(Disagreement(*told, difference, question(a, mine), *answers))
    return found


@dataclass(frozen=True)
class SampleKeys:
    """Keys of some samples of some cells, every trial: digests by cell."""

    digests: set[tuple[str, int]]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, Key) and (key.cell, digest64(key.sample)) in self.digests


def keys_of(chosen: Sequence[Chosen]) -> tuple[SampleKeys, SampleKeys]:
    """Their keys in A and in B."""
    return (
        SampleKeys({(row.match.cell_a, digest) for row, digest, _ in chosen}),
        SampleKeys({(row.match.cell_b, digest) for row, digest, _ in chosen}),
    )


def telling(rows: Sequence[MeasureRow]) -> list[Chosen]:
    """Samples that differ, in every cell the largest difference first; then those that one side lacks.

    rows: of one pair of runs; of each two cells the first that is read sample by sample counts.
    """
    queues: dict[str, list[Chosen]] = {}
    lone: list[Chosen] = []
    for row in rows:
        ids, d = row.found.ids, row.found.d
        if ids is None or d is None or row.measure.over != "samples" or row.match.cell_a in queues:
            continue
        order = np.lexsort((ids, -np.abs(d)))
        queues[row.match.cell_a] = [(row, int(ids[i]), float(d[i])) for i in order if d[i]]
        lone += [(row, int(one), 0.0) for one in row.found.lone]
    turns = itertools.zip_longest(*queues.values())
    return [*(one for turn in turns for one in turn if one is not None), *lone]


def _outputs(run: Run, wanted: SampleKeys) -> dict[tuple[str, int], OutputRecord]:
    """The outputs of some (cell, digest of the sample), first trial, by a pass over the journal."""
    found = (one for one in run.outputs() if one.trial == 0 and Key.of(one) in wanted)
    return {(one.cell, digest64(one.sample)): one for one in found}
