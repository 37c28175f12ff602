"""suite submit: bundles of runs that a stranger can verify."""

import json
import secrets
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from suite.cli import flags
from suite.cli.steps import parse_data, parse_options, parse_roles, role_flags

if TYPE_CHECKING:
    from suite.board.define.board import Board

FLAGS = tomllib.loads((files("suite.board.pack") / "declarations.toml").read_text("utf-8"))["flags"]
_DECLARE = "Declarations (TOML or YAML); `suite submit declare` prints one to fill in."
_KEY = "An SSH private key, or the public key of one in the agent."


@click.group("submit")
def submit() -> None:
    """Submit runs to a board: pack, sign and verify a bundle, place it in the board's repository."""


def _board(name: str) -> "Board | None":
    if not name:
        return None
    from suite.board.define.board import find_board

    return find_board(name)


@submit.command("declare")
@click.argument("runs", nargs=-1, metavar="[RUN…]")
@flags.board_flag("The board that the submission is for.")
def declare(runs: Sequence[str], board_name: str) -> None:
    """Print a commented file of declarations, with what the runs tell filled in."""
    from suite.board.pack import declarations
    from suite.comparisons.runs import scored_runs

    known = declarations.known(scored_runs(runs), _board(board_name))
    click.echo(declarations.template(known), nl=False)


def _name(flag: str) -> str:
    return "flag_" + flag.replace("-", "_")


_flags = flags.together(
    *(click.option(f"--{flag}", _name(flag), metavar="TEXT", help=text) for flag, (_, text) in FLAGS.items())
)


@submit.command("pack")
@click.argument("runs", nargs=-1, required=True, metavar="RUN…")
@flags.output_flag("PATH", "The bundle (default: MODEL.suite.zip).", required=False)
@click.option("--folder", is_flag=True, help="Write a folder of the same files instead of an archive.")
@click.option("--force", is_flag=True, help="Replace what stands there.")
@flags.board_flag("The board it is for: what that asks for must be there.")
@flags.path_flag("--declare", "declared_file", type=flags.FILE, of="FILE", text=_DECLARE)
@flags.path_flag("--readme", type=flags.FILE, of="FILE", text="A text to go with it.")
@_flags
def pack(board_name: str, **given: Any) -> None:
    """Pack finished runs as one bundle that a stranger can verify."""
    from suite.board.pack.wish import Wish, make

    told = {flag: text for flag in FLAGS if (text := given.pop(_name(flag))) is not None}
    board, declared = _board(board_name), given.pop("declared_file")
    made = make(Wish(board=board, declared=declared, given=told, **given))
    flags.say_text("packed", made, "folder" if given["folder"] else "archive", board_name)


@submit.command("sign")
@click.argument("bundle", type=flags.PATH)
@flags.path_flag("--key", of="FILE", required=True, text=_KEY)
@click.option("--force", is_flag=True, help="Replace a signature that stands there.")
def sign(bundle: Path, key: Path, force: bool) -> None:
    """Sign BUNDLE with an SSH key: who vouches for it, not that it is true."""
    from suite.board.pack.bundle_files import sign_bundle

    found = sign_bundle(bundle, key, replace=force)
    click.echo(f"signed {bundle.name} with {found.algorithm} key {found.key}")
    click.echo("a board knows you by the line `IDENTITY KEY` in its file of signers:")
    click.echo(f"  you@example.org {_public(key)}")


def _public(key: Path) -> str:
    public = key if key.suffix == ".pub" else key.with_name(f"{key.name}.pub")
    try:
        kind, body = public.read_text(encoding="utf-8").split()[:2]
    except (OSError, ValueError):
        return f"$(ssh-keygen -y -f {key})"
    return f"{kind} {body}"


@submit.command("place")
@click.argument("bundle", type=flags.PATH)
@flags.repo_flag
@flags.bundle_url_flag
def place(bundle: Path, repository: Path, urls: Sequence[str]) -> None:
    """Put BUNDLE into a clone of its board's repository, as a pull request brings it."""
    from suite.board.repository import acceptance

    folder = acceptance.place(bundle, repository, urls=urls)
    shown = folder.resolve().relative_to(repository.resolve()).as_posix()
    flags.say_text("placed", folder, shown, sorted(one.name for one in folder.iterdir()))


