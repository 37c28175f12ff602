"""How commands show sections of blocks: in the terminal, as JSON, and as files that were asked for."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from suite.blocks import Section
from suite.errors import ConfigError

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def page_flags(function: FunctionT) -> FunctionT:
    """Flags that say where sections go."""
    path = click.Path(path_type=Path, dir_okay=False)
    function = click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)
    function = click.option("--markdown", type=path, help="Write Markdown.")(function)
    return click.option("--html", type=path, help="Write a page with plots.")(function)


def others(flags: Mapping[str, Any]) -> dict[str, Any]:
    """What `page_flags` did not bring."""
    return {name: value for name, value in flags.items() if name not in ("html", "markdown", "as_json")}


def show(
    title: str,
    over: str,
    sections: Callable[[bool], Sequence[Section]],
    data: Callable[[], Any],
    flags: Mapping[str, Any],
) -> None:
    """Write the files, then print JSON or the sections, as `page_flags` ask for.

    sections: takes whether they must be compact, for a terminal. Raises ConfigError for a file that cannot be
    written.
    """
    from suite.report.compare_page import html_page, markdown_page, print_sections

    html, markdown = flags["html"], flags["markdown"]
    if html is not None:
        _write(html, html_page(title, over, sections(False)))
    if markdown is not None:
        _write(markdown, [markdown_page(title, sections(False))])
    if flags["as_json"]:
        click.echo(json.dumps(data(), ensure_ascii=False, allow_nan=False, indent=1))
        return
    print_sections(f"{over}: {title}", sections(True))
    for path in (html, markdown):
        if path is not None:
            click.echo(f"written: {path}")


def _write(path: Path, pieces: Iterable[str]) -> None:
    from suite.report.run_reports import replace_file

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{path.name} cannot be written: {error.strerror}", where=str(path)) from error
    replace_file(path, pieces)
