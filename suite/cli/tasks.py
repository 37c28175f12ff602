"""suite tasks: what can be measured. `list` reads entries only; `show` loads the one task."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypedDict

import click

from suite.cli.flags import json_flag, say_json
from suite.errors import PluginError
from suite.hookspecs import CONTRACT
from suite.plugins import catalogue, contract_note

if TYPE_CHECKING:
    from suite.task import Metric

FieldSchema = TypedDict(
    "FieldSchema",
    {
        "$ref": str,
        "const": object,
        "enum": list[object],
        "anyOf": list["FieldSchema"],
        "type": str,
        "items": "FieldSchema",
        "prefixItems": list["FieldSchema"],
        "default": object,
        "description": str,
    },
    total=False,
)
"""What is read of the JSON schema of a parameter."""


@dataclass(frozen=True)
class ParameterCard:
    """What a task says of a parameter."""

    type: str
    default: object
    stage: str
    description: str


@dataclass(frozen=True)
class RoleCard:
    """What a task says of a role. needs: alternatives, each some capabilities."""

    needs: list[list[str]]
    stage: str
    many: bool
    optional: bool


@dataclass(frozen=True)
class MetricCard:
    """What a task says of a metric. rows: names in results.json. None: it does not say."""

    name: str
    kind: str
    direction: str | None
    unit: str | None
    range: list[float] | None
    average: str | None
    rows: list[str]


@dataclass(frozen=True)
class PromptsCard:
    """Which set of prompts a task sends, and their names."""

    set: str
    names: list[str]


@dataclass(frozen=True)
class TaskCard:
    """Everything a task says about itself."""

    name: str
    version: int
    title: str
    paper: str
    note: str
    plugin: str
    headline: str
    parameters: dict[str, ParameterCard]
    roles: dict[str, RoleCard]
    datasets: list[str]
    mini: dict[str, str]
    metrics: list[MetricCard]
    presets: dict[str, list[dict[str, object]]]
    replay: str
    official_prompts: str
    prompts: PromptsCard


def task_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Completion of task names, from entries alone."""
    del context, parameter
    return [name for name in catalogue().names("task") if name.startswith(incomplete)]


@click.group("tasks")
def tasks() -> None:
    """What can be measured: list the tasks, show one.

    \b
    Example:
      suite tasks list
    """


@tasks.command("list")
@json_flag
def list_(as_json: bool) -> None:
    """All tasks of all installed plugins.

    \b
    Example:
      suite tasks list --json
    """
    rows = [
        {
            "name": entry.name,
            "title": entry.title,
            "plugin": plugin.distribution or plugin.name,
            "version": plugin.version,
            "contract": entry.contract,
            "aliases": list(entry.aliases),
            "problem": "" if entry.contract == CONTRACT else contract_note(entry, plugin),
        }
        for entry, plugin in catalogue().entries("task")
    ]
    if as_json:
        say_json(rows)
        return
    width = max((len(str(row["name"])) for row in rows), default=0)
    owners = max((len(str(row["plugin"])) for row in rows), default=0)
    for row in rows:
        click.echo(f"{row['name']:{width}}  {row['plugin']:{owners}}  {row['problem'] or row['title']}")
    for plugin in catalogue().plugins:
        if plugin.error:
            click.echo(f"plugin {plugin.name!r} failed to load: {plugin.error}", err=True)


@tasks.command()
@click.argument("name", shell_complete=task_names)
@json_flag
def show(name: str, as_json: bool) -> None:
    """Parameters, roles, datasets, metrics and presets of a task.

    \b
    Example:
      suite tasks show prefeval/classification
    """
    card = describe(name)
    if as_json:
        metrics = [{k: v for k, v in asdict(one).items() if v is not None} for one in card.metrics]
        say_json({**asdict(card), "metrics": metrics})
    else:
        click.echo("\n".join(_lines(card)))


