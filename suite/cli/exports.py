"""suite report export: the flags of every exporter that is installed, and what it wrote."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import click

from suite.cli.flags import entry_flag, list_flag, many_flag, output_flag, scoring_flag, together
from suite.errors import ConfigError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from suite.api.preparation import PreparedRun
    from suite.report.live_export import LiveExport

_CHOSEN, _FLAGS = "suite.exporter", "suite.exporter-flags"  # in a context

_NUMBERS: dict[object, type] = {int: int, float: float}


to_flags = together(
    click.option("--to", metavar="NAME", help="Follow it live, then export it: mlflow, trackio, wandb, …"),
    many_flag("--to-option", "to_options", of="KEY=VALUE", text="A flag of it."),
)


def followed(to: str | None, options: Sequence[str], run: "PreparedRun") -> "LiveExport | None":
    """Who follows a run, by --to and its options; None: nobody. Raises NotFound, PluginError, ConfigError."""
    given = {key.replace("-", "_"): value for key, _, value in (one.partition("=") for one in options)}
    if {*given, *given.values()} & {""} or (to is None and given):
        raise ConfigError("--to-option gives --to an option", fix="write --to NAME --to-option KEY=VALUE")
    if to is None:
        return None
    if "score" not in run.stages:
        raise ConfigError("--to exports scores, and --solve-only makes none", fix="give it to `suite score`")
    from suite.report.live_export import LiveExport

    output = given.pop("output", "")
    return LiveExport(to, given, run.folder, run.plan.scoring_id, output)


class ExporterFlag(click.Option):
    """A flag of the exporters `owners`."""

    owners: tuple[str, ...] = ()


class ExportCommand(click.Command):
    """A command whose flags are its own and those of all exporters; with --to NAME, --help shows NAME's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look up the exporter first, since it decides what the flags are. Raises NotFound, PluginError."""
        (to,) = (one for one in self.params if one.name == "kind")
        named = [after for flag, after in pairwise(args) if flag == "--to"]
        named += [word.partition("=")[2] for word in args if word.startswith("--to=")]
        name = to.consume_value(ctx, {"kind": named[-1]} if named else {})[0]
        if isinstance(name, str) and not ctx.resilient_parsing:
            from suite.report.exporters import exporter_of

            exporter_of(name)
            ctx.meta[_CHOSEN] = name
            ctx.meta.pop(_FLAGS, None)
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        if _FLAGS not in ctx.meta:
            ctx.meta[_FLAGS] = list(_flags(ctx.meta.get(_CHOSEN, "")))
        *own, of_help = super().get_params(ctx)
        return [*own, *ctx.meta[_FLAGS], of_help]


def _flags(chosen: str) -> Iterator[ExporterFlag]:
    """One for each name of an option. Where two exporters give it different types, that of the chosen one."""
    from suite.report.exporters import fields_of, installed

    found: dict[str, dict[str, FieldInfo]] = {}
    for owner, kind in sorted(installed(), key=lambda pair: pair[0] != chosen):
        for name, field in fields_of(kind).items():
            found.setdefault(name, {})[owner] = field
    for name, by_owner in found.items():
        told: dict[str, list[str]] = {}
        for owner, field in by_owner.items():
            text = (field.description or "").strip()
            text = f"{text.rstrip('.')}; required." if field.is_required() else text
            told.setdefault(text, []).append(owner)
        about = " ".join(f"{', '.join(owners)}: {text}" for text, owners in told.items())
        flag = _flag(name, next(iter(by_owner.values())), about)
        flag.owners = tuple(sorted(by_owner))
        flag.hidden = bool(chosen) and chosen not in by_owner
        yield flag


def _flag(name: str, field: "FieldInfo", about: str) -> ExporterFlag:
    from suite.report.exporters import choices_of

    choices = choices_of(field.annotation)
    return ExporterFlag(
        [f"--{name.replace('_', '-')}"],
        is_flag=field.annotation is bool,
        type=click.Choice(choices) if choices else _NUMBERS.get(field.annotation),
        metavar=None if choices or not field.examples else str(field.examples[0]),
        help=about,
    )


def _flag_lines(ctx: click.Context, exporter: str) -> list[str]:
    records = (flag.get_help_record(ctx) for flag in _flags(exporter))
    return [record[0] for record in records if record]  # of one that is hidden there is none


@click.command("export", cls=ExportCommand)
@click.argument("run")
@scoring_flag
@entry_flag("--to", "exporter", "What to write.", "kind")
@list_flag("exporter", "List what.", _flag_lines)
@output_flag("PATH", "The file of a table; of anything else the folder. Trackers need none.", required=False)
@click.option("--allow-partial", is_flag=True, help="Export a run with pending work too.")
def export(run: str, scoring: str, kind: str, output: Path | None, **options: object) -> None:
    """Write a run for others: a table, a project's files, a tracker's run. --list shows what there is."""
    given = {name: value for name, value in options.items() if value or type(value) in (int, float)}
    for flag in click.get_current_context().meta[_FLAGS]:
        if flag.name in given and kind not in flag.owners:
            about = {"flag": flag.opts[0], "kind": kind, "owners": " and --to ".join(flag.owners)}
            raise ConfigError.of("cli.export.flag", **about)
    from suite.journal.run import find_run
    from suite.report.exported_run import ExportedRun
    from suite.report.exporters import export_run, exporter_of

    if output is None and (place := exporter_of(kind).output):
        raise ConfigError(f"--to {kind} needs -O {place}", fix="say where it is to be written")
    done = export_run(ExportedRun(find_run(run), scoring), kind, output, given)
    for path in done.paths:
        click.echo(f"wrote {path}")
    if upload := done.upload:
        for line in upload.shown:
            click.echo(line)
        sure = upload.agreed or click.confirm(upload.question)
        click.echo(upload.send() if sure else "nothing was sent")
    for line in done.remarks:
        click.echo(line)
