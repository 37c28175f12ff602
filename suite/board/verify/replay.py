"""R6 and R7: solve and score once more, with the recorded replies and nobody to ask, and compare.

The task's own code of this side rebuilds every request from the pinned data; a reply is found only under
the request's identity. What comes out must be what was recorded; what was recorded must have been asked.
Candidate and deterministic values are R6, whatever a judge was asked for is R7.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec.structs import replace

from suite.board.verify.equality import differing_values
from suite.board.verify.subject import VerifiedRun, halves
from suite.errors import PluginError, RunError, SandboxUnavailable, SuiteError
from suite.journal.index import id64
from suite.journal.pairs import Key, RecordT, side_by_side
from suite.journal.records import USUAL_ROLE, OutputRecord, ScoreRecord
from suite.journal.run import Run
from suite.run.outcome import Outcome, RunSettings
from suite.run.session import run_plan
from suite.task import Output

_bytes = msgspec.json.Encoder().encode


def replay(subject: VerifiedRun, scratch: Path) -> None:
    """Climb R6 and R7. Needs `subject.plan`; sets `subject.replayed` and `subject.whole`."""
    plan = subject.planned
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
        level=subject.run.scoring_manifest.level,
        extra_recorded=(subject.run.folder, scoring),
        errors_allowed=2**62,
    )
    try:
        outcome = asyncio.run(run_plan(plan, scratch, settings=settings))
    except SuiteError as error:
        if isinstance(error, PluginError) or _ours(error):
            subject.not_run(error.what, "R6", "R7")
        else:
            subject.add("R6.replay", found=error.what)
        return
    if outcome.error is not None and _ours(outcome.error):
        subject.not_run(outcome.error.what, "R6", "R7")
        return
    subject.findings.ran("R6")
    subject.findings.ran("R7")
    if outcome.error is not None:
        subject.add("R6.replay", found=outcome.error.what)
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

    asked: set[int] = set()  # the first digits of calls that some work asks
    for mine, theirs in side_by_side(again.outputs(), subject.run.outputs()):
        asked.update(_asked(mine or theirs))
        if mine is not None and theirs is not None:
            _output(subject, mine, theirs)
        elif theirs is not None and Key.of(theirs) not in undone:
            subject.add("R6.no-such-work", sample=theirs.sample)
    for score, recorded in side_by_side(again.scores(), subject.run.scores()):
        asked.update(_asked(score or recorded))
        if score is not None and recorded is not None:
            _score(subject, score, recorded)
    _left_over(subject, asked)


def _asked(record: OutputRecord | ScoreRecord | None) -> Iterator[int]:
    return map(id64, record.calls if record is not None else ())


def _facts(subject: VerifiedRun, again: Run) -> None:
    """What the tasks said of versions and digests when they were opened."""
    told: set[tuple[str, ...]] = set()
    for half, made in zip(subject.halves, halves(again), strict=True):
        facts = {one.cell: one.facts for one in made.manifest.cells}
        for one in half.manifest.cells:
            mine = facts.get(one.cell, {})
            for name in sorted({*one.facts, *mine}):
                then, now = one.facts.get(name, "nothing"), mine.get(name, "nothing")
                if then != now and (fact := (one.cell, name, then, now)) not in told:
                    told.add(fact)
                    where = subject.place(f"{half.base}manifest.json", f"cell {one.cell}, {name}")
                    subject.add("R6.facts", where, severity="warning", expected=now, found=then)


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
            rung = "R7" if attempt.stage == "score" else "R6"
            code, about = "failed", attempt.stage
            if attempt.kind == "not-recorded":
                code, about = "request", roles.get(key, "candidate")
            where = subject.place("", f"cell {attempt.cell}, trial {attempt.trial}")
            subject.add(f"{rung}.{code}", where, about, sample=attempt.sample, found=attempt.detail)
    return undone


def _output(subject: VerifiedRun, mine: OutputRecord, theirs: OutputRecord) -> None:
    where = subject.place("outputs.jsonl", f"cell {theirs.cell}, trial {theirs.trial}")
    if mine.output != theirs.output or mine.text_from != theirs.text_from:
        outputs = [replace(one.output, text=subject.run.text(one)) for one in (mine, theirs)]
        for name in Output.__struct_fields__:
            ours, their = (getattr(one, name) for one in outputs)
            if ours != their:
                subject.add("R6.output", where, name, sample=theirs.sample, expected=ours, found=their)
    if mine.calls != theirs.calls:
        _calls(subject, "R6.calls", where, mine, theirs)


def _calls(subject: VerifiedRun, code: str, where: str, mine: RecordT, theirs: RecordT) -> None:
    here, there = Counter(mine.calls), Counter(theirs.calls)
    if here != there:
        ours, their = (sorted(more.elements()) for more in (here - there, there - here))
        subject.add(code, where, sample=theirs.sample, expected=ours, found=their)


def _score(subject: VerifiedRun, mine: ScoreRecord, theirs: ScoreRecord) -> None:
    rung = "R7" if mine.calls or theirs.calls else "R6"
    where = subject.place("scoring/scores.jsonl", f"cell {theirs.cell}, trial {theirs.trial}")
    if mine.output_sha256 != theirs.output_sha256:
        ours, their = mine.output_sha256, theirs.output_sha256
        subject.add(f"{rung}.judged-output", where, sample=theirs.sample, expected=ours, found=their)
    here, there = (_bytes((one.values, one.parts)) for one in (mine, theirs))
    if here != there:  # as bytes: true and 1 would be equal
        ids = [part.id for part in mine.parts], [part.id for part in theirs.parts]
        if ids[0] != ids[1]:
            subject.add(f"{rung}.parts", where, sample=theirs.sample, expected=ids[0], found=ids[1])
        for name, made, told in _other_values(mine, theirs):
            place = f"{where}, {name}"
            subject.add(f"{rung}.score", place, sample=theirs.sample, expected=made, found=told)
    if mine.calls != theirs.calls:
        _calls(subject, f"{rung}.calls", where, mine, theirs)


def _other_values(mine: ScoreRecord, theirs: ScoreRecord) -> Iterator[tuple[str, object, object]]:
    """(name, mine, theirs) of values of a score, and of the parts that both have, that are not the same."""
    yield from differing_values(mine.values, theirs.values)
    if [one.id for one in mine.parts] == [one.id for one in theirs.parts]:
        both = list(zip(mine.parts, theirs.parts, strict=True))
    else:
        here = {part.id: part for part in mine.parts}
        both = [(here[part.id], part) for part in theirs.parts if part.id in here]
    for part, other in both:
        if part.tags != other.tags:
            yield f"part {part.id} tags", part.tags, other.tags
        for name, ours, their in differing_values(part.values, other.values):
            yield f"part {part.id} {name}", ours, their


class _CallHead(msgspec.Struct):
    id: str
    group: str
    role: str = USUAL_ROLE
    trial: int = 0


def _left_over(subject: VerifiedRun, asked: set[int]) -> None:
    """Recorded calls that nobody asks."""
    decoder = msgspec.json.Decoder(_CallHead)
    for half in subject.halves:
        for number, line in enumerate(half.journal.calls.raw(), 1):
            call = decoder.decode(line)
            if id64(call.id) not in asked:
                rung = "R6" if call.role.partition("/")[0] == "candidate" else "R7"
                where = subject.place(f"{half.base}calls.jsonl", f"line {number}, trial {call.trial}")
                told = {"role": call.role, "group": call.group}
                subject.add(f"{rung}.left-over", where, found=told)
