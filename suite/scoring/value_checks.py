"""Whether a score holds what its task's metrics can count: names that one reads, numbers, within a range.

A value may be left out, be None or be unscored. A label is fine where a metric or a formula takes labels.
"""

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping

from suite.scores import Score, Value
from suite.scoring.measures import Over, Range
from suite.scoring.metrics.declared import rows_of

SLACK = 1e-9  # of a mean of a task's own, beyond an end of its range


class ValueChecks:
    """What the metrics of a task say of each value. metrics: the task's, unchecked."""

    def __init__(self, metrics: Iterable[object]) -> None:
        self._known: dict[Over, set[str]] = {"samples": set(), "parts": set()}
        self._ranges: dict[tuple[Over, str], Range] = {}
        labels: set[tuple[Over, str]] = set()
        numbers: set[tuple[Over, str]] = set()
        for one in rows_of(metrics):
            names = [name for name in one.needs if not name.startswith("tag:")]
            self._known[one.over].update(names)
            keys = {(one.over, name) for name in names}
            (numbers if one.top is not None and one.numbers else labels).update(keys)
            if one.mean and len(keys) == 1 and one.range is not None:
                self._ranges.setdefault(next(iter(keys)), one.range)
        self._numbers = numbers - labels

    def problem(self, score: Score) -> str:
        """What is wrong with the values of a score, "" if nothing."""
        return next(self._problems(score), "")

    def _problems(self, score: Score) -> Iterator[str]:
        yield from self._values("samples", score.values)
        for part in score.parts:
            yield from self._values("parts", part.values)
        known = self._known["samples"]
        if known and score.values and not known & score.values.keys():
            read = sorted(known)
            if not any(self._known["parts"] & part.values.keys() for part in score.parts):
                name = next(iter(score.values))
                near = difflib.get_close_matches(name, read, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"they read {', '.join(read)}"
                yield f"score gives {name!r}, and no metric reads what it gives: {hint}"

    def _values(self, over: Over, values: Mapping[str, Value]) -> Iterator[str]:
        for name, value in values.items():
            if isinstance(value, str) and (over, name) in self._numbers:
                yield f"score gives {value!r:.60} for {name!r}, whose metric takes a number or True or False"
            elif isinstance(value, int | float) and math.isfinite(value):
                low, high = self._ranges.get((over, name), (value, value))
                if not low - SLACK <= value <= high + SLACK:
                    yield f"score gives {value} for {name!r}, whose metric takes {low:g} to {high:g}"
