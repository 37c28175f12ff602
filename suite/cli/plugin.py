"""suite plugin: what is installed and what is wrong with it, does a task keep the contract, a new one."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from suite.cli.flags import data_flag, json_flag, many_flag, output_flag, parameters_flag, say_json, say_text
from suite.errors import ConfigError, NotFound, PluginError, unknown
from suite.hookspecs import CONTRACT
from suite.plugins import Catalogue, Plugin, catalogue, contract_note


@click.group("plugin")
def plugin() -> None:
    """What is installed: list plugins, check that they keep the contract, write a new one."""


@plugin.command("list")
@json_flag
def list_(as_json: bool) -> None:
    """All plugins, what they bring, and what is wrong with them."""
    found = [facts(one) for one in catalogue().plugins]
    if as_json:
        say_json(found)
        return
    for one in catalogue().plugins:
        state = "FAILED" if one.error else f"{len(one.entries)} entries"
        version = f" {one.version}" if one.version else ""
        click.echo(f"{one.name} ({one.distribution or 'unknown distribution'}{version}): {state}")
        for entry in one.entries:
            click.echo(f"  {entry.kind:9} {entry.name:24} {entry.title}")
        for trouble in filter(None, (one.error, *problems(one))):
            click.echo(f"  wrong: {trouble}")


def facts(one: Plugin) -> dict[str, object]:
    """A plugin, its entries, and everything wrong with it, as JSON."""
    told = ("kind", "name", "title", "contract")
    entries = [{fact: getattr(entry, fact) for fact in told} for entry in one.entries]
    found = {fact: getattr(one, fact) for fact in ("name", "distribution", "version")}
    return {**found, "entries": entries, "error": one.error, "problems": problems(one)}


def problems(one: Plugin) -> list[str]:
    """What is wrong with a plugin that loads: bad entries, other contracts, taken names."""
    from suite.cli.main import COMMANDS

    found = [*one.problems]
    for entry in one.entries:
        if entry.contract != CONTRACT:
            found.append(contract_note(entry, one))
        if entry.kind == "command" and entry.name in COMMANDS:
            found.append(f"command {entry.name!r} is the suite's own and cannot be taken; rename it")
        failures = (_failure(name, entry.kind) for name in (entry.name, *entry.aliases))
        found += [failure.what for failure in failures if failure]
    return list(dict.fromkeys(found))


@plugin.command("check")
@click.argument("name")
@parameters_flag("Try these cells (default: the preset mini, or the defaults).")
@data_flag
@many_flag("--only", of="CHECK", text="Make only this check; repeatable.")
@click.option("--no-model", is_flag=True, help="Leave out the check with the embedded model.")
@json_flag
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
    """Check that a task, or what a plugin brings, keeps the contract; exit 1 if one does not."""
    from suite.cli.steps import parse_data, parse_parameters
    from suite.report.exporters import flaws_of
    from suite.testing import conformance
    from suite.testing.bench import Subject

    checks_of_all = [*conformance.CHECKS, *conformance.provider_checks()]
    for one in only:
        if one not in checks_of_all:
            raise unknown("check", one, checks_of_all)
    checks = [one for one in only or checks_of_all if not (no_model and one == "embedded")]
    if not checks:
        raise ConfigError("--no-model leaves out the only check that --only names", fix="give one of the two")
    given, places = tuple(parse_parameters(parameters)), parse_data(data)
    say: Callable[[str], object] = (lambda _: None) if as_json else click.echo
    told: dict[str, list[dict[str, object]]] = {"tasks": [], "providers": []}
    known = catalogue().with_files([name])
    exporters = {one: list(flaws_of(one)) for one in _names("exporter", name)}
    for exporter, flaws in exporters.items():
        say(exporter)
        for line in [f"failed  {one}" for one in flaws] or ["passed  it loads, and its options are flags"]:
            say(f"  {line}")
    ok = not any(exporters.values())
    providers = _names("provider", name)
    tasks = [name] if name in known.files else tasks_of(name, optional=bool(exporters or providers))
    subjects = [("provider", one, conformance.each_of_provider(one, checks)) for one in providers]
    for task in tasks:
        subject = Subject(task, parameters=given, data=places, plugins=known)
        subjects.append(("task", task, conformance.each(subject, checks)))
    for kind, one, each in subjects:
        say(one)
        results = []
        for result in each:
            ok &= not result.problems
            results.append({**asdict(result), "status": result.status})
            say(f"  {result.line()}".replace("\n", "\n  "))
        advice = {"advice": _advice(one, known)} if kind == "task" else {}
        for line in advice.get("advice", ()):
            say(f"  advice: {line}")
        told[f"{kind}s"].append({kind: one, "checks": results, **advice})
    if as_json:
        say_json({"ok": ok, **told, "exporters": exporters})
    context.exit(0 if ok else 1)


def _advice(name: str, known: Catalogue) -> list[str]:
    """What would make a task better and is no failure; nothing of one that cannot be loaded."""
    from suite.run.cells import load_task
    from suite.testing.declared import advice

    try:
        return advice(load_task(known, name)[0])
    except PluginError:
        return []  # a check has said it


def _names(kind: str, name: str) -> list[str]:
    """Entries of a kind with that name, or that the plugin or distribution of that name brings."""
    found = catalogue().entries(kind)
    return [entry.name for entry, plugin in found if name in (entry.name, plugin.name, plugin.distribution)]


def tasks_of(name: str, optional: bool = False) -> list[str]:
    """A task, or all of the plugin or distribution. optional: none will do. Raises NotFound, PluginError."""
    known = catalogue()
    if name in known.names("task"):
        return [known.find("task", name)[0].name]
    for one in known.plugins:  # before families: it may bring more than the task that its name leads to
        if name not in (one.name, one.distribution):
            continue
        if one.error:
            raise PluginError(f"plugin {name!r} failed to load", where=one.error)
        tasks = [entry.name for entry in one.entries if entry.kind == "task"]
        if not tasks and not optional:
            raise NotFound(f"plugin {name!r} brings no task", fix="; ".join(one.problems))
        errors = [error for task in tasks if (error := _failure(task))]
        if errors and len(errors) == len(tasks):  # of one that loads, checks of the others say what is wrong
            raise errors[0]
        return list(dict.fromkeys(tasks))
    return [] if optional else [known.find("task", name)[0].name]


def _failure(name: str, kind: str = "task") -> PluginError | None:
    try:
        catalogue().find(kind, name)
    except PluginError as error:
        return error
    return None


@plugin.command("new")
@click.argument("name", required=False)
@click.option("--from", "file", metavar="FILE.py", help="Make it of a task in a file, with its rows.")
@output_flag("DIR", "The plugin's folder (default: suite-NAME).", required=False)
def new(name: str | None, file: str | None, output: Path | None) -> None:
    """Write a plugin that installs, runs and passes its tests: a small benchmark, or a task of yours."""
    from suite.cli import distributions

    made = distributions.of_file(file, name) if file else distributions.of_template(name)
    folder = output or Path(f"suite-{made.name}")
    for path in distributions.write(made, folder):
        click.echo(f"wrote {path}")
    say_text("new_plugin", made, folder, bool(file) and made.name != made.task)
