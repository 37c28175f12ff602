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
        suite.Across(f"win_change_by_{name}", _change("win"), needs=("win",), **change),
        suite.Across(f"winner_changed_by_{name}", _changed_side, needs=("win",), **share),
        suite.Across(
            f"agreement_change_by_{name}", _change("win_agreement"), needs=("win_agreement",), **change
        ),
        suite.Across(
            f"agreement_p_by_{name}_official",
            _paired_p,
            needs=("agreement_official",),
            interval="none",
            **share,
        ),
        suite.Across(
            f"nontie_p_by_{name}_official",
            _independent_p,
            needs=("agreement_nontie_official",),
            pair="none",
            interval="none",
            **share,
        ),
    )


PAIRS: tuple[Any, ...] = (
    *suite.pair_metrics("win"),
    suite.Rate("answered"),
    suite.Mean("win_agreement", range=(0.0, 1.0)),
    suite.Agreement("vote", categories=CATEGORIES),
    suite.Rate("longer", direction="neither"),
    suite.Rate("win_official"),
    suite.Rate("loss_official", direction="lower"),
    suite.Rate("tie_official", direction="neither"),
    suite.Mean("agreement_official", range=(0.0, 1.0)),
    suite.Mean("agreement_nontie_official", range=(0.0, 1.0)),
    suite.Agreement("vote_official", categories=CATEGORIES, coefficients=("randolph", "fleiss")),
    suite.Rate("invalid_official", over="parts", direction="lower"),
    *(one for name, (before, after) in CHANGES.items() for one in _across(name, before, after)),
)
