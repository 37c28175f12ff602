"""The reports that lie in a run's folder: report.md and report.html, each replaced in one step.

A report can always be made again from the journal, so nothing that goes wrong here may cost a run: a
failure becomes one line on the error output, and whatever was there before stays.
"""

import filecmp
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from suite.errors import ConfigError, RunError
from suite.report.cleaning import one_line

MARKDOWN, HTML = "report.md", "report.html"


def write_reports(folder: Path, scoring: str = "", *, say: Callable[[str], None] | None = None) -> list[Path]:
    """Write both reports into the run's folder; the paths of those that were written.

    scoring: the newest without a name. say: takes one line for a report that could not be made; standard
    error by default. Raises nothing but KeyboardInterrupt and its like.
    """
    say = say or _to_stderr
    written = []
    for name, pieces in ((MARKDOWN, _markdown), (HTML, _html)):
        try:
            written.append(replace_file(folder / name, pieces(folder, scoring)))
        except Exception as error:  # drawing runs plugins' code and meets hostile text
            what = error.what if isinstance(error, RunError) else f"{type(error).__name__}: {error}"
            say(f"{name} could not be written: {one_line(what, 500)}")
    return written


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _markdown(folder: Path, scoring: str) -> Iterator[str]:
    from suite.report.markdown import markdown_report

    yield markdown_report(folder, scoring)


def _html(folder: Path, scoring: str) -> Iterator[str]:
    from suite.report.html import html_report

    yield from html_report(folder, scoring)


def replace_file(path: Path, pieces: Iterable[str | bytes], *, over: bool = True) -> Path:
    """Write a file piece by piece and put it in place in one step: whoever reads sees the old or the new.

    over: whether a file with other content may be replaced. Raises RunError if it cannot be written,
    ConfigError where another stands that may not be replaced; a half-written file is taken away.
    """
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            for piece in pieces:
                file.write(piece.encode() if isinstance(piece, str) else piece)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(part, path, over=over)
    except OSError as error:
        raise RunError(
            f"cannot write {path.name}: {error.strerror or error}",
            where=str(path.parent),
            fix="choose a place that can be written to",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return path


def put_in_place(part: Path, path: Path, *, over: bool = True) -> None:
    """Give a finished file its name. over: as for `replace_file`. Raises ConfigError, OSError."""
    if not over and path.exists() and not filecmp.cmp(part, path, shallow=False):
        raise ConfigError(
            f"{path} is there already, and is another file",
            fix="choose another name with -o, or replace it with --force",
        )
    part.replace(path)
