"""Every command of the suite has a help text with an example, and each example is a command that parses."""

import importlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import suite.cli
from suite.cli.main import COMMANDS, HELP, cli
from suite.plugins import catalogue


def walk(command: click.Command, way: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield way, command
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from walk(below, (*way, name))


def own() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield (), cli
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        yield from walk(command, (name,))


def examples(command: click.Command) -> list[str]:
    """The example lines of a help text: those that begin with `suite `, continued lines joined."""
    text = (command.help or "").replace("\\\n", " ")
    return re.findall(r"^\s*(?:\$ )?(suite .+)$", text, flags=re.MULTILINE)


ALL = dict(own())
NAMED = {" ".join(("suite", *way)): command for way, command in ALL.items()}


@pytest.mark.parametrize("name", NAMED)
def test_a_command_has_an_example_of_itself(name: str) -> None:
    found = examples(NAMED[name])
    assert found, f"`{name} --help` shows no example"
    assert all(line.startswith(name) for line in found)


@pytest.mark.parametrize("line", sorted({line for command in ALL.values() for line in examples(command)}))
def test_an_example_parses(line: str) -> None:
    command: click.Command = cli
    context = click.Context(cli, info_name="suite")
    values, rest, seen = command.make_parser(context).parse_args(args=shlex.split(line)[1:])
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        settings = found.context_settings
        command, context = found, click.Context(found, parent=context, info_name=name, **settings)
        values, rest, seen = command.make_parser(context).parse_args(args=rest)
    assert rest == []
    wanted = {one.name for one in command.params if one.required}
    given = {one.name for one in seen if isinstance(values.get(one.name), str | tuple | list)}
    assert wanted <= given


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_points_to_a_command_and_says_what_its_help_says(name: str) -> None:
    command = NAMED[f"suite {name}"]
    assert command.name == name
    assert COMMANDS[name][1].endswith(".")
    assert len(COMMANDS[name][1]) < 72


def test_no_command_is_left_out_of_the_table() -> None:
    for path in Path(suite.cli.__path__[0]).glob("*.py"):
        module = importlib.import_module(f"suite.cli.{path.stem}")
        found = getattr(module, path.stem, getattr(module, f"{path.stem}_", None))
        assert path.stem in COMMANDS or not isinstance(found, click.Command)


@pytest.mark.parametrize("path", sorted(HELP.glob("*.toml")), ids=lambda path: path.stem)
def test_no_help_is_of_a_command_that_is_gone(path: Path) -> None:
    for way, text in tomllib.loads(path.read_text("utf-8")).items():
        command = ALL[path.stem, *way.split()]
        assert text in (command.help or "")


@pytest.mark.parametrize("name", catalogue().names("command"))
def test_a_bundled_plugin_s_command_has_a_help_text(name: str) -> None:
    for way, command in walk(catalogue().load("command", name), (name,)):
        assert command.help, f"`suite {' '.join(way)}` has no help"
