"""R6 and R7: solve and score once more, with the recorded replies and nobody to ask, and compare.

The task's own code of this side rebuilds every request from the pinned data; a reply is found only under
the request's identity. What comes out must be what was recorded; what was recorded must have been asked.
Candidate and deterministic values are R6, whatever a judge was asked for is R7.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from suite.board.verify.equality import differing_values
from suite.board.verify.subject import VerifiedRun
from suite.errors import PluginError, RunError, SandboxUnavailable, SuiteError
from suite.journal.documents import CellRecord, ScoredCell
from suite.journal.pairs import Key, Waiting
from suite.journal.records import USUAL_ROLE, OutputRecord, ScoreRecord
from suite.journal.run import Run
from suite.run.outcome import Outcome, RunSettings
from suite.run.session import run_plan
from suite.task import Output

_bytes = msgspec.json.Encoder().encode
RecordT = TypeVar("RecordT", OutputRecord, ScoreRecord)
Ids = NDArray[np.uint64]


def replay(subject: VerifiedRun, scratch: Path) -> None:
    """Climb R6 and R7. Needs `subject.plan`; sets `subject.replayed` and `subject.whole`."""
    plan = subject.plan
    assert plan is not None
    for cell in plan.cells:
        if cell.task.info.replay == "none":
            reason = f"{cell.plan.task} is not replayable: {cell.task.info.replay_reason}"
            subject.not_run(reason, "R6", "R7")
            return
    scoring = subject.run.judged.folder
    settings = RunSettings(
        cache=False,
        quiet=True,
        signals=False,
        backoff_s=0.0,
        level=subject.scoring_manifest.level,
        extra_recorded=(subject.run.folder, scoring),
        errors_allowed=2**62,
    )
    try:
        outcome = asyncio.run(run_plan(plan, scratch, settings=settings))
    except SuiteError as error:
        if isinstance(error, PluginError) or _ours(error):
            subject.not_run(error.what, "R6", "R7")
        else:
            subject.add("R6.replay", "the replay broke off", found=error.what)
        return
    if outcome.error is not None and _ours(outcome.error):
        subject.not_run(outcome.error.what, "R6", "R7")
        return
    for rung in ("R6", "R7"):
        subject.findings.ran(rung)
    if outcome.error is not None:
        subject.add("R6.replay", "the replay broke off", found=outcome.error.what)
    _compare(subject, Run(scratch, outcome.scoring), outcome)


def _ours(error: SuiteError) -> bool:
    """Whether this machine is to blame and not the bundle: no sandbox, or no room to write."""
    return isinstance(error, SandboxUnavailable) or (
        isinstance(error, RunError) and isinstance(error.__cause__, OSError)
    )


def _compare(subject: VerifiedRun, again: Run, outcome: Outcome) -> None:
    subject.replayed = again
    subject.whole = outcome.pending == 0 and outcome.error is None
    _facts(subject, again)
    undone = _pending(subject, again)

    asked = _Asked()
    for mine, theirs in _matched(again.outputs(), subject.run.outputs()):
        asked.add(mine.calls if mine is not None else theirs.calls if theirs is not None else ())
        if mine is not None and theirs is not None:
            _output(subject, mine, theirs)
        elif mine is None and theirs is not None and Key.of(theirs) not in undone:
            subject.add("R6.no-such-work", "an output that no sample leads to", sample=theirs.sample)
    for mine_score, theirs_score in _matched(again.scores(), subject.run.scores()):
        one = mine_score if mine_score is not None else theirs_score
        asked.add(one.calls if one is not None else ())
        if mine_score is not None and theirs_score is not None:
            _score(subject, mine_score, theirs_score)
    _left_over(subject, asked.ids())


def _matched(
    mine: Iterable[RecordT], theirs: Iterable[RecordT]
) -> Iterator[tuple[RecordT | None, RecordT | None]]:
    """Two journals side by side: their records are in about the same order, so few wait."""
    sides = iter(mine), iter(theirs)
    waiting = Waiting(sides[0]), Waiting(sides[1])
    going = [True, True]
    while any(going):
        for side in (0, 1):
            record = next(sides[side], None) if going[side] else None
            if record is None:
                going[side] = False
                continue
            key = Key.of(record)
            partner = waiting[1 - side].pop(key)
            if partner is None:
                waiting[side].put(key, record)
            else:
                yield (record, partner) if side == 0 else (partner, record)
    for record in waiting[0]:
        yield record, None
    for record in waiting[1]:
        yield None, record


class _Asked:
    """The ids of calls that some work asked, 8 bytes each."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._done: list[Ids] = []

    def add(self, calls: Iterable[str]) -> None:
        self._ids += [int(call[:16], 16) for call in calls]
        if len(self._ids) > 65536:
            self._done.append(np.unique(np.array(self._ids, dtype=np.uint64)))
            self._ids.clear()

    def ids(self) -> Ids:
        return np.unique(np.concatenate([*self._done, np.array(self._ids, dtype=np.uint64)]))


