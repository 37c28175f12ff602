"""One run's samples, ready to be browsed in a page: an index of all rows, and parts with their texts.

The index is small and opened at once; a part holds every cell and trial of some samples and is opened when
one of them is looked at. Both are gzip of JSON (format suite-view/1). Memory holds the index and one part.
"""

import gzip
from collections.abc import Container, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from suite.blocks import Block
from suite.journal.pairs import Key
from suite.journal.records import OutputRecord, ScoreRecord
from suite.journal.run import Run
from suite.report.hostile_text import clean
from suite.report.plugin_sections import own_views
from suite.report.sample_choice import Picked, natural
from suite.report.summary import summarise
from suite.report.viewer.bodies import Body, Texts, body_of, withheld
from suite.report.viewer.columns import Columns, ViewCell, outcome_rules
from suite.secrets import scrub

PART_SIZE = 200_000  # characters of text after which the next sample begins another part
MOST_VIEWS = 2_000  # rows that may have their tasks' own view: those are made before anything is written
WITHHELD = "A licence does not let the texts of this sample be passed on."
_LEVEL = 9


class ViewSource:
    """One run's samples. Walk `parts` first, then ask for the `index`; each once."""

    def __init__(self, run: Run, keys: Container[Key] | None, texts: bool, label: str) -> None:
        self._run, self._texts = run, texts
        self._label = label
        self._views: Mapping[Key, Sequence[Block]] = {}
        self._note = WITHHELD
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
        with ThreadPoolExecutor(1) as pool:  # zlib works while the next part is read
            waiting: Future[bytes] | None = None
            for body in self._parts():
                packed = pool.submit(_packed, body)
                if waiting is not None:
                    yield waiting.result()
                waiting = packed
            if waiting is not None:
                yield waiting.result()

    def _parts(self) -> Iterator[bytes]:
        if self._texts:
            self._views, self._note = self._own_views()
        texts, bodies, number = Texts(), list[Body](), 0
        for sample in sorted(self._rows, key=natural):
            for cell, trial in sorted(self._rows[sample]):
                key = Key(self._cells[cell], sample, trial)
                if (output := self._run.output(key)) is not None:
                    self._columns.begin(cell, number, len(bodies))
                    bodies.append(self._body(output, self._run.score(key), texts))
            if texts.size > PART_SIZE:
                yield _encode({"texts": texts.kept, "samples": bodies})
                texts, bodies, number = Texts(), [], number + 1
        if bodies:
            yield _encode({"texts": texts.kept, "samples": bodies})
            number += 1
        self._count = number

    def _body(self, output: OutputRecord, score: ScoreRecord | None, texts: Texts) -> Body:
        if self._texts:
            own = self._views.get(Key.of(output), ())
            return body_of(self._run, output, score, own, self._note, texts, self._columns)
        self._columns.add(output, score, "", "")
        return withheld(score, self._note)

    def _own_views(self) -> tuple[Mapping[Key, Sequence[Block]], str]:
        if len(self) > MOST_VIEWS:
            return {}, f"The task's own view is left out, since there are more than {MOST_VIEWS:,} samples."
        run, cells = self._run, self._cells
        keys = [Key(cells[cell], one, trial) for one, rows in self._rows.items() for cell, trial in rows]
        found = [Picked(key, output, run.score(key), "") for key in keys if (output := run.output(key))]
        views, why = own_views(run, found)
        return views, why and f"The task's own view is left out: {why}."

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
            _encode(
                {
                    "format": "suite-view/1",
                    "run": {name: clean(one) if isinstance(one, str) else one for name, one in told.items()},
                    "cells": [order[cell] for cell in self._cells],
                    "parts": self._count,
                    **self._columns.told(),
                }
            )
        )


def view_source(
    run: Run, *, keys: Container[Key] | None = None, texts: bool = True, label: str = ""
) -> ViewSource:
    """The samples of a run. keys: only these. texts: False leaves out questions, messages and answers.

    label: what the page calls the run, where it shows several. Raises RunError for a damaged journal.
    """
    return ViewSource(run, keys, texts, label)


_encode = msgspec.json.Encoder().encode


def _packed(body: bytes) -> bytes:
    return gzip.compress(scrub(body.decode()).encode(), _LEVEL, mtime=0)
