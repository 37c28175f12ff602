"""One run's samples, ready to be browsed in a page: an index of all rows, and parts with their texts.

The index is small and opened at once; a part holds every cell and trial of some samples and is opened when
one of them is looked at. Both are gzip of JSON (format suite-view/1). Memory holds the index and two parts.
"""

import gzip
from collections.abc import Container, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from suite.blocks import Block
from suite.errors import RunError
from suite.journal.pairs import Key
from suite.journal.run import Run
from suite.report.hostile_text import clean
from suite.report.plugin_sections import own_views
from suite.report.sample_choice import Picked, natural
from suite.report.summary import summarise
from suite.report.viewer.bodies import Body, Texts, body_of, withheld
from suite.report.viewer.columns import Columns, ScoredValues, Told
from suite.secrets import scrub

PART_SIZE, PART_ROWS = 200_000, 2_000  # characters of text, rows after which another part begins
MOST_VIEWS = 2_000  # rows that may have their tasks' own view: those are made before anything is written
WITHHELD = "A licence does not let the texts of this sample be passed on."
_encode = msgspec.json.Encoder().encode


class ViewSource:
    """One run's samples. Walk `parts` first, then ask for the `index`; each once.

    keys: only these. texts: False leaves out questions, messages and answers. label: what the page calls the
    run, where it shows several. run, summary: the whole run.
    """

    def __init__(
        self, run: Run, *, keys: Container[Key] | None = None, texts: bool = True, label: str = ""
    ) -> None:
        self.run, self._texts, self._label = run, texts, label
        self._cells = {cell.cell: place for place, cell in enumerate(run.manifest.cells)}
        found: dict[str, set[Key]] = {}
        self._damage: RunError | None = None
        try:
            for key in map(Key.of, run.outputs()):
                if key.cell in self._cells and (keys is None or key in keys):
                    found.setdefault(key.sample, set()).add(key)
        except RunError as error:
            self._damage = error
        self._rows = found
        self.summary = summarise(run)
        told = {task.name: ScoredValues.of(task) for task in self.summary.tasks}
        self._declared = {cell.cell: told[cell.task] for cell in run.manifest.cells}
        self._columns, self._parts = Columns(self._declared), 0

    def __len__(self) -> int:
        """How many rows there are: one a sample, cell and trial."""
        return sum(map(len, self._rows.values()))

    def parts(self) -> Iterator[bytes]:
        """Bodies of the parts, in order. Raises RunError for a damaged journal."""
        with ThreadPoolExecutor(1) as pool:  # zlib works while the next part is read
            waiting: Future[bytes] | None = None
            for body in self._bodies():
                packed = pool.submit(_packed, body)
                if waiting is not None:
                    yield waiting.result()
                waiting = packed
            if waiting is not None:
                yield waiting.result()

    def _bodies(self) -> Iterator[bytes]:
        if self._damage is not None:
            raise self._damage
        views, note = self._own_views() if self._texts else ({}, WITHHELD)
        texts, bodies = Texts(), list[Body]()
        for sample in sorted(self._rows, key=natural):
            for key in sorted(self._rows[sample], key=lambda one: (self._cells[one.cell], one.trial)):
                self._row(key, views.get(key, ()), note, texts, bodies)
            if texts.size > PART_SIZE or len(bodies) > PART_ROWS:
                yield self._part(texts, bodies)
                texts, bodies = Texts(), []
        if bodies:
            yield self._part(texts, bodies)

    def _part(self, texts: Texts, bodies: Sequence[Body]) -> bytes:
        self._parts += 1
        return _encode({"texts": texts.kept, "samples": bodies})

    def _row(self, key: Key, own: Sequence[Block], note: str, texts: Texts, bodies: list[Body]) -> None:
        output, score = self.run.output(key), self.run.score(key)
        assert output is not None
        place = {"cell": self._cells[key.cell], "part": self._parts, "at": len(bodies)}
        body, told = withheld(score, note), Told()
        if self._texts:
            body, told = body_of(self.run, output, score, own, note, texts)
        self._columns.add(output, score, told, **place)
        bodies.append(body)

    def _own_views(self) -> tuple[Mapping[Key, Sequence[Block]], str]:
        if len(self) > MOST_VIEWS:
            return {}, f"The task's own view is left out, since there are more than {MOST_VIEWS:,} answers."
        run, keys = self.run, [key for keys in self._rows.values() for key in keys]
        picked = [Picked(key, one, run.score(key), "") for key in keys if (one := run.output(key))]
        views, why = own_views(run, picked)
        return views, why and f"The task's own view is left out: {why}."

    def index(self) -> bytes:
        """The index, after the parts were walked."""
        run = self.run
        cells = {
            cell.id: {
                "id": cell.id, "task": task.name, "version": task.version, "label": clean(cell.label),
                "headline": clean(self._declared[cell.id].headline), "direction": task.direction,
            }
            for task in self.summary.tasks
            for cell in task.cells
        }  # fmt: skip
        index = {
            "format": "suite-view/1", "parts": self._parts, "cells": [cells[cell] for cell in self._cells],
            "run": {"name": clean(run.name), "scoring": run.scoring, "label": clean(self._label),
                    "level": run.results.level}, **self._columns.told(),
        }  # fmt: skip
        return _packed(_encode(index))


def _packed(body: bytes) -> bytes:
    return gzip.compress(scrub(body.decode()).encode(), mtime=0)
