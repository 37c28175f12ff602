"""The samples of an entry's bundle, as script files that the viewer reads on demand, under samples/.

A run of the bundle is one source. Texts are left out where the licence of a run's data does not let rows be
passed on; what a submitter brought in the place of a dataset has no licence that the board knows.
"""

from dataclasses import dataclass, field
from pathlib import Path

from suite.board.bundle.contents import BundleRun, open_bundle
from suite.board.bundle.rungs import Findings
from suite.board.define.board import Board
from suite.board.entry import AcceptedEntry
from suite.board.repository.remote_bundle import bundle_beside
from suite.board.site.page_words import name
from suite.errors import BundleError, SuiteError
from suite.journal.run import Run
from suite.report.local_site import put_files
from suite.report.numbers import plain
from suite.report.rows import withheld
from suite.report.viewer.embedding import script_files
from suite.report.viewer.source import ViewSource


@dataclass(frozen=True)
class SampleSource:
    """A source of the viewer. cells: ids, in the order of its index. rows: one a sample, cell and trial."""

    name: str
    title: str
    cells: tuple[str, ...]
    rows: int


@dataclass
class EntrySamples:
    """What of an entry's samples can be looked at. closed: datasets whose licence forbids to show texts.
    why: a sentence where nothing is shown. broken: what was wrong with the bundle. sampling: the candidate's,
    by what was run.
    """

    sources: list[SampleSource] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    sampling: dict[str, str] = field(default_factory=dict)
    why: str = ""
    broken: str = ""


def write_samples(board: Board, entry: AcceptedEntry, folder: Path) -> EntrySamples:
    """Write the samples of an entry below a folder, as far as the board and licences let them be shown."""
    made = EntrySamples()
    path = bundle_beside(entry.folder)
    if not board.publish.per_sample:
        made.why = "This board does not show values by sample: what it asks is kept hidden."
    elif entry.record.status != "active":
        made.why = f"Its samples are not shown: it is {entry.record.status}."
    elif path is None:
        made.why = "Its samples are not shown: the bundle is not kept in the board's repository."
    else:
        try:
            _write(board, entry, path, folder, made)
        except SuiteError as error:
            made.sources, made.broken = [], f"{name(entry.folder.name)}: {error}"
            made.why = "Its samples are not shown: the bundle cannot be read here."
    return made


def _write(board: Board, entry: AcceptedEntry, path: Path, folder: Path, made: EntrySamples) -> None:
    with open_bundle(path, Findings()) as bundle:
        if bundle is None or bundle.id != entry.id or not all(run.sound for run in bundle.runs):
            raise BundleError("the bundle is not the one that was accepted", fix="`suite board check`")
        for number, one in enumerate(bundle.runs):
            run = Run(one.folder)
            data = run.manifest.data
            brought = (key for key in data if data[key].get("source") in ("file", "run"))
            closed = [name(one) for one in dict.fromkeys([*withheld(run), *brought])]
            source = ViewSource(run, texts=not closed, label=name(entry.submission.model.display_name, 60))
            called = f"{entry.short}-{number}"
            put_files(folder, script_files(called, source))
            cells, title = tuple(cell.cell for cell in run.manifest.cells), _title(board, entry, one)
            made.sources.append(SampleSource(called, title, cells, len(source)))
            sampling = "" if run.candidate is None else plain(run.candidate.sampling)
            made.sampling[f"sampling, {title}"] = sampling
            made.closed += [one for one in closed if one not in made.closed]
    order = [name(item.shown, 60) for item in board.tasks]
    made.sources.sort(key=lambda one: [not one.title.startswith(shown) for shown in order])


def _title(board: Board, entry: AcceptedEntry, run: BundleRun) -> str:
    """The columns that a run's cells belong to."""
    cells = {cell.cell for cell in run.entry.cells}
    found = ((item, entry.column(item.name)) for item in board.tasks)
    shown = [item.shown for item, result in found if result is not None and cells & set(result.cells)]
    return ", ".join(name(one, 60) for one in shown or [run.entry.run_id])
