"""Scenarios, data and models for UserBench's tests."""

from collections.abc import Callable
from typing import Any

import pytest
from suite_userbench.driving import play
from suite_userbench.events import Event
from suite_userbench.machine import Episode, episode_random
from suite_userbench.records import Record, scenario_from
from suite_userbench.rules_of_play import Rules
from suite_userbench.scenario import Scenario
from suite_userbench.synth.generator import scenarios
from suite_userbench.task import Travel
from suite_userbench.users.protocol import Answer, Ask, Judgement, Said, Search, Utterance, Verdict

import suite
from suite.testing import task_data

Row = dict[str, Any]


class Told:
    """A user whose verdicts are given in the request itself: "yes:hotel", "no", "hit:P2", "vague", "
    ""broken"."""

    def answer(self, ask: Ask) -> Answer | None:
        if isinstance(ask, Search):
            if ask.request == "neither":
                return Verdict(None)
            word, _, aspect = ask.request.partition(":")
            return None if word == "broken" else Verdict(word == "yes", aspect)
        if isinstance(ask, Utterance):
            word, _, name = ask.text.partition(":")
            return None if word == "broken" else Judgement(word, name)  # type: ignore[arg-type]
        if "mute" in ask.text:
            return None
        return Said(ask.preference.statement if ask.preference else f"({ask.kind})")


class Play:
    """An episode with a user, step by step."""

    def __init__(self, scenario: Scenario, user: Any = None, seed: int = 0, **rules: Any) -> None:
        self.episode = Episode(scenario, Rules(**rules), episode_random(seed, scenario.id))
        self.user = user or Told()

    def __call__(self, *actions: str) -> Event:
        for action in actions:
            event = play(self.episode, self.user, action)
        return event


@pytest.fixture(scope="session")
def synth() -> Callable[..., list[dict[str, Any]]]:
    """Generated records: synth(tag, count, split)."""

    def make(tag: str = "22", count: int = 1, split: Any = None, seed: int = 0) -> list[dict[str, Any]]:
        return list(scenarios(tag, split, seed=seed, count=count))  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def trip() -> Scenario:
    """A scenario of two things with two preferences each."""
    return scenario_from(Record(**next(scenarios("22", "test", seed=5, count=1))))


@pytest.fixture(scope="session")
def trips() -> list[Scenario]:
    """Four scenarios of every composition."""
    from suite_userbench.scenario import TAGS

    return [scenario_from(Record(**record)) for tag in TAGS for record in scenarios(tag, seed=7, count=4)]


@pytest.fixture
def playing() -> type[Play]:
    """An episode whose user is told what to say."""
    return Play


@pytest.fixture
def files() -> Callable[..., suite.Data]:
    """The bundled data, each row changed on the way if so wanted."""

    def opened(change: Callable[[str, Row], Row] | None = None) -> suite.Data:
        return task_data(Travel, change=change)

    return opened
