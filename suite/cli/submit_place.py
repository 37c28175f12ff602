"""suite submit place: the folder that a pull request to a board's repository brings."""

from collections.abc import Sequence
from pathlib import Path

import click


@click.command("place")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--repo",
    "repository",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="A clone of the board's repository.",
)
@click.option(
    "--url", "urls", multiple=True, metavar="https://…", help="Where a large bundle lies; repeatable."
)
def place(bundle: Path, repository: Path, urls: Sequence[str]) -> None:
    """Put BUNDLE into a clone of its board's repository, as a pull request brings it.

    Writes one new folder and touches nothing else. Verify the bundle first: `suite submit verify`.

    \b
    Example:
      suite submit place my-model.suite.zip --repo ../the-board
    """
    from suite.board import accepting

    folder = accepting.place(bundle, repository, urls=urls)
    shown = folder.resolve().relative_to(repository.resolve()).as_posix()
    click.echo(f"wrote {shown}: {', '.join(sorted(one.name for one in folder.iterdir()))}")
    click.echo("next, in the repository:")
    click.echo(f"  git switch -c {folder.name}")
    click.echo(f"  git add {shown} && git commit -m 'Submit {folder.name}'")
    click.echo("then push the branch and open a pull request")
