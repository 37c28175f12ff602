"""suite gate trend: each claim of a policy over the nights of a history."""

from pathlib import Path

import click

from suite.cli.flags import FOLDER
from suite.cli.pages import Pages, page_flags, show


@click.command("trend")
@click.argument("history", type=FOLDER, metavar="HISTORY")
@page_flags
def trend(history: Path, pages: Pages) -> None:
    """Show every claim over the nights of a history: intervals, verdicts, breaks, changes of its level.

    \b
    Example:
      suite gate trend nights --html trend.html
    """
    from suite.errors import ConfigError
    from suite.gates.nights import read_nights
    from suite.gates.trend import as_data, sections

    if not (found := read_nights(history))[0]:
        raise ConfigError.of("gates.trend.empty", folder=history)
    show(history.name, "Trend", lambda few: sections(*found, compact=few), lambda: as_data(*found), pages)
