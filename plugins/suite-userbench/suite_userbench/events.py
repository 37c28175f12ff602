"""What happened in an episode: one log, from which every metric is derived.

An event is one turn of the candidate. Not here: how events come about (`machine`), numbers (`measures`).
"""

from typing import Literal, get_args

import msgspec

Kind = Literal[
    "search_valid",
    "search_repeat",
    "search_invalid",
    "search_outage",
    "action_hit",
    "action_miss",
    "action_vague",
    "action_chat",
    "proactive",
    "answer_best",
    "answer_correct",
    "answer_wrong",
    "answer_refused",
    "format_error",
    "finish",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
Choice = Literal["search", "action", "answer", "finish", ""]


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One turn.

    turn: from 1. choice, content: what the candidate did; choice "" if it couldn't be read.
    aspect, option, preference: what it was about, "" if nothing. reward: after scale and penalty.
    feedback: what the candidate was told, without the options of a search.
    cause: why it came out so, where the kind doesn't say ("outage", "user-failed", "several-ids" …).
    elicited: whether the preference really was brought out (False in compat mode's lost releases).
    dropped: tool calls beyond the first, which were ignored.
    more: further answers of the same turn (only in compat mode).
    """

    turn: int
    kind: Kind
    choice: Choice = ""
    content: str = ""
    aspect: str = ""
    option: str = ""
    preference: str = ""
    reward: float = 0.0
    feedback: str = ""
    cause: str = ""
    elicited: bool = False
    dropped: int = 0
    more: tuple["Event", ...] = ()
