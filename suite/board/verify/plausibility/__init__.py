"""R9: does it look like real model traffic? Hints, with their numbers; an error only for what cannot be.

`rules` is their table; what a board may set otherwise stands in `board.define.parts`. `calls` looks
at single calls, `replies` at what was answered over many samples, and for what no candidate is shown.
Here: whether the declared weights can fit the recorded machine at all. Not here: what needs the whole bundle
or a board's other entries (`others`).
"""

import json
import re

from suite.board.verify.plausibility.calls import check_calls
from suite.board.verify.plausibility.replies import check_replies
from suite.board.verify.plausibility.rules import OddRules
from suite.board.verify.subject import VerifiedRun, provider_of
from suite.journal.documents import Hardware, RoleMember

__all__ = ["plausible"]
LOCAL = frozenset({"embedded", "transformers", "vllm"})
_MEMORY = re.compile(r",\s*(\d{1,9}) MiB$")
GIB = 2**30


def plausible(subject: VerifiedRun, rules: OddRules, parameters: int | None) -> None:
    """Climb R9 for one run. parameters: as declared."""
    subject.findings.ran("R9")
    check_replies(subject, rules, check_calls(subject, rules))
    check_hardware(subject, rules, parameters)


def check_hardware(subject: VerifiedRun, rules: OddRules, parameters: int | None) -> None:
    """A warning where the weights are larger than all memory. parameters: as declared."""
    candidate = subject.run.candidate
    memory = memory_gib(subject.run.manifest.hardware)
    if parameters is None or candidate is None or memory is None or not _here(candidate):
        return
    needed = parameters * rules["memory"] / GIB
    if needed > memory:
        where, least = subject.place("manifest.json", "hardware"), f"at least {needed:.1f} GiB"
        there = f"{memory:.1f} GiB, GPUs and main memory together"
        rules.tell("memory", where, expected=f"{least} for {parameters:,} parameters", found=there)


def memory_gib(hardware: Hardware) -> float | None:
    """All memory of a machine as recorded, GPUs' included; None where a part of it is not told."""
    if hardware.memory_gib is None:
        return None
    found = [_MEMORY.search(one) for one in hardware.gpus]
    if any(one is None for one in found):
        return None
    return hardware.memory_gib + sum(int(one[1]) for one in found if one is not None) / 1024


def _here(candidate: RoleMember) -> bool:
    """Whether the model ran on the recorded machine alone: not behind a URL, not spread by Ray."""
    identity = candidate.identity
    return (
        provider_of(candidate) in LOCAL
        and not identity.get("url")
        and "ray" not in json.dumps(identity.get("options", {})).lower()
    )
