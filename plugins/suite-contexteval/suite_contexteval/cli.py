"""`suite contexteval`: make a pool of queries, recompute the published analysis.

Exit codes as everywhere: 0 done, 2 wrong input.
"""

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

import suite
from suite_contexteval import columns, importer, people, published, tables
from suite_contexteval import pool as pools


@click.group()
def contexteval() -> None:
    """Contextualized Evaluations: queries and published judgements."""


@contexteval.command("pool")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE=FILE…")
def make_pool(sources: tuple[str, ...]) -> None:
    """Print the pool of queries out of the paper's sources, given as JSON Lines.

    Example: suite contexteval pool fangyuan/kiwi=kiwi.jsonl tatsu-lab/alpaca_eval=alpaca.jsonl > pool.jsonl
    """
    for text in sources:
        name, equals, place = text.partition("=")
        if not equals:
            raise suite.ConfigError(f"{text!r} names no file", fix="write SOURCE=FILE")
        for row in pools.pool(name, (row.value for row in suite.json_lines(Path(place)))):
            click.echo(json.dumps(row, ensure_ascii=False))


@contexteval.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--people", "human", is_flag=True, help="The file holds people's judgements.")
@click.option(
    "--column",
    "called",
    multiple=True,
    metavar="FIELD=NAME",
    help=f"The column that holds a field: {', '.join(columns.ALIASES)}.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the bootstrap.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def analyse(path: Path, human: bool, called: tuple[str, ...], seed: int, as_json: bool) -> None:
    """Recompute the published numbers from judgement records, and ours beside them.

    PATH is all_autorater_judgements.jsonl, a folder of the repository's judgement files, or with --people
    all_human_judgements.jsonl.

    Example: suite contexteval analyse all_autorater_judgements.jsonl
    """
    if human:
        found = people.analyse(people.read(path))
        _show(found, tables.human_sections(found), as_json)
        return
    names = dict(_field(text) for text in called)
    analysis = published.analyse(importer.judged(path, names, lambda text: click.echo(text, err=True)), seed)
    _show(analysis, tables.sections(analysis), as_json)


def _field(text: str) -> tuple[str, str]:
    field, equals, name = text.partition("=")
    if not equals or field not in columns.ALIASES:
        raise suite.ConfigError(
            f"--column {text}: no such field",
            fix=f"write FIELD=NAME with one of {', '.join(columns.ALIASES)}",
        )
    return field, name


def _show(found: Any, sections: Iterable[suite.Section], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_plain(found), indent=2))
        return
    for section in sections:
        click.echo(tables.plain(section))


def _plain(value: Any) -> Any:
    """Numbers as JSON, without what belongs to single queries."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [one.name for one in dataclasses.fields(value)]
        return {name: _plain(getattr(value, name)) for name in names if name not in _LONG}
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, dict):
        return {_key(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


_LONG = ("shares", "non_tie_shares", "scores")


def _key(key: Any) -> str:
    return key if isinstance(key, str) else " ".join(_key(one) for one in key)
