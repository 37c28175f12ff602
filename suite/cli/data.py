"""suite data: what datasets there are, fetching them, holding them to their pins; suite models, in short."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from suite.cli import pulls
from suite.cli.flags import PATH, accept_flag, folder_flag, json_flag, many_flag, say_json, say_text
from suite.data.cache import Cache
from suite.data.entry import DatasetEntry
from suite.data.pins import pin as pin_entry
from suite.data.pins import pin_file
from suite.data.pull import agree, export_to, import_from, ready
from suite.data.pull import verify as verify_entry
from suite.data.registry import Registry, user_folder
from suite.data.row_checks import renewal
from suite.errors import ConfigError, NotFound

if TYPE_CHECKING:
    from suite.data.source_check import SourceCheck


@click.group("data")
def data() -> None:
    """Datasets: list, fetch, check and pin them."""


pulls.add_commands(
    data, Registry.datasets, Registry.dataset, "entry", list_="All datasets, and which are here.",
    show="Source, licence, parts and pins of a dataset.",
    pull="Fetch datasets, check every byte and row. Works offline once everything is here.",
)  # fmt: skip


@data.command()
@click.argument("entries", nargs=-1, metavar="[ENTRY…]")
@json_flag
@click.pass_context
def verify(context: click.Context, entries: tuple[str, ...], as_json: bool) -> None:
    """Check every byte and row again, of the given datasets or of all here. Exit 1 if one is wrong."""
    registry, cache = pulls.registry(), Cache()
    chosen: list[DatasetEntry] = [registry.dataset(name) for name in entries]
    if not entries:
        chosen = [entry for entry in registry.datasets()[0] if ready(entry, cache) is not None]
    wrong = {entry.id: verify_entry(entry, cache) for entry in chosen}
    if as_json:
        say_json({name: [str(error) for error in errors] for name, errors in wrong.items()})
    else:
        for name, errors in wrong.items():
            click.echo(f"{name}: {f'{len(errors)} wrong' if errors else 'as pinned'}")
            for error in errors:
                click.echo(f"  {error}", err=True)
    if any(wrong.values()):
        context.exit(1)


@data.command()
@click.argument("entries", nargs=-1, metavar="[ENTRY…]")
@click.option(
    "--remote", is_flag=True, help="Ask the Hub and the Git hosts for commit, files, licence and first rows."
)
@accept_flag
@json_flag
@click.pass_context
def check(
    context: click.Context, entries: tuple[str, ...], remote: bool, accept_licence: bool, as_json: bool
) -> None:
    """Check the entries of datasets, all or those given. Exit 1 if one is wrong."""
    from rich.console import Console

    from suite.data.source_check import SourceCheck, check_entries

    registry, cache = pulls.registry(), Cache()
    chosen, broken = ([registry.dataset(name) for name in entries], []) if entries else registry.datasets()
    for entry in chosen if accept_licence else ():
        agree(entry, cache, accept=True)
    with Console(stderr=True).status(f"checking {len(chosen)} entries"):
        found = check_entries(chosen, cache, remote)
    for file, error in broken:
        found.append(SourceCheck(file.stem, ""))
        found[-1].ended(error)
    if as_json:
        say_json({one.entry: asdict(one) for one in found})
    else:
        _show(found)
        for entry, one in zip(chosen, found, strict=False):
            if one.state == "wrong" and one.source in ("hub", "git"):
                click.echo(f"{entry.id}: {renewal(entry)}", err=True)
    states = {one.state for one in found}
    if "wrong" in states or "unreachable" in states:
        context.exit(1 if "wrong" in states else 2)


def _show(found: "Sequence[SourceCheck]") -> None:
    """Print a line an entry, and how many are in which state."""
    from suite.report.matrix import Grid
    from suite.report.terminal import print_grid

    columns = ("dataset", "state", "source", "commit", "files", "rows", "what")
    rows = []
    for one in found:
        told = one.problems or one.remarks
        more = f" (and {len(told) - 1} more: --json)" if len(told) > 1 else ""
        counts = (str(count) if count else "" for count in (one.files, one.rows))
        what = f"{told[0]}{more}" if told else ""
        rows.append((one.entry, one.state, one.source, (one.revision or "")[:8], *counts, what))
    width = None if sys.stdout.isatty() else 400  # a line each, for whoever searches
    print_grid(Grid("", columns, rows, left=len(columns)), width=width)
    states = [one.state for one in found]
    told = [f"{states.count(state)} {state}" for state in dict.fromkeys(sorted(states))]
    click.echo(f"\n{len(found)} checked: {', '.join(told)}")


@data.command("import")
@click.argument("entry")
@folder_flag("The folder that holds the files, in any layout.")
@accept_flag
@json_flag
def import_(entry: str, folder: Path, accept_licence: bool, as_json: bool) -> None:
    """Take a dataset's files out of a folder, held to the same hashes: for machines without network."""
    local = import_from(pulls.registry().dataset(entry), folder, Cache(), accept_licence=accept_licence)
    pulls.done([local], as_json)


