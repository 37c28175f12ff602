"""The runs that a page lists, each as a row of its table: from manifest and results, again where they change.

What a row says stands in `templates/row.html.j2`.
"""

import hashlib
import os
import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from suite.errors import SuiteError
from suite.journal.run import Run
from suite.models.prices import costs, shown_usd
from suite.parameters import distinguishing
from suite.report.findings import sentences
from suite.report.html_blocks import environment
from suite.report.numbers import percent
from suite.report.remarks import lacking, parameters_of, toys
from suite.report.run_list import being_written, options, progress
from suite.report.summary import label

_CALLED = (costs, distinguishing, label, lacking, options, parameters_of, percent, sentences, shown_usd, toys)
KINDS = ("*.json", "*.jsonl", "scorings/*/*.json", "scorings/*/*.jsonl")


class RunRow(NamedTuple):
    """A run in the list. key: of its addresses, [a-z0-9-]+. digest: of the state of its files. running: how
    far one is that is being written. trouble: why it cannot be read. html: its row."""

    key: str
    folder: Path
    digest: str
    created: str = ""
    running: str = ""
    trouble: str = ""
    html: Markup = Markup()


class RunListing:
    """The runs of a folder, or those named. Safe to ask from several threads."""

    def __init__(self, folder: Path, named: Sequence[Path] = ()) -> None:
        self.folder, self._named = folder, named
        self._kept: dict[Path, RunRow] = {}
        self._lock = threading.Lock()
        text = (files("suite.view") / "templates/row.html.j2").read_text("utf-8")
        self._template = environment().from_string(text, {one.__name__: one for one in _CALLED})

    def rows(self) -> list[RunRow]:
        """All runs, the newest first."""
        found = self._named or [one.parent for one in self.folder.glob("*/manifest.json")]
        with self._lock:
            self._kept = {one: self._row(one) for one in sorted(found)}
            return sorted(self._kept.values(), key=lambda row: (row.created, row.key), reverse=True)

    def row(self, key: str) -> RunRow | None:
        """One run by its key, as it is now."""
        return next((row for row in self.rows() if row.key == key), None)

    def _row(self, folder: Path) -> RunRow:
        digest = _digest(folder)
        kept = self._kept.get(folder)
        if kept is not None and kept.digest == digest and not kept.running:
            return kept
        row = RunRow(key_of(folder), folder, digest)
        try:
            run = Run(folder)
            row = row._replace(created=run.manifest.created)
            if being_written(run):
                row = row._replace(running=progress(run)[1])
            return self._drawn(row, run)
        except Exception as error:  # anybody may have changed it
            told = error.what if isinstance(error, SuiteError) else f"{type(error).__name__}: {error}"
            return self._drawn(row._replace(trouble=told, running=""))

    def _drawn(self, row: RunRow, run: Run | None = None) -> RunRow:
        return row._replace(html=Markup(self._template.render(row=row, run=run)))


def key_of(folder: Path) -> str:
    """What a run is called in addresses: by its folder's name and where that is."""
    slug = re.sub("[^a-z0-9]+", "-", folder.name.lower())[:30].strip("-")
    return f"{slug}-{hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:8]}".strip("-")


def _digest(folder: Path) -> str:
    """Of times and sizes of a run's files."""
    told: list[tuple[str, float, int]] = []
    with suppress(OSError):  # the run may be taken away meanwhile
        paths = sorted(one for kind in KINDS for one in folder.glob(kind) if one.is_file())
        told = [(one.name, one.stat().st_mtime, one.stat().st_size) for one in paths]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:12]
