"""suite board accept, withdraw: entries of a board repository."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from suite.board.accepting import Accepted

repository_flag = click.option(
    "--repo",
    "repository",
    type=click.Path(path_type=Path),
    default=Path(),
    show_default=True,
    help="The board's.",
)


@click.command("accept")
@click.argument("bundle", type=click.Path(path_type=Path), required=False)
@repository_flag
@click.option("--board", "board_name", default="", metavar="FILE|ID", help="Which board, if it has several.")
@click.option(
    "--url", "urls", multiple=True, metavar="https://…", help="Where a large bundle lies; repeatable."
)
@click.option("--new", is_flag=True, help="All folders that pull requests brought, instead of BUNDLE.")
@click.pass_context
def accept(
    context: click.Context,
    bundle: Path | None,
    repository: Path,
    board_name: str,
    urls: Sequence[str],
    new: bool,
) -> None:
    """Verify BUNDLE and add it to the board. Exit 1 if it is not verified, or on the board already.

    With --new every folder is taken or refused by itself, whatever the others are; exit 2 if one cannot be
    used at all (no bundle, one that cannot be read or fetched, another bundle's folder).

    \b
    Examples:
      suite board accept my-model.suite.zip --repo my-board
      suite board accept --new --repo my-board
    """
    from suite.board.accepting import accept as take
    from suite.board.accepting import accept_new
    from suite.errors import ConfigError

    if new == (bundle is not None):
        raise ConfigError(
            "one bundle, or --new", fix="suite board accept BUNDLE, or suite board accept --new"
        )
    if bundle is not None:
        done = [(bundle, take(bundle, repository, board=board_name, urls=urls))]
    else:
        done = accept_new(repository, say=lambda text: click.echo(text, err=True))
    for place, found in done:
        _tell(place, found)
    refused = [found for _, found in done if found.folder is None]
    context.exit(2 if any(one.verification is None for one in refused) else 1 if refused else 0)


def _tell(place: Path, found: "Accepted") -> None:
    from suite.board.verify.report import as_text, told_of

    if found.folder is not None and found.verification is not None:
        click.echo(f"accepted ({found.verification.verdict.replace('_', ' ')}): {found.folder}")
        for line in told_of(found.verification, "R9"):
            click.echo(line)
        return
    if found.verification is not None and found.verification.exit_code() != 0:
        click.echo("\n".join(as_text(found.verification)))
    for reason in found.reasons:
        click.echo(f"not accepted: {place.name}: {reason}", err=True)


@click.command("withdraw")
@click.argument("entry", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--status",
    type=click.Choice(["withdrawn", "disputed", "retracted"]),
    default="withdrawn",
    show_default=True,
)
@click.option("--reason", required=True, help="Shown for ever: a board does not forget in silence.")
def withdraw(entry: Path, status: str, reason: str) -> None:
    """Take an entry out of the ranking and leave a tombstone with the reason.

    \b
    Example:
      suite board withdraw submissions/mini/my-model-0123456789ab --reason "wrong revision was served"
    """
    from suite.board.accepting import withdraw as take_out

    take_out(entry, status, reason)
    click.echo(f"{status}: {entry}")
