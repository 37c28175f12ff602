"""People's judgements, recomputed as upstream does: win rates, agreement, constraints satisfied.

Rows are grouped into items by their id before the last "_rep"; the replicates of an item are its
annotators. Source: upstream's code of 2025. A missing "satisfied" is left out of the counts; an annotator
who says nothing of a whole side counts for no difference, and a question of which a side is said by nobody
for no agreement, while the annotators it is divided by stay all. (The code of 2024 drops an annotator with
any missing value.) Ours beside it: the paired test over the queries in common.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

import suite
from suite_contexteval import official
from suite_contexteval.columns import setting_of
from suite_contexteval.published import COMPARED, JUDGE_ORDER
from suite_contexteval.rows import Setting

_LABELS = ("gen_wo_ctx_eval_wo_ctx", "gen_wo_ctx_eval_w_ctx", "gen_w_ctx_eval_w_ctx")
_SIDES = ("satisfied_1", "satisfied_2")


class Satisfied(suite.Payload):
    """A follow-up question with its answer, and whether each response takes it up (None: not said)."""

    qa: str = ""
    satisfied_1: bool | None = None
    satisfied_2: bool | None = None


class HumanRow(suite.Payload):
    """One person's judgement. model_1, model_2: shown as Response 1 and 2."""

    example_id: str
    setting: str
    model_1: str
    model_2: str
    overall_preference: str | None = ""
    justification: str | None = ""
    follow_up_qas: tuple[Satisfied, ...] = ()

    @property
    def item(self) -> str:
        """The id of what was judged."""
        return self.example_id.rsplit("_rep", 1)[0].strip()

    @property
    def known_setting(self) -> Setting:
        """The setting, from a text that holds its label."""
        for label in _LABELS:
            if label in self.setting:
                return setting_of(label)
        return setting_of(self.setting)

    def label(self, one: str) -> str:
        """The preference by candidate: "1", "2" or, for any other value, "T"."""
        shown = {"Response 1": self.model_1, "Response 2": self.model_2}
        preferred = shown.get(self.overall_preference or "")
        if preferred is None:
            return "T"
        return "1" if preferred == one else "2"


@dataclass
class Items:
    """The judgements of one pair in one setting: item -> rows."""

    rows: dict[str, list[HumanRow]] = field(default_factory=dict)


@dataclass(frozen=True)
class Numbers:
    """What one pair in one setting comes to. wins: shares among strict majorities.

    interval: Student's of agreement. constraint_agreement: agreement on items whose mean difference of
    constraints satisfied is at least 1. single: agreement on single constraints.
    """

    pair: tuple[str, str]
    setting: Setting
    items: int
    annotators: float
    wins: official.WinRates
    agreement: float | None
    non_tie: float | None
    interval: tuple[float, float] | None
    constraint_agreement: float | None
    single: float | None
    shares: Mapping[str, float]
    non_tie_shares: Sequence[float]


@dataclass(frozen=True)
class Tests:
    """Agreement between two settings. with_ties: paired in file order, as upstream; None for unequal numbers
    of items. non_tie: unpaired. by_query: paired over the queries in common.
    """

    with_ties: official.TTest | None
    non_tie: official.TTest | None
    by_query: official.TTest | None


@dataclass(frozen=True)
class Human:
    """All of it. difference: mean, SD (of the population) and number of the items' mean absolute
    differences of constraints satisfied, both settings with context pooled, by pair.
    """

    numbers: tuple[Numbers, ...]
    tests: Mapping[tuple[tuple[str, str], Setting, Setting], Tests]
    difference: Mapping[tuple[str, str], tuple[float, float, int]]


