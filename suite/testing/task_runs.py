"""Checks that run a task: whole, shuffled, resumed, replayed, with a real small model, without a way out.

And of the three outcomes: no reply is pending, no answer is the worst value, no verdict is unscored. A task
reaches models through its roles, data through the registry, and nothing else. Python tells of each
connection before it is made (PEP 578), from whatever library. The hook cannot be taken away again, so it is
added once and listens only while a check wants it to.
"""

import asyncio
import difflib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import get_args

import msgspec

from suite.blocks import Block
from suite.chat import Finish
from suite.errors import CapabilityError, DataError, EngineError
from suite.journal.pairs import Key
from suite.journal.records import ScoreRecord
from suite.models.strict_schemas import strict
from suite.plugins import own_lines
from suite.run.outcome import RunSettings
from suite.run.plan import make_plan
from suite.run.role_members import DEFAULTS, roles_of
from suite.run.session import run_plan
from suite.scoring.metrics import Rate
from suite.scoring.metrics.declared import rows_of, values_of
from suite.task import Score, Unscored
from suite.testing.answers import down, finishing, late, never, plausible, sometimes_down, unreadable
from suite.testing.bench import Bench, Ran, Skip, differences, read

CONCURRENCY = 8
MODEL = "embedded/smollm2-135m"
EVENTS = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"}
_listening: list[tuple[str, dict[str, str]]] = []  # packages; where to -> by which line


def solves(bench: Bench) -> Iterator[str]:
    """Every sample is solved and scored, with the values that the metrics read, and can be shown."""
    ran = bench.base
    yield from stopped(ran, "left pending")
    if ran.repeated:
        yield f"recorded twice: {ran.repeated[0]}"
    works = ran.plan.counts.all_samples
    if len(ran.scores) != works and not ran.reasons and not ran.outcome.error:
        yield f"{works} samples, but {len(ran.outputs)} outputs and {len(ran.scores)} scores"
    yield from _values(bench, ran)
    yield from _slices(bench, ran)
    yield from _schemas(ran)
    if ran.scores:
        yield from _shown(bench, ran)


def _schemas(ran: Ran) -> Iterator[str]:
    """JSON Schemas that strict modes of hosted services would refuse, each once."""
    asked = ((call.role, call.options.json_schema) for call in ran.calls.values())
    seen = dict.fromkeys((role, msgspec.json.encode(one)) for role, one in asked if one is not None)
    for role, schema in seen:
        if strict(schema) is None:
            told = schema[:200].decode("utf-8", "ignore")
            yield f"{role} is asked by a JSON Schema that says too little for strict modes: {told}"


def stopped(ran: Ran, pending: str = "", most: int = 3) -> Iterator[str]:
    """What ended a run before its end, and why samples are pending, which is wrong in these words."""
    if ran.outcome.error is not None:
        yield f"the run stopped: {ran.outcome.error}"
    yield from (f"{pending}: {reason}" for reason in ran.reasons[:most] if pending)


def _values(bench: Bench, ran: Ran) -> Iterator[str]:
    """The values that metrics read occur, in the samples and in the parts."""
    wanted, wanted_parts = values_of(rows_of(bench.subject.task.metrics))
    names = {name for score in ran.scores.values() for name in score.values}
    parts = [part for score in ran.scores.values() for part in score.parts]
    parts_names = {name for part in parts for name in part.values}
    missing = [(name, names) for name in wanted - names if ran.scores]
    missing += [(name, parts_names) for name in wanted_parts - parts_names if parts]
    first = bench.subject.headline
    needed = frozenset().union(*first.wants()) if first is not None else frozenset()
    for name, known in sorted(missing, key=lambda one: one[0]):
        near = difflib.get_close_matches(name, known, 1, 0.8)
        if name in needed or near:
            meant = f"; did you mean {near[0]!r}?" if near else ""
            yield f"no score has the value {name!r} that a metric reads{meant}"
    for cell in ran.outcome.results.cells if ran.outcome.results else ():
        if cell.headline_row is None:
            yield f"the results of cell {cell.cell} have no headline"


