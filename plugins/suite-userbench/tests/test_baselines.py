"""Baselines land where theory says."""

from collections.abc import Iterable

import pytest
from suite_userbench import baselines
from suite_userbench.playing import Asking, Played, play, summary
from suite_userbench.scenario import Scenario
from suite_userbench.synth.making import made

import suite


@pytest.fixture(scope="module")
def many() -> list[Scenario]:
    return list(made(("22", "33", "44", "233"), "test", 3, 75))


def numbers(episodes: Iterable[Played]) -> dict[str, float]:
    return {name: value for name, value in summary(episodes) if value is not None}


async def test_random_is_at_chance(many: list[Scenario]) -> None:
    found = dict(summary(await play(baselines.random, many, {})))
    aspects = sum(len(one.aspects) for one in many)
    spread = 4 * (1 / 6 * 5 / 6 / aspects) ** 0.5  # four standard errors of a rate of 1/6
    assert found["correct_exist_rate"] == pytest.approx(3 / 18, abs=spread)
    assert found["best_exist_rate"] == pytest.approx(1 / 18, abs=spread)
    assert found["score"] == pytest.approx(0.144, abs=spread)
    assert found["valid_search"] == 1.0 and found["elicited_active"] == 0.0 and found["valid_action"] is None


async def test_silent_gets_nothing(many: list[Scenario]) -> None:
    found = numbers(await play(baselines.silent, many[:10], {}))
    assert found["score"] == found["elicited_active"] == found["elicited_passive"] == 0.0
    assert found["turns"] == 20.0


async def test_asking_everything_brings_nearly_everything_out_and_still_guesses(many: list[Scenario]) -> None:
    some = many[::3]
    found = numbers(await play(baselines.ask_everything, some, {}))
    assert found["elicited_active"] + found["elicited_passive"] > 0.9
    assert found["score"] < 0.3


async def test_only_correct_options_without_the_price(many: list[Scenario]) -> None:
    """Knowing the correct set but not the price: 0.333 best, 1.0 correct, 0.867."""
    import json
    import random as chance

    by_letter: dict[str, list[Scenario]] = {}

    def answer(request: suite.Request, asking: Asking) -> suite.Reply:
        seen = baselines.look(request)
        for scenario in by_letter["now"]:
            if scenario.request in seen.request:
                left = [one for one in scenario.aspects if not any(a[0] == one.letter for a in seen.answered)]
                rng = chance.Random(f"{scenario.id}{len(seen.answered)}")
                content = rng.choice(left[0].correct)
                return suite.Reply(json.dumps({"choice": "answer", "content": content, "thought": ""}))
        raise AssertionError

    by_letter["now"] = many[:150]
    found = numbers(await play(answer, many[:150], {}))
    assert found["correct_exist_rate"] == 1.0
    assert found["best_exist_rate"] == pytest.approx(1 / 3, abs=0.12)
    assert found["score"] == pytest.approx(0.867, abs=0.025)


async def test_multi_choice_random_beats_one_pick(many: list[Scenario]) -> None:
    single = numbers(await play(baselines.random, many[:40], {}))
    multi = numbers(await play(baselines.random, many[:40], {"mode": "multi"}))
    assert multi["score"] > single["score"] + 0.2
