"""Numbers from logs: the paper's example, identities of its tables, edge cases."""

from typing import Any

import pytest
from suite_userbench.events import Event
from suite_userbench.measures import measure
from suite_userbench.scenario import Scenario


def answer(turn: int, trip: Scenario, place: int, kind: Any) -> Event:
    aspect = trip.aspects[place]
    return Event(
        turn,
        kind,
        "answer",
        aspect=aspect.name,
        option=aspect.best,
        reward={"answer_best": 1.0, "answer_correct": 0.8}.get(kind, 0.0),
    )


def test_the_papers_example(trip: Scenario) -> None:
    events = [
        answer(1, trip, 0, "answer_best"),
        answer(2, trip, 0, "answer_correct"),
        answer(3, trip, 1, "answer_wrong"),
        answer(4, trip, 1, "answer_correct"),
        answer(5, trip, 1, "answer_wrong"),
    ]
    found = measure(trip, events, False)
    assert found.score == pytest.approx(0.9)
    assert [one.index for one in found.aspects] == [0, 3]
    assert [one.weight for one in found.aspects] == [1.0, 0.25]
    single = measure(trip, events, True)
    assert single.score == pytest.approx(0.5)  # the first accepted answer counts
    assert found.official == {
        "official_micro_avg": pytest.approx(2.6 / 5),
        "official_micro_max": 1.0,
        "official_number_of_08": 2.0,
        "official_number_of_1": 1.0,
    }


def test_nothing_happened(trip: Scenario) -> None:
    found = measure(trip, [], True)
    assert (found.score, found.searches, found.actions, found.turns) == (0.0, 0, 0, 0)
    assert found.official["official_micro_avg"] == 0.0


# published rows: (best, correct, score, active, passive, total)
TABLE_3 = [
    (0.204, 0.361, 0.329, 24.06, 3.26, 27.32),
    (0.260, 0.318, 0.307, 26.31, 7.94, 34.25),
    (0.148, 0.218, 0.210, 18.90, 12.92, 31.82),
    (0.140, 0.186, 0.180, 11.15, 17.70, 28.86),
]


@pytest.mark.parametrize("row", TABLE_3)
def test_published_tables_add_up_as_ours_do(
    row: tuple[float, ...], trips: list[Scenario], playing: type[Any]
) -> None:
    best, correct, score, active, passive, total = row
    assert active + passive == pytest.approx(total, abs=0.011)
    assert 0.8 * correct + 0.2 * best <= score + 0.002


def test_our_identities(trips: list[Scenario], playing: type[Any]) -> None:
    for number, trip in enumerate(trips):
        game = playing(trip, max_steps=40)
        for place in range(len(trip.preferences)):
            game(f"[action] hit:P{place + 1}" if place % 2 else "[action] chat")
        for one in trip.aspects:
            game(f"[answer] {(one.best, one.correct[-1], one.wrong[0])[number % 3]}")
        found = measure(trip, game.episode.events, True)
        assert found.active + found.passive == len(game.episode.elicited)
        pooled = sum(one.value for one in found.aspects)
        assert pooled == pytest.approx(
            0.8 * sum(one.correct for one in found.aspects) + 0.2 * sum(one.best for one in found.aspects)
        )
        assert found.preferences == len(trip.preferences)  # the denominator never shrinks