def _slices(bench: Bench, ran: Ran) -> Iterator[str]:
    """The tags that metrics slice by occur."""
    tags = {tag for one in ran.outputs.values() for tag in one.tags}
    tags |= {tag for score in ran.scores.values() for part in score.parts for tag in part.tags}
    for metric in bench.subject.task.metrics:
        for tag in metric.slices:
            if tags and tag not in tags:
                yield f"metric {metric.name!r} is sliced by {tag!r}, a tag that no sample and no part has"


def _shown(bench: Bench, ran: Ran) -> Iterator[str]:
    """`show` gives blocks, before and after scoring, on a task that was not opened."""
    plan = bench.subject.plan({})
    kinds = get_args(Block)
    for group in plan.groups():
        for item in group.items:
            cell = plan.cells[item.cell]
            key = Key(cell.id, item.sample.id, 0)
            record = ran.scores.get(key)
            for score in (None, Score(record.values, record.parts) if record else None):
                try:
                    blocks = list(cell.task.show(item.sample, ran.texts[key], score))
                except Exception as error:  # third-party code: anything may come out
                    yield f"show() of {ran.name(key)} raised {type(error).__name__}: {error}"
                    return
                if wrong := [block for block in blocks if not isinstance(block, kinds)]:
                    yield f"show() of {ran.name(key)} gave {type(wrong[0]).__name__}, which is no block"
                    return


def order(bench: Bench) -> Iterator[str]:
    """Shuffled groups, many requests at once and late replies change no record."""
    base = whole(bench)
    functions = {role: late(bench.subject.answers.get(role) or plausible) for role in base.plan.filled.roles}
    ran = bench.run(functions, concurrency=CONCURRENCY, shuffled=True)
    yield from stopped(ran)
    yield from differences(base, ran)


def resume(bench: Bench) -> Iterator[str]:
    """A run that lost half of its replies goes on to the same records and asks nothing twice."""
    base = whole(bench)
    answers = bench.subject.answers
    failing = {role: sometimes_down(answers.get(role) or plausible) for role in base.plan.filled.roles}
    broken = bench.run(failing)
    if not broken.outcome.pending:
        raise Skip("no request was lost, so there was nothing to resume")
    ran = bench.run(folder=broken.outcome.folder)
    yield from stopped(ran)
    if ran.outcome.pending:
        yield f"after resuming, {ran.outcome.pending} samples are still pending: {ran.reasons[-1]}"
    if ran.repeated:
        yield f"recorded twice: {ran.repeated[0]}"
    if ran.asked > len(base.calls) - len(broken.calls):
        yield f"{ran.asked} requests after resuming: {len(broken.calls)} of {len(base.calls)} were there"
    yield from differences(base, ran)


def replay(bench: Bench) -> Iterator[str]:
    """Solve and score run again from the recorded replies alone give equal records and use all replies."""
    info = bench.subject.info
    if info.replay == "none":
        raise Skip(f"the task says it cannot be replayed: {info.replay_reason}")
    base = whole(bench)
    ran = bench.run(dict.fromkeys(base.plan.filled.roles, never), replayed=base)
    yield from stopped(ran, "asked for what was not recorded")
    yield from differences(base, ran)
    used = {call for output in ran.outputs.values() for call in output.calls}
    used |= {call for score in ran.scores.values() for call in score.calls}
    if left := base.calls.keys() - used:
        yield f"{len(left)} recorded replies were not asked for again"


def whole(bench: Bench) -> Ran:
    """The base run; Skip where it did not end well, which `solves` reports."""
    base = bench.base
    if base.outcome.error is not None or base.outcome.pending or not base.scores:
        raise Skip("the run with healthy models did not end well (see `solves`)")
    return base


