"""suite view: one local page over all runs, served to this machine alone or written as static files."""

from collections.abc import Sequence
from pathlib import Path

import click

from suite.cli.flags import many_flag, path_flag, runs_flag
from suite.errors import ConfigError


@click.command("view")
@click.argument("runs", nargs=-1, metavar="[RUN]…")
@runs_flag
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Which port (default: a free one).")
@click.option("--open", "opened", is_flag=True, help="Open the page in the browser.")
@path_flag("--export", of="DIR", text="Write static files there instead; they open offline.")
@many_flag("--compare", of="RUN,RUN…", text="Export this comparison, not every pair.")
@click.option("--with-texts", is_flag=True, help="Export texts, too, that a licence lets nobody pass on.")
def view(
    runs: Sequence[str], folder: Path, port: int, opened: bool, export: Path | None,
    compare: Sequence[str], with_texts: bool,
) -> None:  # fmt: skip
    """Look at all runs, or those named, in a browser: list, reports, samples, comparisons."""
    import secrets
    import tempfile

    from suite.journal.run import find_run
    from suite.report.local_site import SiteServer
    from suite.view.run_rows import RunListing, key_of
    from suite.view.site import ViewSite, write_site

    if export is None and (compare or with_texts):
        raise ConfigError("--compare and --with-texts are for static files", fix="add --export DIR")
    if not runs and not folder.is_dir():
        raise ConfigError(f"there is no folder {folder}", fix="suite eval … makes runs/; --dir names another")
    listing = RunListing(folder, [find_run(one, folder) for one in runs])
    if export is not None:
        wanted = [[key_of(find_run(one, folder)) for one in told.split(",")] for told in compare]
        count, note = write_site(listing, export, wanted, texts=with_texts)
        click.echo(note + "\n" * bool(note) + f"wrote {count:,} files; open {export / 'index.html'}")
        return
    with tempfile.TemporaryDirectory(prefix="suite-view-", ignore_cleanup_errors=True) as scratch:
        files = ViewSite(listing, Path(scratch)).files
        with SiteServer(files, port, secrets.token_urlsafe(16)) as server:
            click.echo(f"{server.address} (for this machine alone; Ctrl-C ends it)")
            if opened:
                click.launch(server.address)
            server.serve_forever()
