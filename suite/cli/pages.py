"""How commands show sections of blocks: in the terminal, as JSON, and as files that were asked for."""

import functools
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from suite.blocks import Section
from suite.cli.flags import CommandT, json_flag
from suite.errors import ConfigError
from suite.files import trying
from suite.secrets import scrub

_PRINTED = Path("-")


def page_files(function: CommandT) -> CommandT:
    """Flags that name files to write: a page, or Markdown."""
    path = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
    for name, what in (("--markdown", "Markdown"), ("--html", "a page with plots")):
        function = click.option(name, type=path, metavar="FILE", help=f"Write {what} (-: print it).")(
            function
        )
    return function


@dataclass(frozen=True)
class Pages:
    """Where sections go: files to write, and whether JSON is printed in the place of text."""

    html: Path | None
    markdown: Path | None
    as_json: bool


def page_flags(function: Callable[..., None]) -> Callable[..., None]:
    """Flags that say where sections go; the command takes them as `pages`."""

    @functools.wraps(function)
    def command(*, html: Path | None, markdown: Path | None, as_json: bool, **own: object) -> None:
        function(pages=Pages(html, markdown, as_json), **own)

    return page_files(json_flag(command))


def keep_apart(outputs: Sequence[Path | None], *inputs: Path | None) -> None:
    """Raises ConfigError where files to write are the same, are an input, or lie in one or in a run."""
    read = [one.resolve() for one in inputs if one]
    written = [one if one == _PRINTED else one.resolve() for one in outputs if one]
    for path in written:
        around = [one for one in (path, *path.parents) if one.is_absolute()]
        runs = [one for one in around if (one / "manifest.json").is_file() and (one / "scorings").is_dir()]
        held = [one.name for one in [*runs, *around] if one in runs or one in read]
        if held or written.count(path) > 1:
            raise ConfigError.of("cli.output", path=path, told=held[0] if held else "another output")


def show(
    title: str, over: str, sections: Callable[[bool], Sequence[Section]], data: Callable[[], object],
    pages: Pages, page: Callable[[], Iterable[str]] | None = None,
) -> None:  # fmt: skip
    """Write the files, then print JSON or the sections.

    sections: takes whether they must be compact, for a terminal. page: the HTML, else made of these. Raises
    ConfigError for a file that cannot be written.
    """
    from suite.report.compare_page import html_page, markdown_page, print_sections

    if pages.html is not None:
        write(pages.html, page() if page else html_page(title, over, sections(False)))
    if pages.markdown is not None:
        write(pages.markdown, [markdown_page(title, sections(False))])
    if pages.as_json:
        click.echo(json.dumps(data(), ensure_ascii=False, allow_nan=False, indent=1))
        return
    if _PRINTED in (pages.html, pages.markdown):
        return
    print_sections(f"{over}: {title}", sections(True))
    for path in (pages.html, pages.markdown):
        if path is not None:
            click.echo(f"written: {path}")


def write(path: Path, pieces: Iterable[str], *, over: bool = True) -> None:
    """Write a page, into folders made for it; `-` is printed. over: another. Raises as `replace_file`."""
    from suite.report.run_reports import replace_file

    if path == _PRINTED:
        for piece in pieces:
            click.echo(scrub(piece), nl=False)
        return
    with trying(f"write {path.name}", path, kind=ConfigError):
        path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, pieces, over=over)
