"""rules-v1: golden dialogues for every preference of the catalogue, searches, carried-over subjects."""

from random import Random
from typing import Literal

import pytest
from suite_userbench.scenario import Aspect, Preference, Scenario
from suite_userbench.synth.catalogue import Wish, catalogue
from suite_userbench.travel import ASPECTS
from suite_userbench.users import Judgement, Line, Said, Search, Speak, Utterance, Verdict, find
from suite_userbench.users.language import dates, phrase
from suite_userbench.users.rules import RulesUser
from suite_userbench.wording import PROMPTS

import suite

WISHES = [wish for wishes in catalogue().values() for wish in wishes]
ARGUMENTS = {
    "flight": {"origin": "Oslo", "destination": "New York", "date": "November 10th"},
    "hotel": {"city": "New York", "date_start": "November 10th", "date_end": "November 14th"},
    "apartment": {"city": "New York", "date_start": "November 10th", "date_end": "November 14th"},
    "rental_car": {"city": "New York", "date_start": "November 10th", "date_end": "November 14th"},
    "restaurant": {"city": "New York", "date": "During stay"},
}


class State:
    """What a user may know, made by hand."""

    def __init__(
        self, wishes: list[Wish], aspects: list[str] | None = None, history: list[Line] | tuple[()] = ()
    ) -> None:
        names = aspects or list(dict.fromkeys(wish.aspect for wish in wishes))
        self.scenario = Scenario(
            "x", "22", "easy", "easy", "Hi", "story",
            tuple(
                Aspect(name, ASPECTS[name].letter, ARGUMENTS[name], {}, "", (), (), ())
                for name in names
            ),
            (),
        )  # fmt: skip
        self.remaining = [
            Preference(f"P{number}", wish.aspect, wish.category, wish.text, wish.statements("test")[0])
            for number, wish in enumerate(wishes, 1)
        ]
        self.history = list(history)
        self.rng = Random(0)


def judged(state: State, text: str, broad: int = 3) -> Judgement:
    found = RulesUser(broad=broad).answer(Utterance(state, text))
    assert isinstance(found, Judgement)
    return found


def said(state: State, kind: Literal["proactive", "miss", "vague", "chat"], *about: Preference) -> str:
    found = RulesUser().answer(Speak(state, kind, "hm", *about))
    assert isinstance(found, Said)
    return found.text


@pytest.mark.parametrize("wish", WISHES, ids=[f"{one.aspect}-{one.key}" for one in WISHES])
def test_golden_dialogues(wish: Wish) -> None:
    title = ASPECTS[wish.aspect].title
    state = State([wish])
    assert judged(state, f"For the {title}: do you care about {wish.words[0]}?") == Judgement("hit", "P1")
    assert (
        judged(state, f"Tell me about your {title}, is {wish.words[1]} something you think of?").kind == "hit"
    )
    near = next(
        one
        for one in catalogue()[wish.aspect]
        if one.category != wish.category and not set(one.words[:1]) & set(wish.words)
    )
    assert judged(state, f"For the {title}: do you care about {near.words[0]}?").kind == "miss"
    assert judged(state, f"Do you have any preferences for the {title}?").kind == "vague"
    assert judged(state, f"I will look for a {title} now.").kind == "chat"


def test_an_item_beats_a_category() -> None:
    amenities = {wish.key: wish for wish in catalogue()["flight"]}
    state = State([amenities["wifi"], amenities["checked-bag"]])
    assert judged(state, "Any extra for the flight, perhaps internet?") == Judgement("hit", "P1")
    assert judged(state, "Any extra for the flight?") == Judgement("hit", "P2")
    assert judged(state, "Do you need a lounge on the flight?").kind == "miss"


def test_only_one_preference_a_turn_and_the_first_asked_wins() -> None:
    hotel = {wish.key: wish for wish in catalogue()["hotel"]}
    state = State([hotel["gym"], hotel["breakfast"]])
    assert judged(state, "Is breakfast at the hotel important, or a gym?").preference == "P2"


def test_too_broad_a_question_is_vague() -> None:
    state = State([catalogue()["hotel"][0]])
    text = "For the hotel, which chain, what kind of room, which facilities and which services do you want?"
    asked = "For the hotel: facility, service, type of room, and add on?"
    assert judged(state, asked).kind == "miss"  # three categories, no preference among them
    assert judged(state, asked, broad=2).kind == "vague"
    assert judged(state, "Hotel facility and service?", broad=1).kind == "vague"
    assert judged(state, text).kind == "hit"  # a brand is named as an item


