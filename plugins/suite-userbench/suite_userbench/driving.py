"""The two loops around the state machine: one for users that answer at once, one for users that take time."""

from collections.abc import Awaitable
from inspect import isawaitable

from suite_userbench.events import Event
from suite_userbench.machine import Episode, Turn
from suite_userbench.users.protocol import Answer, AsyncUser, SyncUser


def play(episode: Episode, user: SyncUser, action: str, dropped: int = 0) -> Event:
    """One step with a synchronous user."""
    turn = episode.step(action, dropped)
    try:
        ask = next(turn)
        while True:
            ask = turn.send(user.answer(ask))
    except StopIteration as stop:
        return _event(stop)


async def play_async(
    episode: Episode, user: SyncUser | AsyncUser, action: str, dropped: int = 0, problem: str = ""
) -> Event:
    """One step with either kind of user."""
    turn: Turn = episode.step(action, dropped, problem)
    try:
        ask = next(turn)
        while True:
            answer: Answer | None | Awaitable[Answer | None] = user.answer(ask)
            ask = turn.send(await answer if isawaitable(answer) else answer)
    except StopIteration as stop:
        return _event(stop)


def _event(stop: StopIteration) -> Event:
    event = stop.value
    assert isinstance(event, Event)
    return event