@data.command("export")
@click.argument("entries", nargs=-1, required=True, metavar="ENTRY…")
@folder_flag("Where to write DIR/ENTRY/….")
def export(entries: tuple[str, ...], folder: Path) -> None:
    """Copy the files of datasets that are here into a folder, for `suite data import` on another machine."""
    for name in entries:
        export_to(pulls.registry().dataset(name), folder / name, Cache())
        click.echo(f"{name}: copied to {folder / name}")


@data.command()
@click.argument("entry")
@click.option("--branch", help="Pin what this branch or tag holds (default: the entry's own).")
@click.option("--write", is_flag=True, help="Write the pins into the entry's own file too.")
@json_flag
def pin(entry: str, branch: str | None, write: bool, as_json: bool) -> None:
    """Record the commit that a dataset's branch is at now, and the hashes of its files."""
    found = pulls.registry().dataset(entry)
    target = None if found.folder is None else found.folder / "datasets" / f"{entry}.yaml"
    if write and (target is None or not target.is_file()):
        raise ConfigError(f"{entry} has no file to write its pins into", fix="leave --write out")
    try:
        with pulls.progress_bars() as progress:
            lock, path = pin_entry(found, Cache(), branch=branch, progress=progress)
    except NotFound as error:  # a config or split that is gone
        raise NotFound(error.what, error.where, f"{error.fix}; {renewal(found)}") from error
    if write and target is not None:
        pin_file(found, lock, target)
        path.unlink(missing_ok=True)
        path = target
    if as_json:
        say_json({"lock": str(path), **lock.model_dump(mode="json", exclude_none=True)})
    else:
        click.echo(f"{entry}: pinned to {lock.revision}, {len(lock.files)} files; written to {path}")


@data.command()
@click.argument("name")
@click.argument("more", nargs=-1, metavar="[PATH…]", type=PATH)
@click.option("--hub", metavar="ORG/NAME", help="A dataset on the Hugging Face Hub.")
@click.option("--config", help="One of its configs (default: all).")
@click.option("--split", metavar="TEXT", help="One of its splits (default: all).")
@click.option("--git", metavar="URL", help="A repository on a Git host, by its https address.")
@many_flag("--path", "globs", of="GLOB", text="Which of its files; repeatable.")
@click.option("--revision", help="Branch, tag or commit (default: the main branch now).")
@many_flag("--files", type=PATH, of="PATH…", text="JSONL, JSON, CSV or Parquet files.")
@click.option(
    "--licence", "--license", metavar="TEXT", default="", help="Its licence, where it states none itself."
)
@click.option("--registry", "folder", type=PATH, metavar="DIR", help="Where to write (default: ./registry).")
@click.option("--force", is_flag=True, help="Describe anew what is described there already.")
@json_flag
def new(
    name: str,
    more: tuple[Path, ...],
    hub: str | None,
    config: str | None,
    split: str | None,
    git: str | None,
    globs: tuple[str, ...],
    revision: str | None,
    files: tuple[Path, ...],
    licence: str,
    folder: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Describe a dataset: write its entry, the schema of its rows and the hashes of its files."""
    from suite.data import found, hub_source, new_entry

    if sum(map(bool, (hub, git, files))) != 1:
        what = f"suite data new {name}: say where the dataset lies, once"
        raise ConfigError(what, fix="give one of --hub ORG/NAME, --git URL or --files PATH…")
    _belong("--hub", hub, {"--config": config, "--split": split})
    _belong("--git", git, {"--path": globs})
    _belong("--hub or --git", hub or git, {"--revision": revision})
    _belong("--files", files, {" ".join(map(str, more)): more})
    known = pulls.registry()
    path = new_entry.target(name, known, folder or user_folder(), force=force)
    alone = f"try again with a network, or bring its files and `suite data new {name} --files PATH…`"
    places: Mapping[str, Path] = {}
    with hub_source.advising(alone):
        if hub:
            draft = found.on_hub(name, hub, revision, config, split, licence)
        elif git:
            draft = found.on_git(name, git, revision, globs, licence)
        else:
            draft, places = found.at_hand(name, [*files, *more], licence)
        with pulls.progress_bars() as progress:
            entry = new_entry.write_entry(draft, places, path, Cache(), progress)
    _say_new(entry, path, known, as_json)


def _belong(owner: str, given: object, flags: dict[str, object]) -> None:
    """Raises ConfigError for a flag that is given without the one that it belongs to."""
    for flag, value in flags.items():
        if value and not given:
            raise ConfigError(f"{flag} belongs to {owner}", fix=f"leave it out, or give {owner}")


def _say_new(entry: DatasetEntry, path: Path, known: Registry, as_json: bool) -> None:
    schemas = sorted({f"schemas/{part.row_schema}" for part in entry.parts.values()})
    if as_json:
        whole = entry.model_dump(mode="json", by_alias=True, exclude_none=True)
        say_json({"file": str(path), "schemas": schemas, "entry": whole})
        return
    folder = path.parent.parent
    found = folder.resolve() in {one.resolve() for one in known.folders}
    say_text("new_entry", entry, path, schemas, "" if found else shlex.quote(str(folder.absolute())))


@click.group("models")
def models() -> None:
    """Models with weights in the registry: list and fetch them."""


pulls.add_commands(
    models, Registry.models, Registry.model, "model", list_="All models, and which are here.",
    show="Source, licence and files of a model.", pull="Fetch models and check every byte.",
)  # fmt: skip
