"""The protocol between an environment and its simulated user."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from suite_userbench.scenario import Preference, Scenario

UtteranceKind = Literal["chat", "hit", "miss", "vague"]
SpeakKind = Literal["hit", "proactive", "chat", "miss", "vague"]


@dataclass(slots=True)
class Line:
    """One line of the conversation. role: agent, user or database. note: for judges only."""

    role: Literal["agent", "user", "database"]
    text: str
    note: str = ""


class View(Protocol):
    """What a user may know: everything. (Candidates see none of it.)"""

    scenario: Scenario
    history: list[Line]
    rng: random.Random

    @property
    def remaining(self) -> Sequence[Preference]:
        """Preferences not yet brought out, in order."""


@dataclass(frozen=True, slots=True)
class Search:
    """Does this request match the arguments of exactly one aspect? Answer: `Verdict`."""

    view: View
    request: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """What kind of utterance is this? Answer: `Judgement`."""

    view: View
    text: str


@dataclass(frozen=True, slots=True)
class Speak:
    """What does the user say? Answer: `Said`.

    kind: hit and proactive hint at `preference`; chat, miss and vague reveal nothing.
    """

    view: View
    kind: SpeakKind
    text: str
    preference: Preference | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a search matches, and which aspect. matches: None where the judge says that neither applies."""

    matches: bool | None
    aspect: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an utterance is; of a hit, the id of the one preference it asks for."""

    kind: UtteranceKind
    preference: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """The user's words."""

    text: str


Ask = Search | Utterance | Speak
Answer = Verdict | Judgement | Said


class SyncUser(Protocol):
    """A user that answers at once, in process."""

    def answer(self, ask: Ask) -> Answer | None:
        """The answer, of the type that the question says; None if there is none."""


class AsyncUser(Protocol):
    """A user that takes its time: a model."""

    async def answer(self, ask: Ask) -> Answer | None:
        """The answer, of the type that the question says; None if there is none."""
