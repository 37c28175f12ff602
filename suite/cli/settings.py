"""Settings: flags over environment (`SUITE_*`) over `suite.toml`, the nearest one upward from here.

A table of the file is named like a command, a key like one of its flags without the dashes:

    [eval]
    model = "vllm/Qwen/Qwen3-8B"
    judge = ["openai/gpt-x", "openai/gpt-y"]

    [data.pull]
    accept-licence = true

Only the tables of the command that runs are checked, so that no other command is loaded for it. The
environment is click's own: `SUITE_EVAL_MODEL`, `SUITE_DATA_PULL_ACCEPT_LICENCE`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from suite.cli.spellings import current
from suite.errors import ConfigError, unknown
from suite.files import read_settings

ENVIRONMENT = "SUITE"
_OTHERS = ("prices",)  # tables of no command, read where they are needed
# types of flags: what a value that is no text must be
_TYPES = (
    (click.types.BoolParamType, "true or false", (bool,)),
    (click.types.IntParamType, "a whole number", (int,)),
    (click.types.FloatParamType, "a number", (int, float)),
)


@dataclass(frozen=True)
class SettingsFile:
    """What a settings file says: its path, its text (for line numbers) and its tables."""

    path: Path | None = None
    text: str = ""
    tables: Mapping[str, object] | None = None

    def where(self, keys: tuple[str, ...]) -> str:
        """File and line of a key, for messages."""
        return f"{self.path}, line {line_of(self.text, keys)}"

    def check_commands(self, known: list[str]) -> None:
        """Raises NotFound for a table that is not named like a command, ConfigError for a loose key."""
        for name, value in (self.tables or {}).items():
            if name in _OTHERS:
                continue
            if not isinstance(value, dict):
                about = {"name": name, "where": self.where((name,)), "known": ", ".join(known)}
                raise ConfigError.of("cli.settings.loose", **about)
            if name not in known:
                raise unknown("command", name, known, self.where((name,)))

    def defaults(
        self, context: click.Context, command: click.Command, names: tuple[str, ...]
    ) -> dict[str, object]:
        """The default_map of a command and of the commands below it that have tables.

        names: the way to the command ("data", "pull"). Raises NotFound for an unknown key, ConfigError
        for a value that the flag does not take.
        """
        table: object = self.tables
        for name in names:
            table = table.get(name) if isinstance(table, dict) else None
        flags = {name: option for option in command.get_params(context) for name in _names(option)}
        below = command if isinstance(command, click.Group) else None
        found: dict[str, object] = {}
        for key, value in table.items() if isinstance(table, dict) else ():
            way = (*names, key)
            name, meant = current(names, key.replace("_", "-"), value)
            child = below.get_command(context, key) if below else None
            if child is not None and isinstance(value, dict):
                found[key] = self.defaults(context, child, way)
            elif (option := flags.get(name)) is not None and option.name:
                if option.name in found:
                    about = {"key": key, "shown": _shown(option), "where": self.where(way)}
                    raise ConfigError.of("cli.settings.twice", **about)
                found[option.name] = self._value(context, option, meant, way)
            else:
                known = sorted({_shown(one) for one in flags.values()})
                known += below.list_commands(context) if below else []
                raise unknown(f"setting of `suite {' '.join(names)}`", key, known, self.where(way))
        return found

    def _value(
        self, context: click.Context, option: click.Parameter, value: object, way: tuple[str, ...]
    ) -> object:
        many = option.multiple or option.nargs != 1
        given = [value] if option.multiple and not isinstance(value, list) else value
        if isinstance(given, dict) or (isinstance(given, list) and not many):
            raise ConfigError.of("cli.settings.several", key=way[-1], where=self.where(way))
        each = given if isinstance(given, list) else [given]
        if isinstance(option.type, click.Path) and not all(isinstance(one, str | None) for one in each):
            fix = f'write it in quotes, as in `{way[-1]} = "a/path"`'
            raise ConfigError(f"setting {way[-1]!r} takes a path, not {value!r}", self.where(way), fix)
        for kind, name, fits in _TYPES:
            odd = [one for one in each if not isinstance(one, str | None) and type(one) not in fits]
            if isinstance(option.type, kind) and odd:
                raise ConfigError(f"setting {way[-1]!r} takes {name}, not {odd[0]}", self.where(way))
        if any("\0" in str(one) for one in each):
            raise ConfigError(f"setting {way[-1]!r} holds a NUL character", self.where(way))
        try:
            option.type_cast_value(context, given)
        except click.UsageError as error:
            message = error.message.rstrip(".")
            raise ConfigError(f"setting {way[-1]!r}: {message}", self.where(way)) from error
        return given


def read(start: Path) -> SettingsFile:
    """The settings in force in a folder, of the nearest `suite.toml` upward. Raises ConfigError: no TOML."""
    return SettingsFile(*read_settings(start))


def line_of(text: str, keys: tuple[str, ...]) -> int:
    """The line (from 1) of a key in TOML, else of the nearest thing above it; read statement by statement."""
    best, depth, head, statement, first = 1, 0, "", "", 1
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        statement += line
        try:
            node: object = tomllib.loads(head + statement)
        except tomllib.TOMLDecodeError:  # it goes on in the next line
            continue
        found = 0
        while found < len(keys) and isinstance(node, dict) and keys[found] in node:
            node, found = node[keys[found]], found + 1
        if found > depth:
            best, depth = first, found
        head = statement if statement.lstrip().startswith("[") else head
        statement, first = "", number + 1
    return best


def _names(option: click.Parameter) -> set[str]:
    """What a flag may be called in the file: its long and short forms without dashes, its own name."""
    if not isinstance(option, click.Option) or not option.expose_value:
        return set()
    names = (*option.opts, *option.secondary_opts, option.name or "")
    return {one.lstrip("-").replace("_", "-") for one in names}


def _shown(option: click.Parameter) -> str:
    return max(option.opts, key=len).lstrip("-")
