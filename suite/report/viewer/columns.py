"""The index of a view: columns of equal length, one entry a row, and the lists that they point into."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from suite.journal.records import OutputRecord, ScoreRecord
from suite.report.hostile_text import clean, one_line
from suite.report.summary import TaskPart
from suite.report.words import meanings
from suite.task import Unscored, Value

OUTCOMES = ("good", "bad", "between", "scored", "unscored", "pending")
MOST_PREVIEW = 140
MOST_NAME = 200  # characters of a tag's value, a label, a reason
_COLUMNS = (
    "id", "cell", "trial", "part", "at", "question", "answer", "finish", "outcome",
    "tokens", "seconds", "calls",
)  # fmt: skip
Entry = str | float | int | bool | None | Mapping[str, int]


class Declared(NamedTuple):
    """What a task says of a value. ends: of its range, if it has one. about: in words."""

    direction: str = "neither"
    ends: tuple[float, float] | None = None
    about: str = ""


class DeclaredValues(NamedTuple):
    """What a task says of its values; those of a task that is not installed as its results tell.

    headline: the value that its first number is made of.
    """

    headline: str
    values: Mapping[str, Declared]

    @classmethod
    def of(cls, task: TaskPart) -> "DeclaredValues":
        """Of every value that a number of the task reads alone."""
        about = {one.name: " ".join(one.lines) for one in meanings(task)}
        found, headline = dict[str, Declared](), task.headline
        for row in (row for metric in task.scores.declared(task.name) for row in metric.measures()):
            if row.over == "samples" and len(row.needs) == 1:
                (value,) = row.needs
                headline = value if row.name == task.headline else headline
                if value not in found or row.name in (value, task.headline):
                    found[value] = Declared(row.direction, row.range, about.get(row.name, ""))
        for result in (one for cell in task.cells for one in cell.metrics):
            found.setdefault(result.name, Declared(result.direction, None, about.get(result.name, "")))
        return cls(headline, found)

    def outcome(self, score: ScoreRecord | None) -> str:
        """One of OUTCOMES."""
        if score is None:
            return "pending"
        value, told = score.values.get(self.headline), self.values.get(self.headline, Declared())
        if isinstance(value, Unscored):
            return "unscored"
        ends = told.ends or ((0, 1) if isinstance(value, bool) else None)
        if ends is None or not isinstance(value, int | float) or told.direction == "neither":
            return "scored"
        low, high = value <= ends[0], value >= ends[1]
        good, bad = (low, high) if told.direction == "lower" else (high, low)
        return "good" if good else "bad" if bad else "between"


class Listed:
    """A list of distinct texts, each named by its place."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, text: str, most: int = MOST_NAME) -> int:
        """Where a text stands, on one line and cut; it is added if it is new."""
        return self._places.setdefault(one_line(text, most), len(self._places))

    def all(self) -> list[str]:
        """The texts in order."""
        return list(self._places)


class Columns:
    """Everything that the index holds of the rows, filled row by row. declared: by cell."""

    def __init__(self, declared: Mapping[str, DeclaredValues]) -> None:
        self._declared = declared
        self._finishes, self._reasons, self._questions = Listed(), Listed(), Listed()
        self._rows: dict[str, list[Entry]] = {name: [] for name in _COLUMNS}
        self._values: dict[str, list[Entry]] = {}
        self._tags: dict[str, tuple[Listed, list[int]]] = {}

    def add(
        self, output: OutputRecord, score: ScoreRecord | None, asked: str, said: str, **told: float
    ) -> None:
        """A row. told: its further columns, the same of every row."""
        row = len(self._rows["id"])
        own: dict[str, Entry] = {
            "id": clean(output.sample), "trial": output.trial, "answer": one_line(said, MOST_PREVIEW),
            "question": self._questions.place(asked, MOST_PREVIEW),
            "finish": self._finishes.place(output.output.finish),
            "outcome": OUTCOMES.index(self._declared[output.cell].outcome(score)),
        }  # fmt: skip
        for name, entry in (own | told).items():
            self._rows[name].append(entry)
        for name, value in score.values.items() if score else ():
            column = self._values.setdefault(name, [])
            column += [None] * (row - len(column))
            column.append(self._entry(value))
        for name, text in output.tags.items():
            known, places = self._tags.setdefault(name, (Listed(), []))
            places += [-1] * (row - len(places))
            places.append(known.place(text))

    def _entry(self, value: Value) -> Entry:
        if isinstance(value, Unscored):
            return {"u": self._reasons.place(value.reason)}
        return one_line(value, MOST_NAME) if isinstance(value, str) else value

    def told(self) -> dict[str, object]:
        """The lists and the columns, by their names in the index."""
        rows = len(self._rows["id"])
        values = [column + [None] * (rows - len(column)) for column in self._values.values()]
        tags = [places + [-1] * (rows - len(places)) for _, places in self._tags.values()]
        told = {name: one for each in self._declared.values() for name, one in each.values.items()}
        return {
            "values": [
                {"name": clean(name), "kind": _kind(column), "direction": one.direction, "about": one.about}
                for name, column in self._values.items()
                for one in (told.get(name, Declared()),)
            ],
            "tags": [{"name": clean(name), "values": one.all()} for name, (one, _) in self._tags.items()],
            "finishes": self._finishes.all(), "reasons": self._reasons.all(), "outcomes": OUTCOMES,
            "questions": self._questions.all(), "samples": {**self._rows, "values": values, "tags": tags},
        }  # fmt: skip


def _kind(column: Sequence[Entry]) -> str:
    kinds = set(map(type, column))
    return "label" if str in kinds else "number" if kinds & {int, float} else "flag"