def unscored(score: ScoreRecord) -> bool:
    """Whether any value of a score or of its parts is unscored."""
    values = [*score.values.values(), *(value for part in score.parts for value in part.values.values())]
    return any(isinstance(value, Unscored) for value in values)


def embedded(bench: Bench) -> Iterator[str]:
    """One sample is solved and scored with the embedded model in every role."""
    if importlib.util.find_spec("xllamacpp") is None:
        raise Skip("the embedded model is not installed: pip install 'suite-eval[embedded]'")
    subject = bench.subject
    subject.require_data()
    cells = [replace(one, task=type(one.task)(one.task.parameters)) for one in subject.chosen_cells[:1]]
    roles = {name: [DEFAULTS.get(name, MODEL)] for name in roles_of(cells)}
    request = replace(subject.request(**roles), limit=1)
    try:
        plan = make_plan(request, plugins=subject.plugins, registry=subject.registry, cells=cells)
    except CapabilityError as error:
        raise Skip(error.what) from error
    settings = RunSettings(cache=False, quiet=True, signals=False)
    try:
        outcome = asyncio.run(run_plan(plan, bench.scratch("embedded"), settings=settings))
    except (EngineError, DataError) as error:
        raise Skip(error.what) from error
    ran = read(plan, outcome)
    yield from stopped(ran, "left pending")
    if not ran.scores:
        yield "no sample was scored"


def offline(bench: Bench) -> Iterator[str]:
    """Nothing is fetched: reading samples, solving and scoring open no connection of their own."""
    _add_hook()
    tried: dict[str, str] = {}
    heard = (bench.subject.task.__module__.partition(".")[0], tried)
    _listening.append(heard)
    try:
        ran = bench.run()
    finally:
        _listening.remove(heard)
    for place, who in tried.items():
        yield f"{place} was asked for ({who}): data comes from the registry, answers from the roles"
    if not tried:
        yield from stopped(ran)


@cache
def _add_hook() -> None:
    sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if _listening and event in EVENTS and (place := _place(event, arguments)):
        for package, tried in _listening:
            steps = own_lines(traceback.walk_stack(inspect.currentframe()), package)
            tried.setdefault(place, steps[0] if steps else event)
        raise OSError(f"{place} was asked for while a check allows no connection")


def _place(event: str, arguments: tuple[object, ...]) -> str:
    """Where to, as host:port; "" for a socket of this machine's file system."""
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        return ":".join(str(one) for one in arguments[:2] if one)
    address = arguments[1] if len(arguments) > 1 else None
    return ":".join(str(one) for one in address[:2]) if isinstance(address, tuple) else ""


FINISHES: tuple[Finish, ...] = ("overflow", "refused", "empty")
CANDIDATE = "candidate"


def infrastructure(bench: Bench) -> Iterator[str]:
    """Where a model cannot be reached, samples stay pending: no output, no score, no wrong answer."""
    base = whole(bench)
    roles = list(base.plan.filled.roles)
    ran = bench.run(dict.fromkeys(roles, down))  # the run may give the endpoint up: that leaves all pending
    outputs = [key for key, one in ran.outputs.items() if one.calls or base.outputs[key].calls]
    yield from (f"{ran.name(key)} has an output, though no model answered" for key in outputs[:1])
    yield from _scored(base, ran, "model")
    lost = [key for key in base.outputs if base.outputs[key].calls or base.scores[key].calls]
    if not lost:
        raise Skip("the task asks no model")
    if ran.outcome.pending < len(lost):
        yield f"{len(lost)} samples need a model, but only {ran.outcome.pending} are pending without one"
    judges = _judges(bench)
    if judges:
        ran = bench.run(dict.fromkeys(judges, down))
        yield from _scored(base, ran, "judge")


