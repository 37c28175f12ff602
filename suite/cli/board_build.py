"""suite board build: the static site of a board repository."""

from pathlib import Path

import click


@click.command("build")
@click.argument("repository", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, metavar="SITE", help="The folder."
)
@click.option("--board", "board_name", default="", metavar="FILE|ID", help="Which board, or its definition.")
@click.option("--url", default="", metavar="https://…", help="Where the site will stand (for the feed).")
def build(repository: Path, output: Path, board_name: str, url: str) -> None:
    """Build the site of REPOSITORY, or of a folder of submissions: plain files that work from any place.

    It rests on verification.json and per_sample.parquet of each entry; `suite board check` proves them.

    \b
    Example:
      suite board build my-board -o site
    """
    from suite.board.repository import open_repository
    from suite.board.site.build import build_site
    from suite.report.formatting import counted

    built = build_site(open_repository(repository, board_name), output, url=url)
    for warning in built.warnings:
        click.echo(f"warning: {warning}", err=True)
    boards, entries = counted(built.boards, "board"), counted(built.entries, "entry", "entries")
    click.echo(f"wrote {built.folder / 'index.html'}: {boards}, {entries}, {built.pages:,} pages")
