"""The index of a view: columns of equal length, one entry a row, and the lists that they point into."""

from collections.abc import Mapping
from os.path import commonprefix
from typing import NamedTuple

from suite.journal.records import OutputRecord, ScoreRecord
from suite.report.hostile_text import clean, one_line
from suite.report.matrix import meanings
from suite.report.summary import TaskSummary
from suite.task import Unscored, Value

OUTCOMES = ("good", "bad", "between", "scored", "unscored", "pending")
MOST_QUESTION, MOST_PREVIEW = 300, 140  # a page leaves out what all questions of a cell begin with
MOST_NAME = 200  # characters of a tag's value, a label, a reason
_COLUMNS = (
    "id", "cell", "trial", "part", "at", "question", "answer", "finish", "outcome",
    "tokens", "seconds", "calls",
)  # fmt: skip
Entry = str | float | int | bool | None | Mapping[str, int]


class ValueTerms(NamedTuple):
    """What a task says of a value. ends: of its range, if it has one. about: in matrix."""

    direction: str = "neither"
    ends: tuple[float, float] | None = None
    about: str = ""


class ScoredValues(NamedTuple):
    """What a task says of its values; those of a task that is not installed as its results tell.

    headline: the value that its first number is made of.
    """

    headline: str
    values: Mapping[str, ValueTerms]

    @classmethod
    def of(cls, task: TaskSummary) -> "ScoredValues":
        """Of every value that a number of the task reads alone."""
        about = {name: " ".join(lines) for name, lines in meanings(task)}
        found, headline = dict[str, ValueTerms](), task.headline
        for row in (row for metric in task.scores.declared(task.name) for row in metric.measures()):
            if row.over == "samples" and len(row.needs) == 1:
                (value,) = row.needs
                headline = value if row.name == task.headline else headline
                if value not in found or row.name in (value, task.headline):
                    found[value] = ValueTerms(row.direction, row.range, about.get(row.name, ""))
        for result in (one for cell in task.cells for one in cell.metrics):
            found.setdefault(result.name, ValueTerms(result.direction, None, about.get(result.name, "")))
        return cls(headline, found)

    def outcome(self, score: ScoreRecord | None) -> str:
        """One of OUTCOMES."""
        if score is None:
            return "pending"
        value, told = score.values.get(self.headline), self.values.get(self.headline, ValueTerms())
        if isinstance(value, Unscored):
            return "unscored"
        ends = told.ends or ((0, 1) if isinstance(value, bool) else None)
        if ends is None or not isinstance(value, int | float) or told.direction == "neither":
            return "scored"
        low, high = value <= ends[0], value >= ends[1]
        good, bad = (low, high) if told.direction == "lower" else (high, low)
        return "good" if good else "bad" if bad else "between"


def _place(known: dict[str, int], text: str, most: int = MOST_NAME) -> int:
    """Where a text stands among those known, on one line and cut; it is added if it is new."""
    return known.setdefault(one_line(text, most), len(known))


class Told(NamedTuple):
    """What the index tells of a row beside its records; tokens, seconds and calls are of all its calls."""

    question: str = ""
    answer: str = ""
    facts: Mapping[str, str] = {}  # of an answer without text
    tokens: int = 0
    seconds: float = 0.0
    calls: int = 0


class Columns:
    """Everything that the index holds of the rows, filled row by row. declared: by cell."""

    def __init__(self, declared: Mapping[str, ScoredValues]) -> None:
        self._declared = declared
        self._finishes, self._reasons, self._questions = (dict[str, int]() for _ in range(3))
        self._rows: dict[str, list[Entry]] = {name: [] for name in _COLUMNS}
        self._facts: dict[str, dict[int, Mapping[str, str]]] = {}  # by cell and row
        self._asked: dict[int, set[int]] = {}  # questions by cell
        self._values: dict[str, list[Entry]] = {}
        self._tags: dict[str, tuple[dict[str, int], list[int]]] = {}

    def add(self, output: OutputRecord, score: ScoreRecord | None, told: Told, **place: int) -> None:
        """A row. place: its cell, part, at."""
        row, question = len(self._rows["id"]), _place(self._questions, told.question, MOST_QUESTION)
        self._asked.setdefault(place["cell"], set()).add(question)
        entries: dict[str, Entry] = {
            "id": clean(output.sample), "trial": output.trial, "answer": one_line(told.answer, MOST_PREVIEW),
            "question": question, "finish": _place(self._finishes, output.output.finish),
            "outcome": OUTCOMES.index(self._declared[output.cell].outcome(score)),
            "tokens": told.tokens, "seconds": told.seconds, "calls": told.calls, **place,
        }  # fmt: skip
        for name, entry in entries.items():
            self._rows[name].append(entry)
        if told.facts:
            self._facts.setdefault(output.cell, {})[row] = told.facts
        for name, value in score.values.items() if score else ():
            column = self._values.setdefault(name, [])
            column += [None] * (row - len(column))
            column.append(self._entry(value))
        for name, text in output.tags.items():
            known, places = self._tags.setdefault(name, ({}, []))
            places += [-1] * (row - len(places))
            places.append(_place(known, text))

    def _entry(self, value: Value) -> Entry:
        if isinstance(value, Unscored):
            return {"u": _place(self._reasons, value.reason)}
        return one_line(value, MOST_NAME) if isinstance(value, str) else value

    def told(self) -> dict[str, object]:
        """The lists and the columns, by their names in the index."""
        rows = len(self._rows["id"])
        for facts in self._facts.values():
            shared = set.intersection(*(set(one.items()) for one in facts.values()))
            for row, one in facts.items():
                if apart := [f"{name}: {text}" for name, text in one.items() if (name, text) not in shared]:
                    self._rows["answer"][row] = one_line("; ".join(apart), MOST_PREVIEW)
        questions, most = list(self._questions), dict[int, int]()
        for own in self._asked.values():  # what tells them apart comes after how all of a cell begin
            reach = len(commonprefix([questions[one] for one in own])) + MOST_PREVIEW
            most |= {one: max(reach, most.get(one, 0)) for one in own}
        values = [column + [None] * (rows - len(column)) for column in self._values.values()]
        tags = [places + [-1] * (rows - len(places)) for _, places in self._tags.values()]
        told = {name: one for each in self._declared.values() for name, one in each.values.items()}
        return {
            "values": [
                {"name": clean(name), "direction": one.direction, "about": one.about,
                 "decimals": float in kinds,
                 "kind": "label" if str in kinds else "number" if kinds & {int, float} else "flag"}
                for name, column in self._values.items()
                for one, kinds in ((told.get(name, ValueTerms()), set(map(type, column))),)
            ],
            "tags": [{"name": clean(name), "values": list(one)} for name, (one, _) in self._tags.items()],
            "finishes": list(self._finishes), "reasons": list(self._reasons), "outcomes": OUTCOMES,
            "questions": [one_line(text, most[at]) for at, text in enumerate(questions)],
            "samples": {**self._rows, "values": values, "tags": tags},
        }  # fmt: skip
