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
    """The win rate NAME with its position bias, for scores made of `PairResult` or `PanelResult`."""
    rate, share = partial(Rate, over="parts"), partial(Mean, range=(0.0, 1.0))
    by_order = partial(Custom, needs=(name, "tag:order"), over="parts", direction="neither")
    same = "The judge (of a panel: the share of judges) says the same in both orders of the answers."
    slot = "In both orders the judge (of a panel: the share of judges) picks the answer shown"
    first = "Of decided verdicts, those for the answer shown first; 0.5 without a bias."
    effect = "What being shown first does: 0 without a bias, 1 where the first always wins."
    unread = "A judge's verdict could not be read."
    return (
        WinRate(name, about="The judge prefers the candidate to its opponent."),
        share(f"{name}_consistent", about=same),
        share(f"{name}_flip_first", direction="lower", about=f"{slot} first."),
        share(f"{name}_flip_second", direction="lower", about=f"{slot} second."),
        rate("first_slot", name=f"{name}_first_slot", direction="neither", about=first),
        by_order(f"{name}_position_effect", position_effect(name), about=effect),
        rate("judge_unparsed", name=f"{name}_unparsed", direction="lower", about=unread),
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
    """NAME_length_controlled and NAME_length_effect (per standard deviation, through tanh).

    difference: value of the samples, first minus second answer, as `style_difference` gives it. No number
    where lengths do not differ, or where length and verdict cannot be told apart.
    """
    equal = "The win rate if both answers were equally long."
    matters = "How much length matters: above 0 where longer answers win."
    metric = partial(Custom, needs=(name, difference), draws=draws)
    controlled, effect = (length_control(name, difference, effect=one) for one in (False, True))
    return (
        metric(f"{name}_length_controlled", controlled, range=(0.0, 1.0), about=equal),
        metric(f"{name}_length_effect", effect, direction="neither", about=matters),
    )