def test_the_subject_is_carried_over() -> None:
    hotel, flat = catalogue()["hotel"], catalogue()["apartment"]
    gym = next(wish for wish in hotel if wish.key == "gym")
    rating = next(wish for wish in flat if wish.key == "rating")
    hotel_rating = next(wish for wish in hotel if wish.key == "rating")
    state = State([rating, gym, hotel_rating], history=[Line("agent", "Let us talk about the hotel.")])
    assert judged(state, "Which rating should it have?") == Judgement("hit", "P3")


def test_what_the_trip_does_not_have() -> None:
    state = State([catalogue()["hotel"][0]])
    assert judged(state, "Which airline for your flight?").kind == "miss"


def test_unknown_preferences_are_known_by_their_own_words() -> None:
    state = State([catalogue()["hotel"][0]])
    state.remaining = [
        Preference("P1", "hotel", "amenities", "must have a rooftop telescope", "I love stars.")
    ]
    assert judged(state, "Would a telescope at the hotel please you?") == Judgement("hit", "P1")
    assert judged(state, "Would a pool table at the hotel please you?").kind in ("vague", "miss")


GOOD = [
    ("flight", "flight from Oslo to New York on November 10th"),
    ("flight", "Please find me a plane from Oslo to NYC, Nov 10"),
    ("flight", '{"aspect": "flight", "origin": "Oslo", "destination": "New York", "date": "2025-11-10"}'),
    ("hotel", "hotel in New York, November 10-14"),
    ("hotel", "Hotels in new york from 10 November until 14 November with a gym"),
    ("rental_car", "rent a car in New York from November 10th to November 14th"),
    ("restaurant", "restaurant in New York"),
    ("restaurant", "restaurant in New York on November 12th"),
]
BAD = [
    "New York November 10th to November 14th",
    "hotel in New York",
    "hotel in New York from November 10th to November 15th",
    "hotel in Oslo from November 10th to November 14th",
    "hotel and flight from Oslo to New York, November 10th to 14th",
    "flight from New York to Oslo on November 10th",
    "flight to New York on November 10th",
    "flight from Oslo to New York on November 11th",
    "restaurant in New York on December 24th",
    "apartment in New York from November 10th to November 14th",
    "",
    "[]",
]


@pytest.mark.parametrize(("aspect", "text"), GOOD)
def test_searches_that_match(aspect: str, text: str) -> None:
    state = State([], ["flight", "hotel", "rental_car", "restaurant"])
    assert RulesUser().answer(Search(state, text)) == Verdict(True, aspect)


@pytest.mark.parametrize("text", BAD)
def test_searches_that_do_not(text: str) -> None:
    state = State([], ["flight", "hotel", "rental_car", "restaurant"])
    assert RulesUser().answer(Search(state, text)) == Verdict(False)


def test_strict_refuses_filters() -> None:
    state = State([], ["hotel", "flight"])
    plain = "hotel in New York from November 10th to November 14th"
    strict = find("rules-v1?strict=true").make(None, PROMPTS)
    assert strict.answer(Search(state, plain)) == Verdict(True, "hotel")
    assert strict.answer(Search(state, plain + " with a gym")) == Verdict(False)


def test_speech_reveals_only_the_statement() -> None:
    state = State([catalogue()["hotel"][7]])
    told = said(state, "proactive", state.remaining[0])
    assert "hotel" in told and state.remaining[0].statement in told and state.remaining[0].text not in told
    kinds: tuple[Literal["miss", "vague", "chat"], ...] = ("miss", "vague", "chat")
    for kind in kinds:
        one, two = (said(state, kind) for _ in range(2))
        assert one == two and state.remaining[0].statement not in one


@pytest.mark.parametrize("spec", ["rules-v1?broad=no", "rules-v1?strict=maybe", "rules-v1?broad=0"])
def test_bad_settings(spec: str) -> None:
    with pytest.raises(suite.ConfigError):
        find(spec).make(None, PROMPTS)
    with pytest.raises(suite.NotFound, match="colour"):
        find("rules-v1?colour=red")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("November 10th", {(11, 10)}),
        ("10 Nov", {(11, 10)}),
        ("the 3rd of May", {(5, 3)}),
        ("Nov 10-13", {(11, 10), (11, 13)}),
        ("from June 1 to June 5", {(6, 1), (6, 5)}),
        ("2025-02-28", {(2, 28)}),
        ("no date 77", set()),
        ("May 99", set()),
    ],
)
def test_dates(text: str, found: set[tuple[int, int]]) -> None:
    assert dates(text) == found


def test_phrases_are_folded() -> None:
    assert phrase("Two  Carry-on BAGS, 10th!") == "2 carry on bag 10"
