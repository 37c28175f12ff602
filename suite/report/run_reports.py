"""The reports that lie in a run's folder: report.md and report.html, each replaced in one step.

A report can always be made again from the journal, so nothing that goes wrong here may cost a run: a
failure becomes one line on the error output, and whatever was there before stays.
"""

import filecmp
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from suite.errors import ConfigError, SuiteError
from suite.files import part_of, replacing, trying
from suite.report.hostile_text import one_line
from suite.run.outcome import Outcome
from suite.secrets import scrub

MARKDOWN, HTML = "report.md", "report.html"
MARK = ".suite-report-parts"


def write_reports(folder: Path, scoring: str = "", *, say: Callable[[str], None] | None = None) -> list[Path]:
    """Write both reports into the run's folder; the paths of those that were written.

    scoring: the newest without a name. say: takes one line for a report that could not be made; standard
    error by default. Raises nothing but KeyboardInterrupt and its like.
    """
    from suite.report.markdown import markdown_report

    written = []
    pages: dict[str, Callable[[Path], Path]] = {
        MARKDOWN: lambda path: replace_file(path, [markdown_report(folder, scoring)]),
        HTML: lambda path: write_html(path, folder, scoring),
    }
    for name, write in pages.items():
        try:
            written.append(write(folder / name))
        except Exception as error:  # drawing runs plugins' code and meets hostile text
            what = error.what if isinstance(error, SuiteError) else f"{type(error).__name__}: {error}"
            tell = say or partial(print, file=sys.stderr)
            tell(f"{name} could not be written: {one_line(what, 500)}")
    return written


def outcome_reports(outcome: Outcome, *, say: Callable[[str], None] | None = None) -> list[Path]:
    """Both reports of a run that has results, see `write_reports`; none where a seal says that they stand."""
    if outcome.exit_code == outcome.pending == 0 and outcome.seal is None:
        return []
    written = write_reports(outcome.folder, outcome.scoring, say=say)
    if outcome.seal is not None and len(written) == 2:
        outcome.seal()
    return written


def write_html(path: Path, folder: Path, scoring: str = "", *, most: int = 0, texts: bool = True) -> Path:
    """Write the page of a run; where it has more than `most` answers, with a folder beside the page.

    texts: False leaves out questions, messages and answers.
    That folder is replaced in one step, and taken away where the page does without. Raises RunError if
    anything cannot be written, ConfigError where another folder stands in its place.
    """
    from suite.journal.run import Run
    from suite.report.html import MOST_INLINE, html_report
    from suite.report.local_site import put_files, replaced_folder
    from suite.report.viewer.embedding import script_files
    from suite.report.viewer.source import ViewSource

    source, beside = ViewSource(Run(folder, scoring), texts=texts), path.with_name(f"{path.stem}-parts")
    large = len(source) > (most or MOST_INLINE)
    with trying(f"write {path.name}", path.parent, "choose a place that can be written to"):
        path.parent.mkdir(parents=True, exist_ok=True)
        if large:
            with replaced_folder(beside, MARK) as part:
                put_files(part, script_files("run", source))
        replace_file(path, html_report(folder, scoring, base=beside.name if large else "", source=source))
        if not large and (beside / MARK).is_file():
            shutil.rmtree(beside)
    return path


def replace_file(path: Path, pieces: Iterable[str | bytes], *, over: bool = True) -> Path:
    """Write a file piece by piece and put it in place in one step: whoever reads sees the old or the new.

    over: whether a file with other content may be replaced. Raises RunError if it cannot be written,
    ConfigError where another stands that may not be replaced; a half-written file is taken away. What is
    text is written without the secrets that are known.
    """
    with in_place(path, over=over) as file:
        for piece in pieces:
            file.write(scrub(piece).encode() if isinstance(piece, str) else piece)
    return path


@contextmanager
def in_place(path: Path, *, over: bool = True) -> Iterator[BinaryIO]:
    """A new file, as `replace_file` makes it, to be written by the block."""
    fix = "choose a place that can be written to"
    with trying(f"write {path.name}", path.parent, fix), replacing(path) as file:
        yield file
        file.flush()
        if not over and path.exists() and not filecmp.cmp(part_of(path), path, shallow=False):
            raise ConfigError.of("report.exists", path=path)
