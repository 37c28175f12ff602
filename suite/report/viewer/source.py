"""One run's samples, ready to be browsed in a page: an index of all rows, and parts with their texts.

The index is small and opened at once; a part holds every cell and trial of some samples and is opened when
one of them is looked at. Both are gzip of JSON (format suite-view/1). Memory holds the index and one part.
"""

import gzip
from collections.abc import Container, Iterator

import msgspec

from suite.journal.pairs import Key
from suite.journal.records import OutputRecord, ScoreRecord
from suite.journal.run import Run
from suite.report.hostile_text import clean
from suite.report.sample_choice import natural
from suite.report.summary import summarise
from suite.report.viewer.bodies import Body, Texts, body_of
from suite.report.viewer.columns import Columns, ViewCell, outcome_rules
from suite.secrets import scrub

PART_SIZE = 200_000  # characters of text after which the next sample begins another part
WITHHELD = "A licence does not let the texts of this sample be passed on."
_LEVEL = 6


class ViewSource:
    """One run's samples. Walk `parts` first, then ask for the `index`; each once."""

    def __init__(self, run: Run, keys: Container[Key] | None, texts: bool, label: str) -> None:
        self._run, self._texts = run, texts
        self._label = label
        places = {cell.cell: place for place, cell in enumerate(run.manifest.cells)}
        found: dict[str, set[tuple[int, int]]] = {}
        for one in run.outputs():
            if one.cell in places and (keys is None or Key.of(one) in keys):
                found.setdefault(one.sample, set()).add((places[one.cell], one.trial))
        self._rows = found
        self._cells = [cell.cell for cell in run.manifest.cells]
        self._columns = Columns(outcome_rules(run))

    def __len__(self) -> int:
        """How many rows there are: one a sample, cell and trial."""
        return sum(map(len, self._rows.values()))

    def parts(self) -> Iterator[bytes]:
        """Bodies of the parts, in order. Raises RunError for a damaged journal."""
        texts, bodies, number = Texts(), list[Body](), 0
        for sample in sorted(self._rows, key=natural):
            for cell, trial in sorted(self._rows[sample]):
                key = Key(self._cells[cell], sample, trial)
                if (output := self._run.output(key)) is not None:
                    self._columns.begin(cell, number, len(bodies))
                    bodies.append(self._body(output, self._run.score(key), texts))
            if texts.size > PART_SIZE:
                yield _packed({"texts": texts.kept, "samples": bodies})
                texts, bodies, number = Texts(), [], number + 1
        if bodies:
            yield _packed({"texts": texts.kept, "samples": bodies})
            number += 1
        self._count = number

    def _body(self, output: OutputRecord, score: ScoreRecord | None, texts: Texts) -> Body:
        if self._texts:
            return body_of(self._run, output, score, texts, self._columns)
        self._columns.add(output, score, "", "")
        return {"text": -1, "values": {}, "note": WITHHELD}

    def index(self) -> bytes:
        """The index, after the parts were walked."""
        run, tasks = self._run, summarise(self._run).tasks
        cells = [
            ViewCell(one.id, task.name, task.version, one.label, task.headline, task.direction)
            for task in tasks
            for one in task.cells
        ]
        order = {cell.id: cell for cell in cells}
        told = {"name": run.name, "scoring": run.scoring, "label": self._label, "level": run.results.level}
        return _packed(
            {
                "format": "suite-view/1",
                "run": {name: clean(one) if isinstance(one, str) else one for name, one in told.items()},
                "cells": [order[cell] for cell in self._cells],
                "parts": self._count,
                **self._columns.told(),
            }
        )


def view_source(
    run: Run, *, keys: Container[Key] | None = None, texts: bool = True, label: str = ""
) -> ViewSource:
    """The samples of a run. keys: only these. texts: False leaves out questions, messages and answers.

    label: what the page calls the run, where it shows several. Raises RunError for a damaged journal.
    """
    return ViewSource(run, keys, texts, label)


def _packed(value: object) -> bytes:
    return gzip.compress(scrub(msgspec.json.encode(value).decode()).encode(), _LEVEL, mtime=0)
