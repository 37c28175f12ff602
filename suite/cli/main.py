"""The command `suite`: a table of commands, each loaded when it is used; errors and exit codes.

Exit codes: 0 fine, 1 pending work remains or a check failed, 2 wrong input, 3 a gate is undecided, 130
interrupted, 141 when whoever read the output went away. Not here: any command (one module each, beside).
"""

import importlib
import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

import suite
from suite.cli.spellings import modern
from suite.errors import NotFound, PluginError, SuiteError, unknown
from suite.plugins import catalogue

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

INTERRUPTED = 130
READER_GONE = 141
_COMPLETE = "_SUITE_COMPLETE"

# name -> [where it is, its line of help], in the order that help shows them
COMMANDS: Mapping[str, list[str]] = tomllib.loads(
    Path(__file__).with_name("commands.toml").read_text("utf-8")
)
HELP = Path(__file__).with_name("help")  # a file a command: what --help says below the first paragraph


class Commands(click.Group):
    """The built-in commands of the table and those of plugins; help and completion load none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the built-in commands in the table's order, then of the plugins' commands."""
        del ctx
        return [*COMMANDS, *self.added()]

    def added(self) -> dict[str, str]:
        """The plugins' commands with their titles; a built-in name cannot be taken."""
        return {e.name: e.title for e, _ in catalogue().entries("command") if e.name not in COMMANDS}

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by name, imported now; None if there is none. Raises PluginError for a broken one."""
        del ctx
        if cmd_name in COMMANDS:
            where = COMMANDS[cmd_name][0]
            module, _, name = where.partition(":")
            command: object = getattr(importlib.import_module(module), name)
        else:
            try:
                entry, plugin = catalogue().find("command", cmd_name)
            except NotFound:
                return None
            where = f"{entry.target} of {plugin.distribution or plugin.name}"
            command = catalogue().load("command", cmd_name)
        if not isinstance(command, click.Command):
            kind = type(command).__name__
            raise PluginError(f"command {cmd_name!r} is a {kind}, not a click command", where)
        if cmd_name in COMMANDS and (more := HELP / f"{cmd_name}.toml").is_file():
            _tell(command, tomllib.loads(more.read_text("utf-8")))
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line, its old spellings made new."""
        return super().parse_args(ctx, args if ctx.resilient_parsing else modern(args))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name, with the settings file's defaults. Raises NotFound."""
        name = args[0]
        command = self.get_command(ctx, name)
        if ctx.resilient_parsing or command is not None:
            if command is not None and not ctx.resilient_parsing:
                self._read_settings(ctx, name, command)
            return name if command else None, command, args[1:]
        broken = ", ".join(self.broken())
        where = f"plugins that failed to load: {broken} (see `suite plugin list`)" if broken else ""
        raise unknown("command", name, self.list_commands(ctx), where)

    def broken(self) -> list[str]:
        return [plugin.name for plugin in catalogue().plugins if plugin.error]

    def _read_settings(self, ctx: click.Context, name: str, command: click.Command) -> None:
        from suite.cli import settings

        found = settings.read(Path.cwd())
        if found.path is not None:
            added = () if set(found.tables or ()) <= COMMANDS.keys() else self.added()
            found.check_commands([*COMMANDS, *added])
            ctx.default_map = {name: found.defaults(ctx, command, (name,))}

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of commands, from the help lines kept here and in entries."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])
        if added := self.added():
            with formatter.section("Commands of plugins"):
                formatter.write_dl(sorted(added.items()))
        if broken := self.broken():
            formatter.write_paragraph()
            formatter.write_text(
                f"Plugins that failed to load: {', '.join(broken)}; see `suite plugin list`."
            )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Commands and options that begin like this, without loading a command."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        lines = {name: line for name, (_, line) in COMMANDS.items()} | self.added()
        return [
            CompletionItem(name, help=line) for name, line in lines.items() if name.startswith(incomplete)
        ]


def _tell(command: click.Command, more: Mapping[str, str], way: Sequence[str] = ()) -> None:
    """Give a command and those below it the rest of their help, once."""
    text = (command.help or "").strip()
    if (rest := more.get(" ".join(way))) and rest not in text:
        command.help = f"{text}\n\n{rest}"
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            _tell(one, more, (*way, name))


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "SUITE"}
)
@click.version_option(suite.__version__, prog_name="suite", message="%(prog)s %(version)s")
def cli() -> None:
    """Benchmarks about users: run them, score them, compare models.

    \b
    Example:
      suite eval --task prefeval/classification --mini --model embedded/smollm2-135m

    Every flag can also come from the environment (SUITE_EVAL_MODEL=…) or from the nearest
    suite.toml upward from here; a flag given by hand wins.
    """


def run_command(*arguments: str) -> int:
    """Run `suite ARGUMENTS…` in this process and return its exit code; it prints as the program does."""
    return run(arguments)


def run(arguments: Sequence[str]) -> int:
    """Run the command line; the exit code. Prints errors, raises nothing but what is a fault of ours."""
    if sys.stdout is None:  # closed by whoever started us
        return _refused("standard output cannot be written: it is closed")
    try:
        code = _run(list(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_output()
        return READER_GONE
    except OSError:
        try:
            click.echo()  # fails where it was the output that failed
        except OSError as error:
            _forget_output()
            return _refused(f"standard output cannot be written: {error.strerror or error}")
        raise
    return code


def _refused(why: str) -> int:
    click.echo(f"{click.style('error:', fg='red')} {why}", err=True)
    return 2


def _run(arguments: list[str]) -> int:
    try:
        if instruction := os.environ.get(_COMPLETE):
            from click.shell_completion import shell_complete

            return shell_complete(cli, {}, "suite", _COMPLETE, instruction)
        with cli.make_context("suite", arguments) as context:
            code = cli.invoke(context)
            return code if isinstance(code, int) and not isinstance(code, bool) else 0
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SuiteError as error:
        return _refused(str(error))
    except (KeyboardInterrupt, EOFError, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED


def _forget_output() -> None:
    """Send what is left to nowhere, so that Python's own flush at exit does not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
