"""The state machine: every outcome of every move."""

import time
from typing import Any

import pytest
from suite_userbench import calling
from suite_userbench.machine import parse
from suite_userbench.measures import measure
from suite_userbench.rules_of_play import Rules
from suite_userbench.scenario import Scenario
from suite_userbench.users import rules
from suite_userbench.users.protocol import Judgement, Speak, Utterance

import suite


def ids_of(trip: Scenario) -> list[tuple[str, list[str], tuple[str, ...]]]:
    return [(one.best, [name for name in one.correct if name != one.best], one.wrong) for one in trip.aspects]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("[search] hotel", ("search", "hotel")),
        ("  [answer]H3 ", ("answer", "H3")),
        ("[action] a\nb", ("action", "a\nb")),
        ("[FINISH]", ("finish", "")),
        ("[Search] hotel", ("", "[Search] hotel")),
        ("hello", ("", "hello")),
        ("", ("", "")),
    ],
)
def test_parse(text: str, meaning: tuple[str, str]) -> None:
    assert parse(text) == meaning


def test_a_search_succeeds_once(trip: Scenario, playing: type[Any]) -> None:
    game = playing(trip)
    name = trip.aspects[0].name
    first = game(f"[search] yes:{name}")
    assert (first.kind, first.reward, first.aspect) == ("search_valid", 0.2, name)
    lines = game.episode.feedback.splitlines()
    assert len([line for line in lines if line.startswith("{")]) == 18
    assert "suitable" not in game.episode.feedback and "reason" not in game.episode.feedback
    assert "{" not in first.feedback  # the log keeps the head only
    again = game(f"[search] yes:{name}")
    assert (again.kind, again.reward) == ("search_repeat", 0.0)


@pytest.mark.parametrize(
    ("request_", "kind", "cause"),
    [
        ("no", "search_invalid", ""),
        ("neither", "search_invalid", ""),
        ("broken", "search_outage", "user-failed"),
        ("yes:spaceship", "search_outage", "user-failed"),
    ],
)
def test_searches_that_fail(trip: Scenario, playing: type[Any], request_: str, kind: str, cause: str) -> None:
    event = playing(trip)(f"[search] {request_}")
    assert (event.kind, event.cause, event.reward) == (kind, cause, 0.0)


def test_every_fifth_search_fails_on_purpose(trip: Scenario, playing: type[Any]) -> None:
    game = playing(trip)
    kinds = [game("[search] no").kind for _ in range(10)]
    assert [number for number, kind in enumerate(kinds, 1) if kind == "search_outage"] == [5, 10]
    assert all(event.cause == "outage" for event in game.episode.events if event.kind == "search_outage")


def test_rental_car_by_other_names(trips: list[Scenario], playing: type[Any]) -> None:
    trip = next(one for one in trips if one.aspect("rental_car"))
    assert playing(trip)("[search] yes:Car Rental").kind == "search_valid"


def test_a_hit_reveals_exactly_one_preference(trip: Scenario, playing: type[Any]) -> None:
    game = playing(trip)
    event = game("[action] hit:P2")
    assert (event.kind, event.preference, event.reward, event.elicited) == ("action_hit", "P2", 0.2, True)
    assert trip.preferences[1].statement in event.feedback
    assert [one.id for one in game.episode.elicited] == ["P2"]
    twice = game("[action] hit:P2")  # a judge that names a preference already told
    assert (twice.kind, twice.cause) == ("action_chat", "user-failed")


@pytest.mark.parametrize("word", ["miss", "vague", "chat"])
def test_the_third_utterance_off_target_makes_the_user_volunteer(
    trip: Scenario, playing: type[Any], word: str
) -> None:
    game = playing(trip)
    kinds = [game(f"[action] {word}").kind for _ in range(6)]
    assert kinds == [f"action_{word}"] * 2 + ["proactive"] + [f"action_{word}"] * 2 + ["proactive"]
    assert game.episode.events[2].reward == 0.0
    assert len(game.episode.elicited) == 2


def test_searches_and_answers_leave_the_count_alone(trip: Scenario, playing: type[Any]) -> None:
    game = playing(trip, mode="multi")
    game("[action] chat", "[search] no", "[action] chat", f"[answer] {trip.aspects[0].wrong[0]}")
    assert game("[action] chat").kind == "proactive"