@submit.command("verify")
@click.argument("bundle", type=flags.PATH)
@flags.board_flag("The board that it was packed for.")
@flags.path_flag("--signers", of="FILE", text="Whose SSH keys may sign (OpenSSH's ALLOWED SIGNERS).")
@flags.data_flag
@flags.count_flag("--rerun", "Ask the model again for N random samples.", metavar="N")
@flags.count_flag("--rejudge", "Ask the judge again about N random samples.", metavar="N")
@click.option("--rerun-seed", metavar="TEXT", help="What chooses them (default: drawn now, and printed).")
@role_flags
@flags.json_flag
@flags.output_flag("FILE", "Write the report, as JSON.", required=False)
@flags.path_flag("--per-sample", of="FILE", text="Write the units (Parquet).")
@flags.count_flag("--max-findings", "Shown of each code.", default=20)
@flags.count_flag(
    "--time-limit",
    "How long it may take, without a re-run (default: the board's, else 1800).",
    metavar="SECONDS",
)
@click.option("--strict", is_flag=True, help="Exit 1 on warnings, too.")
@click.option("--quiet", is_flag=True, help="No progress; only the verdict.")
@click.pass_context
def verify(
    context: click.Context,
    /,
    bundle: Path,
    board_name: str,
    signers: Path | None,
    data: Sequence[str],
    rerun: int | None,
    rejudge: int | None,
    rerun_seed: str | None,
    as_json: bool,
    output: Path | None,
    per_sample: Path | None,
    max_findings: int,
    time_limit: int | None,
    strict: bool,
    quiet: bool,
    options: Sequence[str],
    **named: object,
) -> None:
    """Check a bundle as a stranger: read safely, rebuilt from pinned data, replayed, computed again."""
    from suite.board.bundle.signatures import Signers
    from suite.board.verify import Rerun
    from suite.board.verify import time_limit as usual
    from suite.board.verify import verify as climb
    from suite.board.verify.verification import as_text
    from suite.errors import ConfigError
    from suite.report.run_reports import replace_file

    for path in (output, per_sample):  # said before the work, not after it
        if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
            raise ConfigError(f"{path} cannot be written", fix="name a file in a folder that is there")
    models = parse_roles(named)
    if models and rerun is None and rejudge is None:
        raise ConfigError.of("cli.submit.models")
    again = None
    if rerun is not None or rejudge is not None:
        if rerun is not None and "candidate" not in models:
            raise ConfigError("--rerun needs the model to ask", fix="give --model SPEC")
        if rerun is None and "candidate" in models:
            raise ConfigError("--rejudge asks the judge alone", fix="add --rerun N, or leave --model out")
        if rejudge is not None and not models.keys() - {"candidate"}:
            raise ConfigError("--rejudge needs the judge to ask", fix="give --judge SPEC")
        seed = rerun_seed or secrets.token_hex(8)
        click.echo(f"re-run seed: {seed}", err=True)
        given = tuple(parse_options(options, tuple(models)))
        again = Rerun(rerun or 0, models, given, seed, judged=rejudge or 0)
    say = (lambda _: None) if quiet else (lambda text: click.echo(text, err=True))
    board = _board(board_name)
    found = climb(
        bundle, board=board, data=parse_data(data), signers=Signers(signers) if signers is not None else None,
        most=max_findings, again=again, say=say, seconds=time_limit or usual(board),
    )  # fmt: skip
    plain = msgspec.to_builtins(found.document)
    lines, report = as_text(found), json.dumps(plain, indent=2, ensure_ascii=False)
    click.echo(report if as_json else "\n".join(lines[-1:] if quiet else lines))
    if output is not None:
        replace_file(output, [report + "\n"])
    if per_sample is not None and found.per_sample:
        replace_file(per_sample, [found.per_sample])
    context.exit(found.exit_code(strict=strict))
