"""The index of a view: columns of equal length, one entry a row, and the lists that they point into."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from suite.journal.records import OutputRecord, ScoreRecord
from suite.journal.run import Run
from suite.report.hostile_text import clean, one_line
from suite.task import Unscored, Value

OUTCOMES = ("good", "bad", "between", "scored", "unscored", "pending")
MOST_PREVIEW = 140
MOST_NAME = 200  # characters of a tag's value, a label, a reason
Shown = str | float | int | bool | None | Mapping[str, object]


class ViewCell(msgspec.Struct, frozen=True):
    """A cell as the index tells it."""

    id: str
    task: str
    version: int
    label: str
    headline: str
    direction: str


class Rule(NamedTuple):
    """When a cell's value is good or bad: at the ends of its range, by direction."""

    name: str
    direction: str
    ends: tuple[float, float]


def outcome_rules(run: Run) -> dict[str, Rule]:
    """The rule of each cell."""
    directions = {cell.cell: cell.headline_row for cell in run.results.cells}
    rules = {}
    for cell in run.manifest.cells:
        row = directions.get(cell.cell)
        rules[cell.cell] = Rule(cell.headline, row.direction if row else "neither", (0.0, 1.0))
    return rules


def outcome(rule: Rule, score: ScoreRecord | None) -> str:
    """One of OUTCOMES."""
    if score is None:
        return "pending"
    value = score.values.get(rule.name)
    if isinstance(value, Unscored):
        return "unscored"
    if not isinstance(value, int | float) or rule.direction == "neither":
        return "scored"
    low, high = rule.ends if rule.direction == "higher" else rule.ends[::-1]
    return "good" if value == high else "bad" if value == low else "between"


class Listed:
    """A list of distinct texts, each named by its place."""

    def __init__(self, texts: Sequence[str] = ()) -> None:
        self._places = {text: place for place, text in enumerate(texts)}

    def place(self, text: str) -> int:
        """Where a text stands; it is added if it is new."""
        return self._places.setdefault(text, len(self._places))

    def all(self) -> list[str]:
        """The texts in order."""
        return list(self._places)


class Columns:
    """Everything the index holds of the rows, filled row by row."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = rules
        self._finishes, self._reasons, self._questions = Listed(), Listed(), Listed()
        self._ids, self._answers = list[str](), list[str]()
        names = ("cell", "trial", "part", "at", "question", "finish", "outcome", "tokens", "calls")
        self._numbers: dict[str, list[int]] = {name: [] for name in names}
        self._seconds = list[float]()
        self._values: dict[str, list[Shown]] = {}
        self._tags: dict[str, tuple[Listed, list[int]]] = {}
        self._cost = (0, 0.0, 0)

    def begin(self, cell: int, part: int, at: int) -> None:
        """A row begins: where it stands."""
        for name, value in (("cell", cell), ("part", part), ("at", at)):
            self._numbers[name].append(value)
        self._cost = (0, 0.0, 0)

    def spend(self, tokens: int, seconds: float) -> None:
        """One call of the row."""
        self._cost = (self._cost[0] + tokens, self._cost[1] + seconds, self._cost[2] + 1)

    def add(self, output: OutputRecord, score: ScoreRecord | None, question: str, answer: str) -> None:
        """The rest of the row."""
        row, numbers = len(self._ids), self._numbers
        self._ids.append(clean(output.sample))
        self._answers.append(one_line(answer, MOST_PREVIEW))
        numbers["trial"].append(output.trial)
        numbers["question"].append(self._questions.place(one_line(question, MOST_PREVIEW)))
        numbers["finish"].append(self._finishes.place(output.output.finish))
        numbers["outcome"].append(OUTCOMES.index(outcome(self._rules[output.cell], score)))
        tokens, seconds, calls = self._cost
        numbers["tokens"].append(tokens)
        numbers["calls"].append(calls)
        self._seconds.append(round(seconds, 2))
        for name, value in score.values.items() if score else ():
            column = self._values.setdefault(name, [])
            column += [None] * (row - len(column))
            column.append(self._shown(value))
        for name, text in output.tags.items():
            known, places = self._tags.setdefault(name, (Listed(), []))
            places += [-1] * (row - len(places))
            places.append(known.place(one_line(text, MOST_NAME)))

    def _shown(self, value: Value) -> Shown:
        if isinstance(value, Unscored):
            return {"u": self._reasons.place(one_line(value.reason, MOST_NAME))}
        return one_line(value, MOST_NAME) if isinstance(value, str) else value

    def told(self) -> dict[str, object]:
        """The lists and the columns, by their names in the index."""
        rows = len(self._ids)
        directions = {rule.name: rule.direction for rule in self._rules.values()}
        values = {name: [*column, *[None] * (rows - len(column))] for name, column in self._values.items()}
        tags = {name: [*places, *[-1] * (rows - len(places))] for name, (_, places) in self._tags.items()}
        return {
            "values": [
                {
                    "name": clean(name),
                    "kind": _kind(column),
                    "direction": directions.get(name, "neither"),
                    "about": "",
                }
                for name, column in values.items()
            ],
            "tags": [{"name": clean(name), "values": known.all()} for name, (known, _) in self._tags.items()],
            "finishes": self._finishes.all(),
            "reasons": self._reasons.all(),
            "outcomes": OUTCOMES,
            "questions": self._questions.all(),
            "samples": {
                "id": self._ids,
                "answer": self._answers,
                **self._numbers,
                "seconds": self._seconds,
                "values": list(values.values()),
                "tags": list(tags.values()),
            },
        }


def _kind(column: Sequence[Shown]) -> str:
    kinds = {type(value) for value in column}
    return "label" if str in kinds else "number" if kinds & {int, float} else "flag"
