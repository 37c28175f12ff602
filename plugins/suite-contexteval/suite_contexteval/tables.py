"""The recomputed analysis as sections of a report."""

from collections.abc import Iterable

import suite
from suite_contexteval import official, people, published
from suite_contexteval.rows import PAPER_NAMES


def sections(analysis: published.Analysis) -> Iterable[suite.Section]:
    """Upstream's numbers, ours, and the changes between settings."""
    yield suite.Section(
        "As published",
        (
            suite.Table(
                (
                    "models",
                    "setting",
                    "queries",
                    "majorities",
                    "first wins",
                    "second wins",
                    "ties",
                    "agreement",
                    "non-tie",
                    "kappa (Randolph)",
                    "first longer",
                    "invalid",
                ),
                [
                    (
                        _pair(one.pair),
                        PAPER_NAMES[one.setting],
                        one.queries - one.incomplete,
                        one.wins.majorities,
                        one.wins.first,
                        one.wins.second,
                        one.wins.tie,
                        one.agreement,
                        one.non_tie,
                        one.randolph,
                        one.longer,
                        sum(one.invalid.values()),
                    )
                    for one in analysis.cells
                ],
            ),
            suite.Table(
                ("models", "from", "to", "t", "p", "non-tie t", "non-tie p"),
                [
                    (
                        _pair(one.pair),
                        PAPER_NAMES[one.before],
                        PAPER_NAMES[one.after],
                        *_test(one.with_ties),
                        *_test(one.non_tie),
                    )
                    for one in analysis.changes
                ],
                "Agreement between settings, not corrected",
            ),
        ),
    )
    yield suite.Section(
        "With intervals, ties half, strictly read",
        (
            suite.Table(
                ("models", "setting", "win rate", "low", "high", "unscored", "incomplete"),
                [
                    (
                        _pair(one.pair),
                        PAPER_NAMES[one.setting],
                        one.win.value,
                        one.win.low,
                        one.win.high,
                        one.unscored,
                        one.incomplete,
                    )
                    for one in analysis.cells
                ],
            ),
            suite.Table(
                ("models", "from", "to", "change", "low", "high", "winner changed", "p", "p (Holm)"),
                [
                    (
                        _pair(one.pair),
                        PAPER_NAMES[one.before],
                        PAPER_NAMES[one.after],
                        one.win.value,
                        one.win.low,
                        one.win.high,
                        one.changed,
                        one.p,
                        one.corrected,
                    )
                    for one in analysis.changes
                ],
                "Change of the win rate, paired by query",
            ),
        ),
    )


def human_sections(found: people.Human) -> Iterable[suite.Section]:
    """People's judgements."""
    yield suite.Section(
        "People",
        (
            suite.Table(
                (
                    "models",
                    "setting",
                    "items",
                    "first wins",
                    "second wins",
                    "ties",
                    "agreement",
                    "low",
                    "high",
                    "non-tie",
                    "where constraints differ",
                    "single constraints",
                ),
                [
                    (
                        _pair(one.pair),
                        PAPER_NAMES[one.setting],
                        one.items,
                        one.wins.first,
                        one.wins.second,
                        one.wins.tie,
                        one.agreement,
                        *(one.interval or (None, None)),
                        one.non_tie,
                        one.constraint_agreement,
                        one.single,
                    )
                    for one in found.numbers
                ],
            ),
            suite.Table(
                ("models", "from", "to", "t", "p", "non-tie t", "non-tie p", "t by query", "p by query"),
                [
                    (
                        _pair(pair),
                        PAPER_NAMES[before],
                        PAPER_NAMES[after],
                        *_test(tests.with_ties),
                        *_test(tests.non_tie),
                        *_test(tests.by_query),
                    )
                    for (pair, before, after), tests in found.tests.items()
                ],
                "Agreement between settings, not corrected",
            ),
            suite.Table(
                ("models", "mean", "SD", "items"),
                [(_pair(pair), *numbers) for pair, numbers in found.difference.items()],
                "Difference of constraints satisfied, absolute",
            ),
        ),
    )


def _pair(pair: tuple[str, str]) -> str:
    return f"{pair[0]} vs {pair[1]}"


def _test(test: official.TTest | None) -> tuple[float | None, float | None]:
    return (None, None) if test is None else (test.t, test.p)


def plain(section: suite.Section) -> str:
    """A section as aligned text."""
    lines = [section.title, "=" * len(section.title)]
    for block in section.blocks:
        if isinstance(block, suite.Table):
            lines += ["", *([block.title] if block.title else []), *_aligned(block)]
    return "\n".join(lines) + "\n"


def _aligned(table: suite.Table) -> list[str]:
    rows = [list(table.columns), *([_shown(cell) for cell in row] for row in table.rows)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(table.columns))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _shown(cell: object) -> str:
    if cell is None:
        return "–"
    return f"{cell:.4f}" if isinstance(cell, float) else str(cell)
