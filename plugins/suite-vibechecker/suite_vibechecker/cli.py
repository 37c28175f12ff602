"""`suite vericode`: check a file against instructions outside any run; `suite vibechecker`: its set-up.

Exit codes as everywhere: 0 followed, 1 broken or unscored, 2 wrong input.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click

import suite
from suite_vibechecker import environment, upstream
from suite_vibechecker.extraction import extract, extract_official
from suite_vibechecker.vericode import (
    CATEGORY_TITLES,
    Item,
    Mode,
    Verdict,
    check_many,
    instruction,
    instructions,
)
from suite_vibechecker.vericode.instructions import ParameterValue


@click.group()
def vericode() -> None:
    """30 verifiable instructions about Python code."""


@vericode.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_instructions(as_json: bool) -> None:
    """List the instructions with their parameters.

    Example: suite vericode list
    """
    rows = list(instructions().values())
    if as_json:
        shown = [
            {
                "id": row.id,
                "category": row.category,
                "meaning": row.meaning,
                "rules": list(row.select),
                "parameters": {row.parameter.name: list(row.parameter.values)} if row.parameter else {},
            }
            for row in rows
        ]
        click.echo(json.dumps(shown, indent=2))
        return
    for row in rows:
        knob = ""
        if row.parameter:
            knob = f"  [{row.parameter.name}={'|'.join(str(value) for value in row.parameter.values)}]"
        click.echo(f"{row.id:10} {CATEGORY_TITLES[row.category]:38} {row.meaning}{knob}")


@vericode.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--instruction",
    "-i",
    "wanted",
    multiple=True,
    required=True,
    metavar="ID[:NAME=VALUE]",
    help="An instruction, with its parameter if it has one. Repeatable.",
)
@click.option(
    "--mode",
    type=click.Choice(get_args(Mode)),
    default="strict",
    show_default=True,
    help="strict: no way around a rule. official: as the authors' scorer, which heeds `noqa` comments and "
    "the configuration of the working folder.",
)
@click.option("--response", is_flag=True, help="FILE is a model's whole reply: extract the program from it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check_file(file: Path, wanted: Sequence[str], mode: Mode, response: bool, as_json: bool) -> None:
    """Check whether FILE follows instructions; print where it does not.

    Example: suite vericode check solution.py --instruction style_3:line_length=79 -i doc_1
    """
    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise suite.ConfigError(f"{file} is not UTF-8 text", where=f"byte {error.start}") from error
    read = extract if mode == "strict" else extract_official
    code = read(text) if response else text
    asked = [parse_instruction(one) for one in wanted]
    items = [Item(code, text, name, parameters, mode) for name, parameters in asked]
    folder = Path.cwd() if mode == "official" else None
    verdicts = check_many(items, folder=folder)
    if as_json:
        rows = [as_record(item, verdict) for item, verdict in zip(items, verdicts, strict=True)]
        click.echo(json.dumps({"file": str(file), "mode": mode, "verdicts": rows}, indent=2))
    else:
        for item, verdict in zip(items, verdicts, strict=True):
            _print(file, item, verdict)
    if not all(verdict.followed for verdict in verdicts):
        raise SystemExit(1)


def parse_instruction(text: str) -> tuple[str, dict[str, ParameterValue]]:
    """`style_3:line_length=79` as ("style_3", {"line_length": 79}).

    Raises NotFound for an unknown instruction or parameter, ConfigError for a bad value.
    """
    name, _, settings = text.partition(":")
    row = instruction(name)
    parameters: dict[str, ParameterValue] = {}
    for setting in filter(None, settings.split(",")):
        key, equals, value = setting.partition("=")
        if not equals:
            raise suite.ConfigError(f"bad parameter {setting!r}", where=text, fix="write name=value")
        if row.parameter is None or key != row.parameter.name:
            known = row.parameter.name if row.parameter else "none"
            raise suite.NotFound(f"{name} has no parameter {key!r}", fix=f"known: {known}")
        numeric = isinstance(row.parameter.default, int) and value.lstrip("-").isdecimal()
        parameters[key] = int(value) if numeric else value
    if problem := row.problem(parameters):
        raise suite.ConfigError(problem, where=text)
    return name, {**row.defaults(), **parameters}


def as_record(item: Item, verdict: Verdict) -> dict[str, object]:
    """One verdict as JSON."""
    return {
        "instruction": item.instruction,
        "parameters": dict(item.parameters),
        "followed": verdict.followed,
        "applicable": verdict.applicable,
        "error": verdict.error,
        "findings": [
            {"line": one.line, "column": one.column, "code": one.code, "message": one.message}
            for one in verdict.findings
        ],
    }


@click.group()
def vibechecker() -> None:
    """What the Vibe Checker tasks need, and outputs made elsewhere."""


@vibechecker.command("environment")
@click.option(
    "--requirements",
    type=click.Path(path_type=Path),
    required=True,
    help="Pinned packages, one a line: the list of BigCodeBench's own evaluation image.",
)
@click.option("--python", default=environment.PYTHON, show_default=True, help="Version or path of a Python.")
def build_environment(requirements: Path, python: str) -> None:
    """Build the environment in which the Big problems' tests run, once, into the cache.

    Example: suite vibechecker environment --requirements requirements-eval.txt
    """
    built = environment.build(environment.cache_folder(), requirements, python)
    click.echo(f"ready: {built.python}")


@vibechecker.command("outputs")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check_outputs(file: Path) -> None:
    """Check FILE, JSONL outputs of the authors' release, by official and by strict rules, in percent.

    Example: suite vibechecker outputs outputs.jsonl
    """
    rows = list(upstream.read(file))
    click.echo("k  rows  official: instruction    task   strict: instruction    task")
    tables = (upstream.following(rows, "official"), upstream.following(rows, "strict"))
    for official, strict in zip(*tables, strict=True):
        shown = [
            "-" if share is None else f"{100 * share:.2f}"
            for share in (official.instruction, official.task, strict.instruction, strict.task)
        ]
        click.echo(f"{official.k}{official.rows:6}{shown[0]:>23}{shown[1]:>8}{shown[2]:>22}{shown[3]:>8}")


def _print(file: Path, item: Item, verdict: Verdict) -> None:
    word = {True: "followed", False: "broken", None: "not scored"}[verdict.followed]
    notes = [] if verdict.applicable else ["nothing in the code that it speaks of"]
    notes += [verdict.error] if verdict.error else []
    knobs = "".join(f" {name}={value}" for name, value in item.parameters.items())
    click.echo(f"{item.instruction}{knobs}: {word}" + (f" ({'; '.join(notes)})" if notes else ""))
    for one in verdict.findings:
        click.echo(f"  {file}:{one.line}:{one.column} {one.code} {one.message}")
