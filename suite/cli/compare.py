"""suite compare: runs against each other, sample by sample."""

import click

from suite.cli.flags import NumberRange
from suite.cli.pages import Pages, page_flags, show


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN…")
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME", help="A metric beside the headline, or all."
)
@click.option(
    "--against", "baseline", default="", metavar="RUN", help="Compare all others with this run alone."
)
@click.option(
    "--alpha", type=NumberRange(0.0001, 0.5), show_default="0.05", help="Significance level of tests."
)
@click.option(
    "--level",
    type=NumberRange(0.5, 0.9999),
    show_default="1 - alpha",
    help="Confidence level of intervals, before correction.",
)
@click.option(
    "--correction",
    type=click.Choice(["holm", "bh", "none"]),
    default="holm",
    show_default=True,
    help="Of p values over all headlines compared.",
)
@click.option("--margin", type=float, metavar="E", help="Also test whether the two are equivalent within E.")
@click.option("--anyway", is_flag=True, help="Compare runs that are not comparable; the page says so.")
@click.option(
    "--examples", type=click.IntRange(min=0), default=5, show_default=True, help="Samples to read, a side."
)
@page_flags
def compare(runs: tuple[str, ...], pages: Pages, **how: object) -> None:
    """Compare runs on the samples they share: differences with intervals, paired tests, corrections.

    RUN is a folder, or a name under runs/; RUN@SCORING takes an older scoring. Refuses runs that differ in
    more than the model, and names the difference.

    \b
    Example:
      suite compare runs/model-a runs/model-b --html compare.html
    """
    import msgspec

    from suite.comparisons.comparison import ComparisonWanted, compare_runs
    from suite.comparisons.sections import as_data, sections

    given = {name: value for name, value in how.items() if value is not None}
    found = compare_runs(runs, msgspec.convert(given, ComparisonWanted))
    title = " against ".join(dict.fromkeys(run.label for run in found.runs))
    show(title, "Comparison", lambda compact: sections(found, compact=compact), lambda: as_data(found), pages)
