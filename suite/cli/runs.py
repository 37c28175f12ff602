"""suite runs: what has been run, how far it got, its samples, and results that were made elsewhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from suite.cli import flags
from suite.errors import ConfigError


@click.group("runs")
def runs() -> None:
    """List runs, show one or its samples, import results made elsewhere."""


@runs.command("list")
@flags.runs_flag
@flags.json_flag
def list_(folder: Path, as_json: bool) -> None:
    """All runs in a folder, and how far each got."""
    from datetime import UTC, datetime

    from suite.report.run_list import list_runs, run_lines

    records = list(list_runs(folder))
    if as_json:
        flags.say_json(records)
    elif not records:
        click.echo(f"no runs in {folder}")
    else:
        click.echo("\n".join(run_lines(records, datetime.now(UTC))))


@runs.command()
@click.argument("run")
@flags.json_flag
def show(run: str, as_json: bool) -> None:
    """State, roles and scorings of a run, and why work is pending."""
    from suite.journal.run import find_run

    _show(find_run(run), as_json)


def _show(folder: Path, as_json: bool) -> None:
    from suite.journal.run import Run
    from suite.report.run_list import show_run

    record = show_run(Run(folder))
    if as_json:
        flags.say_json(record)
    else:
        flags.say_text("run", record)


@runs.command("samples", context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="RUN [--TAG VALUE]…")
@flags.many_flag("--where", of="NAME=VALUE", text="A value, finish or unscored (= != < > <= >=).")
@flags.many_flag("--cell", "cells", of="ID|NAME=VALUE", text="A cell: its id, or a parameter.")
@flags.many_flag("--tag", "tags", of="NAME=VALUE", text="A tag; --NAME VALUE does the same.")
@click.option("--sample", default="", metavar="ID", help="One sample, in every cell and trial.")
@flags.count_flag("--limit", "Most to show.", metavar="N", default=5)
@flags.scoring_flag
@click.option("--full", is_flag=True, help="With every call, and the task's own view.")
@flags.json_flag
def samples(words: Sequence[str], scoring: str, full: bool, as_json: bool, **wanted: Any) -> None:
    """Question, answer and verdict of samples: all conditions must hold."""
    from suite.journal.run import Run, find_run
    from suite.report.sample_choice import Condition, SamplesWanted, find_samples

    name, named = _run_and_tags(words)
    wanted["tags"] = [*named, *(_pair("--tag", one) for one in wanted["tags"])]
    run = Run(find_run(name), scoring)
    wanted["where"] = list(map(Condition.of, wanted["where"]))
    found = find_samples(run, SamplesWanted(**wanted))
    if as_json:
        from suite.report.rows import sample_row

        rows = [sample_row(run, one.output) for one in found.picked]
        flags.say_json({"run": run.name, "matching": found.total, "samples": rows})
        return
    from suite.report.terminal_sample import print_samples

    print_samples(run, found, full=full)


def _run_and_tags(words: Sequence[str]) -> tuple[str, list[tuple[str, str]]]:
    """The run, and --NAME VALUE or --NAME=VALUE of tags. Raises ConfigError."""
    names: list[str] = []
    tags: list[tuple[str, str]] = []
    left = iter(words)
    for word in left:
        if not word.startswith("-"):
            names.append(word)
        elif "=" in word:
            tags.append(_pair("", word.lstrip("-")))
        elif (value := next(left, None)) is None:
            raise ConfigError(f"{word} has no value", fix="write --TAG VALUE, such as --topic travel")
        else:
            tags.append((word.lstrip("-"), value))
    if len(names) != 1:
        raise ConfigError("name one run", ", ".join(names), "suite runs samples RUN --where correct=no")
    return names[0], tags


def _pair(flag: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ConfigError(f"{flag} {text!r} is no tag", fix="write NAME=VALUE, such as topic=travel")
    return name, value


@runs.command()
@click.argument("run")
@flags.tasks_flag("The file of the run's task (./units.py), if it moved.")
@flags.json_flag
@click.pass_context
def merge(context: click.Context, run: str, tasks: tuple[str, ...], as_json: bool) -> None:
    """Merge the shards of a run as far as they are, with results and reports; again at any time."""
    from suite.journal.run import Run, find_run
    from suite.report.run_reports import write_reports
    from suite.report.terminal import print_results
    from suite.run.merging import merge_shards

    folder = find_run(run)
    before = _inodes(folder)
    merges, changed, scored = merge_shards(folder, tasks=tasks), before != _inodes(folder), Run(folder)
    if as_json:
        flags.say_json(merges)
    elif scored.has_results:
        print_results(folder, scored.scoring)
    for one in () if as_json else merges:
        flags.say_text("merged", one)
    for path in write_reports(folder) if changed and scored.has_results else ():
        click.echo(f"wrote {path}", err=as_json)
    foreign = any(shard.state == "foreign" for one in merges for shard in one.shards)
    done = scored.stopped is not None
    whole = all((one.complete or done) and not any(shard.stay for shard in one.shards) for one in merges)
    context.exit(2 if foreign else 0 if whole else 1)


def _inodes(folder: Path) -> set[int]:
    """Of documents and journals: of those that are written anew, others."""
    return {one.stat().st_ino for each in ("", "scorings/*/") for one in folder.glob(f"{each}*.json*")}


@runs.command("import")
@click.argument("path", type=flags.PATH)
@flags.entry_flag("--from", "importer", "Whose format: inspect, lm-eval, …")
@flags.list_flag("importer", "List formats.")
@flags.output_flag("DIR", "The run's folder.")
@click.option("--model", default="", metavar="NAME", help="The candidate, where the files tell of several.")
@flags.json_flag
def import_(path: Path, importer: str, output: Path, model: str, as_json: bool) -> None:
    """Make a run of results from elsewhere, marked as imported for good. --list shows whose can be read."""
    from suite.report.imports import import_run
    from suite.report.run_reports import write_reports

    folder = import_run(importer, path, output, model=model, say=lambda text: click.echo(text, err=True))
    write_reports(output)
    _show(folder, as_json)
