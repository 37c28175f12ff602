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


def choice_flag(*names: str, of: Sequence[str], text: str | None = None) -> Callable[[CommandT], CommandT]:
    """One of some words, by default the first. text: its help."""
    return click.option(*names, type=click.Choice(of), default=of[0], show_default=True, help=text)


def count_flag(name: str, text: str, least: int = 1, **more: Any) -> Callable[[CommandT], CommandT]:
    """A whole number from the least on. text: its help."""
    return click.option(name, type=click.IntRange(least), show_default=True, help=text, **more)


def number_flag(name: str, low: float, high: float, text: str, **more: Any) -> Callable[[CommandT], CommandT]:
    """A number within bounds. text: its help."""
    return click.option(name, type=NumberRange(low, high), **{"show_default": True, **more}, help=text)


def many_flag(*names: str, of: str, text: str, **more: Any) -> Callable[[CommandT], CommandT]:
    """One that may be repeated. of: how help calls its value. text: its help."""
    return click.option(*names, multiple=True, metavar=of, help=text, **more)


def path_flag(*names: str, of: str, text: str, **more: Any) -> Callable[[CommandT], CommandT]:
    """A file or folder. of: how help calls it. text: its help."""
    return click.option(*names, **{"type": PATH, **more}, metavar=of, help=text)


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
_LARGE = "Where a large bundle lies; repeatable."
bundle_url_flag = many_flag("--bundle-url", "urls", of="https://…", text=_LARGE)
_DATA = "Fill a dataset from a run, a file or another entry, or one part of it."
data_flag = many_flag("--data", of="NAME=RUN|FILE|ENTRY[:PART]", text=_DATA)
accept_flag = click.option("--accept-licence", is_flag=True, help="Accept the licence; remembered.")
scoring_flag = click.option(
    "--scoring", default="", metavar="ID", help="Which scoring (default: the newest)."
)
limit_flag = count_flag(
    "--limit", "Only N groups, drawn by the seed; at least some of each task.", metavar="N"
)


def folder_flag(text: str, default: Path | None = None) -> Callable[[CommandT], CommandT]:
    """--dir: a folder, required where none is usual. text: its help."""
    usual = {"required": True} if default is None else {"default": default, "show_default": True}
    return path_flag("--dir", "folder", of="DIR", text=text, **usual)


runs_flag = folder_flag("The folder that holds the runs.", Path("runs"))


def seed_flag(text: str) -> Callable[[CommandT], CommandT]:
    """--seed: of what its help says."""
    return click.option("--seed", type=int, default=0, show_default=True, help=text)


def tasks_flag(text: str) -> Callable[[CommandT], CommandT]:
    """--task, for several."""
    return many_flag("--task", "tasks", of="NAME", text=text)


def parameters_flag(text: str, of: str = "[TASK:]NAME=VALUE") -> Callable[[CommandT], CommandT]:
    """-P: parameters of tasks."""
    return many_flag("-P", "parameters", of=of, text=text)


def board_flag(text: str, *, required: bool = False, default: str = "") -> Callable[[CommandT], CommandT]:
    """--board: a board's definition, by its file or by the id of one that comes with a plugin."""
    usual = {"required": True} if required else {"default": default, "show_default": bool(default)}
    return click.option("--board", "board_name", metavar="FILE|ID", help=text, **usual)


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


def entry_flag(flag: str, kind: str, text: str, name: str = "") -> Callable[[CommandT], CommandT]:
    """The entry of a kind that a command works with. name: of the parameter, if it is not the kind."""
    complete = names_of(kind)
    return click.option(flag, name or kind, required=True, metavar="NAME", shell_complete=complete, help=text)


def list_flag(
    kind: str, text: str, more: Callable[[click.Context, str], Sequence[str]] = lambda *_: ()
) -> Callable[[CommandT], CommandT]:
    """--list: print the entries of a kind and stop. more: lines below an entry, by its name."""

    def tell(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
        from suite.plugins import catalogue

        if wanted and not ctx.resilient_parsing:
            for entry, plugin in catalogue().entries(kind):
                click.echo(f"{entry.name}: {entry.title} ({plugin.distribution or plugin.name})")
                for line in more(ctx, entry.name):
                    click.echo(f"  {line}")
            ctx.exit()

    return click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=tell, help=text)


def say_json(value: object) -> None:
    """Print what --json asks for: plain values or a struct of them."""
    click.echo(json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False))


def say_text(macro: str, *values: object) -> None:
    """Print for people: a macro of `texts.j2` of these values."""
    from suite.report.text_templates import text_lines

    click.echo("\n".join(text_lines("cli/texts.j2", macro, *values)))
