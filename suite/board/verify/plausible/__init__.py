"""R9: does it look like real model traffic? Hints, with their numbers; an error only for what cannot be.

What a board may set otherwise stands in `suite.board.thresholds`. `calls` looks at single calls, `replies`
at what was answered over many samples, `leaks` for what no candidate is shown, `hardware` at whether the
model fits the machine. Not here: what needs the whole bundle or a board's other entries (`others`).
"""

from collections.abc import Mapping
from typing import Any

from suite.board.thresholds import Thresholds
from suite.board.verify.plausible.calls import check_calls
from suite.board.verify.plausible.hardware import check_hardware
from suite.board.verify.plausible.replies import check_replies
from suite.board.verify.subject import Subject

__all__ = ["plausible"]


def plausible(subject: Subject, given: Mapping[str, float], model: Mapping[str, Any]) -> None:
    """Climb R9 for one run. given: the board's thresholds over the defaults. model: as declared.

    Raises NotFound for a threshold that there is none of.
    """
    subject.findings.ran("R9")
    thresholds = Thresholds(given)
    temperature = check_calls(subject, thresholds)
    check_replies(subject, thresholds, temperature)
    check_hardware(subject, thresholds, model)
