"""What bounds a cell's scale: chance and perfection by theory, brute asking by playing it on the spot.

Playing is possible only with a user that needs no model; it takes about a second and is deterministic.
"""

from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

import suite
from suite_userbench import baselines
from suite_userbench.parameters import TravelParameters
from suite_userbench.playing import play, summary
from suite_userbench.synth.making import made
from suite_userbench.users.finding import find

ResultT = TypeVar("ResultT")
CORRECT = 3  # options of an aspect that suit the user; one of them is the best
EACH = 3  # generated scenarios of each tag that brute asking is played on
Row = tuple[str, Mapping[str, float | None]]


def theory(parameters: TravelParameters) -> list[Row]:
    """Rows that follow from the rules: (name, values)."""
    shown = CORRECT + parameters.wrong + parameters.noise
    rows: list[Row] = [
        (
            "bound: says nothing",
            dict.fromkeys(("score", "best_exist_rate", "correct_exist_rate", "elicited"), 0.0),
        )
    ]
    if parameters.mode == "single":
        rows.append(
            (
                f"bound: one pick among {shown}",
                {
                    "score": (1.0 + 0.8 * (CORRECT - 1)) / shown,
                    "best_exist_rate": 1 / shown,
                    "correct_exist_rate": CORRECT / shown,
                },
            )
        )
        rows.append(
            (
                "bound: suitable options, price unknown",
                {
                    "score": (1.0 + 0.8 * (CORRECT - 1)) / CORRECT,
                    "best_exist_rate": 1 / CORRECT,
                    "correct_exist_rate": 1.0,
                },
            )
        )
    return rows


def brute_asking(parameters: TravelParameters) -> Row | None:
    """How much asking about everything brings out, on generated scenarios; None for a user by a model."""
    try:
        needs_model = find(parameters.user).kind.needs_model
    except suite.SuiteError:
        return None  # a run of a user that isn't installed here
    if needs_model:
        return None
    scenarios = list(made(parameters.chosen_tags, parameters.split, count=EACH))
    kept = parameters.model_dump(exclude={"source", "synth_seed", "synth_count", "calling"})
    found = dict(summary(_now(play(baselines.ask_everything, scenarios, kept))))
    brought = (found["elicited_active"] or 0.0) + (found["elicited_passive"] or 0.0)
    name = f"bound: asks about everything ({len(scenarios)} generated scenarios)"
    return name, {**found, "elicited": brought}


def _now(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """The result of a coroutine that never waits: scripted candidate, user by rules, no loop needed."""
    try:
        work.send(None)
    except StopIteration as stop:
        result: ResultT = stop.value
        return result
    work.close()
    raise RuntimeError("a scripted episode waited for something")
