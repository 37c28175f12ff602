"""suite submit verify: climb the ladder of a bundle."""

import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from suite.cli.running import parse_data, parse_options, parse_roles, role_flags


@click.command("verify")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--board", "board_name", metavar="FILE|ID", help="The board that it was packed for.")
@click.option(
    "--signers",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Whose SSH keys may sign (OpenSSH's ALLOWED SIGNERS).",
)
@click.option(
    "--data", multiple=True, metavar="NAME=PLACE", help="A file or run that a dataset was given by."
)
@click.option(
    "--rerun", type=click.IntRange(min=1), metavar="N", help="Ask the model again for N random samples."
)
@click.option(
    "--rejudge", type=click.IntRange(min=1), metavar="N", help="Ask the judge again about N random samples."
)
@click.option("--rerun-seed", metavar="TEXT", help="What chooses them (default: drawn now, and printed).")
@role_flags
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), metavar="FILE", help="Write the report as JSON."
)
@click.option(
    "--per-sample", type=click.Path(path_type=Path), metavar="FILE", help="Write the units (Parquet)."
)
@click.option(
    "--max-findings", type=click.IntRange(min=1), default=20, show_default=True, help="Shown of each code."
)
@click.option(
    "--time-limit",
    type=click.IntRange(min=1),
    metavar="SECONDS",
    help="How long it may take, without a re-run (default: the board's, else 1800).",
)
@click.option("--strict", is_flag=True, help="Exit 1 on warnings, too.")
@click.option("--quiet", is_flag=True, help="Only the verdict.")
@click.pass_context
def verify(
    context: click.Context,
    /,
    bundle: Path,
    board_name: str | None,
    signers: Path | None,
    data: Sequence[str],
    rerun: int | None,
    rejudge: int | None,
    rerun_seed: str | None,
    json_path: Path | None,
    per_sample: Path | None,
    max_findings: int,
    time_limit: int | None,
    strict: bool,
    quiet: bool,
    **named: Any,
) -> None:
    """Check a bundle as a stranger: read safely, rebuilt from pinned data, replayed, computed again.

    Prints every rung and every mismatch; exit 1 if one was found or a rung could not be climbed (also for
    want of time), 2 if BUNDLE is none. With --rerun and the models by --model, --judge …, N random samples
    are asked again; with --rejudge the judge alone.

    \b
    Example:
      suite submit verify my-model.suite.zip --board mini
      suite submit verify my-model.suite.zip --board mini --rerun 60 --model vllm/org/my-model
      suite submit verify my-model.suite.zip --board mini --rejudge 60 --judge vllm/org/the-judge
    """
    from suite.board.definition import find_board
    from suite.board.signatures import Signers
    from suite.board.verify import Rerun
    from suite.board.verify import verify as climb
    from suite.board.verify.report import as_text
    from suite.errors import ConfigError
    from suite.report.finish import replace_file

    for path in (json_path, per_sample):  # said before the work, not after it
        if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
            raise ConfigError(f"{path} cannot be written", fix="name a file in a folder that is there")
    models = parse_roles(named)
    if models and rerun is None and rejudge is None:
        raise ConfigError(
            "models are asked in a re-run only", fix="add --rerun N or --rejudge N, or leave the models away"
        )
    again = None
    if rerun is not None or rejudge is not None:
        if rerun is not None and "candidate" not in models:
            raise ConfigError("--rerun needs the model to ask", fix="give --model SPEC")
        if rerun is None and "candidate" in models:
            raise ConfigError("--rejudge asks the judge alone", fix="add --rerun N, or leave --model away")
        if rejudge is not None and not models.keys() - {"candidate"}:
            raise ConfigError("--rejudge needs the judge to ask", fix="give --judge SPEC")
        seed = rerun_seed or secrets.token_hex(8)
        click.echo(f"re-run seed: {seed}", err=True)
        given = tuple(parse_options(named["options"], tuple(models)))
        again = Rerun(rerun or 0, models, given, seed, judged=rejudge or 0)
    say = (lambda _: None) if quiet else (lambda text: click.echo(text, err=True))
    found = climb(
        bundle,
        board=find_board(board_name) if board_name else None,
        data=parse_data(data),
        signers=Signers(signers) if signers is not None else None,
        most=max_findings,
        again=again,
        say=say,
        seconds=time_limit,
    )
    lines = list(as_text(found))
    click.echo("\n".join(lines[-1:] if quiet else lines))
    if json_path is not None:
        replace_file(json_path, [json.dumps(found.data, indent=2, ensure_ascii=False) + "\n"])
    if per_sample is not None and found.per_sample:
        replace_file(per_sample, [found.per_sample])
    context.exit(found.exit_code(strict=strict))
