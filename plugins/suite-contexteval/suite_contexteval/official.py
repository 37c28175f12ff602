"""Upstream's readings and numbers, restated: for comparing with published ones, never for the headline.

Labels of a panel on one example are "1", "2", "T" and "I" (nothing could be read), in judge order; "I"
counts as a tie. Source: upstream's code (github.com/allenai/ContextEval).
"""

import ast
import math
import random
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

ORDER_SEED = 23
CONTEXT_SEED = 42
_MARKER = "output: "
_LABELS = (("Response 1", "1"), ("Response 2", "2"), ("Tie", "T"))
_FAILED = "No response."  # upstream's clients give this text for an answer that failed


def order_draws() -> Iterator[int]:
    """Which candidate is shown first, example by example: 1 or 2; upstream restarts it for every file."""
    chance = random.Random(ORDER_SEED)
    while True:
        yield chance.randint(1, 2)


def generator_draws() -> Iterator[float]:
    """A number in [0, 1) for each query: `random.choices` takes generator floor(number * n) of n."""
    chance = random.Random(CONTEXT_SEED)
    while True:
        yield chance.random()


def failed(response: str) -> bool:
    """Whether an answer is none: empty, or the text that stands for a failure."""
    return not response.strip() or response.strip().startswith(_FAILED)


def judgement(text: str) -> str:
    """The label of a reply: "1", "2", "T" or "I". Without a dictionary, a text that names both is "1".

    A value that upstream's script stops at (a number, say) is "I" here.
    """
    found = _in_dictionary(text)
    label = found[0] if found else text if "Response 1" in text or "Response 2" in text else ""
    if not isinstance(label, str | list | tuple | dict):
        return "I"
    return next((short for name, short in _LABELS if name in label), "I")


def _in_dictionary(text: str) -> list[Any]:
    """What stands under "judgement" in the dictionary that upstream cuts out, as one item; [] for nothing.

    It cuts from behind the marker to the first "}" of the whole text. Where the marker is missing, Python's
    `find` gives -1, so that the cut begins at offset 7: right for "Output: {", "output:{" and "```json".
    """
    plain = text.replace("*", "").strip()
    cut = plain[plain.find(_MARKER) + len(_MARKER) : plain.find("}") + 1]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a backslash in a reason is no business of the terminal
            value = ast.literal_eval(cut)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return []
    return [value["judgement"]] if isinstance(value, dict) and "judgement" in value else []


def mapped(label: str, rand_choice: int) -> str:
    """A label by response made one by candidate. rand_choice 2: candidate two was Response 1."""
    return {"1": "2", "2": "1"}.get(label, label) if rand_choice == 2 else label


def needs_context(text: str) -> bool:
    """Upstream's test: "No." and "No, …" count as needing context."""
    return text != "No" and "Need for Context: No" not in text


def follow_ups(text: str) -> tuple[list[str], list[str]]:
    """Questions and answer lists as upstream cuts them, prefixes kept; unusable if their counts differ."""
    return re.findall(r"Q:.*?\?", text), re.findall(r"A:.*?\]", text)


class Panel(NamedTuple):
    """A panel on one example. mode: the commonest label, the first met among equals. share: c_i / J."""

    mode: str
    share: float

    @property
    def majority(self) -> bool:
        """Whether more than half of the judges gave the mode."""
        return self.share > 0.5


def panel(labels: Sequence[str]) -> Panel:
    """What a panel amounts to. Raises ValueError for no labels."""
    if not labels:
        raise ValueError("a panel needs at least one label")
    mode, count = Counter("T" if one == "I" else one for one in labels).most_common(1)[0]
    return Panel(mode, count / len(labels))


class WinRates(NamedTuple):
    """Shares among the examples with a strict majority; None if there is none."""

    first: float | None
    second: float | None
    tie: float | None
    majorities: int


def win_rates(panels: Sequence[Panel]) -> WinRates:
    """Of each label among the examples with a majority, as upstream prints them."""
    modes = [one.mode for one in panels if one.majority]
    if not modes:
        return WinRates(None, None, None, 0)
    shares = [modes.count(label) / len(modes) for label in "12T"]
    return WinRates(shares[0], shares[1], shares[2], len(modes))


def agreement(panels: Sequence[Panel]) -> list[float]:
    """c_i / J of every example; its mean is upstream's agreement."""
    return [one.share for one in panels]


def non_tie_agreement(panels: Sequence[Panel]) -> list[float]:
    """c_i / J where the mode is no tie."""
    return [one.share for one in panels if one.mode != "T"]


def randolph(rows: Sequence[Sequence[str]]) -> float | None:
    """Randolph's free-marginal kappa over three labels; upstream prints it as Fleiss' kappa.

    Every row has as many labels, at least two; else None.
    """
    sizes = {len(row) for row in rows}
    if len(sizes) != 1 or (judges := sizes.pop()) < 2:
        return None
    agreeing = []
    for row in rows:
        counts = Counter("T" if one == "I" else one for one in row)
        agreeing.append(sum(n * (n - 1) for n in counts.values()) / (judges * (judges - 1)))
    share = math.fsum(agreeing) / len(agreeing)
    return (share - 1 / 3) / (1 - 1 / 3)


class TTest(NamedTuple):
    """A t-test. Not corrected for the number of tests made."""

    t: float
    p: float
    df: float


def paired_t(x: Sequence[float], y: Sequence[float]) -> TTest | None:
    """Paired t-test, as upstream makes "with ties"; None where there is no variation or no pair."""
    differences = [a - b for a, b in zip(x, y, strict=True)]
    n = len(differences)
    if n < 2 or _alike(differences):
        return None
    return _test(_mean(differences) / math.sqrt(_variance(differences) / n), n - 1)


def independent_t(x: Sequence[float], y: Sequence[float]) -> TTest | None:
    """Two-sample t-test with equal variances, as upstream makes "non-tie"; None as above."""
    n, m = len(x), len(y)
    if min(n, m) < 1 or n + m < 3 or (_alike(x) and _alike(y)):
        return None
    pooled = sum((len(one) - 1) * _variance(one) for one in (x, y) if len(one) > 1) / (n + m - 2)
    return _test((_mean(x) - _mean(y)) / math.sqrt(pooled * (1 / n + 1 / m)), n + m - 2)


def t_interval(x: Sequence[float], level: float = 0.95) -> tuple[float, float] | None:
    """Student's interval of a mean, df = n - 1; None for fewer than two values."""
    from scipy.special import stdtrit

    n = len(x)
    if n < 2:
        return None
    half = float(stdtrit(n - 1, (1 + level) / 2)) * math.sqrt(_variance(x) / n)
    return _mean(x) - half, _mean(x) + half


def _test(t: float, df: int) -> TTest:
    from scipy.special import stdtr  # scipy.stats takes a second to import

    return TTest(t, float(2 * stdtr(df, -abs(t))), float(df))


def _alike(values: Sequence[float]) -> bool:
    """Whether values differ by no more than rounding does."""
    return max(values) - min(values) < 1e-12


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _variance(values: Sequence[float]) -> float:
    mean = _mean(values)
    return math.fsum((one - mean) ** 2 for one in values) / (len(values) - 1)
