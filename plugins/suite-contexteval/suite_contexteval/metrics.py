"""What is measured of pairs: our win rate with what position did to it, upstream's numbers beside it.

`…_official` is computed exactly as published (see `official`): ties outside the majority rule,
"Fleiss kappa" that is Randolph's, tests without correction. Changes between settings are paired by query.
"""

from collections.abc import Mapping
from typing import Any

import suite
from suite_contexteval import official
from suite_contexteval.pairs import CATEGORIES

Columns = Mapping[str, Any]
CHANGES = {
    "judge_context": ("none", "judge"),
    "both_contexts": ("none", "both"),
    "generation_context": ("judge", "both"),
}


def _change(value: str) -> Any:
    def formula(cells: Mapping[str, Columns]) -> float | None:
        before, after = cells["before"][value], cells["after"][value]
        return float(after.mean() - before.mean()) if len(before) and len(after) else None

    return formula


def _changed_side(cells: Mapping[str, Columns]) -> float | None:
    """Share of queries whose winner is another one (a tie is a winner of its own)."""
    sides = [[(x > 0.5) - (x < 0.5) for x in cells[name]["win"].tolist()] for name in ("before", "after")]
    if not sides[0]:
        return None
    return float(sum(a != b for a, b in zip(*sides, strict=True)) / len(sides[0]))


def _paired_p(cells: Mapping[str, Columns]) -> float | None:
    x, y = (cells[name]["agreement_official"].tolist() for name in ("before", "after"))
    test = official.paired_t(x, y)
    return None if test is None else test.p


def _independent_p(cells: Mapping[str, Columns]) -> float | None:
    x, y = (cells[name]["agreement_nontie_official"].tolist() for name in ("before", "after"))
    test = official.independent_t(x, y)
    return None if test is None else test.p


def _across(name: str, before: str, after: str) -> tuple[Any, ...]:
    how: dict[str, Any] = {
        "cells": {"before": {"setting": before}, "after": {"setting": after}},
        "direction": "neither",
    }
    share = {**how, "range": (0.0, 1.0)}
    change = {**how, "range": (-1.0, 1.0)}
    return (
        suite.Across(
            f"win_change_by_{name}",
            _change("win"),
            needs=("win",),
            **change,
            about="How much the win rate moves when a context is added.",
        ),
        suite.Across(
            f"winner_changed_by_{name}",
            _changed_side,
            needs=("win",),
            **share,
            about="The winner is another one when a context is added.",
        ),
        suite.Across(
            f"agreement_change_by_{name}",
            _change("win_agreement"),
            needs=("win_agreement",),
            **change,
            about="How much the judges' agreement moves when a context is added.",
        ),
        suite.Across(
            f"agreement_p_by_{name}_official",
            _paired_p,
            needs=("agreement_official",),
            interval="none",
            **share,
            about="p of a paired t test of the judges' agreement, uncorrected, as published.",
        ),
        suite.Across(
            f"nontie_p_by_{name}_official",
            _independent_p,
            needs=("agreement_nontie_official",),
            pair="none",
            interval="none",
            **share,
            about="p of an unpaired t test of agreement without ties, uncorrected, as published.",
        ),
    )


PAIRS: tuple[Any, ...] = (
    *suite.pair_metrics("win"),
    suite.Rate("answered", about="The candidate gave a response."),
    suite.Mean(
        "win_agreement", range=(0.0, 1.0), about="The share of judges that agree with the verdict of most."
    ),
    suite.Agreement(
        "vote", categories=CATEGORIES, about="Whether the judges of a panel say the same of a pair."
    ),
    suite.Rate(
        "longer", direction="neither", about="The candidate's response has more words than the other."
    ),
    suite.Rate("win_official", about="A strict majority of the judges prefers the candidate, as published."),
    suite.Rate(
        "loss_official",
        direction="lower",
        about="A strict majority of the judges prefers the other, as published.",
    ),
    suite.Rate(
        "tie_official", direction="neither", about="A strict majority of the judges sees a tie, as published."
    ),
    suite.Mean(
        "agreement_official",
        range=(0.0, 1.0),
        about="The share of judges that give the most frequent verdict, as published.",
    ),
    suite.Mean(
        "agreement_nontie_official",
        range=(0.0, 1.0),
        about="As `agreement_official`, without pairs whose verdict is a tie.",
    ),
    suite.Agreement(
        "vote_official",
        categories=CATEGORIES,
        coefficients=("randolph", "fleiss"),
        about="Whether judges agree, with unreadable verdicts as ties, as published.",
    ),
    suite.Rate(
        "invalid_official",
        over="parts",
        direction="lower",
        about="The published code cannot read the judge's verdict.",
    ),
    *(one for name, (before, after) in CHANGES.items() for one in _across(name, before, after)),
)
