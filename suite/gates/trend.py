"""Each claim over the nights of a history: its line, where the line breaks, and the levels it had.

A line breaks where another policy, baseline, task version or model was gated. Changes of the level are sought
among nights that measure the same (`stats.change_points`): across another policy or model, since whether that
changed anything is the question, but not across another baseline or task version.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from typing import get_args

import numpy as np
from msgspec import Struct, structs, to_builtins

from suite.blocks import Line, Section
from suite.chat import canonical_json
from suite.gates.nights import ClaimNight, Night, Verdict
from suite.parameters import distinguishing
from suite.report.numbers import number
from suite.report.summary import label
from suite.report.text_templates import Macros
from suite.report.timelines import DAY, Timeline
from suite.scoring.stats.change_points import levels
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.intervals import normal_quantile

CONDITIONS = ("policy", "model", "task version", "baseline")  # after the last two another thing is measured
MOST_NIGHTS, MOST_COMPACT = 90, 14  # in the table of a page, and in a terminal
MOST_MARKS = 12  # in a plot, the last ones; the table has all
NightsOfClaim = Sequence[tuple[Night, ClaimNight]]


class TrendLevel(Struct, frozen=True):
    """The level of d from a night until another, and its standard error. change: whether one begins it; else
    what is measured begins."""

    time: str
    until: str
    d: float
    error: float
    change: bool


@dataclass(frozen=True)
class ClaimTrend:
    """title: of the claim. line: its nights in order. breaks: by the time of the night that begins another
    piece of the line, what is other than the night before. marks: times of all breaks and changes."""

    title: str
    line: NightsOfClaim
    breaks: Mapping[str, str]
    levels: Sequence[TrendLevel]
    marks: Sequence[str]


def sections(nights: Sequence[Night], note: str, *, compact: bool) -> list[Section]:
    """All nights, then each claim. note: on the history. compact: for a terminal."""
    claims = claim_trends(nights := by_run(nights))
    shown = ([], MOST_COMPACT) if compact else ([timeline(one) for one in claims], MOST_NIGHTS)
    return _TEXTS.sections("sections", nights, note, claims, *shown)


def as_data(nights: Sequence[Night], note: str) -> object:
    """As plain data: every night without its units, and of each claim the breaks and levels."""
    nights = by_run(nights)
    claims = [{"title": o.title, "breaks": o.breaks, "levels": o.levels} for o in claim_trends(nights)]
    told = {"note": note, "nights": [structs.replace(one, units={}) for one in nights], "claims": claims}
    return to_builtins({"format": "suite-trend/1", **told}, enc_hook=str)


def by_run(nights: Sequence[Night]) -> list[Night]:
    """The nights in order of the candidates' runs, each of the time at which its last run began."""
    dated = [*nights]
    for place, night in enumerate(nights):
        with suppress(ValueError):  # a time that is none: the gate's stands for it
            dated[place] = structs.replace(night, time=max(run.created for run in night.candidate))
    return sorted(dated, key=lambda night: _day(night.time))


def claim_trends(nights: Sequence[Night]) -> list[ClaimTrend]:
    """Of each claim in each cell that the nights, in order of time, tested."""
    lines: dict[tuple[object, ...], list[tuple[Night, ClaimNight]]] = {}
    for night in nights:
        times: Counter[tuple[object, ...]] = Counter()
        for one in night.claims:
            key = (one.task, canonical_json(one.cell), one.metric, one.kind)
            times[key] += 1  # claims that differ in their threshold alone
            lines.setdefault((*key, times[key]), []).append((night, one))
    last = [line[-1][1] for line in lines.values()]
    apart = {one.task: distinguishing([o.cell for o in last if o.task == one.task]) for one in last}
    return [_trend(line, apart[line[-1][1].task]) for line in lines.values()]


def _trend(line: NightsOfClaim, apart: Sequence[str]) -> ClaimTrend:
    one, cuts, breaks = line[-1][1], [0], dict[str, str]()
    for index, (old, new) in enumerate(pairwise([_conditions(*each) for each in line]), 1):
        told = [f"{name} {a} → {b}" for name, a, b in zip(CONDITIONS, old, new, strict=True) if a != b]
        breaks |= {line[index][0].time: "; ".join(told)} if told else {}
        cuts += [index] * (old[2:] != new[2:])
    found = [level for begin, end in pairwise([*cuts, len(line)]) for level in _levels(line[begin:end])]
    marks = sorted({*breaks, *(level.time for level in found if level.change)})
    return ClaimTrend(_TEXTS.text("title", one, label(one.cell, apart)), line, breaks, found, marks)


def _conditions(night: Night, one: ClaimNight) -> list[str]:
    """What the line must not change, by `CONDITIONS`."""
    runs = [f"{run.name}@{run.scoring} of {run.created}" for run in night.baseline if one.kind != "at-least"]
    models = {run.model: None for run in night.candidate}
    return [night.policy_sha256[:8], ", ".join(models), str(one.version), ", ".join(runs)]


def _levels(line: NightsOfClaim) -> Iterator[TrendLevel]:
    known = [(night.time, o.d or 0.0, (o.high or 0.0) - (o.low or 0.0), o.level) for night, o in line]
    known = [each for each in known if each[2] > 0 and 0 < each[3] < 1]
    values = np.array([d for _, d, _, _ in known], dtype=np.float64)
    errors = np.array([wide / 2 / normal_quantile(level) for _, _, wide, level in known], dtype=np.float64)
    for first, last, mean, error in levels(values, errors):
        yield TrendLevel(known[first][0], known[last][0], mean, error, first > 0)


def timeline(it: ClaimTrend) -> Timeline:
    """The claim's line as a plot; nights without a value are left out."""
    last, kinds = it.line[-1][1], []
    shown = [(_day(night.time), one, night.time) for night, one in it.line if one.d is not None]
    for verdict in get_args(Verdict):
        some = [(day, Estimate(one.d, one.low, one.high)) for day, one, _ in shown if one.verdict == verdict]
        kinds.append(Line.of(verdict, [each for _, each in some], [day for day, _ in some]))
    pieces = groupby(shown, key=lambda each: sum(time <= each[2] for time in it.breaks))
    paths = [Line("", [(day, one.d or 0.0) for day, one, _ in piece]) for _, piece in pieces]
    paths += [Line("level", [(_day(o.time), o.d), (_day(o.until), o.d)]) for o in it.levels]
    rules = [(_TEXTS.text("rule", last), last.threshold)]
    rules += [("no difference", 0.0)] * bool(last.kind != "at-least" and last.threshold)
    events = [(str(place), _day(time)) for place, time in enumerate(it.marks, 1)][-MOST_MARKS:]
    return Timeline(kinds, y=_TEXTS.text("axis", last), paths=paths, rules=rules, events=events)


def _day(time: str) -> float:
    return datetime.fromisoformat(time).timestamp() / DAY


_TEXTS = Macros("gates/templates/trend.j2", number)
