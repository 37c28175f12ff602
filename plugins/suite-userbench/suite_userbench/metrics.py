"""The metrics of `userbench/travel`, and the values of a score that they read."""

from collections.abc import Mapping

import suite
from suite_userbench.measures import Measures

ROUNDS = (1, 2, 4)

METRICS = (
    suite.Mean(
        "score",
        range=(0.0, 1.0),
        by=("tier", "tag"),
        about="How good the best option recommended for each aspect is: 1 best, 0.8 correct, 0 else.",
    ),
    suite.Mean(
        "value",
        name="score_micro",
        range=(0.0, 1.0),
        over="parts",
        by=("aspect",),
        average="micro",
        about="As `score`, with every aspect counted alike.",
    ),
    suite.Rate(
        "best", name="best_exist_rate", over="parts", by=("aspect",), about="An aspect got its best option."
    ),
    suite.Rate(
        "correct",
        name="correct_exist_rate",
        over="parts",
        by=("aspect",),
        about="An aspect got an option that fits all preferences.",
    ),
    suite.Ratio(
        "searches_valid",
        "searches",
        name="valid_search",
        range=(0.0, 1.0),
        about="Searches that were well formed, of all searches.",
    ),
    suite.Ratio(
        "searches_valid",
        "searches_served",
        name="valid_search_excl_outage",
        range=(0.0, 1.0),
        about="Searches that were well formed, of those without a simulated outage.",
    ),
    suite.Ratio(
        "hits",
        "actions",
        name="valid_action",
        range=(0.0, 1.0),
        about="Questions to the user that drew out a preference, of all questions.",
    ),
    suite.Ratio(
        "elicited",
        "preferences",
        name="elicited",
        range=(0.0, 1.0),
        by=("tier",),
        about="Preferences that the user came to tell, of all they have.",
    ),
    suite.Ratio(
        "active",
        "preferences",
        name="elicited_active",
        range=(0.0, 1.0),
        about="Preferences that the model drew out by asking, of all.",
    ),
    suite.Ratio(
        "passive",
        "preferences",
        name="elicited_passive",
        range=(0.0, 1.0),
        about="Preferences that the user told unasked, of all.",
    ),
    suite.Mean(
        "weight",
        name="weighted_timing",
        range=(0.0, 1.0),
        over="parts",
        about="How early an aspect got its option: 1 at the first turn, 1/2 at the second, 0 never.",
    ),
    suite.Mean(
        "first_index",
        over="parts",
        direction="neither",
        about="The turn, from 0, at which an aspect got its option; 0 where it never did.",
    ),
    suite.Mean(
        "first_index_hits",
        over="parts",
        direction="lower",
        about="The turn, from 0, at which an aspect got its option, where it did.",
    ),
    suite.Mean("turns", direction="lower", about="Turns that the model took."),
    suite.Mean("searches", direction="neither", about="Turns in which the model searched."),
    suite.Mean("actions", direction="neither", about="Turns in which the model asked the user."),
    suite.Mean("answers", direction="neither", about="Turns in which the model recommended options."),
    suite.Mean("format_errors", direction="lower", about="Turns that could not be read."),
    suite.Mean(
        "user_failures", direction="lower", about="Times that the simulated user gave no usable reply."
    ),
    suite.Mean("prompt_tokens", direction="lower", about="Tokens that the model read."),
    suite.Mean("completion_tokens", direction="lower", about="Tokens that the model wrote."),
    suite.Mean("total_reward", about="The sum of the environment's rewards."),
    suite.Rate("failed", direction="lower", about="The model could not play the episode to its end."),
    *(
        suite.PassAt(
            "solved",
            k=(k,),
            power=True,
            about="Every aspect got a correct option, in one of k tries (@k) or in all (^k).",
        )
        for k in ROUNDS
    ),
    suite.Mean(
        "official_micro_avg",
        range=(0.0, 1.0),
        about="The mean reward of a turn, as the published code prints it.",
    ),
    suite.Mean(
        "official_micro_max",
        range=(0.0, 1.0),
        about="The highest reward of a turn, as the published code prints it.",
    ),
    suite.Mean("official_number_of_08", about="Turns rewarded with 0.8, as the published code counts them."),
    suite.Mean("official_number_of_1", about="Turns rewarded with 1, as the published code counts them."),
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