def test_nothing_left_to_volunteer(trip: Scenario, playing: type[Any]) -> None:
    game = playing(trip, max_steps=40)
    game(*(f"[action] hit:P{number}" for number in range(1, 5)))
    assert {game("[action] chat").kind for _ in range(5)} == {"action_chat"}


def test_a_user_that_says_nothing_reveals_nothing(trip: Scenario, playing: type[Any]) -> None:
    game = playing(trip)
    event = game("[action] broken")
    assert (event.kind, event.cause) == ("action_chat", "user-failed")

    class Mute(type(game.user)):  # type: ignore[misc]
        def answer(self, ask: Speak | Utterance) -> Judgement | None:
            return None if type(ask).__name__ == "Speak" else super().answer(ask)

    game = playing(trip, Mute())
    event = game("[action] hit:P1")
    assert (event.kind, event.reward, event.cause) == ("action_chat", 0.0, "user-failed")
    assert game.episode.elicited == [] and len(game.episode.remaining) == 4


def test_single_choice_takes_one_answer_an_aspect(trip: Scenario, playing: type[Any]) -> None:
    (best, _, wrong), (other, also, _) = ids_of(trip)
    game = playing(trip)
    assert game(f"[answer] {wrong[0]}").kind == "answer_wrong"
    again = game(f"[answer] {best}")
    assert (again.kind, again.cause, again.reward) == ("answer_refused", "answered-twice", 0.0)
    last = game(f"[answer] {also[0]}")
    assert (last.kind, last.reward, game.episode.terminated) == ("answer_correct", 0.8, True)
    assert measure(trip, game.episode.events, True).score == pytest.approx(0.4)
    with pytest.raises(suite.ConfigError, match="over"):
        game("[action] chat")


def test_multi_choice_ends_when_every_best_is_found(trip: Scenario, playing: type[Any]) -> None:
    (best, also, _), (other, _, wrong) = ids_of(trip)
    game = playing(trip, mode="multi")
    assert [game(f"[answer] {name}").kind for name in (also[0], also[0], wrong[0], best)] == [
        "answer_correct",
        "answer_wrong",
        "answer_wrong",
        "answer_best",
    ]
    assert game.episode.events[1].cause == "repeated"
    assert not game.episode.terminated
    game(f"[answer] {other}")
    assert game.episode.terminated and not game.episode.truncated
    assert measure(trip, game.episode.events, False).score == 1.0


@pytest.mark.parametrize(
    ("content", "kind", "cause"),
    [
        ("h3", "format_error", "bad-id"),
        ("the first one", "format_error", "bad-id"),
        ("", "format_error", "bad-id"),
        ("H1,", "format_error", "bad-id"),
        ("H1,,H2", "format_error", "bad-id"),
        ("H1, H2", "answer_refused", "several-ids"),
        ("Z9", "answer_refused", "foreign"),
    ],
)
def test_answers_that_are_none(
    trip: Scenario, playing: type[Any], content: str, kind: str, cause: str
) -> None:
    game = playing(trip)
    event = game(f"[answer] {content}")
    assert (event.kind, event.cause, event.reward) == (kind, cause, 0.0)
    assert measure(trip, game.episode.events, True).aspects[0].answers == 0


@pytest.mark.parametrize("form", ["**{}**", "`{}`", '"{}"', "({})", "{}.", "_{}_", "\xa0{}\r\n"])
def test_marks_around_an_id_do_not_hide_it(trip: Scenario, playing: type[Any], form: str) -> None:
    (best, *_), _ = ids_of(trip)
    assert playing(trip)(f"[answer] {form.format(best)}").kind == "answer_best"
    assert playing(trip)(f"[answer] {form.format('the first one')}").kind == "format_error"


def test_an_id_that_does_not_exist_uses_the_answer_up(trip: Scenario, playing: type[Any]) -> None:
    event = playing(trip)(f"[answer] {trip.aspects[0].letter}99")
    assert (event.kind, event.cause) == ("answer_wrong", "no-such-option")


def test_format_errors_cost_a_turn(trip: Scenario, playing: type[Any]) -> None:
    game = playing(trip, max_steps=3)
    assert [game("nonsense").kind for _ in range(3)] == ["format_error"] * 3
    assert game.episode.truncated and not game.episode.terminated


