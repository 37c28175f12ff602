"""The samples that somebody asks for, by what they are and what they came to. Not here: how they are drawn.

They are found in one pass over the journal; the first ones by cell and id are kept.
"""

import heapq
import operator
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, get_args

from suite.chat import Finish
from suite.errors import ConfigError, unknown
from suite.journal.documents import CellRecord
from suite.journal.pairs import Key
from suite.journal.records import OutputRecord, ScoreRecord
from suite.journal.run import Run
from suite.report.numbers import plain
from suite.report.remarks import parameters_of
from suite.task import Unscored, Value

MOST_NAMES = 1_000  # kept to suggest one that is near a wrong one
_CONDITION = re.compile(r"\s*([^<>=!]+?)\s*(!=|<=|>=|=|<|>)\s*(.*?)\s*", re.S)
_OPERATORS = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt, "<=": operator.le,
              ">=": operator.ge}  # fmt: skip
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class Picked(NamedTuple):
    """One sample. outcome: a few words."""

    key: Key
    output: OutputRecord
    score: ScoreRecord | None
    outcome: str


def _outcome(headline: str, output: OutputRecord, score: ScoreRecord | None) -> str:
    if score is None:
        return "not scored yet"
    value: Value = score.values.get(headline)
    if any(isinstance(one, Unscored) for one in score.values.values()):
        return "unscored"
    if isinstance(value, bool):
        return f"{headline}: {'yes' if value else 'no'}"
    if isinstance(value, int | float):
        return f"{headline}: {value:.3g}" if value in (0, 1) else f"{headline}: between"
    return output.output.finish if output.output.finish != "stop" else "scored"