def read(path: Path) -> Iterator[HumanRow]:
    """Rows of a file that holds one JSON array or an object a line. Raises DataError naming the line.

    A judgement given twice (same id, setting and models) is refused.
    """
    seen: dict[tuple[str, ...], str] = {}
    for one in suite.json_rows(path, nan=True):
        try:
            row = HumanRow.model_validate(one.value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(map(str, first["loc"]))
            raise suite.DataError(
                f"{path.name} {one.place} is no person's judgement: {field}: {first['msg']}", where=str(path)
            ) from error
        key = (row.example_id, row.setting, *sorted((row.model_1, row.model_2)))
        if key in seen:
            raise suite.DataError(
                f"the judgement {row.example_id!r} is given twice",
                where=f"{path.name}, {seen[key]} and {one.place}",
                fix="leave one of them out; annotators of one item have ids that end in _rep1, _rep2 …",
            )
        seen[key] = one.place
        yield row


def analyse(rows: Iterable[HumanRow]) -> Human:
    """Recompute everything. Candidate one is upstream's for its pairs, else the first in the alphabet."""
    cells: dict[tuple[tuple[str, str], Setting], Items] = {}
    for row in rows:
        cell = cells.setdefault((_pair(row), row.known_setting), Items())
        cell.rows.setdefault(row.item, []).append(row)
    if not cells:
        raise suite.DataError("there is no judgement to analyse")
    numbers = {key: _numbers(*key, cell) for key, cell in cells.items()}
    tests = {}
    for pair in dict.fromkeys(pair for pair, _ in cells):
        for before, after in COMPARED:
            if (pair, before) in numbers and (pair, after) in numbers:
                tests[pair, before, after] = _tests(numbers[pair, before], numbers[pair, after])
    difference = {}
    for pair in dict.fromkeys(pair for pair, _ in cells):
        pooled = [
            _mean([abs(one) for one in differences])
            for (one_pair, setting), cell in cells.items()
            if one_pair == pair and setting != "none"
            for differences in (_differences(rows_) for rows_ in cell.rows.values())
            if differences
        ]
        if pooled:
            difference[pair] = (_mean(pooled), _sd(pooled), len(pooled))
    return Human(tuple(numbers.values()), tests, difference)


def _pair(row: HumanRow) -> tuple[str, str]:
    names = {name.replace("/", "_"): name for name in (row.model_1, row.model_2)}
    for first, second in JUDGE_ORDER:
        if names.keys() == {first, second}:
            return names[first], names[second]
    first, second = sorted((row.model_1, row.model_2))
    return first, second


def _numbers(pair: tuple[str, str], setting: Setting, cell: Items) -> Numbers:
    panels = {item: official.panel([row.label(pair[0]) for row in rows]) for item, rows in cell.rows.items()}
    shares = {item: one.share for item, one in panels.items()}
    non_tie = official.non_tie_agreement(list(panels.values()))
    apart = [
        shares[item]
        for item, rows in cell.rows.items()
        if (found := _differences(rows)) and abs(_mean(found)) >= 1
    ]
    single = [one for rows in cell.rows.values() for one in _single(rows)]
    return Numbers(
        pair=pair,
        setting=setting,
        items=len(panels),
        annotators=_mean([float(len(rows)) for rows in cell.rows.values()]),
        wins=official.win_rates(list(panels.values())),
        agreement=_mean(list(shares.values())),
        non_tie=_mean(non_tie) if non_tie else None,
        interval=official.t_interval(list(shares.values())),
        constraint_agreement=_mean(apart) if setting != "none" and apart else None,
        single=_mean(single) if setting != "none" and single else None,
        shares=shares,
        non_tie_shares=non_tie,
    )


def _tests(before: Numbers, after: Numbers) -> Tests:
    """Upstream pairs what stands at the same place; an item's id begins with its query's."""
    x, y = list(before.shares.values()), list(after.shares.values())
    own = {item.partition("_")[0]: share for item, share in before.shares.items()}
    other = {item.partition("_")[0]: share for item, share in after.shares.items()}
    common = [query for query in own if query in other]
    return Tests(
        with_ties=official.paired_t(x, y) if len(x) == len(y) else None,
        non_tie=official.independent_t(before.non_tie_shares, after.non_tie_shares),
        by_query=official.paired_t([own[query] for query in common], [other[query] for query in common]),
    )


def _differences(rows: Sequence[HumanRow]) -> list[float]:
    """Of each annotator: constraints satisfied by response 1 minus by response 2."""
    found = []
    for row in rows:
        sides = [_said(row.follow_up_qas, side) for side in _SIDES]
        if all(sides):
            found.append(float(sum(sides[0]) - sum(sides[1])))
    return found


def _single(rows: Sequence[HumanRow]) -> Iterator[float]:
    """For each constraint and response: count of the commonest value over the number of annotators."""
    for place in range(len(rows[0].follow_up_qas)):
        asked = [row.follow_up_qas[place] for row in rows if place < len(row.follow_up_qas)]
        sides = [_said(asked, side) for side in _SIDES]
        if all(sides):
            for side in sides:
                yield Counter(side).most_common(1)[0][1] / len(rows)


def _said(qas: Sequence[Satisfied], side: str) -> list[bool]:
    return [value for one in qas if (value := getattr(one, side)) is not None]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _sd(values: Sequence[float]) -> float:
    mean = _mean(values)
    return math.sqrt(math.fsum((one - mean) ** 2 for one in values) / len(values))
