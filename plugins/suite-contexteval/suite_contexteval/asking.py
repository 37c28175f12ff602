"""Verdicts of a stage's model into outputs."""

from typing import Any, TypeVar

import suite

T = TypeVar("T")
_FINISHES: dict[str, suite.Finish] = {"unparsed": "invalid", "refused": "refused", "truncated": "length"}


def told(verdict: suite.Verdict[T], data: dict[str, Any]) -> suite.Output:
    """The output of a stage whose model had to keep to a form; a reply that cannot be read is invalid.

    data gets {"readable", "why", "attempts"}: whether it kept to it, why not, how many replies it took.
    """
    data = {**data, "readable": verdict.valid, "why": verdict.reason, "attempts": verdict.attempts}
    return suite.Output(verdict.text, data, _FINISHES.get(verdict.state, "stop"))


def unread(output: suite.Output) -> suite.Unscored | None:
    """What a value is if the stage's model could not be read; None if it was."""
    if output.data["readable"]:
        return None
    return suite.Unscored(output.finish, output.data["why"])
