"""Replies into outputs, and verdicts of a stage's model into data."""

from typing import Any, TypeVar

import suite

T = TypeVar("T")
_FINISHES = ("stop", "length", "overflow", "refused", "empty", "invalid", "limit")


def ended(reply: suite.Reply, data: Any = None) -> suite.Output:
    """The output of an answer: one that stopped without a word is empty."""
    finish = reply.finish if reply.finish in _FINISHES else "stop"
    if finish == "stop" and not reply.text.strip():
        finish = "empty"
    return suite.Output(reply.text, data, finish)


def told(verdict: suite.Verdict[T], data: dict[str, Any]) -> suite.Output:
    """The output of a stage whose model had to keep to a form; a reply that cannot be read is invalid.

    data gets {"readable", "why", "attempts"}: whether it kept to it, why not, how many replies it took.
    """
    finishes = {"unparsed": "invalid", "refused": "refused", "truncated": "length"}
    data = {**data, "readable": verdict.valid, "why": verdict.reason, "attempts": verdict.attempts}
    return suite.Output(verdict.text, data, finishes.get(verdict.state, "stop"))  # type: ignore[arg-type]


def unread(output: suite.Output) -> suite.Unscored | None:
    """What a value is if the stage's model could not be read; None if it was."""
    if output.data["readable"]:
        return None
    return suite.Unscored(output.finish, output.data["why"])
