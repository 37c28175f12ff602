"""Flags that mean the same in every command: where to write, what to print, which board, which data."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
import msgspec

CommandT = TypeVar("CommandT", bound=Callable[..., object])

json_flag = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
repo_flag = click.option(
    "--repo",
    "repository",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default=True,
    metavar="DIR",
    help="The board's repository.",
)
bundle_url_flag = click.option(
    "--bundle-url", "urls", multiple=True, metavar="https://…", help="Where a large bundle lies; repeatable."
)
data_flag = click.option(
    "--data", multiple=True, metavar="NAME=RUN|FILE", help="Fill a dataset from a run or a file."
)
accept_flag = click.option("--accept-licence", is_flag=True, help="Accept the licence; remembered.")


def board_flag(text: str, *, required: bool = False, default: str = "") -> Callable[[CommandT], CommandT]:
    """--board: a board's definition, by its file or by the id of one that comes with a plugin."""
    return click.option(
        "--board",
        "board_name",
        required=required,
        default=None if required else default,
        show_default=bool(default),
        metavar="FILE|ID",
        help=text,
    )


def output_flag(metavar: str, text: str, *, required: bool = True) -> Callable[[CommandT], CommandT]:
    """-O/--output: what a command writes. text: its help."""
    path = click.Path(path_type=Path)
    return click.option("-O", "--output", type=path, required=required, metavar=metavar, help=text)


run_folder_flag = output_flag("DIR", "The run's folder (default: runs/…).", required=False)


def say_json(value: object) -> None:
    """Print what --json asks for: plain values or a struct of them."""
    click.echo(json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False))
