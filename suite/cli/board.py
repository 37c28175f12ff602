"""suite board: make a board of verified submissions, accept entries, build and show the site.

Not here: what a command does (`suite.board`), which each loads when it is used.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from suite.cli import flags
from suite.cli.spellings import note
from suite.report.numbers import counted

if TYPE_CHECKING:
    from suite.board.repository.acceptance import Accepted


@click.group("board")
def board() -> None:
    """Boards: make a repository, accept submissions, build and show the site."""


@board.command("list")
@flags.json_flag
def list_(as_json: bool) -> None:
    """The boards that come with the suite and its plugins."""
    from suite.board.define.board import boards

    found, problems = boards()
    if as_json:
        shown = ("id", "version", "title", "sha256")
        flags.say_json([{fact: getattr(one, fact) for fact in shown} for one in found])
        return
    for one in found:
        click.echo(f"{one.id:20} {one.version:8} {one.title} ({counted(len(one.tasks), 'column')})")
    for problem in problems:
        click.echo(f"wrong: {problem.error}", err=True)


@board.command("init")
@flags.repo_flag
@flags.board_flag("Whose definition.", default="mini")
def init(repository: Path, board_name: str) -> None:
    """Make a board's repository: definition, rules for submitters, workflows that verify and build."""
    from suite.board.define.eval_commands import free_roles, open_note
    from suite.board.repository.shelves import init_board
    from suite.errors import SuiteError
    from suite.plugins import catalogue

    made, files = init_board(repository, board_name)
    for path in files:
        click.echo(f"wrote {path}")
    try:
        for column, roles in free_roles(made, catalogue()).items():
            click.echo(f"note: {column}: {open_note(roles)}", err=True)
    except SuiteError as error:  # the board may be for tasks that others have installed
        click.echo(f"note: the definition cannot be tried here: {error}", err=True)
    click.echo("next: read SUBMITTING.md and CODEOWNERS, pin the actions in .github/workflows, commit, push")


@board.command("commands")
@flags.board_flag("The board.", required=True)
@click.option("--model", required=True, metavar="SPEC", help="The candidate.")
def commands(board_name: str, model: str) -> None:
    """Print the `suite eval` commands that make the runs a board asks for."""
    from suite.board.define import eval_commands
    from suite.board.define.board import find_board
    from suite.plugins import catalogue

    for line in eval_commands.commands(find_board(board_name), model, catalogue()):
        click.echo(line)


@board.command("accept")
@click.argument("bundle", type=flags.PATH, required=False)
@flags.repo_flag
@flags.board_flag("Which board, if the repository has several.")
@flags.bundle_url_flag
@click.option("--all", "new", is_flag=True, help="All submissions not accepted yet, instead of BUNDLE.")
@click.pass_context
def accept(
    context: click.Context,
    bundle: Path | None,
    repository: Path,
    board_name: str,
    urls: Sequence[str],
    new: bool,
) -> None:
    """Verify BUNDLE and add it to the board. Exit 1 if it is not verified, or on the board already."""
    from suite.board.repository.acceptance import accept as take
    from suite.board.repository.acceptance import accept_new
    from suite.errors import ConfigError

    if new == (bundle is not None):
        raise ConfigError.of("cli.board.which")
    if bundle is not None:
        done = [(bundle, take(bundle, repository, board=board_name, urls=urls))]
    else:
        done = accept_new(repository, say=lambda text: click.echo(text, err=True))
    for place, found in done:
        _tell(place, found)
    refused = [found for _, found in done if found.folder is None]
    context.exit(2 if any(one.verification is None for one in refused) else 1 if refused else 0)


def _tell(place: Path, found: "Accepted") -> None:
    from suite.board.verify.verification import as_text
    from suite.report.text_templates import text_lines

    if found.folder is not None and found.verification is not None:
        click.echo(f"accepted ({found.verification.verdict.replace('_', ' ')}): {found.folder}")
        for line in text_lines("board/verify/report.j2", "told_of", found.verification, "R9"):
            click.echo(line)
        return
    if found.verification is not None and found.verification.exit_code() != 0:
        click.echo("\n".join(as_text(found.verification)))
    for reason in found.reasons:
        click.echo(f"not accepted: {place.name}: {reason}", err=True)


@board.command("withdraw")
@click.argument("entry", type=flags.FOLDER)
@flags.choice_flag("--status", of=["withdrawn", "disputed", "retracted"])
@click.option("--reason", required=True, help="Shown for ever: a board does not forget in silence.")
def withdraw(entry: Path, status: str, reason: str) -> None:
    """Take an entry out of the ranking and leave a tombstone with the reason."""
    from suite.board.repository.acceptance import withdraw as take_out

    take_out(entry, status, reason)
    click.echo(f"{status}: {entry}")