def _scored(base: Ran, ran: Ran, who: str) -> Iterator[str]:
    """The first score that is there though it needed calls."""
    keys = [key for key, one in ran.scores.items() if one.calls or base.scores[key].calls]
    yield from (f"{ran.name(key)} has a score, though no {who} answered" for key in keys[:1])


def candidate_failure(bench: Bench) -> Iterator[str]:
    """Without an answer a sample is scored all the same, no better than the worst answer seen.

    A candidate that rates answers is itself the judge: its failure may leave a value unscored, and so it may
    where no direction is better, since there is no worst value then.
    """
    base = whole(bench)
    if CANDIDATE not in base.plan.filled.roles:
        raise Skip("there is no candidate")
    for finish in FINISHES:
        ran = bench.run({CANDIDATE: finishing(finish)})
        yield from stopped(ran, f"{finish}: left pending instead of scored", 1)
        yield from islice(_dropped(bench, base, ran, finish), 1)
        for key, output in ran.texts.items():
            silent = output.finish == "stop" and not output.text.strip() and output.data is None
            if silent and base.outputs[key].calls:
                yield f"{finish}: the output of {ran.name(key)} is empty but says finish='stop'"
                break


def _dropped(bench: Bench, base: Ran, ran: Ran, finish: str) -> Iterator[str]:
    """Values that do not tell the candidate's failure."""
    metric = bench.subject.headline
    if metric is None:
        return
    direction = metric.direction
    sign = -1.0 if direction == "lower" else 1.0
    names = sorted(metric.wants()[0])
    rater = any("rate" in needs for needs in base.plan.filled.roles[CANDIDATE].needs)
    may_be_unscored = rater or direction == "neither"
    for name in names:
        given = (score.values.get(name) for score in base.scores.values())
        seen = [float(one) for one in given if isinstance(one, int | float)]
        for key, value in ((key, score.values.get(name)) for key, score in ran.scores.items()):
            if not base.outputs[key].calls:
                continue  # this sample asks the candidate nothing
            where = f"{finish}: {name!r} of {ran.name(key)}"
            if isinstance(value, Unscored) and not ran.scores[key].calls and not may_be_unscored:
                yield f"{where} is unscored ({value.reason}), which drops the candidate's failure"
            if value is None and base.scores[key].values.get(name) is not None:
                yield f"{where} is not applicable, which drops the candidate's failure"
            alone = len(names) == 1 and direction != "neither"
            if isinstance(value, int | float) and seen and alone:
                worst = min(sign * one for one in seen)
                if isinstance(metric, Rate):  # a judge that praises everything must not hide it
                    worst = min(worst, 0.0 if sign > 0 else -1.0)
                if sign * value > worst:
                    yield f"{where} is {value}, better than the worst answer's {sign * worst:g}"


def judge_failure(bench: Bench) -> Iterator[str]:
    """A judge whose replies hold no verdict leaves values unscored: never a zero, never pending."""
    judges = _judges(bench)
    if not judges:
        raise Skip("no role is asked for verdicts")
    whole(bench)
    ran = bench.run(dict.fromkeys(judges, unreadable))
    yield from stopped(ran, "left pending instead of unscored", 1)
    judged = {key: score for key, score in ran.scores.items() if score.calls}
    if not judged:
        raise Skip("no sample asked the judge")
    for key, score in judged.items():
        if not unscored(score):
            yield f"{ran.name(key)} has no unscored value, though the judge gave no verdict: {score.values}"
            return
    metric = bench.subject.headline
    for name in sorted(metric.wants()[0] if metric is not None else ()):
        values = [score.values.get(name) for score in judged.values()]
        if values and all(isinstance(value, int | float) for value in values):
            yield f"the headline's {name!r} has a number everywhere, though the judge gave no verdict"


def _judges(bench: Bench) -> list[str]:
    """Roles that are asked in the score stage alone."""
    both = bench.subject.roles("solve", "both")
    return [role for role in bench.subject.roles("score") if role not in both]
