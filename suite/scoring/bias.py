"""The metrics that belong beside a win rate: what position did to it. Declarations only.

Over the values and parts that `pairwise` and `panel` leave. Source: specs/statistics.md section 11.2.
"""

from typing import Any

from suite.scoring.metrics import Columns, Custom, Declared, Mean, Rate, WinRate


def position_effect(name: str) -> Any:
    """A formula: mean score of the first answer when it was shown first minus when it was shown second."""

    def formula(columns: Columns) -> float | None:
        x, first = columns[name], columns["tag:order"] == "first-second"
        if not first.any() or first.all():
            return None
        return float(x[first].mean() - x[~first].mean())

    return formula


def pair_metrics(name: str = "win") -> tuple[Declared, ...]:
    """The win rate NAME with its position bias, for scores made of `PairResult` or `PanelResult`.

    NAME_consistent, NAME_flip_first, NAME_flip_second: share of pairs (or judges) that said the same both
    ways, or let the slot decide. NAME_first_slot: share of decisive verdicts for the slot shown first.
    NAME_position_effect: 0 without bias, 1 where the first slot always wins. NAME_unparsed: share of
    verdicts that could not be read.
    """
    return (
        WinRate(name),
        Mean(f"{name}_consistent", range=(0.0, 1.0)),
        Mean(f"{name}_flip_first", range=(0.0, 1.0), direction="lower"),
        Mean(f"{name}_flip_second", range=(0.0, 1.0), direction="lower"),
        Rate("first_slot", over="parts", name=f"{name}_first_slot", direction="neither"),
        Custom(
            f"{name}_position_effect",
            position_effect(name),
            needs=(name, "tag:order"),
            over="parts",
            direction="neither",
        ),
        Rate("judge_unparsed", over="parts", name=f"{name}_unparsed", direction="lower"),
    )
