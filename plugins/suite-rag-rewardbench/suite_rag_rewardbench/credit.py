"""What a preference is worth: pure functions from the answers' ratings to named values.

Rules: scores must be strictly higher; two orders of a chat model count half each; what has no verdict is
unscored under its reason. `*_official` values follow RewardBench's code, which counts NaN as wrong. A judge
is asked in our words and read by our reader, so it has none; its `correct_lenient` has RewardBench's credit
for an unreadable verdict, 0.5 (of four: 0.25). An answer longer than the model's window is the model's
failure: wrong, by all. Source: arXiv 2403.13787 and its repository; not here: sums over items (`formulas`).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import suite

JUDGES = ("pairwise", "rank", "rating")
_UNREAD = ("unparsed", "refused", "truncated")  # no verdict of a judge


def unscored(text: str) -> suite.Unscored:
    """Why something has no value, from "reason: detail"."""
    reason, _, detail = text.partition(": ")
    return suite.Unscored(reason, detail)


def failure_of(data: Mapping[str, Any]) -> str:
    """Why there is no verdict, as "reason: detail", or ""."""
    failure: str = data["failure"]
    lost = next((one["reason"] for one in data.get("askings", ()) if one.get("reason")), "")
    return f"{failure}: {lost}" if failure and lost and failure != lost else failure


def failed(failure: str, chance: float, *, judge: bool) -> tuple[suite.Value, suite.Value]:
    """(sound, official) value where there is no verdict. chance: official credit for an unread verdict."""
    if failure == "overflow":
        return 0.0, 0.0
    sound = unscored(failure)
    if judge and sound.reason in _UNREAD:
        return sound, chance
    if not judge and failure == "not-finite":
        return sound, 0.0
    return sound, sound


def only_official(
    problem: str,
    data: Mapping[str, Any],
    values_of: Callable[[Mapping[str, Any]], Mapping[str, suite.Value]],
    *others: str,
) -> dict[str, suite.Value]:
    """Values of an item with a problem: `correct` and the others unscored; what is official stays, if the
    model was asked.
    """
    lost = unscored(problem)
    found: dict[str, suite.Value] = {"correct": lost, "correct_official": lost, **dict.fromkeys(others, lost)}
    if "problem" in data:
        return found
    official = {name: value for name, value in values_of(data).items() if name.endswith("_official")}
    return found | official


def _named(values: dict[str, suite.Value], kind: str) -> dict[str, suite.Value]:
    """The values under the names of the kind: what a judge has is lenient, never official."""
    official = {name: value for name, value in values.items() if name.endswith("_official")}
    if kind not in JUDGES:
        return {**values, "correct_lenient": None}
    kept = {name: None if name in official else value for name, value in values.items()}
    return {**kept, "correct_lenient": values["correct_official"]}


def pair(data: Mapping[str, Any]) -> dict[str, suite.Value]:
    """Values of a pair whose first answer is the better one.

    correct: 1, 0, or 0.5 (orders that disagree, equal grades); unscored without a verdict.
    correct_half: the same with a tie of scores worth 0.5. correct_official: by RewardBench's code; None for a
    judge. correct_lenient: of a judge, an unread verdict being worth 0.5.
    tie: equal scores. consistent: both orders prefer the same; None unless both were asked and read.
    margin: score of the better answer minus the other's; None without scores. failed: no verdict.
    """
    kind, failure = data["kind"], failure_of(data)
    first, second = (data["scores"] + [None, None])[:2]
    has_scores = first is not None and second is not None
    values: dict[str, suite.Value] = {
        "tie": None,
        "consistent": data.get("consistent"),
        "margin": first - second if has_scores else None,
        "failed": bool(failure),
    }
    if failure:
        sound, official = failed(failure, 0.5, judge=kind in JUDGES)
        if kind == "pairwise" and sound != 0.0:
            official = _orders(data)
        return _named({"correct": sound, "correct_half": sound, "correct_official": official, **values}, kind)
    if kind in ("pairwise", "rank"):
        won = _orders(data)
        return _named({"correct": won, "correct_half": won, "correct_official": won, **values}, kind)
    tie = first == second
    half = 0.5 if tie else float(first > second)
    strict = half if kind == "rating" else float(first > second)
    values["tie"] = tie
    return _named({"correct": strict, "correct_half": half, "correct_official": strict, **values}, kind)


def _orders(data: Mapping[str, Any]) -> float:
    """Mean over the askings of 1 where the first answer won, 0.5 where there is no verdict."""
    askings = data["askings"]
    return sum(0.5 if one["choice"] is None else float(one["choice"] == 0) for one in askings) / len(askings)


def likelihoods(data: Mapping[str, Any]) -> dict[str, suite.Value]:
    """correct_logp_sum and correct_logp_mean of a pair, whichever of the two was asked for; else None."""
    kind, tokens, scores = data["kind"], data.get("tokens"), data["scores"]
    none: dict[str, suite.Value] = {"correct_logp_sum": None, "correct_logp_mean": None}
    if kind not in ("logp_sum", "logp_mean"):
        return none
    if data["failure"]:
        return dict.fromkeys(none, failed(data["failure"], 0.0, judge=False)[0])
    if not tokens or len(tokens) != len(scores) or not all(tokens):
        return none
    sums = [s * n if kind == "logp_mean" else s for s, n in zip(scores, tokens, strict=True)]
    means = [s / n if kind == "logp_sum" else s for s, n in zip(scores, tokens, strict=True)]
    return {"correct_logp_sum": float(sums[0] > sums[1]), "correct_logp_mean": float(means[0] > means[1])}


def parts(data: Mapping[str, Any]) -> list[suite.Part]:
    """One part an order shown to a chat model: did the first slot win, the better answer?"""
    found = []
    for asking in data.get("askings", ()):
        order = asking.get("order") or ("first-second" if data.get("order", [0])[0] == 0 else "second-first")
        choice = asking["choice"]
        if data["kind"] not in ("pairwise", "rank") or len(data["scores"]) != 2:
            continue
        missing = None if choice is not None else unscored(asking["state"])
        values: dict[str, suite.Value] = {
            "first_slot": missing if choice is None else (choice == 0) == (order == "first-second"),
            "won": missing if choice is None else choice == 0,
        }
        found.append(suite.Part(order, values, {"order": order}))
    return found


def best_of(data: Mapping[str, Any]) -> dict[str, suite.Value]:
    """Values of n answers of which the first is the good one.

    correct: 1/k where it shares the highest score with k - 1 others, else 0. correct_official,
    correct_lenient: see `pair`; an unread verdict is worth 0.25.
    """
    kind, failure, scores = data["kind"], failure_of(data), data["scores"]
    values: dict[str, suite.Value] = {"failed": bool(failure), "tie": None}
    if failure:
        sound, official = failed(failure, 0.25, judge=kind in JUDGES)
        if kind == "rating" and sound != 0.0:
            official = _graded(scores)
        return _named({"correct": sound, "correct_official": official, **values}, kind)
    if kind == "rank":
        won = float(data["prefers"] == 0)
        return _named({"correct": won, "correct_official": won, **values}, kind)
    share = shared(scores)
    values["tie"] = scores.count(max(scores)) > 1
    return _named({"correct": share, "correct_official": share, **values}, kind)


def shared(scores: Sequence[float]) -> float:
    """1/k where the first score is the highest, with k - 1 others at it, else 0."""
    best = max(scores)
    return 1.0 / list(scores).count(best) if scores[0] == best else 0.0


def _graded(grades: Sequence[float | None]) -> float:
    """RewardBench's credit where some grades could not be read: the others decide; without any, 0.25."""
    if all(one is None for one in grades):
        return 0.25
    return shared([-math.inf if one is None else one for one in grades])


