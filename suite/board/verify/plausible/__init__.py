"""R9: does it look like real model traffic? Hints, with their numbers; an error only for what cannot be.

`thresholds` holds what a board may set otherwise; `calls` looks at single calls, `replies` at what was
answered over many samples. Not looked at: what needs other entries of a board (copied entries, ceilings),
reference answers, or the weights' size.
"""

from collections.abc import Mapping

from suite.board.verify.plausible.calls import check_calls
from suite.board.verify.plausible.replies import check_replies
from suite.board.verify.plausible.thresholds import DEFAULTS, Thresholds
from suite.board.verify.subject import Subject

__all__ = ["DEFAULTS", "Thresholds", "plausible"]


def plausible(subject: Subject, given: Mapping[str, float]) -> None:
    """Climb R9 for one run. given: the board's thresholds over the defaults. Raises NotFound for a name."""
    subject.findings.ran("R9")
    thresholds = Thresholds(given)
    temperature = check_calls(subject, thresholds)
    check_replies(subject, thresholds, temperature)
