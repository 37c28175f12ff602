"""A pair of responses put to the judges, and what their say amounts to.

Asking yields records of JSON; scoring is a pure function of them, so that verdicts that were recorded
(by `contexteval/judge`, or published) give the same values as fresh ones.
"""

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import suite
from suite_contexteval import official, parsers
from suite_contexteval.rows import Asked, JudgeRecord
from suite_contexteval.wrapping import Render

Orders = Literal["both", "paper", "per-judge"]
Policy = Literal["majority", "unanimous", "mean"]
Ties = Literal["mean", "agree"]
NAMES = {"1": "candidate", "2": "baseline", "T": "tie"}
CATEGORIES = tuple(NAMES.values())
NO_ANSWER = ("refused", "empty", "overflow", "invalid", "limit")


async def ask_panel(
    judges: Sequence[suite.Model],
    render: Render,
    candidate: str,
    baseline: str,
    *,
    orders: Orders,
    draw: int,
    chance: Callable[[str], random.Random],
    justify: bool,
    may_tie: bool,
    max_tokens: int,
    temperature: float | None = 0.0,
) -> tuple[JudgeRecord, ...]:
    """What each judge says of a pair.

    orders: "both"; "paper", one order for all judges by `draw` (1: the candidate is shown first);
    "per-judge", one order drawn for each. chance: randomness by name (`sample.random`).
    Raises CapabilityError without a judge, CallFailed if any reply is missing.
    """
    if not judges:
        raise suite.CapabilityError("no judge sits on the panel", fix="name one: --judge SPEC")

    async def ask(judge: suite.Model) -> JudgeRecord:
        shown: Literal["both", "fixed", "swapped"] = "both"
        if orders == "paper":
            shown = "fixed" if draw == 1 else "swapped"
        elif orders == "per-judge":
            shown = "fixed" if chance(f"order/{judge.member}").random() < 0.5 else "swapped"
        result = await suite.compare_pair(
            judge,
            render,
            candidate,
            baseline,
            orders=shown,
            parse=partial(parsers.judgement, may_tie=may_tie),
            schema=parsers.judgement_schema(justify=justify, may_tie=may_tie),
            max_tokens=max_tokens,
            temperature=temperature,
        )
        return _record(judge, result)

    return tuple(await suite.together([ask(judge) for judge in judges]))


def _record(judge: suite.Model, result: suite.PairResult) -> JudgeRecord:
    orders = [
        Asked(
            swapped=one.swapped,
            state=one.verdict.state,
            value=one.verdict.value,
            text=one.verdict.text,
            reason=one.verdict.reason,
            attempts=one.verdict.attempts,
        )
        for one in result.asked
    ]
    return JudgeRecord(judge=judge.member, model=judge.name, orders=tuple(orders))


def unanswered(text: str, finish: str) -> bool:
    """Whether a response is none: empty, refused, failed."""
    return official.failed(text) or (finish in NO_ANSWER and not text.strip())


def forfeited(
    candidate: bool, baseline: bool, records: Sequence[JudgeRecord] = (), *, published: bool = False
) -> suite.Score:
    """The score of a pair of which a side (True) did not answer: it loses, whatever the judges say.

    records: their say, if they were asked all the same, as upstream does: for its readings alone.
    """
    win = 0.5 if candidate == baseline else float(baseline)
    found: dict[str, Any] = {"win": win, "answered": not candidate}
    labels = [official_label(record, published=published) for record in records]
    parts = [
        suite.Part(record.judge, _official_vote(label), {"judge": record.judge})
        for record, label in zip(records, labels, strict=True)
    ]
    return suite.Score({**found, **official_values(labels)} if labels else found, parts)


def unanswerable(*finishes: str) -> bool:
    """Whether a side has no reply at all: there upstream's script stops, and no judge is asked."""
    return any(one in ("overflow", "invalid") for one in finishes)


def values(
    records: Sequence[JudgeRecord],
    candidate: str,
    baseline: str,
    *,
    policy: Policy = "majority",
    minimum: int | None = None,
    ties: Ties = "mean",
    published: bool = False,
) -> suite.Score:
    """The score of a pair. published: the judges' texts answer upstream's prompt, not ours.

    win: of the candidate, 1, 0.5, 0 (or between), by the policy; Unscored with too few verdicts.
    vote (parts): each judge's label. …_official: upstream's readings, see `official`.
    longer: whether the candidate's response has more words; …_difference: candidate minus baseline.
    """
    pairs = tuple(_pair(record, ties) for record in records)
    panel = suite.PanelResult(suite.panel_score([one.score for one in pairs], policy, minimum), pairs)
    labels = [official_label(record, published=published) for record in records]
    styles = suite.style_difference(candidate, baseline)
    found: dict[str, Any] = {
        **panel.values("win"),
        "answered": True,
        **official_values(labels),
        "longer": styles["words_difference"] > 0,
        **styles,
    }
    parts = [_vote(record, pair, label) for record, pair, label in zip(records, pairs, labels, strict=True)]
    for pair in pairs:
        parts += pair.parts("win")
    return suite.Score(found, parts)


def official_values(labels: Sequence[str]) -> dict[str, Any]:
    """Upstream's readings of one example, named so that plain means over examples are its metrics.

    win_, loss_, tie_official: None without a strict majority. agreement_official: c_i / J.
    agreement_nontie_official: the same, None where the mode is a tie.
    """
    one = official.panel(labels)
    shares = {
        f"{name}_official": one.mode == label if one.majority else None
        for name, label in (("win", "1"), ("loss", "2"), ("tie", "T"))
    }
    return {
        **shares,
        "agreement_official": one.share,
        "agreement_nontie_official": None if one.mode == "T" else one.share,
    }


def official_label(record: JudgeRecord, *, published: bool = False) -> str:
    """A judge's label by upstream's reader; two orders that differ make a tie.

    Our prompt does not ask for the marker that upstream's does: a bare dictionary is given it, unless the
    text is a published one.
    """
    labels = set()
    for one in record.orders:
        bare = not published and one.text.lstrip("* \n").startswith("{")
        label = official.judgement(f"output: {one.text}" if bare else one.text)
        labels.add(official.mapped(label, 2 if one.swapped else 1))
    return labels.pop() if len(labels) == 1 else "T"


def _pair(record: JudgeRecord, ties: Ties) -> suite.PairResult:
    asked = [
        suite.Asked(
            one.swapped,
            suite.Verdict(one.state, one.value, one.text, one.reason, one.attempts, record.judge),
        )
        for one in record.orders
    ]
    return suite.PairResult.of(asked, ties)


def _vote(record: JudgeRecord, pair: suite.PairResult, label: str) -> suite.Part:
    score = pair.score
    vote: Any = score if isinstance(score, suite.Unscored) else "tie"
    if not isinstance(score, suite.Unscored) and score != 0.5:
        vote = "candidate" if score > 0.5 else "baseline"
    return suite.Part(
        record.judge,
        {"vote": vote, **_official_vote(label)},
        {"judge": record.judge},
    )


def _official_vote(label: str) -> dict[str, Any]:
    return {"vote_official": NAMES.get(label, "tie"), "invalid_official": label == "I"}
