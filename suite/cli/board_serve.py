"""suite board serve: look at a board in a browser."""

from pathlib import Path

import click


@click.command("serve")
@click.argument("place", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free one."
)
@click.option("--board", "board_name", default="", metavar="FILE|ID", help="Which board of a repository.")
def serve(place: Path, port: int, board_name: str) -> None:
    """Show a built site, or build a repository's and show it, on this machine only. Ctrl-C ends it.

    \b
    Example:
      suite board serve my-board
    """
    import tempfile

    from suite.board.site.build import server

    with tempfile.TemporaryDirectory(prefix="suite-board-") as scratch:
        folder = place
        if not (place / "index.html").is_file():
            from suite.board.repository import open_repository
            from suite.board.site.build import build_site

            folder = build_site(open_repository(place, board_name), Path(scratch) / "site").folder
        with server(folder, port) as running:
            click.echo(f"http://127.0.0.1:{running.server_address[1]}/ (Ctrl-C ends it)")
            running.serve_forever()
