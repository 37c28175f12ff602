"""What may sway a judge besides what answers say: their length and style, counted, and their position.

And the metrics that belong beside a win rate, over the values and parts that `pair_verdicts` and
`style_difference` leave. Sources: MT-Bench (arXiv 2306.05685) and Shi et al. 2024 (arXiv 2406.07791) for
position; `stats.bradley_terry` for length.
"""

import math
import re
from functools import partial

from suite.scoring.measures import Columns, Formula
from suite.scoring.metrics import Custom, Declared, Mean, Rate, WinRate

_PATTERNS = {
    "headings": re.compile(r"^#{1,6} ", re.MULTILINE),
    "list_items": re.compile(r"^\s*(?:[-*+]|\d+[.)]) ", re.MULTILINE),
    "bold": re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__"),
    "code_blocks": re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL),
}


def style(text: str) -> dict[str, int]:
    """Characters, words, headings, list items, bold spans and fenced code blocks of a Markdown text."""
    return {
        "characters": len(text),
        "words": len(text.split()),
        **{name: len(pattern.findall(text)) for name, pattern in _PATTERNS.items()},
    }


def style_difference(first: str, second: str) -> dict[str, float]:
    """First minus second, by feature: {"characters_difference": …}."""
    one, two = style(first), style(second)
    return {f"{name}_difference": float(one[name] - two[name]) for name in one}


def position_effect(name: str) -> Formula:
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


LENGTH_DRAWS = 300  # one logistic fit each


def length_control(name: str, difference: str, *, effect: bool) -> Formula:
    """A formula: the win rate with lengths held equal, or the effect of length on the log odds."""

    def formula(columns: Columns) -> float | None:
        from suite.scoring.stats.bradley_terry import fit_lengths

        found = fit_lengths(columns[name], columns[difference])
        if found is None:
            return None
        theta, phi = found
        return phi if effect else 1 / (1 + math.exp(-theta))

    return formula


def length_metrics(
    name: str = "win", difference: str = "characters_difference", *, draws: int = LENGTH_DRAWS
) -> tuple[Declared, ...]:
    """The win rate NAME if both answers were equally long (NAME_length_controlled), and how much length
    matters (NAME_length_effect: above 0 where longer answers win, per standard deviation, through tanh).

    difference: value of the samples, first minus second answer, as `style_difference` gives it. No number
    where lengths do not differ, or where length and verdict cannot be told apart.
    """
    metric = partial(Custom, needs=(name, difference), draws=draws)
    controlled, effect = (length_control(name, difference, effect=one) for one in (False, True))
    return (
        metric(f"{name}_length_controlled", controlled, range=(0.0, 1.0)),
        metric(f"{name}_length_effect", effect, direction="neither"),
    )