def _filled(subject: VerifiedRun, record: OutputRecord) -> Output:
    """An output with the text that was left out, taken from its call's reply."""
    return Output(subject.run.text(record), record.output.data, record.output.finish)


def _facts(subject: VerifiedRun, again: Run) -> None:
    """What the tasks said of versions and digests when they were opened."""
    told: set[tuple[str, ...]] = set()
    run = subject.run
    sides: tuple[tuple[str, Sequence[CellRecord | ScoredCell], Sequence[CellRecord | ScoredCell]], ...] = (
        ("manifest.json", run.manifest.cells, again.manifest.cells),
        ("scoring/manifest.json", run.scoring_manifest.cells, again.scoring_manifest.cells),
    )
    for file, theirs, mine in sides:
        for one, other in zip(theirs, mine, strict=False):
            for name in sorted({*one.facts, *other.facts}):
                then, now = one.facts.get(name, "nothing"), other.facts.get(name, "nothing")
                if then == now or (one.cell, name, then, now) in told:
                    continue
                told.add((one.cell, name, then, now))
                what = "what the task found here when it was opened is not what it found then"
                where = subject.place(file, f"cell {one.cell}, {name}")
                subject.add("R6.facts", what, where, "warning", expected=now, found=then)


def _pending(subject: VerifiedRun, again: Run) -> set[Key]:
    """The works that the replay could not do, each named with its reason."""
    undone: set[Key] = set()
    roles: dict[Key, str] = {}
    for attempt in again.journal.attempts:
        key = Key(attempt.cell, attempt.sample, attempt.trial)
        if attempt.event == "error":
            roles[key] = attempt.role
        elif attempt.event == "pending":
            undone.add(key)
            judged = attempt.stage == "score"
            role = roles.get(key, "candidate")
            if attempt.kind == "not-recorded":
                code, what = "request", f"a request to {role} was not recorded as it must be made"
            else:
                code, what = "failed", f"{attempt.stage} fails on what was recorded"
            rung, where = "R7" if judged else "R6", f"cell {attempt.cell}, trial {attempt.trial}"
            where = subject.place("", where)
            subject.add(f"{rung}.{code}", what, where, sample=attempt.sample, found=attempt.detail)
    return undone


def _output(subject: VerifiedRun, mine: OutputRecord, theirs: OutputRecord) -> None:
    where = subject.place("outputs.jsonl", f"cell {theirs.cell}, trial {theirs.trial}")
    if mine.output != theirs.output or mine.text_from != theirs.text_from:
        here, there = _filled(subject, mine), _filled(subject, theirs)
        for name in ("text", "data", "finish"):
            ours, their = getattr(here, name), getattr(there, name)
            if ours != their:
                what = f"the output's {name} does not follow from the recorded replies"
                subject.add("R6.output", what, where, sample=theirs.sample, expected=ours, found=their)
    if mine.calls != theirs.calls and sorted(mine.calls) != sorted(theirs.calls):
        _calls(subject, "R6.calls", where, mine, theirs)


