"""Checks of the three outcomes: no reply is pending, no answer is the worst value, no verdict is unscored."""

from collections.abc import Iterator, Mapping
from itertools import islice

from suite.chat import Finish
from suite.scoring.metrics import Rate
from suite.task import Unscored
from suite.testing.answers import down, finishing, unreadable
from suite.testing.bench import Bench, Key, Ran
from suite.testing.subject import Skip
from suite.testing.task_runs import stopped, unscored, whole

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
        seen = _numbers(base, name)
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
                worst = min(sign * one for one in seen.values())
                if isinstance(metric, Rate):  # a judge that praises everything must not hide it
                    worst = min(worst, 0.0 if sign > 0 else -1.0)
                if sign * value > worst:
                    yield f"{where} is {value}, better than the worst answer's {sign * worst:g}"


def _numbers(ran: Ran, name: str) -> Mapping[Key, float]:
    values = {key: score.values.get(name) for key, score in ran.scores.items()}
    return {key: float(value) for key, value in values.items() if isinstance(value, int | float)}


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
