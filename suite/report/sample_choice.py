"""Which samples a report shows: few, chosen so that every cell and every way to fail is among them.

Two passes over the journal with bounded heaps. Within a cell and a kind of outcome the choice falls on the
ids with the smallest hash: the same samples in all cells, run after run, and no favourites.
"""

import heapq
import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from suite.journal.index import digest64
from suite.journal.pairs import Key
from suite.journal.records import OutputRecord, ScoreRecord
from suite.journal.run import Run
from suite.task import Unscored, Value

# in this order each cell is asked for its next sample, round after round
KINDS = ("unscored", "ended early", "not scored yet", "failing", "other")


class Picked(NamedTuple):
    """One chosen sample. outcome: a few words to filter by."""

    key: Key
    output: OutputRecord
    score: ScoreRecord | None
    outcome: str


class Choice(NamedTuple):
    """The chosen samples in the order of cells and ids, how many there are in all, and of each kind."""

    picked: list[Picked]
    total: int
    kinds: Mapping[str, int]


class Judge:
    """Says how a score looks, from the cell's headline value and the direction that is better."""

    def __init__(self, run: Run) -> None:
        self._headlines: dict[str, tuple[str, bool]] = {}
        for cell in run.results.cells:
            lower = any(one.headline and one.direction == "lower" for one in cell.metrics)
            self._headlines[cell.cell] = (cell.headline, lower)

    def kind(self, score: ScoreRecord) -> str:
        """unscored, failing or other."""
        if any(isinstance(value, Unscored) for value in score.values.values()):
            return "unscored"
        name, lower = self._headlines.get(score.cell, ("", False))
        value = score.values.get(name)
        bad = isinstance(value, int | float) and (value >= 1 if lower else value <= 0)
        return "failing" if bad else "other"

    def outcome(self, output: OutputRecord, score: ScoreRecord | None) -> str:
        """A few words: what the sample came to."""
        if score is None:
            return "not scored yet"
        name, _ = self._headlines.get(score.cell, ("", False))
        value: Value = score.values.get(name)
        if self.kind(score) == "unscored":
            return "unscored"
        if isinstance(value, bool):
            return f"{name}: {'yes' if value else 'no'}"
        if isinstance(value, int | float):
            return f"{name}: {value:.3g}" if value in (0, 1) else f"{name}: between"
        return output.output.finish if output.output.finish != "stop" else "scored"


def pick(run: Run, most: int = 200) -> Choice:
    """At most `most` samples of a run."""
    judge = Judge(run)
    heaps: dict[tuple[str, str], list[tuple[int, Key]]] = {}  # negative hashes: the largest goes first
    kinds: Counter[str] = Counter()

    def add(kind: str, key: Key) -> None:
        kinds[kind] += 1
        heap, entry = heaps.setdefault((kind, key.cell), []), (-digest64(key.sample, key.trial), key)
        (heapq.heappush if len(heap) < most else heapq.heappushpop)(heap, entry)

    for score in run.scores():
        add(judge.kind(score), Key.of(score))
    total = 0
    for output in run.outputs():
        total += 1
        if output.output.finish != "stop":
            add("ended early", Key.of(output))
        if run.score(Key.of(output)) is None:
            add("not scored yet", Key.of(output))
    ordered = {place: [key for _, key in sorted(heap, reverse=True)] for place, heap in heaps.items()}
    picked = []
    for key in _in_turn(run, ordered, most):
        if (found := run.output(key)) is not None:
            score_ = run.score(key)
            picked.append(Picked(key, found, score_, judge.outcome(found, score_)))
    return Choice(picked, total, dict(kinds))


def _in_turn(run: Run, ordered: Mapping[tuple[str, str], list[Key]], most: int) -> list[Key]:
    cells = [cell.cell for cell in run.manifest.cells]
    queues = [iter(ordered[kind, cell]) for kind in KINDS for cell in cells if (kind, cell) in ordered]
    chosen: dict[Key, None] = {}
    while queues and len(chosen) < most:
        alive = []
        for queue in queues:
            if len(chosen) >= most:
                break
            key = next((one for one in queue if one not in chosen), None)
            if key is not None:
                chosen[key] = None
                alive.append(queue)
        queues = alive
    place = {cell: index for index, cell in enumerate(cells)}
    return sorted(chosen, key=lambda key: (place.get(key.cell, len(place)), natural(key.sample), key.trial))


def natural(text: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """A sort key that puts item/2 before item/10; different texts never have the same."""
    words = re.findall(r"\d+|\D+", text)
    numbers = (word.isdecimal() and len(word) < 19 for word in words)
    return tuple((0, int(w), "") if n else (1, 0, w) for w, n in zip(words, numbers, strict=True)), text