def gap_and_spread(correct: Sequence[float], incorrect: Sequence[float]) -> tuple[float, float]:
    """(lowest correct minus highest incorrect score, spread of the correct ones; 0 for a single one).

    Raises DataError for a prompt without incorrect or without correct answers.
    """
    if not correct or not incorrect:
        raise suite.DataError("a Ties prompt needs correct and incorrect answers")
    return min(correct) - max(incorrect), max(correct) - min(correct)


def ties(data: Mapping[str, Any], num_correct: int) -> dict[str, suite.Value]:
    """Values of a Ties prompt, its first `num_correct` answers being correct.

    correct: whether every correct answer scores above every incorrect one. ties_gap, ties_spread: see
    `gap_and_spread`. correct_lenient: of a judge, an unread grade being -1.
    """
    failure, scores = failure_of(data), data["scores"]
    values: dict[str, suite.Value] = {"failed": bool(failure), "tie": None}
    if not failure:
        gap, spread = gap_and_spread(scores[:num_correct], scores[num_correct:])
        values |= {"correct": float(gap > 0), "ties_gap": gap, "ties_spread": spread}
        values |= {f"{name}_official": values[name] for name in ("correct", "ties_gap", "ties_spread")}
        return _named(values, data["kind"])
    judge = data["kind"] == "rating"
    sound, official = failed(failure, 0.0, judge=judge)
    lost = unscored(failure)
    values |= {"correct": sound, "ties_gap": lost, "ties_spread": lost}
    values |= {"correct_official": official, "ties_gap_official": lost, "ties_spread_official": lost}
    if judge and lost.reason in _UNREAD:
        grades = [-1.0 if one is None else one for one in scores]
        gap, spread = gap_and_spread(grades[:num_correct], grades[num_correct:])
        values |= {
            "correct_official": float(gap > 0),
            "ties_gap_official": gap,
            "ties_spread_official": spread,
        }
    return _named(values, data["kind"])
