"""suite board: make a leaderboard of verified submissions; each command has a file of its own."""

import json

import click

from suite.cli.board_build import build
from suite.cli.board_check import check
from suite.cli.board_ci import check_pr, comment, fetch
from suite.cli.board_commands import commands
from suite.cli.board_entries import accept, withdraw
from suite.cli.board_init import init
from suite.cli.board_serve import serve


@click.group("board")
def board() -> None:
    """Leaderboards: make a repository, take submissions, build and show the site.

    \b
    Example:
      suite board init my-board --board mini
      suite board accept my-model.suite.zip --repo my-board
      suite board build my-board -o site
    """


@board.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """The boards that come with the suite and its plugins.

    \b
    Example:
      suite board list
    """
    from suite.board.definition import boards
    from suite.report.formatting import counted

    found, problems = boards()
    if as_json:
        known = [
            {"id": one.id, "version": one.version, "title": one.title, "sha256": one.sha256} for one in found
        ]
        click.echo(json.dumps(known, indent=2, ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{one.id:20} {one.version:8} {one.title} ({counted(len(one.tasks), 'column')})")
    for problem in problems:
        click.echo(f"wrong: {problem.error}", err=True)


for command in (init, commands, accept, withdraw, check, build, serve, check_pr, fetch, comment):
    board.add_command(command)
