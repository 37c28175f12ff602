"""Episodes of a scripted candidate in this process, without a run: for bounds, tests and benchmarks."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import suite
from suite_userbench.events import Event
from suite_userbench.measures import Measures, measure
from suite_userbench.parameters import TravelParameters
from suite_userbench.scenario import Scenario
from suite_userbench.task import Travel, events_of

Answer = Callable[[suite.Request, Any], suite.Reply]


@dataclass(frozen=True, slots=True)
class Asking:
    """What a scripted candidate may know of a call: a seed."""

    seed: int


class Direct(suite.Model):
    """A function as a candidate, asked in process."""

    member = "candidate"

    def __init__(
        self, answer: Answer, seed: int = 0, capabilities: frozenset[str] = frozenset({"chat"})
    ) -> None:
        self.name = getattr(answer, "__name__", "scripted")
        self.capabilities = self.chosen = capabilities
        self._answer = answer
        self._seed = seed

    async def ask(self, request: suite.Request, key: str = "") -> suite.Reply:  # noqa: ARG002
        """The function's reply."""
        return self._answer(request, Asking(self._seed))

    async def rate_answers(
        self, messages: tuple[suite.Message, ...], answers: tuple[str, ...], kind: str, key: str
    ) -> suite.Ratings:
        """A scripted candidate rates nothing."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Played:
    """One episode: its log and its numbers."""

    scenario: Scenario
    events: list[Event]
    measures: Measures


async def play(
    answer: Answer, scenarios: Iterable[Scenario], parameters: Mapping[str, Any], seed: int = 0
) -> list[Played]:
    """Play every scenario with a user that needs no model. Raises CapabilityError for one that does."""
    task = Travel(TravelParameters.model_validate({"user": "rules-v1", **parameters}))
    found = []
    for number, scenario in enumerate(scenarios):
        sample = suite.Sample(scenario.id, scenario, seed=seed)
        models = suite.Models({"candidate": [Direct(answer, seed * 1_000_003 + number)]})
        events = events_of(await task.solve(sample, models))
        found.append(Played(scenario, events, measure(scenario, events, task.rules.mode == "single")))
    return found


def summary(played: Iterable[Played]) -> Iterator[tuple[str, float | None]]:
    """Headline numbers over episodes: means over scenarios, rates over aspects, shares of preferences."""
    all_of = list(played)
    aspects = [one for each in all_of for one in each.measures.aspects]
    wanted = sum(each.measures.preferences for each in all_of)

    def share(top: float, bottom: float) -> float | None:
        return top / bottom if bottom else None

    yield "score", share(sum(each.measures.score for each in all_of), len(all_of))
    yield "best_exist_rate", share(sum(one.best for one in aspects), len(aspects))
    yield "correct_exist_rate", share(sum(one.correct for one in aspects), len(aspects))
    yield "elicited_active", share(sum(each.measures.active for each in all_of), wanted)
    yield "elicited_passive", share(sum(each.measures.passive for each in all_of), wanted)
    valid, searches = (
        sum(getattr(each.measures, name) for each in all_of) for name in ("searches_valid", "searches")
    )
    yield "valid_search", share(valid, searches)
    hits, actions = (sum(getattr(each.measures, name) for each in all_of) for name in ("hits", "actions"))
    yield "valid_action", share(hits, actions)
    yield "turns", share(sum(each.measures.turns for each in all_of), len(all_of))
