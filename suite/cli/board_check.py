"""suite board check: is a board repository right."""

from pathlib import Path

import click


@click.command("check")
@click.argument("repository", type=click.Path(path_type=Path))
@click.option("--board", "board_name", default="", metavar="FILE|ID", help="Only this board.")
@click.option("--no-verify", is_flag=True, help="Do not verify the entries again.")
@click.pass_context
def check(context: click.Context, repository: Path, board_name: str, no_verify: bool) -> None:
    """Check definitions, entries and their files, and verify every active entry again. Exit 1 on trouble.

    \b
    Example:
      suite board check my-board
    """
    from suite.board.checking import check_board
    from suite.board.repository import open_repository
    from suite.report.formatting import counted

    bad = 0
    for shelf in open_repository(repository, board_name):
        found = check_board(shelf, again=not no_verify, say=lambda text: click.echo(text, err=True))
        for trouble in found:
            click.echo(
                f"{'error' if trouble.serious else 'note'}: {shelf.board.id}: {trouble.where}: {trouble.what}"
            )
        serious = sum(trouble.serious for trouble in found)
        bad += serious
        state = counted(serious, "error") if serious else "fine"
        click.echo(f"{shelf.board.id} {shelf.board.version}: {state}")
    context.exit(1 if bad else 0)
