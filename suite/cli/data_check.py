"""suite data check: whether the registry's entries are whole, and whether their sources still fit them."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from suite.cli import pulls
from suite.cli.flags import accept_flag, json_flag, say_json
from suite.data.cache import Cache
from suite.data.pull import agree
from suite.data.row_checks import renewal

if TYPE_CHECKING:
    from suite.data.source_check import SourceCheck


@click.command("check")
@click.argument("entries", nargs=-1, metavar="[ENTRY…]")
@click.option(
    "--remote", is_flag=True, help="Ask the Hub and the Git hosts for commit, files, licence and first rows."
)
@accept_flag
@json_flag
@click.pass_context
def check(
    context: click.Context, entries: tuple[str, ...], remote: bool, accept_licence: bool, as_json: bool
) -> None:
    """Check the entries of datasets, all or those given. Exit 1 if one is wrong."""
    from rich.console import Console

    from suite.data.source_check import SourceCheck, check_entries

    registry, cache = pulls.registry(), Cache()
    chosen, broken = ([registry.dataset(name) for name in entries], []) if entries else registry.datasets()
    for entry in chosen if accept_licence else ():
        agree(entry, cache, accept=True)
    with Console(stderr=True).status(f"checking {len(chosen)} entries"):
        found = check_entries(chosen, cache, remote)
    for file, error in broken:
        found.append(SourceCheck(file.stem, ""))
        found[-1].ended(error)
    if as_json:
        say_json({one.entry: asdict(one) for one in found})
    else:
        show(found)
        for entry, one in zip(chosen, found, strict=False):
            if one.state == "wrong" and one.source in ("hub", "git"):
                click.echo(f"{entry.id}: {renewal(entry)}", err=True)
    states = {one.state for one in found}
    if "wrong" in states or "unreachable" in states:
        context.exit(1 if "wrong" in states else 2)


def show(found: "Sequence[SourceCheck]") -> None:
    """Print a line an entry, and how many are in which state."""
    from suite.report.matrix import Grid
    from suite.report.terminal import print_grid

    columns = ("dataset", "state", "source", "commit", "files", "rows", "what")
    rows = []
    for one in found:
        told = one.problems or one.remarks
        more = f" (and {len(told) - 1} more: --json)" if len(told) > 1 else ""
        counts = (str(count) if count else "" for count in (one.files, one.rows))
        what = f"{told[0]}{more}" if told else ""
        rows.append((one.entry, one.state, one.source, (one.revision or "")[:8], *counts, what))
    width = None if sys.stdout.isatty() else 400  # a line each, for whoever searches
    print_grid(Grid("", columns, rows, left=len(columns)), width=width)
    states = [one.state for one in found]
    told = [f"{states.count(state)} {state}" for state in dict.fromkeys(sorted(states))]
    click.echo(f"\n{len(found)} checked: {', '.join(told)}")
