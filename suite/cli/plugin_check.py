"""suite plugin check: does a task keep the contract?"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from suite.plugins import Catalogue


@click.command("check")
@click.argument("name")
@click.option(
    "-P",
    "parameters",
    multiple=True,
    metavar="[TASK:]NAME=VALUE",
    help="Try these cells (default: the preset mini, or the defaults).",
)
@click.option("--data", multiple=True, metavar="NAME=PLACE", help="A file or run for a dataset.")
@click.option("--only", multiple=True, metavar="CHECK", help="Make only this check; repeatable.")
@click.option("--no-model", is_flag=True, help="Leave out the check with the embedded model.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check(
    context: click.Context,
    name: str,
    parameters: Sequence[str],
    data: Sequence[str],
    only: Sequence[str],
    no_model: bool,
    as_json: bool,
) -> None:
    """Check that the tasks of an installed plugin keep the contract; exit 1 if one does not.

    NAME is a task, or a plugin with all its tasks.

    \b
    Example:
      suite plugin check prefeval/classification
      suite plugin check prefeval --no-model --json
    """
    from suite.cli.running import parse_data, parse_parameters
    from suite.errors import ConfigError, unknown
    from suite.testing import conformance
    from suite.testing.subject import Subject

    for one in only:
        if one not in conformance.CHECKS:
            raise unknown("check", one, conformance.CHECKS)
    checks = [one for one in only or conformance.CHECKS if not (no_model and one == "embedded")]
    if not checks:
        raise ConfigError("--no-model leaves out the only check that --only names", fix="give one of the two")
    given, places = tuple(parse_parameters(parameters)), parse_data(data)
    told: list[dict[str, Any]] = []
    ok = True
    for task in tasks_of(name):
        if not as_json:
            click.echo(task)
        results = []
        for result in conformance.each(Subject(task, parameters=given, data=places), checks):
            ok &= not result.problems
            results.append({**asdict(result), "status": result.status})
            if not as_json:
                click.echo(f"  {result.line()}".replace("\n", "\n  "))
        told.append({"task": task, "checks": results})
    if as_json:
        click.echo(json.dumps({"ok": ok, "tasks": told}, indent=2, ensure_ascii=False))
    context.exit(0 if ok else 1)


def tasks_of(name: str) -> list[str]:
    """The task of that name, or all tasks of the plugin or distribution. Raises NotFound, PluginError."""
    from suite.errors import NotFound, PluginError
    from suite.plugins import catalogue

    known = catalogue()
    if name in known.names("task"):
        return [known.find("task", name)[0].name]
    for plugin in known.plugins:  # before families: it may bring more than the task that its name leads to
        if name not in (plugin.name, plugin.distribution):
            continue
        if plugin.error:
            raise PluginError(f"plugin {name!r} failed to load", where=plugin.error)
        tasks = [entry.name for entry in plugin.entries if entry.kind == "task"]
        if not tasks:
            raise NotFound(f"plugin {name!r} brings no task", fix="; ".join(plugin.problems))
        return _those_that_load(known, list(dict.fromkeys(tasks)))
    return [known.find("task", name)[0].name]


def _those_that_load(known: "Catalogue", tasks: list[str]) -> list[str]:
    """All of the names; where none of them can be had, the error of the first. Raises PluginError."""
    from suite.errors import PluginError

    errors = []
    for name in tasks:
        try:
            known.find("task", name)
        except PluginError as error:
            errors.append(error)
    if len(errors) == len(tasks):
        raise errors[0]
    return tasks
