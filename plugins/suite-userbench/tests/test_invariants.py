"""Random agents against what must always hold."""

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from suite_userbench.driving import play
from suite_userbench.events import Event
from suite_userbench.machine import Episode, episode_random
from suite_userbench.measures import measure
from suite_userbench.rules_of_play import Compat, Mode, Rules
from suite_userbench.scenario import Scenario
from suite_userbench.users.rules import RulesUser

THINGS = ["flight", "hotel", "apartment", "rental car", "restaurant"]
WORDS = [
    "airline",
    "gym",
    "wifi",
    "breakfast",
    "parking",
    "rating",
    "budget",
    "insurance",
    "seats",
    "route",
    "bed",
]
ACTION = st.one_of(
    st.builds(
        lambda t, w: f"[action] Do you care about {w} for the {t}?",
        st.sampled_from(THINGS),
        st.sampled_from(WORDS),
    ),
    st.builds(lambda t: f"[search] {t}", st.sampled_from(THINGS)),
    st.builds(lambda a, b: f"[answer] {a}{b}", st.sampled_from("FHACRZ"), st.integers(0, 24)),
    st.just("[search] GOLD"),
    st.text(max_size=30),
    st.text(max_size=20).map(lambda text: f"[action] {text}?"),
    st.text(max_size=20).map(lambda text: f"[answer] {text}"),
    st.text(max_size=20).map(lambda text: f"[search] {text}"),
)


def gold_search(scenario: Scenario, number: int) -> str:
    one = scenario.aspects[number % len(scenario.aspects)]
    args = " and ".join(one.arguments.values())
    if one.name == "flight":
        args = f"from {one.arguments['origin']} to {one.arguments['destination']} on {one.arguments['date']}"
    return f"[search] {one.name.replace('_', ' ')} {args}"


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    actions=st.lists(ACTION, max_size=30),
    which=st.integers(0, 31),
    seed=st.integers(0, 2**31),
    mode=st.sampled_from(["single", "multi"]),
    compat=st.sampled_from(["none", "released-async"]),
)
def test_invariants(
    trips: list[Scenario], actions: list[str], which: int, seed: int, mode: Mode, compat: Compat
) -> None:
    scenario = trips[which]
    rules = Rules(mode=mode, compat=compat, max_steps=20)
    user = RulesUser()

    def run() -> tuple[Episode, list[str]]:
        episode = Episode(scenario, rules, episode_random(seed, scenario.id))
        seen = [episode.feedback]
        done = []
        for number, action in enumerate(actions):
            if episode.over:
                break
            done.append(gold_search(scenario, number) if action == "[search] GOLD" else action)
            play(episode, user, done[-1])
            seen.append(episode.feedback)
        return episode, seen

    episode, seen = run()
    again, seen_again = run()
    assert msgspec.json.encode(episode.events) == msgspec.json.encode(again.events)
    assert seen == seen_again
    assert episode.steps == len(episode.events) <= 20
    bound = 1.0 if compat == "none" else 20.0
    assert all(0.0 <= event.reward <= bound for event in episode.events)
    told = [event.preference for event in episode.events if event.elicited]
    assert len(set(told)) == len(told)
    assert [one.id for one in episode.elicited] == told
    by_id = {one.id: one for one in scenario.preferences}
    for one in scenario.preferences:  # hidden texts never show; a statement shows only when revealed
        assert not any(one.text in text or (one.note and one.note in text) for text in seen)
        if one.id not in told:
            same = [by_id[name] for name in told if by_id[name].statement == one.statement]
            assert same or not any(one.statement in text for text in seen)
    assert not any('"type": "suitable"' in text or '"reason"' in text for text in seen)
    found = measure(scenario, episode.events, mode == "single")
    assert 0.0 <= found.score <= 1.0
    assert found.searches_valid <= len(scenario.aspects)
    assert found.active + found.passive <= found.actions
    if compat == "none":
        assert found.active + found.passive == len(told) <= len(scenario.preferences)
    restored = msgspec.json.decode(msgspec.json.encode(episode.events), type=list[Event])
    assert measure(scenario, restored, mode == "single") == found
