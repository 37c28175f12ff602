"""Flags and steps that `suite eval` and `suite score` share: parsing, running, showing, exit codes."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from suite.cli.exports import followed, to_flags
from suite.cli.flags import AmountOption, count_flag, many_flag, number_flag, say_json, say_text, together
from suite.cli.shards import named_shard, shard_flags, whole_done, work_in_shards, work_on_shard
from suite.errors import ConfigError
from suite.run.request import AskedRun, parameter_name
from suite.secrets import safe_command

if TYPE_CHECKING:
    from suite.journal.documents import Results
    from suite.journal.shards import Shard
    from suite.run.executor import Executor
    from suite.run.outcome import Outcome
    from suite.run.plan import Plan
    from suite.run.request import EvalRequest

_SHOWN = ("scoring", "complete", "pending", "cells", "across", "findings")  # of results, by --json
LOCAL = "local"  # of --on: this process, whatever the settings say
_HERE = ("on_options", "prints", "new", "dry_run", "to", "to_options")  # flags of this process alone
_WORKERS = ("shards", "shard", "on")
_SETTINGS = (click.core.ParameterSource.ENVIRONMENT, click.core.ParameterSource.DEFAULT_MAP)
_WORDS = "suite.words"  # in a context: the words after the command's name


class RecordedCommand(click.Command):
    """A command whose line is recorded with the run that it works on."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_WORDS] = list(args)
        return super().parse_args(ctx, args)


def repeated_words(context: click.Context, changed: Mapping[str, object]) -> tuple[str, ...]:
    """The command with its settings as others repeat it, without --on. changed: parameter -> value."""
    on = LOCAL if context.get_parameter_source("on") in _SETTINGS else None
    given = (*_SETTINGS, click.core.ParameterSource.COMMANDLINE)
    return (*_path(context), *_spelt(context, given, {**dict.fromkeys(_HERE), "on": on, **changed}))


def _path(context: click.Context) -> list[str]:
    """The names of a command, without our own."""
    return context.command_path.split()[context.find_root().command.name == "cli" :]


def _spelt(
    context: click.Context, sources: Sequence[click.core.ParameterSource], changed: Mapping[str, object]
) -> list[str]:
    """Flags and arguments that came from these sources, some with other values; None for none."""
    found: list[str] = []
    for one in context.command.params:
        name = one.name or ""
        value = changed.get(name, context.params[name])
        if value is not None and (name in changed or context.get_parameter_source(name) in sources):
            flag = max((value is False and one.secondary_opts) or one.opts, key=len)
            for each in value if isinstance(value, tuple) else [value]:
                found += [flag] * isinstance(one, click.Option) + [str(each)] * (not isinstance(each, bool))
    return found


thinking_flag = click.option(
    "--thinking",
    metavar="on|off|low|high|N",
    help="How much the candidate thinks first; N: most tokens of it. Others: -o ROLE.thinking=…",
)
level_flag = number_flag("--level", 0.5, 0.999, "Confidence level of intervals.", default=0.95)


# flags that name models
role_flags = together(
    click.option("--model", metavar="SPEC", help="The candidate: provider/name, e.g. embedded/smollm2-135m."),
    click.option("--baseline", metavar="SPEC", help="The model it is compared with."),
    many_flag("--judge", "judges", of="SPEC", text="The judge; repeat for a panel."),
    click.option("--user", metavar="SPEC", help="The model that plays the user."),
    click.option("--embedder", metavar="SPEC", help="Who ranks documents (default: lexical/bm25)."),
    many_flag("--role", "roles", of="NAME=SPEC", text="Any role by its name."),
    many_flag(
        "-o",
        "options",
        of="[ROLE.]KEY=VALUE",
        text="An engine option, of the candidate, a role, or one of a panel (judge/2.…).",
    ),
)


