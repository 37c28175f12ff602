"""suite board commands: how the runs that a board asks for are made."""

import click


@click.command("commands")
@click.argument("board", metavar="FILE|ID")
@click.option("--model", required=True, metavar="SPEC", help="The candidate.")
def commands(board: str, model: str) -> None:
    """Print the `suite eval` commands that make the runs a board asks for.

    \b
    Example:
      suite board commands mini --model embedded/smollm2-135m
    """
    from suite.board import asking
    from suite.board.definition import find_board
    from suite.plugins import catalogue

    for line in asking.commands(find_board(board), model, catalogue()):
        click.echo(line)
