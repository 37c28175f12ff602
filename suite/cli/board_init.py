"""suite board init: a repository for a board."""

from pathlib import Path

import click


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--board", "board_name", default="mini", show_default=True, metavar="FILE|ID", help="Whose definition."
)
def init(folder: Path, board_name: str) -> None:
    """Make a board repository in FOLDER: definition, rules for submitters, workflows that verify and build.

    \b
    Example:
      suite board init my-board --board mini
    """
    from suite.board.asking import free_roles, open_note
    from suite.board.repository import init_board
    from suite.errors import SuiteError
    from suite.plugins import catalogue

    made = init_board(folder, board_name)
    for path in made.files:
        click.echo(f"wrote {path}")
    try:
        for column, roles in free_roles(made.board, catalogue()).items():
            click.echo(f"note: {column}: {open_note(roles)}", err=True)
    except SuiteError as error:  # the board may be for tasks that others have installed
        click.echo(f"note: the definition cannot be tried here: {error}", err=True)
    click.echo("next: read SUBMITTING.md and CODEOWNERS, pin the actions in .github/workflows, commit, push")