# flags that say how to run and what to print
run_flags = together(
    count_flag("--concurrency", "Requests in flight (default: adapts)."),
    click.option(
        "--cache/--no-cache",
        default=None,
        help="Take replies from the cache even for a run made before; or leave the cache out.",
    ),
    level_flag,
    many_flag(
        "--settle",
        of="KIND=FINISH",
        text="Take calls that fail for good with KIND (status-400, …) as overflow or refused; recorded.",
    ),
    click.option(
        "--budget",
        cls=AmountOption,
        metavar="20usd|2Mtokens",
        help="Stop before the next call could exceed this; continue later with a higher one.",
    ),
    click.option("--strict", is_flag=True, help="Exit 1 if a value is unscored, too."),
    shard_flags,
    click.option("--on", metavar="NAME", help="Carry it out on a cluster: ray, slurm, kubernetes."),
    many_flag(
        "--on-option", "on_options", of="KEY=VALUE", text="An option of --on; one that is unknown lists them."
    ),
    click.option("--print", "prints", is_flag=True, help="With --on: print its script and stop."),
    to_flags,
    click.option("--json", "as_json", is_flag=True, help="Print JSON: run, cells, across."),
    click.option("--quiet", is_flag=True, help="No progress."),
)


def parse_parameters(texts: Sequence[str]) -> list[tuple[str, str, str]]:
    """-P [TASK:]NAME=VALUE as (task, name, value)."""
    found = []
    for text in texts:
        left, equals, value = text.partition("=")
        if not equals or (named := parameter_name(left)) is None:
            raise ConfigError(f"-P {text!r} is no parameter", fix="write -P name=value or -P task:name=value")
        found.append((*named, value))
    return found


def parse_options(
    texts: Sequence[str], roles: Sequence[str], thinking: str | int | None = None
) -> list[tuple[str, str, str]]:
    """-o [ROLE.]KEY=VALUE as (role, key, value), see `engine_options`. Raises ConfigError."""
    from suite.api.arguments import engine_options

    parts = [text.partition("=") for text in texts]
    if not all(equals and left for left, equals, _ in parts):
        raise ConfigError("an -o has no =", fix="write -o key=value or -o ROLE.key=value")
    return engine_options([(left, value) for left, _, value in parts], roles, thinking)


class RunFlags(AskedRun, frozen=True, kw_only=True):
    """What the flags of a command that runs something were given; the others are at their defaults."""

    judges: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    settle: tuple[str, ...] = ()
    shards: int | None = None
    shard: str | None = None
    on: str | None = None
    on_options: tuple[str, ...] = ()
    prints: bool = False
    to: str | None = None
    to_options: tuple[str, ...] = ()
    strict: bool = False
    as_json: bool = False
    quiet: bool = False
    dry_run: bool = False
    output: Path | None = None

    @property
    def here(self) -> bool:
        """Whether this machine does the work."""
        return self.on in (None, LOCAL)

    @property
    def shows(self) -> Callable[[str], None]:
        """Where lines for the person who waits go."""
        silent = self.quiet or self.as_json
        return (lambda _: None) if silent else (lambda line: click.echo(line, err=True))


def read(given: Mapping[str, object]) -> RunFlags:
    """The flags as click gives them, those of one command alone left out. Where one that says who works is
    typed, the others of it that settings gave do not count."""
    context = click.get_current_context(silent=True)
    asked = [one for one in _WORKERS if given.get(one) not in (None, LOCAL)]
    settled = [one for one in asked if context and context.get_parameter_source(one) in _SETTINGS]
    if context and len(settled) < len(asked):
        context.params |= dict.fromkeys(settled)
        given = {**given, **dict.fromkeys(settled)}
    return msgspec.convert(given, RunFlags)


def parse_roles(given: Mapping[str, object]) -> dict[str, list[str]]:
    """Role -> specs, from all the flags that name models (`role_flags`)."""
    told = read(given)
    found = told.specs | ({"judge": list(told.judges)} if told.judges else {})
    for text in told.roles:
        name, spec = _pair(f"--role {text!r} names no model", text, "write --role NAME=provider/name")
        found.setdefault(name, []).append(spec)
    return found


