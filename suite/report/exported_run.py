"""A run as an exporter sees it, with every rule that an export must keep.

Rows come in one order, questions are left out where a licence forbids passing them on, and nothing is guessed
of a task that is not installed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from suite.chat import sha256_hex
from suite.data.entry import DatasetEntry
from suite.data.registry import Registry
from suite.errors import SuiteError
from suite.journal.commands import solving_command
from suite.journal.run import Run
from suite.journal.shapes import Values
from suite.parameters import distinguishing
from suite.plugins import catalogue
from suite.report.numbers import plain
from suite.report.remarks import parameters_of
from suite.report.rows import SampleRow, records, revision_of, withheld
from suite.report.run_facts import run_facts
from suite.report.run_reports import replace_file, write_html
from suite.report.summary import Summary, summarise
from suite.report.tables import arrow_table, export_table, table_shape
from suite.run.progress import LiveProgress
from suite.run.reopen import tasks_of
from suite.scoring.measures import Measure
from suite.scoring.metrics.declared import rows_of
from suite.task import AnyTask

if TYPE_CHECKING:
    import pyarrow as pa

_UNSAFE = re.compile(r"[^A-Za-z0-9_.:/ -]")  # in names of metrics, to one tracker or another
_LONGEST = 150  # characters of a cell's name; some allow 250 for the whole


class ExportedRun(Run):
    """A run as an exporter sees it: beside what `suite.Run` has, its summary, rows and facts for others.

    Whoever writes texts of a run must leave out those of rows that may not be passed on: `rows` does, and
    `withheld` names their datasets.
    """

    @cached_property
    def summary(self) -> Summary:
        """Tasks, cells and their numbers, with all that a reader must know before believing them."""
        return summarise(self)

    @cached_property
    def config(self) -> Values:
        """What was run as plain JSON, as `suite report show --json` has it: tasks, models, settings, data."""
        found: Values = msgspec.to_builtins(run_facts(self))
        return found

    def table(self, name: Literal["samples", "values", "results"]) -> "pa.Table":
        """One of its tables, as `suite report export --to parquet` writes it."""
        return arrow_table(table_shape(self, name))

    def write_report(self, path: Path, *, texts: bool = True) -> Path:
        """Write its HTML page, for whoever has the run: it holds the data's texts under any licence.

        texts: False leaves out questions, messages and answers. Samples of a large run lie in a folder beside
        it. Raises RunError, ConfigError.
        """
        return write_html(path, self.folder, self.scoring, texts=texts)

    def write_files(self, folder: Path, *, samples: bool = True) -> list[Path]:
        """Write what may be passed on into a folder: results.json, report.html, samples.parquet.

        Where rows are `withheld` the report has no texts, and the samples name their questions by id.
        samples: False leaves texts and samples out. Raises RunError, ConfigError.
        """
        written = [self.write_report(folder / "report.html", texts=samples and not self.withheld)]
        results = (self.judged.folder / "results.json").read_bytes()
        written.append(replace_file(folder / "results.json", [results]))
        written += [export_table(self, "parquet", folder / "samples.parquet")] if samples else []
        return [*written, *folder.glob("report-parts")]

    @cached_property
    def identity(self) -> str:
        """16 hex digits that stay while the run with this scoring is continued, moved, or exported again."""
        told = self.manifest.plan_sha256, self.manifest.created, self.scoring
        return sha256_hex(" ".join(told).encode())[:16]

    @cached_property
    def cell_names(self) -> Mapping[str, str]:
        """Cell -> its task and swept parameters, as all trackers take names: "prefeval/turns:3"."""
        found: dict[str, str] = {}
        for task in dict.fromkeys(one.task for one in self.manifest.cells):
            cells = [one for one in self.manifest.cells if one.task == task]
            values = [parameters_of(one, self.scored_cells.get(one.cell)) for one in cells]
            for cell, told in zip(cells, values, strict=True):
                text = " ".join(f"{name}:{plain(told.get(name))}" for name in distinguishing(values))
                whole = f"{task}/{text}".rstrip("/")
                name = _UNSAFE.sub("_", whole)[:_LONGEST]  # with the id where it might be another's, too
                found[cell.cell] = name + f" {cell.cell[:6]}" * (name != whole or name in found.values())
        return found

    def numbers(self, live: LiveProgress | None = None) -> dict[str, float]:
        """Headlines with their intervals by name: "CELL/METRIC/value", low, high, n, and what is missing:
        unscored and coverage, as results.json has them, and pending, samples of the cell without a result.

        live: those so far in place of the results', below "live/", with the samples "done", "pending" (tried
        in vain so far) and "total".
        """
        whole = [] if live else [one for task in self.summary.tasks for one in task.cells]
        rows = live.headlines if live else {one.id: one.headline for one in whole}
        counts = (live.done, live.pending, self.manifest.all_works) if live else ()
        found: dict[str, float] = dict(zip(("live/done", "live/pending", "live/total"), counts, strict=False))
        names = {one.cell: f"{self.cell_names[one.cell]}/{one.headline}" for one in self.manifest.cells}
        for cell, called in names.items():
            for name in ("value", "low", "high", "n", "unscored", "coverage"):
                if (value := getattr(rows.get(cell), name, None)) is not None:
                    found[f"{'live/' if live else ''}{called}/{name}"] = value
        return found | {f"{names[one.id]}/pending": one.pending for one in whole}

    def rows(self) -> Iterator[SampleRow]:
        """Samples with answers and values, by cell in the plan's order, then by id and trial; read anew."""
        return records(self)

    @cached_property
    def withheld(self) -> Sequence[str]:
        """The datasets whose licence forbids passing rows on; the `question` of every row is None then."""
        return withheld(self)

    @property
    def withheld_remarks(self) -> Sequence[str]:
        """What to say where answers are written though questions are held back: a model may repeat them."""
        told = "may not be passed on: questions are left out, but answers may repeat them"
        return [f"{', '.join(self.withheld)} {told}"] if self.withheld else []

    @cached_property
    def tasks(self) -> Mapping[str, AnyTask]:
        """Cell -> its task; cells whose task is not installed here in its version are left out."""
        return tasks_of(self)

    def measures(self, cell: str) -> Mapping[str, Measure]:
        """What each number of a cell is (its kind, the ends of its scale), by name; {} without its task."""
        return {one.name: one for one in rows_of(self.tasks[cell].metrics)} if cell in self.tasks else {}

    def dataset(self, entry: str) -> DatasetEntry | None:
        """A registry entry that a dataset of the run names, if it is known here."""
        try:
            return Registry(catalogue().registry_folders()).dataset(entry)
        except SuiteError:
            return None

    @property
    def command(self) -> str:
        """What made the run, without secrets; "" where it was not recorded."""
        return solving_command(self.folder).command

    @property
    def revision(self) -> str:
        """The candidate's revision, as its engine told it; "" if it told none."""
        return revision_of(self)