def test_both_flags_can_be_true(trip: Scenario, playing: type[Any]) -> None:
    game = playing(trip, max_steps=2)
    game(*(f"[answer] {one.best}" for one in trip.aspects))
    assert game.episode.terminated and game.episode.truncated


def test_fewer_distractors(trip: Scenario, playing: type[Any]) -> None:
    game = playing(trip, wrong=5, noise=0)
    assert all(len(dealt) == 8 for dealt in game.episode.options.values())
    game = playing(trip, wrong=10, noise=0)
    shown = game.episode.options[trip.aspects[0].name]
    assert not set(shown) & set(trip.aspects[0].noise)


def test_scaled_rewards_change_no_result(trip: Scenario, playing: type[Any]) -> None:
    game = playing(trip, reward_scale=3.0, step_penalty=0.5)
    event = game(f"[answer] {trip.aspects[0].best}")
    assert event.reward == pytest.approx(2.5)
    assert measure(trip, game.episode.events, True).aspects[0].best
    assert playing(trip, step_penalty=0.5, normalize_rewards=True)("[action] chat").reward == 0.0
    assert playing(trip, wrong_penalty=0.4)(f"[answer] {trip.aspects[0].wrong[0]}").reward == 0.0


def test_order_of_options_comes_from_seed_and_scenario(trip: Scenario, playing: type[Any]) -> None:
    one, same, other = (playing(trip, seed=seed).episode.options for seed in (1, 1, 2))
    assert one == same != other


class TestCompat:
    """The released asynchronous code's ways."""

    def test_release_comes_later_and_is_lost(self, trip: Scenario, playing: type[Any]) -> None:
        game = playing(trip, compat="released-async")
        kinds = [game("[action] chat").kind for _ in range(4)]
        assert kinds == ["action_chat"] * 3 + ["proactive"]
        assert game.episode.elicited == []
        found = measure(trip, game.episode.events, True)
        assert found.passive == 1

    def test_several_ids_are_all_taken(self, trip: Scenario, playing: type[Any]) -> None:
        game = playing(trip, compat="released-async")
        first, second = trip.aspects
        event = game(f"[answer] {first.best}, {second.correct[0]}")
        assert event.reward == pytest.approx(1.0 + (1.0 if second.correct[0] == second.best else 0.8))
        found = measure(trip, game.episode.events, True)
        assert all(one.correct for one in found.aspects)

    @pytest.mark.parametrize(
        ("mode", "ids", "rewards"),
        [
            ("single", "BEST,", (0.0,)),  # the empty part ends the turn: taken, and paid nothing
            ("single", "BEST, nonsense", (0.0,)),
            ("single", "BEST, WRONG", (0.0,)),  # the second of one thing is refused, the first one's pay lost
            ("multi", "BEST, WRONG", (1.0,)),
            ("multi", "BEST, BEST", (1.0,)),
            ("multi", "ALSO, BEST", (1.8,)),
            ("multi", "WRONG, X99", (0.0,)),  # a letter of no thing at all is no id
            ("single", "FOREIGN", (0.0,)),
            ("multi", "ALSO; BEST", (0.0,)),
        ],
    )
    def test_answers_pay_as_released(
        self, trip: Scenario, playing: type[Any], mode: str, ids: str, rewards: tuple[float]
    ) -> None:
        (best, also, wrong), foreign = ids_of(trip)[0], self.foreign(trip)
        words = {"BEST": best, "ALSO": also[0], "WRONG": wrong[0], "FOREIGN": foreign}
        for word, name in words.items():
            ids = ids.replace(word, name)
        game = playing(trip, mode=mode, compat="released-async")
        game(f"[answer] {ids}")
        found = measure(trip, game.episode.events, mode == "single")
        assert found.rewards == pytest.approx(rewards)
        assert found.aspects[0].value == min(1.0, rewards[0])

    @staticmethod
    def foreign(trip: Scenario) -> str:
        letters = {one.letter for one in trip.aspects}
        return next(letter for letter in "ACFHR" if letter not in letters) + "1"

    def test_what_was_taken_before_an_unreadable_id_stays_taken(
        self, trip: Scenario, playing: type[Any]
    ) -> None:
        best, also, _ = ids_of(trip)[0]
        game = playing(trip, mode="multi", compat="released-async")
        assert game(f"[answer] {best},").kind == "format_error"
        assert game(f"[answer] {best}").kind == "answer_wrong"
        game = playing(trip, compat="released-async")
        game(f"[answer] {best},")
        assert game(f"[answer] {also[0]}").cause == "answered-twice"

    def test_a_foreign_letter_is_used_up_once(self, trip: Scenario, playing: type[Any]) -> None:
        game, foreign = playing(trip, compat="released-async"), self.foreign(trip)
        kinds = [game(f"[answer] {foreign}").kind for _ in range(2)]
        assert kinds == ["answer_wrong", "answer_refused"]
        assert playing(trip)(f"[answer] {foreign}").cause == "foreign"

    def test_penalties_are_floored_over_the_turn(self, trip: Scenario, playing: type[Any]) -> None:
        best, _, wrong = ids_of(trip)[0]
        game = playing(trip, mode="multi", compat="released-async", wrong_penalty=0.3)
        assert game(f"[answer] {best}, {wrong[0]}").reward == pytest.approx(0.7)
        assert game(f"[answer] {wrong[1]}").reward == 0.0

    def test_a_hit_that_is_not_answered_counts_as_released(self, trip: Scenario, playing: type[Any]) -> None:
        game = playing(trip, compat="released-async")

        class Mute(type(game.user)):  # type: ignore[misc]
            def answer(self, ask: Speak | Utterance) -> Judgement | None:
                return None if type(ask).__name__ == "Speak" else super().answer(ask)

        game = playing(trip, Mute(), compat="released-async")
        game("[action] chat", "[action] chat", "[action] hit:P1")
        found = measure(trip, game.episode.events, True)
        assert (found.active, found.rewards[-1], game.episode.elicited) == (1, 0.0, [])
        assert game("[action] chat").kind == "action_chat"  # the count began anew

    def test_it_goes_on_after_the_last_answer(self, trip: Scenario, playing: type[Any]) -> None:
        game = playing(trip, compat="released-async")
        game(*(f"[answer] {one.wrong[0]}" for one in trip.aspects))
        assert not game.episode.over