def parse_data(texts: Sequence[str]) -> dict[str, str]:
    """--data NAME=PLACE."""
    fix = "write --data NAME=FILE.jsonl or NAME=RUN"
    pairs = [_pair(f"--data {text!r} is no dataset", text, fix) for text in texts]
    if twice := [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]:
        raise ConfigError(f"--data names {twice[0]} twice", fix="leave one of them out")
    return dict(pairs)


def _pair(what: str, text: str, fix: str) -> tuple[str, str]:
    """NAME=VALUE as (name, value), neither empty. Raises ConfigError: what is wrong, and how to write it."""
    name, _, value = text.partition("=")
    if not name or not value:
        raise ConfigError(what, fix=fix)
    return name, value


def requested(flags: RunFlags, models: Mapping[str, Sequence[str]]) -> "EvalRequest":
    """What the flags of a command ask for. Raises ConfigError."""
    options = parse_options(flags.options, list(models), flags.thinking)
    parameters = parse_parameters(flags.parameters)
    return flags.request(flags.tasks, parameters, models, options, parse_data(flags.data))


def dry(plan: "Plan", flags: RunFlags) -> bool:
    """Whether only the plan is asked for (--dry-run); it is printed then. Raises ConfigError with --print."""
    if flags.dry_run and flags.prints:
        raise ConfigError("--dry-run prints the plan, --print a script", fix="leave one of them out")
    if flags.dry_run:
        from suite.cli.plan_text import lacking, shown_plan
        from suite.gates.early_stop import stop_rule
        from suite.run.estimate import check_limits, estimate
        from suite.run.ledger import ledger_of

        if flags.may_stop_early:
            stop_rule(plan, flags)
        ledger = ledger_of(flags.budget, plan.filled.at("both", *flags.stages))
        found = asyncio.run(estimate(plan))
        lasts = "" if ledger is None else check_limits(plan, ledger, found)
        shown = shown_plan(plan, found)
        if flags.as_json:
            say_json(shown)
        else:
            say_text("plan", shown, plan)
        if lasts:
            click.echo(f"  {lasts}", err=flags.as_json)
        for lack in lacking(plan):
            click.echo(f"! it cannot run on this machine: {lack}", err=True)
    return flags.dry_run


def carry_out(plan: "Plan", flags: RunFlags, folder: Path | None = None) -> int:
    """Run a plan on an event loop of its own, as the flags want it, and show how it went; the exit code.

    folder: of a run that is scored again. Raises ConfigError, RunError.
    """
    from suite.api.preparation import prepare
    from suite.run.executor import Job, script_of
    from suite.run.outcome import RunSettings
    from suite.run.seal import sealed

    context, executor = click.get_current_context(), executor_asked(flags)
    shard = _shard(flags, executor)
    words, given = (*_path(context), *context.meta.get(_WORDS, ())), _spelt(context, _SETTINGS, {})
    if shard is not None:  # what continues all of the run
        words, given = repeated_words(context, {"shard": None, "shards": shard.of}), []
    command, settled = safe_command(("suite", *words)), safe_command(given)
    settings = RunSettings(quiet=flags.quiet, command=command, command_settings=settled)
    settle = [text.partition("=")[::2] for text in flags.settle]
    run = prepare(plan, flags, settings, settle, output=flags.output, folder=folder)
    place: dict[str, object] = {"output": run.folder} if folder is None else {}
    if executor is not None and flags.prints:
        # several machines cannot share one SQLite file of replies
        words = repeated_words(context, {**place, "cache": bool(flags.cache)})
        click.echo(script_of(executor, Job(words, run.folder)), nl=False)
        return 0
    follower = followed(flags.to, flags.to_options, run) if shard is None else None
    run = replace(run, settings=replace(run.settings, watcher=follower.tick if follower else None))
    with follower or nullcontext():
        divided = shard is not None or flags.shards is not None
        if not divided or sealed(plan, run.folder) or whole_done(run):  # this process alone shows it
            outcome = asyncio.run(run.start(executor=executor))
        elif shard is not None:
            return work_on_shard(run, shard, as_json=flags.as_json)
        else:
            outcome = work_in_shards(run, flags.shards or 1, repeated_words(context, place))
        try:
            code = _finish(outcome, flags, run.stages)
        finally:  # Ctrl-C as it reports: the run is done all the same
            for line in follower.end(outcome) if follower else ():
                click.echo(line, err=True)
    return code


