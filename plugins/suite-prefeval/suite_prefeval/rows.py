"""Rows of the data files, and the item that a sample carries.

The same pairs stand in the same order in every form, so (topic, index) names a pair; text does not:
three pairs are in two topics each.
"""

from typing import Literal

import suite

Speaker = Literal["user", "assistant"]
Said = tuple[Speaker, str]


class Row(suite.Payload):
    """A pair as every form has it. topic, index: from the file's name and the place in it."""

    topic: str
    index: int
    preference: str
    question: str
    explanation: str = ""

    def dialogue(self) -> tuple[Said, ...]:
        """The messages in which the preference shows; () where it is stated outright."""
        return ()


class Choice(suite.Payload):
    """The dialogue of a choice row: options are offered and one is taken."""

    query: str
    assistant_options: str
    user_selection: str
    assistant_acknowledgment: str


class ChoiceRow(Row):
    """A preference shown by a choice among options."""

    conversation: Choice

    def dialogue(self) -> tuple[Said, ...]:
        """Four messages."""
        said = self.conversation
        return (
            ("user", said.query),
            ("assistant", said.assistant_options),
            ("user", said.user_selection),
            ("assistant", said.assistant_acknowledgment),
        )


class Exchange(suite.Payload):
    """What a user said and what was replied."""

    user: str
    assistant: str


class PersonaRow(Row):
    """A preference shown in passing by somebody with a life: keys "0", "1", … in order."""

    conversation: dict[str, Exchange]

    def dialogue(self) -> tuple[Said, ...]:
        """Two messages an exchange."""
        said: list[Said] = []
        for key in sorted(self.conversation, key=int):
            exchange = self.conversation[key]
            said += [("user", exchange.user), ("assistant", exchange.assistant)]
        return tuple(said)


class OptionsRow(Row):
    """Four options for a pair's question; the first is the correct one."""

    classification_task_options: tuple[str, str, str, str]


class Turn(suite.Payload):
    """A message of an unrelated conversation."""

    role: Speaker
    content: str


class Unrelated(suite.Payload):
    """An unrelated conversation."""

    conversation: tuple[Turn, ...]


class Item(suite.Payload):
    """One pair made ready.

    dialogue: empty in the explicit form, where the preference itself is the first message.
    options: in the order shown; gold: the letter of the correct one. Both empty for generation.
    """

    topic: str
    index: int
    preference: str
    question: str
    dialogue: tuple[Said, ...] = ()
    options: tuple[str, ...] = ()
    gold: str = ""