def natural(text: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """A sort key that puts item/2 before item/10; different texts never have the same."""
    words = re.findall(r"\d+|\D+", text)
    numbers = (word.isdecimal() and len(word) < 19 for word in words)
    return tuple((0, int(w), "") if n else (1, 0, w) for w, n in zip(words, numbers, strict=True)), text


class Condition(NamedTuple):
    """What a field must be. sign: one of =, !=, <, >, <=, >=."""

    field: str
    sign: str
    text: str

    @classmethod
    def of(cls, text: str) -> "Condition":
        """Read NAME=VALUE and its kind. Raises ConfigError."""
        found = _CONDITION.fullmatch(text)
        if found is None or not found[3]:
            raise ConfigError.of("report.where", text=text)
        return cls(*found.groups())

    def holds(self, value: Value) -> bool:
        """Whether a value is so; an unscored one is `unscored`, one that does not apply is `none`, and
        neither fits any other text. Raises ConfigError for a text that this field can never be."""
        if value is None or isinstance(value, Unscored) or self.text in ("none", "unscored"):
            word = "none" if value is None else "unscored" if isinstance(value, Unscored) else ""
            same = word == self.text
            return same if self.sign == "=" else self.sign == "!=" and not same and not word
        compare = _OPERATORS[self.sign]
        if isinstance(value, str):
            if self.sign not in ("=", "!="):
                raise ConfigError(f"{self.field} is text", f"--where {self.field}", "compare it with = or !=")
            return bool(compare(value, self.text))
        try:
            yes = _YES.get(self.text.lower()) if isinstance(value, bool) else None
            wanted = float(self.text) if yes is None else yes
        except ValueError:
            kind = "yes or no" if isinstance(value, bool) else "a number"
            raise ConfigError.of("report.where-kind", field=self.field, kind=kind, text=self.text) from None
        return bool(compare(value, wanted))


class SamplesWanted(NamedTuple):
    """Which samples. cells: ids, their beginnings, or PARAMETER=VALUE. tags: (name, value); all must hold."""

    where: Sequence[Condition] = ()
    cells: Sequence[str] = ()
    tags: Sequence[tuple[str, str]] = ()
    sample: str = ""
    limit: int | None = None


class FoundSamples(NamedTuple):
    """The first samples by cell and id, and how many there are in all."""

    picked: Sequence[Picked]
    total: int


def find_samples(run: Run, wanted: SamplesWanted) -> FoundSamples:
    """The samples wanted. Raises NotFound for a cell, tag, field or sample that the run does not have."""
    search = _Search(run, wanted)
    order = {cell.cell: place for place, cell in enumerate(run.manifest.cells)}

    def place(one: Picked) -> tuple[int, object, int]:
        return order[one.key.cell], natural(one.key.sample), one.key.trial

    found, most = search.matching(), wanted.limit
    picked = sorted(found, key=place) if most is None else heapq.nsmallest(most, found, place)
    search.check_names()
    return FoundSamples(picked, search.total)


class _Search:
    def __init__(self, run: Run, wanted: SamplesWanted) -> None:
        self.run, self.wanted = run, wanted
        self.total = 0
        self._headlines = {cell.cell: cell.headline for cell in run.results.cells}
        self._cells = frozenset(cell.cell for cell in run.manifest.cells if self._is_cell(cell))
        self._fields: set[str] = {"finish", "unscored", "trial"}
        self._tags: dict[str, set[str]] = {}
        self._ids: set[str] = set()
        if not self._cells:
            cells = run.manifest.cells
            known = {f"{k}={plain(v)}" for cell in cells for k, v in parameters_of(cell).items()}
            raise unknown("cell", ", ".join(wanted.cells), [*(one.cell for one in cells), *known])

    def _is_cell(self, cell: CellRecord) -> bool:
        values = {name: (plain(one), str(one).lower()) for name, one in parameters_of(cell).items()}
        pairs = (text.partition("=") for text in self.wanted.cells)
        return all(
            value in values.get(name, ()) if equals else bool(name) and cell.cell.startswith(name)
            for name, equals, value in pairs
        )

    def matching(self) -> Iterator[Picked]:
        for output, score in self.run.pairs():
            if len(self._ids) < MOST_NAMES or output.sample == self.wanted.sample:
                self._ids.add(output.sample)
            for name, value in output.tags.items():
                seen = self._tags.setdefault(name, set())
                if len(seen) < MOST_NAMES:
                    seen.add(value)
            if self._matches(output, score):
                self.total += 1
                outcome = _outcome(self._headlines.get(output.cell, ""), output, score)
                yield Picked(Key.of(output), output, score, outcome)

    def _matches(self, output: OutputRecord, score: ScoreRecord | None) -> bool:
        values = score.values if score else {}
        self._fields.update(values)
        self._fields.update(output.tags)
        wanted = self.wanted
        if output.cell not in self._cells or wanted.sample not in ("", output.sample):
            return False
        if any(output.tags.get(name) != value for name, value in wanted.tags):
            return False
        reasons = [one.reason for one in values.values() if isinstance(one, Unscored)]
        fields: dict[str, Sequence[Value]] = {
            "finish": [output.output.finish],
            "trial": [output.trial],
            "unscored": reasons or [None],
            **{name: [value] for name, value in output.tags.items()},
            **{name: [value] for name, value in values.items()},
        }
        return all(any(map(one.holds, fields.get(one.field, ()))) for one in wanted.where)

    def check_names(self) -> None:
        wanted = self.wanted
        tags, fields = ", ".join(sorted(self._tags)) or "none", ", ".join(sorted(self._fields))
        fields += "" if self.run.scoring else "; it is not scored yet"
        if wanted.sample and wanted.sample not in self._ids:
            raise unknown("sample", wanted.sample, self._ids, f"in run {self.run.name}")
        for name, value in wanted.tags:
            if name not in self._tags:
                raise unknown("tag", name, self._tags, f"tags of run {self.run.name}: {tags}")
            if value not in self._tags[name] and not self.total:
                raise unknown(f"value of {name}", value, self._tags[name], f"in run {self.run.name}")
        for one in wanted.where:
            if one.field not in self._fields:
                raise unknown("field", one.field, self._fields, f"fields of run {self.run.name}: {fields}")
            if one.field == "finish" and one.text not in get_args(Finish):
                raise unknown("finish", one.text, get_args(Finish), f"--where {one.field}")
