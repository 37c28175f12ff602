"""suite gate plan: what a policy can find with so many samples, before anything is paid."""

from pathlib import Path

import click

from suite.cli.flags import FILE, NumberRange
from suite.cli.pages import Pages, page_flags, show


@click.command("plan")
@click.argument("policy", type=FILE)
@click.option("--candidate", multiple=True, metavar="RUN", help="A run to measure the noise on; repeatable.")
@click.option("--baseline", multiple=True, metavar="RUN", help="A run to pair it with; repeatable.")
@click.option("--discordance", type=NumberRange(0, 1, min_open=True), help="Of 0/1 pairs, without runs.")
@click.option("--design-effect", type=NumberRange(0.01), default=1.0, help="Of clusters, beside it.")
@click.option("--samples", type=click.IntRange(5), multiple=True, help="Of a night (as measured, or 1000).")
@click.option("--points", type=NumberRange(0, min_open=True), multiple=True, help="Losses, gains to find.")
@page_flags
def plan(
    policy: Path, candidate: tuple[str, ...], baseline: tuple[str, ...], discordance: float | None,
    design_effect: float, samples: tuple[int, ...], points: tuple[float, ...], pages: Pages,
) -> None:  # fmt: skip
    """Say how many samples the claims of POLICY need, and within how many nights a loss blocks.

    The noise is measured on two runs that you have, paired and clustered as the gate does, or given by flags.

    \b
    Example:
      suite gate plan policy.yaml --discordance 0.05 --samples 1000
    """
    from msgspec import to_builtins

    from suite.gates import power
    from suite.gates.policy import read_policy
    from suite.report.section_templates import sections_of

    if bool(candidate) == (discordance is not None) or bool(baseline) > bool(candidate):
        raise click.UsageError("give --candidate with --baseline, or --discordance")
    asked = read_policy(policy)
    runs, pairs = power.noise_of_runs, power.noise_of_pairs
    noise = pairs(asked, discordance, design_effect) if discordance else runs(asked, candidate, baseline)
    found = power.claim_powers(asked, noise, points or power.POINTS, samples)
    data = {"format": "suite-gate-plan/1", "policy_sha256": asked.sha256, "claims": to_builtins(found)}
    shown = sections_of(power.TEXTS, "sections", asked, found)
    show(policy.name, "Gate plan", lambda _: shown, lambda: data, pages)