def test_judges_read_what_was_searched_and_said_but_no_opening_and_no_answer(
    trip: Scenario, playing: type[Any]
) -> None:
    game = playing(trip)
    assert game.episode.history == []
    game("[search] no", "[action] chat", f"[answer] {trip.aspects[0].wrong[0]}")
    assert [(line.role, line.text) for line in game.episode.history if line.role == "agent"] == [
        ("agent", "no"),
        ("agent", "chat"),
    ]


def test_space_and_capitals_around_what_a_judge_says_are_no_outage(
    trip: Scenario, playing: type[Any]
) -> None:
    event = playing(trip)(f"[search] yes: {trip.aspects[0].name.upper()} ")
    assert event.kind == "search_valid"
    assert playing(trip)("[action] hit: P2 ").preference == "P2"


def test_an_abandoned_episode_has_the_rewards_of_its_turns(trip: Scenario, playing: type[Any]) -> None:
    game = playing(trip)
    game(f"[search] yes:{trip.aspects[0].name}", "[action] chat")
    game.episode.abandon("", "harness")
    official = measure(trip, game.episode.events, True).official
    assert official["official_micro_avg"] == pytest.approx(0.1)  # 0.2 over two turns, not three
    nothing = playing(trip)
    nothing.episode.abandon("", "harness")
    assert measure(trip, nothing.episode.events, True).official["official_micro_avg"] == 0.0


@pytest.mark.parametrize("bad", [{"max_steps": 0}, {"wrong": -1}, {"outage_every": -2}])
def test_bad_rules_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(suite.ConfigError, match=next(iter(bad))):
        Rules(**bad)


@pytest.mark.parametrize(
    "text", ['{"a":' * 50_000, "[" * 50_000, "x" + "\n" * 200_000, "```" + "\n" * 200_000]
)
def test_a_hostile_reply_is_no_move_and_costs_little(text: str) -> None:
    """Deep JSON is no error of the task, and time grows with the length only."""
    began = time.process_time()
    assert calling.read("text", suite.Reply(text)).problem == "no-json"
    assert rules._plain(text) == text
    assert time.process_time() - began < 5
