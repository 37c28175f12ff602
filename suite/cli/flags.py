"""Flags that mean the same in every command: where to write, what to print, which board, which data."""

import json
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

CommandT = TypeVar("CommandT", bound=Callable[..., object])

PATH = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


class AmountOption(click.Option):
    """An option whose variable must not be empty: no money is meant by it, not no end of money."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """The variable as it is set; None if it is not."""
        return os.environ.get(f"{ctx.auto_envvar_prefix}_{(self.name or '').upper()}")


class NumberRange(click.FloatRange):
    """A number within bounds; NaN, which no comparison finds outside, is none."""

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Raises click.BadParameter."""
        found = super().convert(value, param, ctx)
        if math.isnan(found):
            self.fail(f"{found} is not in the range {self._describe_range()}.", param, ctx)
        return found


def together(*flags: Callable[[CommandT], CommandT]) -> Callable[[CommandT], CommandT]:
    """Several flags as one decorator, in the order that help shows them."""

    def all_of_them(command: CommandT) -> CommandT:
        for flag in reversed(flags):
            command = flag(command)
        return command

    return all_of_them


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
    "--data",
    multiple=True,
    metavar="NAME=RUN|FILE|ENTRY[:PART]",
    help="Fill a dataset from a run, a file or another entry, or one part of it.",
)
accept_flag = click.option("--accept-licence", is_flag=True, help="Accept the licence; remembered.")
scoring_flag = click.option(
    "--scoring", default="", metavar="ID", help="Which scoring (default: the newest)."
)
limit_flag = click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only N groups, drawn by the seed; at least some of each task.",
)


def folder_flag(text: str, default: Path | None = None) -> Callable[[CommandT], CommandT]:
    """--dir: a folder, required where none is usual. text: its help."""
    usual = {"required": True} if default is None else {"default": default, "show_default": True}
    return click.option("--dir", "folder", type=PATH, metavar="DIR", help=text, **usual)


runs_flag = folder_flag("The folder that holds the runs.", Path("runs"))


def seed_flag(text: str) -> Callable[[CommandT], CommandT]:
    """--seed: of what its help says."""
    return click.option("--seed", type=int, default=0, show_default=True, help=text)


def choice_flag(*names: str, of: Sequence[str], text: str | None = None) -> Callable[[CommandT], CommandT]:
    """One of some words, by default the first. text: its help."""
    return click.option(*names, type=click.Choice(of), default=of[0], show_default=True, help=text)


def tasks_flag(text: str) -> Callable[[CommandT], CommandT]:
    """--task, for several."""
    return click.option("--task", "tasks", multiple=True, metavar="NAME", help=text)


def parameters_flag(text: str, metavar: str = "[TASK:]NAME=VALUE") -> Callable[[CommandT], CommandT]:
    """-P: parameters of tasks."""
    return click.option("-P", "parameters", multiple=True, metavar=metavar, help=text)


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


def output_flag(
    metavar: str, text: str, *, required: bool = True, **more: Any
) -> Callable[[CommandT], CommandT]:
    """-O/--output: what a command writes. text: its help."""
    return click.option("-O", "--output", type=PATH, required=required, metavar=metavar, help=text, **more)


new_run_flags = together(
    output_flag("DIR", "The run's folder (default: runs/…).", required=False),
    click.option("--new", is_flag=True, help="Start another run of the same plan."),
    click.option("--dry-run", is_flag=True, help="Print the plan and stop."),
)


def names_of(kind: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Completion of the names of entries of a kind, none of which it loads."""
    from suite.plugins import catalogue

    return lambda _, __, begun: [name for name in catalogue().names(kind) if name.startswith(begun)]


def say_json(value: object) -> None:
    """Print what --json asks for: plain values or a struct of them."""
    click.echo(json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False))


def say_text(macro: str, *values: object) -> None:
    """Print for people: a macro of `texts.j2` of these values."""
    from suite.report.text_templates import text_lines

    click.echo("\n".join(text_lines("cli/texts.j2", macro, *values)))
