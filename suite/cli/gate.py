"""suite gate: a candidate against a policy of claims; what it can find, and its trend."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from suite.cli.flags import FILE, FOLDER, PATH, NumberRange
from suite.cli.pages import Pages, keep_apart, page_flags, show, write

if TYPE_CHECKING:
    from suite.gates.nights import Night, Verdict


class GateGroup(click.Group):
    """`suite gate POLICY …` is `suite gate check POLICY …`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        return super().resolve_command(ctx, args if args[0] in self.commands else ["check", *args])


@click.group("gate", cls=GateGroup, context_settings={"ignore_unknown_options": True})
def gate() -> None:
    """Test a policy's claims about a candidate, tonight and over nights; plan them; show their trend."""


@gate.command()
@click.argument("policy", type=FILE)
@click.option("--candidate", multiple=True, required=True, metavar="RUN", help="Its runs, averaged.")
@click.option("--baseline", multiple=True, metavar="RUN", help="Runs to compare with.")
@click.option("--history", type=PATH, metavar="DIR", help="Nights to pool with, and add to.")
@click.option("--undecided", type=click.Choice(["pass", "fail"]), help="Count it as so.")
@click.option("--junit", type=PATH, metavar="FILE", help="Write JUnit's XML (-: print it).")
@page_flags
@click.pass_context
def check(
    context: click.Context, /, policy: Path, candidate: tuple[str, ...], baseline: tuple[str, ...],
    history: Path | None, undecided: "Verdict | None", junit: Path | None, pages: Pages,
) -> None:  # fmt: skip
    """Test every claim of POLICY, paired and clustered as `suite compare` does, corrected over the policy."""
    from msgspec import to_builtins

    from suite.gates import results
    from suite.gates.policy import read_policy
    from suite.gates.verdicts import gate as gated

    keep_apart([junit, pages.html, pages.markdown], policy, history)
    counts: Verdict = undecided or "undecided"

    def told(night: "Night") -> None:
        if junit is not None:
            write(junit, [results.junit(night, counts, policy.stem)])
        show(policy.name, "Gate", lambda _: results.sections(night), lambda: to_builtins(night), pages)

    night = gated(read_policy(policy), candidate, baseline, history, show=told)
    context.exit(results.CODES[counts if night.verdict == "undecided" else night.verdict])


@gate.command()
@click.argument("policy", type=FILE)
@click.option("--candidate", multiple=True, metavar="RUN", help="A run to measure the noise on; repeatable.")
@click.option("--baseline", multiple=True, metavar="RUN", help="A run to pair it with; repeatable.")
@click.option("--discordance", type=NumberRange(0, 1, min_open=True), help="Of 0/1 pairs, nothing changed.")
@click.option("--design-effect", type=NumberRange(0.01), default=1.0, help="Of clusters, beside it.")
@click.option("--samples", type=click.IntRange(5), multiple=True, help="Of a night (as measured, or 1000).")
@click.option("--points", type=NumberRange(0, min_open=True), multiple=True, help="Losses, gains to find.")
@page_flags
def plan(
    policy: Path, candidate: tuple[str, ...], baseline: tuple[str, ...], discordance: float | None,
    design_effect: float, samples: tuple[int, ...], points: tuple[float, ...], pages: Pages,
) -> None:  # fmt: skip
    """Say how many samples the claims of POLICY need, and within how many nights a loss blocks."""
    from msgspec import to_builtins

    from suite.gates import power
    from suite.gates.policy import read_policy

    if bool(candidate) == (discordance is not None) or bool(baseline) > bool(candidate):
        raise click.UsageError("give --candidate with --baseline, or --discordance")
    keep_apart([pages.html, pages.markdown], policy)
    asked = read_policy(policy)
    runs, pairs = power.noise_of_runs, power.noise_of_pairs
    noise = pairs(asked, discordance, design_effect) if discordance else runs(asked, candidate, baseline)
    found = power.claim_powers(asked, noise, points or power.POINTS, samples)
    data = {"format": "suite-gate-plan/1", "policy_sha256": asked.sha256, "claims": to_builtins(found)}
    shown = power.TEXTS.sections("sections", asked, found)
    show(policy.name, "Gate plan", lambda _: shown, lambda: data, pages)


@gate.command()
@click.argument("history", type=FOLDER, metavar="HISTORY")
@page_flags
def trend(history: Path, pages: Pages) -> None:
    """Show every claim over the nights of a history: intervals, verdicts, breaks, changes of its level."""
    from suite.errors import ConfigError
    from suite.gates.nights import read_nights
    from suite.gates.trend import as_data, sections

    keep_apart([pages.html, pages.markdown], history)
    if not (found := read_nights(history))[0]:
        raise ConfigError.of("gates.trend.empty", folder=history)
    show(history.name, "Trend", lambda few: sections(*found, compact=few), lambda: as_data(*found), pages)