@board.command("check")
@flags.repo_flag
@flags.board_flag("Only this board.")
@click.option("--no-verify", is_flag=True, help="Do not verify the entries again.")
@click.option("--again", is_flag=True, help="Verify entries of earlier versions for the present one.")
@click.pass_context
def check(context: click.Context, repository: Path, board_name: str, no_verify: bool, again: bool) -> None:
    """Check definitions, entries and their files, and verify every active entry again. Exit 1 on trouble."""
    from suite.board.repository.audit import check_board
    from suite.board.repository.shelves import open_repository

    bad = 0
    for shelf in open_repository(repository, board_name):
        verify = {"again": not no_verify, "renew": again}
        found = check_board(shelf, **verify, say=lambda text: click.echo(text, err=True))
        for trouble in found:
            kind = "error" if trouble.serious else "note"
            click.echo(f"{kind}: {shelf.board.id}: {trouble.where}: {trouble.what}")
        serious = sum(trouble.serious for trouble in found)
        bad += serious
        state = counted(serious, "error") if serious else "fine"
        click.echo(f"{shelf.board.id} {shelf.board.version}: {state}")
    context.exit(1 if bad else 0)


@board.command("build")
@flags.repo_flag
@flags.board_flag("Only this board; its definition, where REPO is a folder of submissions.")
@flags.output_flag("DIR", "The site's folder.")
@click.option("--site-url", default="", metavar="https://…", help="Where the site will stand (for the feed).")
def build(repository: Path, board_name: str, output: Path, site_url: str) -> None:
    """Build the site of a repository, or of a folder of submissions: plain files that work from any place."""
    from suite.board.repository.shelves import open_repository
    from suite.board.site.pages import build_site

    built = build_site(open_repository(repository, board_name), output, url=site_url)
    for warning in built.warnings:
        click.echo(f"warning: {warning}", err=True)
    boards, entries = counted(built.boards, "board"), counted(built.entries, "entry", "entries")
    click.echo(f"wrote {built.folder / 'index.html'}: {boards}, {entries}, {built.pages:,} pages")


@board.command("serve")
@click.argument("site", type=flags.FOLDER, required=False, metavar="[SITE]")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free one."
)
@flags.repo_flag
@flags.board_flag("Only this board.")
def serve(site: Path | None, port: int, repository: Path, board_name: str) -> None:
    """Show SITE, a built one, or build a repository's and show it, on this machine only. Ctrl-C ends it."""
    import tempfile

    from suite.report.local_site import SiteServer, folder_files

    if site is not None and not (site / "index.html").is_file():
        note("board serve", "a repository as argument", f"--repo {site}")
        repository, site = site, None

    with tempfile.TemporaryDirectory(prefix="suite-board-") as scratch:
        if site is None:
            from suite.board.repository.shelves import open_repository
            from suite.board.site.pages import build_site

            site = build_site(open_repository(repository, board_name), Path(scratch) / "site").folder
        with SiteServer(folder_files(site), port) as running:
            click.echo(f"{running.address} (Ctrl-C ends it)")
            running.serve_forever()


@board.command("check-pr")
@flags.repo_flag
@click.option("--base", required=True, metavar="COMMIT", help="Where the pull request goes.")
@click.option("--head", required=True, metavar="COMMIT", help="What it brings.")
@flags.json_flag
@click.pass_context
def check_pr(context: click.Context, repository: Path, base: str, head: str, as_json: bool) -> None:
    """Check that a pull request adds one submission's folder and touches nothing else. Exit 1 if not."""
    from suite.board.repository.pull_request import check_pull_request

    found = check_pull_request(repository, base, head)
    if as_json:
        click.echo(json.dumps({"folder": found.folder, "board": found.board, "problems": found.problems}))
    else:
        for problem in found.problems:
            click.echo(f"refused: {problem}", err=True)
        if found.folder:
            click.echo(found.folder)
    context.exit(1 if found.problems else 0)


@board.command("fetch")
@click.argument("folder", type=flags.FOLDER)
@flags.board_flag("Whose hosts and limits hold.", required=True)
@flags.output_flag("DIR", "Where a fetched bundle goes.")
def fetch(folder: Path, board_name: str, output: Path) -> None:
    """Print where the bundle of a submission's FOLDER is: beside it, or fetched into DIR."""
    from suite.board.define.board import find_board
    from suite.board.repository.remote_bundle import bundle_of
    from suite.errors import ConfigError

    output.mkdir(parents=True, exist_ok=True)
    found = bundle_of(folder, find_board(board_name), output)
    if found is None:
        raise ConfigError.of("cli.board.no-bundle", folder=folder)
    click.echo(found)


@board.command("comment")
@click.argument("report", type=flags.PATH)
def comment(report: Path) -> None:
    """Print a report of `suite submit verify --json` as a comment: bounded, and all of it as plain text."""
    from suite.board.repository.pull_request import comment as told

    click.echo(told(report), nl=False)
