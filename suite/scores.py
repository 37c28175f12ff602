"""What judging yields: the values of a score and of its parts, and what stands for a missing value."""

from collections.abc import Mapping, Sequence

import msgspec


class Unscored(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value the judge or verifier failed to give: shown and counted, never a zero."""

    reason: str = msgspec.field(name="unscored")
    detail: str = ""


Value = float | int | bool | str | Unscored | None  # None: not applicable, outside both counts


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of a score: an instruction, an aspect, a judge's vote, an order."""

    id: str
    values: Mapping[str, Value] = {}
    tags: Mapping[str, str] = {}


class Score(msgspec.Struct, frozen=True, omit_defaults=True):
    """What judging an output yields: named values, each a number, a bool, a label, unscored or None."""

    values: Mapping[str, Value] = {}
    parts: Sequence[Part] = ()
