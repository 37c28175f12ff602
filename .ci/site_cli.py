"""The page of the documentation site about every command, written from the commands' own help.

One heading a command, so that `cli.md#suite-data-pull` leads to it. Not here: prose about how commands work
together (the pages in `docs/`), or how the page gets into the site (`site_hook.py`).
"""

import re
from collections.abc import Iterator

import click

from suite.cli.main import COMMANDS, cli

_HEAD = """# Commands

Every command and flag, from the help that `suite COMMAND --help` prints. A flag can also be set by the
environment (`SUITE_EVAL_MODEL` for `suite eval --model`) or by a table of `suite.toml`; a flag given by hand
wins. Exit codes: 0 fine, 1 pending work remains or a check failed, 2 wrong input, 130 interrupted.

A flag means the same in every command. `-o` is an option of a model's engine; `-O/--output` is what a command
writes. `--json` takes no value. A board's definition is given by `--board`, its repository by `--repo`; an
argument is what a command works on: a run, a bundle, an entry. Old spellings work for one version more, with
a note.
"""


def page() -> str:
    """The page, as Markdown."""
    context = click.Context(cli, info_name="suite")
    own: list[tuple[str, click.Command]] = []
    added: list[tuple[str, click.Command]] = []
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if command is not None and not command.hidden:
            (own if name in COMMANDS else added).append((name, command))
    lines = [_HEAD]
    for title, found in (("Commands of the suite", own), ("Commands of plugins", added)):
        if found:
            lines += [f"## {title}", ""]
        for name, command in found:
            lines += section(command, click.Context(command, info_name=name, parent=context), 3)
    return "\n".join(lines)


def section(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    """Lines about a command and then about the commands below it."""
    yield f"{'#' * min(level, 6)} {context.command_path}"
    yield ""
    yield from prose(command.help or "")
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield from ["```text", usage, "```", ""]
    yield from options(command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from section(inner, click.Context(inner, info_name=name, parent=context), level + 1)


def prose(text: str) -> Iterator[str]:
    """Paragraphs of a help text as Markdown; what is kept as it is (after a \\b) becomes a code block."""
    for paragraph in re.split(r"\n\s*\n", _dedented(text)):
        head, kept, body = paragraph.partition("\b\n")
        if not kept:
            yield from [escaped(paragraph), ""]
            continue
        if head.strip():
            yield from [escaped(head), ""]
        lines = body.splitlines()
        if lines and re.fullmatch(r"Examples?:", lines[0].strip()):
            yield from [lines.pop(0).strip(), ""]
        yield from ["```sh" if all("suite " in line for line in lines) else "```text"]
        yield from [line.removeprefix("  ") for line in lines]
        yield from ["```", ""]


def options(command: click.Command, context: click.Context) -> Iterator[str]:
    """A table of the options that help shows, `--help` itself left out."""
    found = [
        record
        for one in command.get_params(context)
        if isinstance(one, click.Option) and "--help" not in one.opts
        for record in [one.get_help_record(context)]
        if record is not None
    ]
    if found:
        yield from ["| option | |", "| --- | --- |"]
        for flags, told in found:
            yield f"| `{flags}` | {escaped(told)} |"
        yield ""


def escaped(text: str) -> str:
    """Text in which nothing but `code` is Markdown, also inside a table (where a | in code is only a |)."""
    parts = re.split(r"(`[^`]+`)", " ".join(text.split()))
    return "".join(
        part if part.startswith("`") else re.sub(r"([*_<>\[\]|])", r"\\\1", part) for part in parts
    )


def _dedented(text: str) -> str:
    first, newline, rest = text.partition("\n")
    margins = [len(line) - len(line.lstrip(" ")) for line in rest.splitlines() if line.strip()]
    cut = min(margins, default=0)
    return first.strip() + newline + "\n".join(line[cut:] for line in rest.splitlines())
