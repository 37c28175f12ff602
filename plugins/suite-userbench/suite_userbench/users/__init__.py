"""Simulated users: the questions an environment puts to one, and what it may answer.

A user judges searches, judges utterances and speaks. It is asked through typed questions, so the state
machine does no input or output and knows no domain; a user for another domain answers the same questions.
`None` as an answer means that the user gave none that can be used (a model that broke its schema).
"""

from suite_userbench.users.finding import UserKind, find
from suite_userbench.users.protocol import (
    Answer,
    Ask,
    AsyncUser,
    Judgement,
    Line,
    Said,
    Speak,
    SyncUser,
    Utterance,
    Verdict,
    View,
)
from suite_userbench.users.protocol import Search as Search

__all__ = [
    "Answer",
    "Ask",
    "AsyncUser",
    "Judgement",
    "Line",
    "Said",
    "Search",
    "Speak",
    "SyncUser",
    "UserKind",
    "Utterance",
    "Verdict",
    "View",
    "find",
]
