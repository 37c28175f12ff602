"""suite board check-pr, fetch, comment: what a board's workflows do with pull requests."""

import json
from pathlib import Path

import click


@click.command("check-pr")
@click.argument("repository", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--base", required=True, metavar="COMMIT", help="Where the pull request goes.")
@click.option("--head", required=True, metavar="COMMIT", help="What it brings.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check_pr(context: click.Context, repository: Path, base: str, head: str, as_json: bool) -> None:
    """Check that a pull request adds one submission's folder and touches nothing else. Exit 1 if not.

    Reads Git objects only; nothing of the head is checked out. Prints the folder.

    \b
    Example:
      suite board check-pr . --base origin/main --head pull/7
    """
    from suite.board.pull_request import check_pull_request

    found = check_pull_request(repository, base, head)
    if as_json:
        click.echo(json.dumps({"folder": found.folder, "board": found.board, "problems": found.problems}))
    else:
        for problem in found.problems:
            click.echo(f"refused: {problem}", err=True)
        if found.folder:
            click.echo(found.folder)
    context.exit(1 if found.problems else 0)


@click.command("fetch")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--board", "board_name", required=True, metavar="FILE|ID", help="Whose hosts and limits hold.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where to."
)
def fetch(folder: Path, board_name: str, output: Path) -> None:
    """Print where the bundle of a submission's FOLDER is: beside it, or fetched into DIR.

    Only https, from hosts that the board names, from public addresses, and the bytes that were declared.

    \b
    Example:
      suite board fetch submissions/mini/my-model-0123456789ab --board mini -o fetched
    """
    from suite.board.accepting import bundle_of
    from suite.board.definition import find_board
    from suite.errors import ConfigError

    output.mkdir(parents=True, exist_ok=True)
    found = bundle_of(folder, find_board(board_name), output)
    if found is None:
        raise ConfigError(
            f"{folder.name} has no bundle", fix="bundle.suite.zip, bundle/, or urls in bundle.ref.yaml"
        )
    click.echo(found)


@click.command("comment")
@click.argument("report", type=click.Path(path_type=Path))
def comment(report: Path) -> None:
    """Print a report of `suite submit verify --json` as a comment: bounded, and all of it as plain text.

    \b
    Example:
      suite board comment report.json
    """
    from suite.board.pull_request import comment as told

    click.echo(told(report), nl=False)