def _shard(flags: RunFlags, executor: "Executor | None") -> "Shard | None":
    """The shard that --shard names; it is told. Raises ConfigError where other flags go against it."""
    if executor is not None and (flags.shard or flags.shards):
        fix = "leave --shards and --shard out; of a script: --on-option shards=N"
        raise ConfigError(f"--on {flags.on} divides the run itself", fix=fix)
    if flags.shard is None:
        return None
    shard, source = named_shard(flags.shard)
    if flags.shards not in (None, shard.of):
        raise ConfigError(f"{source} is {shard}, and --shards {flags.shards}", fix="leave one of them out")
    if flags.new:
        fix = "name one new folder for all shards with --output"
        raise ConfigError("--new would put each shard into a folder of its own", fix=fix)
    if flags.shard == "auto":
        flags.shows(f"shard {shard}, as {source} says")
    return shard


def executor_asked(flags: RunFlags) -> "Executor | None":
    """Who carries the run out, by --on and its options; None: this process. Raises NotFound, ConfigError."""
    if flags.on is None and (flags.prints or flags.on_options):
        raise ConfigError("--print and --on-option belong to --on", fix="add --on NAME, such as --on slurm")
    if flags.on in (None, LOCAL):
        return None
    from suite.run.executor import executor_of

    fix = "write --on-option KEY=VALUE"
    pairs = [_pair(f"--on-option {one!r} has no value", one, fix) for one in flags.on_options]
    return executor_of(flags.on, pairs)


def _finish(outcome: "Outcome", flags: RunFlags, stages: Sequence[str]) -> int:
    """Show how it went; the exit code."""
    results = outcome.results
    if results is not None:
        from suite.report.run_reports import outcome_reports

        if flags.as_json:
            outcome_reports(outcome)
            say_json(_ran(outcome) | {name: getattr(results, name) for name in _SHOWN})
        else:
            from suite.report.terminal import print_results

            print_results(outcome.folder, outcome.scoring)
            for path in outcome_reports(outcome):
                click.echo(f"wrote {path}")
    elif flags.as_json:
        say_json(_ran(outcome) | {"pending": outcome.pending})
    elif "score" not in stages and outcome.error is None:
        click.echo(f"solved into {outcome.folder}; score it with `suite score {outcome.folder}`")
    place = f" with --output {outcome.folder} in place of --new" if flags.new else ""
    for line in outcome.lines(f"the same command{place}"):
        click.echo(line, err=True)
    code = outcome.exit_code or (0 if results is None else _alike(results, flags.as_json))
    if code == 0 and flags.strict and results is not None and any(cell.unscored for cell in results.cells):
        click.echo("there are unscored values (--strict)", err=True)
        return 1
    return code


def _ran(outcome: "Outcome") -> dict[str, object]:
    """The folder, and what was run, if that came to be recorded, and what a rule that may end it found."""
    from suite.journal.run import Run
    from suite.report.run_facts import run_facts

    recorded = (outcome.folder / "manifest.json").exists()
    run = Run(outcome.folder, outcome.scoring if outcome.results else "") if recorded else None
    found: dict[str, object] = {"decision": outcome.decision} if outcome.decision else {}
    return {"run": str(outcome.folder)} | ({"what_was_run": run_facts(run)} if run else {}) | found


def _alike(results: "Results", as_json: bool) -> int:
    """1 if all or most of a cell failed in one way. Where the results are JSON, it is said beside them."""
    from suite.report.findings import sentences
    from suite.run.findings import FAILING

    alike = [one for one in results.findings if one.kind in FAILING]
    if as_json:
        for text, _ in sentences(results, alike):
            click.echo(text, err=True)
    return 1 if alike else 0
