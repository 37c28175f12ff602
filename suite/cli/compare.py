"""suite compare: runs against each other, sample by sample; suite rate: many models from pairwise votes."""

import click

from suite.cli.flags import choice_flag, count_flag, many_flag, number_flag, seed_flag
from suite.cli.pages import Pages, page_flags, show
from suite.cli.steps import level_flag


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN…")
@many_flag("--metric", "metrics", of="NAME", text="A metric beside the headline, or all.")
@click.option(
    "--against", "baseline", default="", metavar="RUN", help="Compare all others with this run alone."
)
@number_flag("--alpha", 0.0001, 0.5, "Significance level of tests.", show_default="0.05")
@number_flag(
    "--level", 0.5, 0.9999, "Confidence level of intervals, before correction.", show_default="1 - alpha"
)
@choice_flag("--correction", of=["holm", "bh", "none"], text="Of p values over all headlines compared.")
@click.option("--margin", type=float, metavar="E", help="Also test whether the two are equivalent within E.")
@click.option("--anyway", is_flag=True, help="Compare runs that are not comparable; the page says so.")
@count_flag("--examples", "Samples to read, a side.", 0, default=5)
@page_flags
def compare(runs: tuple[str, ...], pages: Pages, **how: object) -> None:
    """Compare runs on the samples they share: differences with intervals, paired tests, corrections."""
    import msgspec

    from suite.comparisons.comparison import ComparisonWanted, compare_runs
    from suite.comparisons.sections import as_data, sample_pairs, sections
    from suite.report.compare_page import html_page

    given = {name: value for name, value in how.items() if value is not None}
    found = compare_runs(runs, msgspec.convert(given, ComparisonWanted))
    title = " against ".join(dict.fromkeys(run.label for run in found.runs))
    show(
        title, "Comparison", lambda compact: sections(found, compact=compact), lambda: as_data(found), pages,
        lambda: html_page(title, "Comparison", sections(found, read=False), sample_pairs(found)),
    )  # fmt: skip


@click.command("rate")
@click.argument("votes", nargs=-1, required=True, metavar="VOTES|RUN…")
@choice_flag(
    "--draws",
    "policy",
    of=["half", "drop", "davidson"],
    text="What a draw counts: half a win, nothing, or an outcome of its own.",
)
@count_flag("--rounds", "Rounds of the bootstrap (1000; 100 from 100,000 votes on).", 0)
@level_flag
@seed_flag("Seed of resampling.")
@many_flag("--style", "styles", of="COLUMN", text="Hold a style equal: a minus b of it.")
@click.option("--side", is_flag=True, help="Hold the side shown first equal, too.")
@click.option("--elo/--no-elo", default=None, help="Elo over random orders (default: up to 100,000 votes).")
@click.option("--prequential/--no-prequential", default=None, help="Test whether draws help to predict.")
@click.option("--robustness", is_flag=True, help="How careless votes and flipped votes move the ranking.")
@page_flags
def rate(votes: tuple[str, ...], styles: tuple[str, ...], pages: Pages, **how: object) -> None:
    """Rate models by Bradley-Terry: from votes in a CSV or JSONL, or from runs with a baseline."""
    import msgspec

    from suite.comparisons.rating import RateWanted
    from suite.comparisons.rating import rate as rated
    from suite.comparisons.rating_sections import as_data, sections
    from suite.comparisons.votes_files import read_votes

    found = rated(read_votes(votes, styles), msgspec.convert({"styles": styles, **how}, RateWanted))
    title = found.raw.source
    show(title, "Ratings", lambda few: sections(found, compact=few), lambda: as_data(found), pages)