def describe(name: str) -> TaskCard:
    """Everything a task says about itself; loads the task.

    Raises NotFound for an unknown name, PluginError for a target that is not a task.
    """
    from suite.task import Task

    entry, plugin = catalogue().find("task", name)
    task = catalogue().load("task", name)
    if not (isinstance(task, type) and issubclass(task, Task)):
        raise PluginError(f"task {name!r} is not a suite.Task", entry.target)
    info, kind = task.info, task.parameters_type()
    schema, at_score = kind.model_json_schema(), kind.at_score_names()
    fields: dict[str, FieldSchema] = schema.get("properties", {})
    return TaskCard(
        name=info.name,
        version=info.version,
        title=info.title,
        paper=info.paper,
        note=info.note,
        plugin=plugin.distribution or plugin.name,
        headline=info.headline,
        parameters={
            name: ParameterCard(
                type=type_of(field, schema.get("$defs", {})),
                default=field.get("default"),
                stage="score" if name in at_score else "solve",
                description=field.get("description", ""),
            )
            for name, field in fields.items()
        },
        roles={
            role: RoleCard([sorted(one) for one in wanted.needs], wanted.stage, wanted.many, wanted.optional)
            for role, wanted in info.roles.items()
        },
        datasets=list(info.datasets),
        mini=dict(info.mini),
        metrics=[_metric(metric) for metric in task.metrics],
        presets={preset: [dict(cell) for cell in cells] for preset, cells in info.presets.items()},
        replay=info.replay if info.replay == "exact" else f"none: {info.replay_reason}",
        official_prompts=info.official_prompts,
        prompts=PromptsCard(task.prompts.set, list(task.prompts.names())),
    )


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
    limits = {
        "minimum": ">=",
        "exclusiveMinimum": ">",
        "maximum": "<=",
        "exclusiveMaximum": "<",
        "minLength": "length >=",
        "maxLength": "length <=",
        "minItems": "items >=",
        "maxItems": "items <=",
        "pattern": "like",
    }
    given: Mapping[str, object] = field
    bounds = " and ".join(f"{sign} {given[name]}" for name, sign in limits.items() if name in given)
    return f"{kind} {bounds}".strip()


def _metric(metric: "Metric") -> MetricCard:
    span: tuple[float, float] | None = getattr(metric, "range", None)
    rows: Callable[[], Sequence[str]] | None = getattr(metric, "rows", None)
    return MetricCard(
        name=metric.name,
        kind=type(metric).__name__,
        direction=getattr(metric, "direction", "") or None,
        unit=getattr(metric, "unit", "") or None,
        range=list(span) if span else None,
        average=getattr(metric, "average", "") or None,
        rows=list(rows()) if rows else [metric.name],
    )


def _lines(card: TaskCard) -> Iterator[str]:
    yield f"{card.name} (version {card.version}): {card.title}"
    facts = {
        "paper": card.paper,
        "plugin": card.plugin,
        "datasets": ", ".join(card.datasets),
        "mini": ", ".join(card.mini.values()),
        "prompts": f"{card.prompts.set}: {', '.join(card.prompts.names)}",
        "official": card.official_prompts,
        "replay": card.replay,
        "note": card.note,
    }
    yield from (f"  {name:9} {text}" for name, text in facts.items() if text)
    yield "parameters"
    for name, one in card.parameters.items():
        late = " (at scoring)" if one.stage == "score" else ""
        default = json.dumps(one.default, ensure_ascii=False).strip('"')
        words = f"  {one.description}" if one.description else ""
        yield f"  {name} = {default}{late}: {one.type}{words}"
    yield "roles"
    for name, role in card.roles.items():
        needs = " or ".join("+".join(one) for one in role.needs)
        marks = [role.stage, *(mark for mark in ("many", "optional") if getattr(role, mark))]
        yield f"  {name}: {needs} ({', '.join(marks)})"
    yield "metrics"
    for metric in card.metrics:
        head = ", the headline" if card.headline in metric.rows else ""
        span = f" in {metric.range[0]:g} to {metric.range[1]:g}" if metric.range else ""
        better = f", {metric.direction} is better" if metric.direction else ""
        yield f"  {', '.join(metric.rows)}: {metric.kind}{span}{better}{head}"
    if card.presets:
        yield "presets"
        for name, cells in card.presets.items():
            yield f"  {name}: {len(cells)} {'cell' if len(cells) == 1 else 'cells'}"
