"""What a judge said, and how it failed to say it: the states of a verdict, kept apart.

A verdict that is not there is never a number: `value_or_unscored` turns it into an `Unscored` value
that is shown and counted. A judge that could not be reached yields no verdict at all: its call raises
and the score stays pending. Not here: asking (`judges`), reading replies (`parsers`).
"""

from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar, overload

from suite.task import Unscored

T_co = TypeVar("T_co", covariant=True)
D = TypeVar("D")

State = Literal["valid", "tie", "unparsed", "refused", "truncated"]


class Tie:
    """What a parser returns when the judge saw no difference."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "TIE"


TIE: Final = Tie()


class Unparsed(ValueError):
    """Raised by a parser: the reply is not in the form asked for. The message says why."""


@dataclass(frozen=True, slots=True)
class Verdict(Generic[T_co]):
    """One judge's verdict.

    state: valid; tie (the judge saw no difference); unparsed (no reply could be read, after retries);
    refused (by the judge or a content filter); truncated (cut off before its verdict).
    value: what was read, None unless valid. text: the last reply, raw. first_text: the first one.
    reason: why there is no value ("" if there is one). attempts: replies that were needed or tried.
    judge: member of the role ("judge/2").
    """

    state: State
    value: T_co | None
    text: str = ""
    reason: str = ""
    attempts: int = 1
    judge: str = ""
    first_text: str = ""

    @property
    def valid(self) -> bool:
        """Whether the judge decided (a tie is a decision)."""
        return self.state in ("valid", "tie")

    @overload
    def value_or_unscored(self) -> T_co | Unscored: ...
    @overload
    def value_or_unscored(self, tie: D) -> T_co | D | Unscored: ...
    def value_or_unscored(self, tie: object = None) -> object:
        """The value; `tie` for a tie (without one a tie is unscored); else Unscored with state and reason."""
        if self.state == "valid":
            return self.value
        if self.state == "tie" and tie is not None:
            return tie
        return Unscored(self.state, self.reason)

    def counts(self) -> dict[str, float | bool]:
        """Values for a part of a score: attempts, and whether it was unparsed, refused or truncated."""
        return {
            "judge_attempts": self.attempts,
            "judge_unparsed": self.state == "unparsed",
            "judge_refused": self.state == "refused",
            "judge_truncated": self.state == "truncated",
        }
