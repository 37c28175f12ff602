"""suite tasks: what can be measured. `list` reads entries only; `show` loads the one task."""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import click

from suite.cli.flags import json_flag, names_of, say_json, say_text
from suite.errors import NotFound, nearest
from suite.hookspecs import CONTRACT
from suite.plugins import catalogue, contract_note

if TYPE_CHECKING:
    from suite.task import AnyTask, Metric

_LIMITS = {
    "minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<",
    "minLength": "length >=", "maxLength": "length <=", "minItems": "items >=", "maxItems": "items <=",
    "pattern": "like",
}  # fmt: skip
FieldSchema = Mapping[str, Any]  # the JSON schema of a parameter, as pydantic makes it


@click.group("tasks")
def tasks() -> None:
    """What can be measured: list the tasks, show one."""


@tasks.command("list")
@click.argument("words", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Unfold the stages of pipelines.")
@json_flag
def list_(words: Sequence[str], everything: bool, as_json: bool) -> None:
    """All tasks of all installed plugins by family, or those with all WORDS in name or description."""
    rows = _found(words)
    if as_json:
        say_json(rows)
        return
    benchmarks, stages = ([row for row in rows if row["stage"] is stage] for stage in (False, True))
    unfolded = everything or not benchmarks
    width = max((len(str(row["name"])) for row in (rows if unfolded else benchmarks)), default=0)
    _print_families(benchmarks, width, [] if unfolded else stages)
    if unfolded and stages:
        if benchmarks:
            click.echo("\nstages of pipelines")
        _print_families(stages, width)
    for plugin in catalogue().plugins:
        if plugin.error:
            click.echo(f"plugin {plugin.name!r} failed to load: {plugin.error}", err=True)


def _found(words: Sequence[str]) -> list[dict[str, object]]:
    """A row for each task that has all the words. Raises NotFound where none has."""
    rows: list[dict[str, object]] = []
    words = " ".join(words).split()
    for entry, plugin in catalogue().entries("task"):
        said = " ".join((entry.name, entry.title, *entry.aliases)).lower()
        if all(word.lower() in said for word in words):
            rows.append(
                {
                    "name": entry.name,
                    "title": entry.title,
                    "plugin": plugin.distribution or plugin.name,
                    "version": plugin.version,
                    "contract": entry.contract,
                    "aliases": list(entry.aliases),
                    "problem": "" if entry.contract == CONTRACT else contract_note(entry, plugin),
                    "family": entry.family,
                    "stage": entry.stage,
                }
            )
    if words and not rows:
        entries = [entry for entry, _ in catalogue().entries("task")]
        said_of = {f"{entry.name} {entry.title}": entry.name for entry in entries}
        asked, names = " ".join(words), [*said_of.values(), *(entry.family for entry in entries)]
        near = nearest(asked, names) or [said_of[one] for one in nearest(asked, said_of)]
        fix = f"nearest: {', '.join(near)}" if near else "`suite tasks list` shows them all"
        raise NotFound(f"no task has {' and '.join(map(repr, words))} in its name or description", fix=fix)
    return rows


def _print_families(
    rows: Sequence[dict[str, object]], width: int, folded: Sequence[dict[str, object]] = ()
) -> None:
    """Rows under the names of their families. folded: rows that are only counted."""
    for n, (family, group) in enumerate(groupby(rows, key=itemgetter("family"))):
        members = list(group)
        owners = ", ".join(sorted({str(row["plugin"]) for row in members}))
        click.echo(f"{chr(10) if n else ''}{family} ({owners})")
        for row in members:
            click.echo(f"  {row['name']:{width}}  {row['problem'] or row['title']}")
        if hidden := sum(row["family"] == family for row in folded):
            click.echo(f"  and {hidden} {'stage' if hidden == 1 else 'stages'} of its pipeline: --all")


@tasks.command()
@click.argument("name", shell_complete=names_of("task"))
@json_flag
def show(name: str, as_json: bool) -> None:
    """Parameters, roles, datasets, metrics and presets of a task."""
    task, owner = load(name)
    found = describe(task, owner)
    if as_json:
        say_json(found)
    else:
        say_text("task", found, task.info.rows)


def load(name: str) -> tuple["type[AnyTask]", str]:
    """A task by name, and the distribution that brings it. Raises NotFound, PluginError: it is no task."""
    from suite.run.cells import load_task

    known = catalogue().with_files([name])
    task, _ = load_task(known, name)
    plugin = known.find("task", name)[1]
    return task, plugin.distribution or plugin.name


def describe(task: "type[AnyTask]", owner: str) -> dict[str, object]:
    """Everything a task says about itself, as JSON."""
    info = task.info
    return {
        **{fact: getattr(info, fact) for fact in ("name", "version", "title", "paper", "note")},
        "plugin": owner,
        "headline": info.headline,
        "parameters": _parameters(task),
        "roles": {
            role: {"needs": [sorted(one) for one in wanted.needs]}
            | {fact: getattr(wanted, fact) for fact in ("stage", "many", "optional")}
            for role, wanted in info.roles.items()
        },
        "datasets": list(info.datasets),
        "mini": dict(info.mini),
        "metrics": [_metric(metric) for metric in task.metrics],
        "presets": {preset: [dict(cell) for cell in cells] for preset, cells in info.presets.items()},
        "replay": info.replay if info.replay == "exact" else f"none: {info.replay_reason}",
        "official_prompts": info.official_prompts,
        "prompts": {"set": task.prompts.set, "names": list(task.prompts.names())},
    }


def _parameters(task: "type[AnyTask]") -> dict[str, dict[str, object]]:
    kind = task.parameters_type()
    schema, at_score = kind.model_json_schema(), kind.at_score_names()
    fields: dict[str, FieldSchema] = schema.get("properties", {})
    return {
        name: {
            "type": type_of(field, schema.get("$defs", {})),
            "default": field.get("default"),
            "stage": "score" if name in at_score else "solve",
            "description": field.get("description", ""),
        }
        for name, field in fields.items()
    }


def type_of(field: FieldSchema, definitions: Mapping[str, FieldSchema]) -> str:
    """A parameter's type with its range in words, from its JSON schema: "integer >= 0", "a | b"."""
    if "$ref" in field:
        return type_of(definitions.get(field["$ref"].rpartition("/")[2], {}), definitions)
    if "const" in field:
        return json.dumps(field["const"], ensure_ascii=False).strip('"')
    if "enum" in field:
        return " | ".join(str(one) for one in field["enum"])
    if "anyOf" in field:
        return " | ".join(type_of(one, definitions) for one in field["anyOf"])
    kind = field.get("type", "anything")
    if kind == "array":
        items = field.get("items") or next(iter(field.get("prefixItems", ())), None)
        kind = f"list of ({type_of(items, definitions)})" if items else "list"
    bounds = " and ".join(f"{sign} {field[name]}" for name, sign in _LIMITS.items() if name in field)
    return f"{kind} {bounds}".strip()


def _metric(metric: "Metric") -> dict[str, object]:
    """Name, kind and direction of a metric; its range where it has one."""
    found: dict[str, object] = {"name": metric.name, "kind": type(metric).__name__}
    for fact in ("direction", "unit", "range", "average"):
        if (value := getattr(metric, fact, None)) not in (None, ""):
            found[fact] = list(value) if isinstance(value, tuple) else value
    return {**found, "rows": list(metric.rows())}
