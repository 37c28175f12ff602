"""What happened on the way: starts, failed tries, and whether the manifest is of the same day."""

import math
from collections import Counter
from datetime import datetime

from suite.board.verify.subject import Subject

EVENTS = frozenset(
    {"identity", "start", "retry", "error", "pending", "resume", "interrupted", "stopped", "finish", "engine"}
)
DAY_S = 86_400


def check_attempts(subject: Subject) -> tuple[float, Counter[str]]:
    """(when the run first started, failed tries by call); what cannot be is a finding."""
    begin = float("inf")
    retries: Counter[str] = Counter()
    for attempt in subject.reader.attempts:
        if attempt.event == "start":
            begin = min(begin, attempt.at)
        elif attempt.event == "retry":
            retries[attempt.call] += 1
        elif attempt.event not in EVENTS:
            what = "an event that the runner does not write"
            subject.add("R9.event", what, subject.place("attempts.jsonl"), found=attempt.event)
    _created(subject, begin)
    return begin, retries


def _created(subject: Subject, begin: float) -> None:
    """The manifest is written when the run first starts."""
    told = str(subject.manifest["created"])
    try:
        created = datetime.fromisoformat(told).timestamp()
    except ValueError:
        created = -math.inf
    if math.isfinite(begin) and abs(created - begin) > DAY_S:
        where = subject.place("manifest.json", "created")
        what = "the manifest was not written when the run began"
        subject.warn("R9.times", what, where, expected=begin, found=told)