def _calls(
    subject: VerifiedRun,
    code: str,
    where: str,
    mine: OutputRecord | ScoreRecord,
    theirs: OutputRecord | ScoreRecord,
) -> None:
    here, there = Counter(mine.calls), Counter(theirs.calls)
    ours, their = sorted((here - there).elements()), sorted((there - here).elements())
    what = "other calls belong to this sample than those it names"
    subject.add(code, what, where, sample=theirs.sample, expected=ours, found=their)


def _score(subject: VerifiedRun, mine: ScoreRecord, theirs: ScoreRecord) -> None:
    rung = "R7" if mine.calls or theirs.calls else "R6"
    where = subject.place("scoring/scores.jsonl", f"cell {theirs.cell}, trial {theirs.trial}")
    if mine.output_sha256 != theirs.output_sha256:
        code, what, ours = f"{rung}.judged-output", "the score is of another output", mine.output_sha256
        subject.add(code, what, where, sample=theirs.sample, expected=ours, found=theirs.output_sha256)
    if _bytes(mine.values) != _bytes(theirs.values):  # true and 1 would be equal
        for name, here, there in differing_values(mine.values, theirs.values):
            _value(subject, rung, where, theirs.sample, name, here, there)
    if _bytes(mine.parts) != _bytes(theirs.parts):
        _parts(subject, rung, where, mine, theirs)
    if mine.calls != theirs.calls and sorted(mine.calls) != sorted(theirs.calls):
        _calls(subject, f"{rung}.calls", where, mine, theirs)


def _parts(subject: VerifiedRun, rung: str, where: str, mine: ScoreRecord, theirs: ScoreRecord) -> None:
    ids = [one.id for one in mine.parts], [one.id for one in theirs.parts]
    both = zip(mine.parts, theirs.parts, strict=False)
    if ids[0] != ids[1]:
        here = {part.id: part for part in mine.parts}
        both = ((here[part.id], part) for part in theirs.parts if part.id in here)  # type: ignore[assignment]
        what = "a score has other parts than its output gives"
        subject.add(f"{rung}.parts", what, where, sample=theirs.sample, expected=ids[0], found=ids[1])
    for ours, part in both:
        name = part.id
        if ours.tags != part.tags:
            _value(subject, rung, where, theirs.sample, f"part {name} tags", ours.tags, part.tags)
        for value, mine_value, their_value in differing_values(ours.values, part.values):
            _value(subject, rung, where, theirs.sample, f"part {name} {value}", mine_value, their_value)


def _value(
    subject: VerifiedRun, rung: str, where: str, sample: str, name: str, here: object, there: object
) -> None:
    judge = "a judge was asked" if rung == "R7" else "no judge"
    what = f"a recorded value is not what scoring gives ({judge})"
    subject.add(f"{rung}.score", what, f"{where}, {name}", sample=sample, expected=here, found=there)


class _CallHead(msgspec.Struct):
    id: str
    group: str
    role: str = USUAL_ROLE
    trial: int = 0


def _left_over(subject: VerifiedRun, asked: Ids) -> None:
    """Recorded calls that nobody asks."""
    decoder = msgspec.json.Decoder(_CallHead)
    for file, journal in zip(("calls.jsonl", "scoring/calls.jsonl"), subject.run.journals(), strict=True):
        lines = journal.calls
        heads = [int(decoder.decode(line).id[:16], 16) for line in lines.raw()]
        extra = ~np.isin(np.array(heads, dtype=np.uint64), asked)
        if not extra.any():
            continue
        for number, line in enumerate(lines.raw(), 1):
            if extra[number - 1]:
                call = decoder.decode(line)
                subject.add(
                    "R6.left-over" if call.role.partition("/")[0] == "candidate" else "R7.left-over",
                    "a recorded call that no sample asks",
                    subject.place(file, f"line {number}, trial {call.trial}"),
                    found={"role": call.role, "group": call.group},
                )
