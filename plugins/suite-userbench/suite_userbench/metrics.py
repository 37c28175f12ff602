"""The metrics of `userbench/travel`, and the values of a score that they read."""

from collections.abc import Mapping

import suite
from suite_userbench.measures import Measures

ROUNDS = (1, 2, 4)

METRICS = (
    suite.Mean("score", range=(0.0, 1.0), by=("tier", "tag")),
    suite.Mean("value", name="score_micro", range=(0.0, 1.0), over="parts", by=("aspect",), average="micro"),
    suite.Rate("best", name="best_exist_rate", over="parts", by=("aspect",)),
    suite.Rate("correct", name="correct_exist_rate", over="parts", by=("aspect",)),
    suite.Ratio("searches_valid", "searches", name="valid_search", range=(0.0, 1.0)),
    suite.Ratio("searches_valid", "searches_served", name="valid_search_excl_outage", range=(0.0, 1.0)),
    suite.Ratio("hits", "actions", name="valid_action", range=(0.0, 1.0)),
    suite.Ratio("elicited", "preferences", name="elicited", range=(0.0, 1.0), by=("tier",)),
    suite.Ratio("active", "preferences", name="elicited_active", range=(0.0, 1.0)),
    suite.Ratio("passive", "preferences", name="elicited_passive", range=(0.0, 1.0)),
    suite.Mean("weight", name="weighted_timing", range=(0.0, 1.0), over="parts"),
    suite.Mean("first_index", over="parts", direction="neither"),
    suite.Mean("first_index_hits", over="parts", direction="lower"),
    suite.Mean("turns", direction="lower"),
    suite.Mean("searches", direction="neither"),
    suite.Mean("actions", direction="neither"),
    suite.Mean("answers", direction="neither"),
    suite.Mean("format_errors", direction="lower"),
    suite.Mean("user_failures", direction="lower"),
    suite.Mean("prompt_tokens", direction="lower"),
    suite.Mean("completion_tokens", direction="lower"),
    suite.Mean("total_reward"),
    suite.Rate("failed", direction="lower"),
    *(suite.PassAt("solved", k=(k,), power=True) for k in ROUNDS),
    suite.Mean("official_micro_avg", range=(0.0, 1.0)),
    suite.Mean("official_micro_max", range=(0.0, 1.0)),
    suite.Mean("official_number_of_08"),
    suite.Mean("official_number_of_1"),
)


def score_of(found: Measures, failed: bool, tokens: Mapping[str, int]) -> suite.Score:
    """The score of an episode.

    solved: every aspect has a correct option. first_index: 0 for a miss, as the paper's figures need;
    first_index_hits: not applicable for a miss. failed: the candidate could not play to an end.
    """
    values: dict[str, suite.Value] = {
        "score": found.score,
        "solved": all(one.correct for one in found.aspects),
        "perfect": all(one.best for one in found.aspects),
        "turns": found.turns,
        "searches": found.searches,
        "searches_served": found.searches - found.outages,
        "searches_valid": found.searches_valid,
        "actions": found.actions,
        "hits": found.hits,
        "answers": found.answers,
        "refused": found.refused,
        "format_errors": found.format_errors,
        "active": found.active,
        "passive": found.passive,
        "elicited": found.active + found.passive,
        "preferences": found.preferences,
        "user_failures": found.user_failures,
        "total_reward": round(sum(found.rewards), 9),
        "failed": failed,
        "prompt_tokens": tokens.get("prompt", 0),
        "completion_tokens": tokens.get("completion", 0),
        **found.official,
    }
    parts = [
        suite.Part(
            one.name,
            {
                "value": one.value,
                "best": one.best,
                "correct": one.correct,
                "weight": one.weight,
                "first_index": one.index or 0,
                "first_index_hits": one.index,
            },
            {"aspect": one.name},
        )
        for one in found.aspects
    ]
    return suite.Score(values, parts)
