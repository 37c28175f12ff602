"""suite gate: a candidate against a policy of claims; its plan and its trend are commands of their own."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from suite.cli.flags import FILE, PATH
from suite.cli.gate_plan import plan
from suite.cli.gate_trend import trend
from suite.cli.pages import Pages, page_flags, show, write

if TYPE_CHECKING:
    from suite.gates.nights import Verdict


class GateGroup(click.Group):
    """`suite gate POLICY …` is `suite gate check POLICY …`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name, else `check`."""
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
    import msgspec

    from suite.gates import results
    from suite.gates.policy import read_policy
    from suite.gates.verdicts import gate as gated

    night = gated(read_policy(policy), candidate, baseline, history)
    counts: Verdict = undecided or "undecided"
    if junit is not None:
        write(junit, [results.junit(night, counts)])
    title = policy.name
    show(title, "Gate", lambda _: results.sections(night), lambda: msgspec.to_builtins(night), pages)
    context.exit(results.CODES[counts if night.verdict == "undecided" else night.verdict])


for _command in (plan, trend):
    gate.add_command(_command)
