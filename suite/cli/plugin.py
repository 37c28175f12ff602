"""suite plugin: what is installed and what is wrong with it; `check` and `new` have files of their own."""

import json
from typing import Any

import click

from suite.cli.plugin_check import check
from suite.cli.plugin_new import new
from suite.errors import PluginError
from suite.hookspecs import CONTRACT
from suite.plugins import Catalogue, Plugin, catalogue, contract_note


@click.group("plugin")
def plugin() -> None:
    """What is installed: list plugins, check that they keep the contract, write a new one.

    \b
    Example:
      suite plugin list
    """


plugin.add_command(check)
plugin.add_command(new)


@plugin.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """All plugins, what they bring, and what is wrong with them.

    \b
    Example:
      suite plugin list --json
    """
    found = [facts(one, catalogue()) for one in catalogue().plugins]
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for one in found:
        state = "FAILED" if one["error"] else f"{len(one['entries'])} entries"
        version = f" {one['version']}" if one["version"] else ""
        click.echo(f"{one['name']} ({one['distribution'] or 'unknown distribution'}{version}): {state}")
        for entry in one["entries"]:
            click.echo(f"  {entry['kind']:9} {entry['name']:24} {entry['title']}")
        for trouble in filter(None, (one["error"], *one["problems"])):
            click.echo(f"  wrong: {trouble}")


def facts(one: Plugin, known: Catalogue) -> dict[str, Any]:
    """A plugin, its entries, and everything wrong with it: bad entries, other contracts, taken names."""
    return {
        "name": one.name,
        "distribution": one.distribution,
        "version": one.version,
        "entries": [
            {"kind": entry.kind, "name": entry.name, "title": entry.title, "contract": entry.contract}
            for entry in one.entries
        ],
        "error": one.error,
        "problems": [*one.problems, *_conflicts(one, known)],
    }


def _conflicts(one: Plugin, known: Catalogue) -> list[str]:
    from suite.cli.main import COMMANDS

    found: list[str] = []
    for entry in one.entries:
        if entry.contract != CONTRACT:
            found.append(contract_note(entry, one))
        if entry.kind == "command" and entry.name in COMMANDS:
            found.append(f"command {entry.name!r} is the suite's own and cannot be taken; rename it")
        for name in (entry.name, *entry.aliases):
            try:
                known.find(entry.kind, name)
            except PluginError as error:
                if error.what not in found:
                    found.append(error.what)
    return found
