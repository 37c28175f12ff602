"""One episode in a report: numbers, the dialogue with what happened beside it, and what was hidden."""

from collections.abc import Iterable, Sequence

import suite
from suite_userbench.events import Event
from suite_userbench.scenario import Scenario

_SHOWN = (
    "score",
    "turns",
    "active",
    "passive",
    "preferences",
    "total_reward",
    "format_errors",
    "user_failures",
)


def episode(scenario: Scenario, events: Sequence[Event], score: suite.Score | None) -> Iterable[suite.Block]:
    """Facts, dialogue, table of preferences."""
    if score is not None:
        yield suite.Facts({name: suite.shown(score.values.get(name)) for name in _SHOWN}, title="Episode")
    turns = [suite.Turn("user", scenario.request)]
    for event in events:
        turns.append(suite.Turn(_speaker(event), event.content or "(nothing readable)", _notes(event)))
        if event.feedback:
            turns.append(suite.Turn(_answers(event), event.feedback, _revealed(scenario, event)))
    yield suite.Dialogue(turns, title="Dialogue")
    when = {event.preference: event for event in events if event.elicited}
    yield suite.Table(
        ("id", "aspect", "category", "preference", "brought out at turn", "how"),
        [
            (one.id, one.aspect, one.category, one.text, _turn(when.get(one.id)), _how(when.get(one.id)))
            for one in scenario.preferences
        ],
        title="Hidden preferences",
    )
    yield suite.Table(
        ("aspect", "best", "other correct", "answered"),
        [
            (
                one.name,
                one.best,
                ", ".join(name for name in one.correct if name != one.best),
                ", ".join(
                    each.option
                    for event in events
                    for each in (*event.more, event)
                    if each.aspect == one.name
                    and each.kind.startswith("answer_")
                    and each.kind != "answer_refused"
                ),
            )
            for one in scenario.aspects
        ],
        title="Answers",
    )


def _speaker(event: Event) -> str:
    return f"agent: {event.choice or 'unreadable'}"


def _answers(event: Event) -> str:
    return "database" if event.choice == "search" else ("user" if event.choice else "environment")


def _notes(event: Event) -> list[str]:
    notes = [f"turn {event.turn}", event.kind, f"reward {event.reward:g}"]
    if event.cause:
        notes.append(event.cause)
    if event.dropped:
        notes.append(f"{event.dropped} more tool calls ignored")
    return notes


def _revealed(scenario: Scenario, event: Event) -> list[str]:
    if not event.elicited:
        return []
    text = next((one.text for one in scenario.preferences if one.id == event.preference), "")
    return [f"reveals {event.preference} ({event.aspect}): {text}"]


def _turn(event: Event | None) -> int | None:
    return event.turn if event else None


def _how(event: Event | None) -> str:
    if event is None:
        return "never"
    return "asked for" if event.kind == "action_hit" else "volunteered"
