"""Numbers of one episode, from its log alone: everything that the metrics need.

Undefined rates are left to the metrics: an episode without searches has 0 of 0. Source of definitions:
arXiv 2507.22034 appendix C; what it leaves open is decided in docs/userbench.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from suite_userbench.events import Event
from suite_userbench.scenario import Scenario

BEST, CORRECT = 1.0, 0.8
_VALUES = {"answer_best": BEST, "answer_correct": CORRECT, "answer_wrong": 0.0}
_REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class AspectResult:
    """One aspect. value: 1, 0.8 or 0. index: turn from 0 at which the value was first reached; None if 0."""

    name: str
    value: float
    best: bool
    correct: bool
    answers: int
    index: int | None

    @property
    def weight(self) -> float:
        """1 / (index + 1) of a hit, 0 of a miss (paper, Table 5)."""
        return 0.0 if self.index is None else 1.0 / (self.index + 1)


@dataclass(frozen=True, slots=True)
class Measures:
    """One episode. Counts are of turns; elicited counts are of preferences."""

    aspects: tuple[AspectResult, ...]
    turns: int
    searches: int
    searches_valid: int
    outages: int
    actions: int
    hits: int
    answers: int
    refused: int
    format_errors: int
    active: int
    passive: int
    preferences: int
    user_failures: int
    rewards: tuple[float, ...]

    @property
    def score(self) -> float:
        """Mean over aspects."""
        return sum(one.value for one in self.aspects) / len(self.aspects)

    @property
    def official(self) -> Mapping[str, float]:
        """What the released code prints of an episode; an abandoned one keeps the rewards of its turns."""
        return {
            "official_micro_avg": sum(self.rewards) / len(self.rewards) if self.rewards else 0.0,
            "official_micro_max": max(self.rewards, default=0.0),
            "official_number_of_08": float(sum(round(one, 6) == CORRECT for one in self.rewards)),
            "official_number_of_1": float(sum(round(one, 6) == BEST for one in self.rewards)),
        }


def answers_of(events: Sequence[Event]) -> Iterator[Event]:
    """Every accepted answer with its turn, several of one turn singly."""
    for event in events:
        for one in (*event.more, event):
            if one.kind in _VALUES and one.cause != _REPEATED:
                yield one


def _left(event: Event) -> bool:
    """Whether this is no turn but the end of an abandoned episode."""
    return event.kind == "finish" and not event.choice


def aspect_result(name: str, events: Sequence[Event], single: bool) -> AspectResult:
    """What became of an aspect: in single-choice mode its first accepted answer, else its best one."""
    answers = [event for event in answers_of(events) if event.aspect == name]
    counted = answers[:1] if single else answers
    value = max((_VALUES[event.kind] for event in counted), default=0.0)
    first = next((event for event in counted if value > 0 and _VALUES[event.kind] == value), None)
    return AspectResult(
        name=name,
        value=value,
        best=value == BEST,
        correct=value > 0,
        answers=len(answers),
        index=None if first is None else first.turn - 1,
    )


def measure(scenario: Scenario, events: Sequence[Event], single: bool) -> Measures:
    """The numbers of an episode. Denominators are those of the scenario at reset."""
    kinds = [event.kind for event in events]
    searches = [event for event in events if event.kind.startswith("search_")]
    actions = [event for event in events if event.choice == "action"]
    return Measures(
        aspects=tuple(aspect_result(one.name, events, single) for one in scenario.aspects),
        turns=sum(not _left(event) for event in events),
        searches=len(searches),
        searches_valid=kinds.count("search_valid"),
        outages=sum(event.kind == "search_outage" and event.cause == "outage" for event in events),
        actions=len(actions),
        hits=kinds.count("action_hit"),
        answers=sum(event.choice == "answer" for event in events),
        refused=kinds.count("answer_refused"),
        format_errors=kinds.count("format_error"),
        active=kinds.count("action_hit"),
        passive=kinds.count("proactive"),
        preferences=len(scenario.preferences),
        user_failures=sum(event.cause == "user-failed" for event in events),
        rewards=tuple(event.reward for event in events if not _left(event)),
    )
