"""`suite userbench`: make scenarios, play baselines, export episodes for training."""

import asyncio
import json
from pathlib import Path
from typing import Any

import click
import msgspec

import suite
from suite_userbench import baselines as scripted
from suite_userbench.scenario import TAGS

BASELINES = ("random", "ask_everything", "silent")


@click.group()
def userbench() -> None:
    """A gym of simulated users: scenarios, baselines, training trajectories."""


def _write(path: Path, rows: Any) -> int:
    count = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for row in rows:
            file.write(msgspec.json.encode(row) + b"\n")
            count += 1
    return count


@userbench.command()
@click.option(
    "-O",
    "--output",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    required=True,
)
@click.option("--split", type=click.Choice(["train", "test"]), default="test", show_default=True)
@click.option(
    "--tag", "tags", type=click.Choice(TAGS), multiple=True, help="A composition. Repeatable; default: all."
)
@click.option(
    "--count", type=click.IntRange(min=1), help="Scenarios of each tag (default: as many as published)."
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--check/--no-check", default=True, help="Solve each scenario independently first.")
def generate(
    folder: Path, split: str, tags: tuple[Any, ...], count: int | None, seed: int, check: bool
) -> None:
    """Write userbench-synth scenarios and their split index to FOLDER.

    Example: suite userbench generate -O synth --split train --tag 22 --count 100
    then: suite eval --task userbench/travel --data userbench=synth/scenarios.jsonl
    --data userbench-index=synth/index.jsonl -P split=train -P user=rules-v1 --model …
    """
    from suite_userbench.synth.files import index_row
    from suite_userbench.synth.generator import COUNTS, scenarios
    from suite_userbench.synth.solver import check as problems_of

    records = []
    chosen = [tag for tag in TAGS if tag in tags] or list(TAGS)
    for tag in chosen:
        wanted = count or COUNTS[tag][0 if split == "train" else 1]
        for record in scenarios(tag, split, seed=seed, count=wanted):  # type: ignore[arg-type]
            if check and (problems := list(problems_of(record))):
                raise suite.DataError(
                    f"{record['scenario_id']} breaks its promises", where="; ".join(problems)
                )
            records.append(record)
    written = _write(folder / "scenarios.jsonl", records)
    _write(folder / "index.jsonl", map(index_row, records))
    click.echo(
        f"{written} scenarios in {folder / 'scenarios.jsonl'}, their split in {folder / 'index.jsonl'}"
    )
    click.echo("These are userbench-synth: never compare their scores with published ones.")


@userbench.command()
@click.argument("name", type=click.Choice(BASELINES))
@click.option("--episodes", type=click.IntRange(min=1), default=200, show_default=True)
@click.option(
    "--tag", "tags", type=click.Choice(TAGS), multiple=True, help="A composition. Repeatable; default: all."
)
@click.option("--mode", type=click.Choice(["single", "multi"]), default="single", show_default=True)
@click.option("--user", default="rules-v1", show_default=True, help="A user that needs no model.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def baseline(
    name: str, episodes: int, tags: tuple[Any, ...], mode: str, user: str, seed: int, as_json: bool
) -> None:
    """Play a baseline on generated scenarios in this process, and print its numbers.

    Example: suite userbench baseline random --episodes 500
    In a run: suite eval --task userbench/travel --preset synth
    --model scripted/suite_userbench.baselines:random
    """
    from suite_userbench.playing import play, summary
    from suite_userbench.synth.making import made

    chosen = [tag for tag in TAGS if tag in tags] or list(TAGS)
    each = -(-episodes // len(chosen))
    scenarios = list(made(chosen, "test", seed, each))[:episodes]
    played = asyncio.run(play(getattr(scripted, name), scenarios, {"mode": mode, "user": user}, seed))
    found = dict(summary(played))
    if as_json:
        click.echo(json.dumps({"baseline": name, "episodes": len(played), "user": user, **found}))
        return
    click.echo(f"{name}: {len(played)} episodes, {mode} choice, user {user}, userbench-synth")
    for metric, value in found.items():
        click.echo(f"  {metric:20} {'-' if value is None else format(value, '.3f')}")


@userbench.command()
@click.argument("run")
@click.option(
    "-O",
    "--output",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    required=True,
)
def export(run: str, file: Path) -> None:
    """Write the episodes of RUN as training trajectories: JSON lines of messages with rewards.

    Example: suite userbench export runs/userbench-travel-… -O episodes.jsonl
    """
    from suite_userbench.trajectories import trajectories

    written = _write(file, trajectories(suite.open_run(run)))
    click.echo(f"{written} episodes in {file}")
