"""Single calls: tokens, times, attempts, who answered. One pass over the journals, 24 bytes a call kept."""

import hashlib
import math
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import numpy as np

from suite.board.define.thresholds import Thresholds
from suite.board.verify.plausibility.prompts import MemberPrompts, Sizes
from suite.board.verify.subject import UNSERVED, VerifiedRun, provider_of
from suite.chat import assistant, call_id, sha256_hex
from suite.journal.index import digest64
from suite.journal.records import EVENTS, LIST_LENGTH, CallRecord

MIN_LATENCIES = 50
LONG_TEXT = 60
LONG = 16  # a limit in tokens that an answer seldom meets by chance
_canonical = msgspec.json.Encoder(order="sorted")


@dataclass
class _Member:
    """What one member's calls have in common."""

    served: bool
    name: str
    models: Counter[str] = field(default_factory=Counter)
    fingerprints: Counter[str] = field(default_factory=Counter)
    latencies: "array[int]" = field(default_factory=lambda: array("q"))  # microseconds
    cached: int = 0
    settled: int = 0
    stopped: int = 0
    stopped_at_limit: int = 0
    prompts: MemberPrompts = field(default_factory=MemberPrompts)


def journals(subject: VerifiedRun) -> Iterator[tuple[str, CallRecord]]:
    """(file, call) of both stages."""
    for call in subject.run.journal.calls:
        yield "calls.jsonl", call
    for call in subject.run.judged.calls:
        yield "scoring/calls.jsonl", call


def family_of(call: CallRecord, families: Sequence[str]) -> str:
    """Of a run's task families the one that a call was made for: its id names it, its record does not."""
    asked = call.group, call.trial, call.role, call.key, call.request_sha256
    return next((one for one in families[:-1] if call_id(one, *asked) == call.id), families[-1])


def check_calls(subject: VerifiedRun, thresholds: Thresholds) -> float:
    """Everything about single calls. Returns the highest temperature that the candidate was asked at."""
    known = subject.members
    seen: dict[str, _Member] = {}
    for name, record in known.items():
        served = provider_of(record) not in UNSERVED
        seen[name] = _Member(served, str(record.identity.get("name", "")))
        if name == "candidate" and not served:
            subject.warn(
                "R9.no-model",
                "the candidate is no model that was served, but a replay, a script or a rule",
                subject.place("manifest.json", "roles.candidate"),
                found=record.spec,
            )
    seated = {
        file: {one.member for records in roles.values() for one in records}
        for file, roles in (
            ("calls.jsonl", subject.manifest.roles),
            ("scoring/calls.jsonl", subject.scoring_manifest.roles),
        )
    }
    begin, retries = check_attempts(subject)
    sizes = {"calls.jsonl": Sizes(subject.run.journal), "scoring/calls.jsonl": Sizes(subject.run.judged)}
    temperature, quoting = 0.0, False
    families = sorted({one.task.partition("/")[0] for one in subject.manifest.cells})
    for file, call in journals(subject):
        member = seen.get(call.role)
        if member is None or call.role not in seated[file]:
            what = "a call of nobody who is asked at this stage"
            subject.add("R9.no-member", what, _at(subject, file, call), found=call.role)
            continue
        _usage(subject, thresholds, file, call)
        _times(subject, thresholds, file, call, member, begin)
        _tried(subject, file, call, retries)
        _note(member, call)
        member.prompts.add(subject, thresholds, _at(subject, file, call), call, sizes[file].of(call))
        quoting |= len(call.request) > 2
        if call.role == "candidate":
            temperature = max(temperature, call.options.temperature or 0.0)
            subject.replies.add(family_of(call, families), call.group, call.reply.text)
    if quoting:
        order = _Order()
        for _, call in journals(subject):
            order.add(call)
        for file, call in journals(subject):
            if order.too_early(call, thresholds["clock_seconds"] / 1000):
                where = _at(subject, file, call)
                subject.add(
                    "R9.order", "a call began before the reply that its request quotes had ended", where
                )
    for name, member in seen.items():
        _whole(subject, thresholds, name, member)
    return temperature


def _at(subject: VerifiedRun, file: str, call: CallRecord) -> str:
    return subject.place(file, f"call {call.id[:12]}, trial {call.trial}")


def _usage(subject: VerifiedRun, thresholds: Thresholds, file: str, call: CallRecord) -> None:
    usage, options, text = call.reply.usage, call.options, call.reply.text
    where = _at(subject, file, call)
    most = options.max_tokens
    if most is not None and usage.completion > most:
        what = "more tokens than max_tokens allows"
        subject.add("R9.tokens", what, where, expected=f"<= {most}", found=usage.completion)
    if usage.reasoning > usage.completion:
        subject.add("R9.tokens", "more tokens of reasoning than in all", where, found=usage.reasoning)
    if usage.cached > usage.prompt:
        subject.add("R9.tokens", "more prompt tokens cached than sent", where, found=usage.cached)
    if text and usage.prompt and not usage.completion:
        subject.add("R9.tokens", "a text of no tokens", where, found=usage.completion)
    told = len(text) + len(call.reply.reasoning)
    worth = usage.completion >= LONG or told >= LONG_TEXT
    if worth and usage.completion and call.kind in ("chat", "complete") and not call.reply.tool_calls:
        length = told / usage.completion
        low, high = thresholds["characters_per_token_low"], thresholds["characters_per_token_high"]
        if not low <= length <= high and text:
            what = "characters a token that no tokenizer gives"
            subject.warn("R9.tokens", what, where, expected=f"{low} to {high}", found=round(length, 3))
    if call.reply.finish == "length" and most is not None and 0 < usage.completion < most // 2:
        what = "cut off at max_tokens with far fewer tokens"
        subject.warn("R9.finish", what, where, expected=most, found=usage.completion)


def _times(
    subject: VerifiedRun, thresholds: Thresholds, file: str, call: CallRecord, member: _Member, begin: float
) -> None:
    start, end = call.times
    where = _at(subject, file, call)
    if end < start:
        subject.add("R9.times", "a call ended before it began", where, found=call.times)
    if start < begin - thresholds["clock_seconds"]:
        subject.add("R9.times", "a call from before the run started", where, expected=begin, found=start)
    if call.cached and start != end:
        subject.add("R9.times", "a reply from the cache took time", where, found=call.times)
    if call.cached or not member.served or call.kind not in ("chat", "complete"):
        return
    seconds = end - start
    if 0 <= seconds < thresholds["latency_ms"] / 1000:
        subject.add("R9.latency", "a reply faster than any served model", where, found=f"{seconds:.6f} s")
        return
    speed = call.reply.usage.completion / seconds if seconds > 0 else 0.0
    if speed > thresholds["tokens_per_second"]:
        impossible = speed > thresholds["tokens_per_second_error"]
        what = "more tokens a second than a stream gives"
        subject.add(
            "R9.speed", what, where, severity="error" if impossible else "warning", found=round(speed)
        )


def _tried(subject: VerifiedRun, file: str, call: CallRecord, retries: Counter[str]) -> None:
    """A reply at the nth try has n - 1 recorded failures; only one from the cache has no try."""
    if (call.attempt < 1) is not call.cached:
        what = "a reply without a try, or a try for one from the cache"
        where = _at(subject, file, call)
        subject.add("R9.attempts", what, where, expected="0" if call.cached else ">= 1", found=call.attempt)
    if call.attempt - 1 > retries.get(call.id, 0):
        what = "a reply came at a later try than failures are recorded"
        where = _at(subject, file, call)
        subject.add("R9.attempts", what, where, expected=retries.get(call.id, 0) + 1, found=call.attempt)


def _note(member: _Member, call: CallRecord) -> None:
    if call.reply.model:
        member.models[call.reply.model] += 1
    if call.reply.fingerprint:
        member.fingerprints[call.reply.fingerprint] += 1
    member.cached += call.cached
    member.settled += isinstance(call.reply.details, dict) and "settled" in call.reply.details
    if not call.cached:
        member.latencies.append(round((call.times[1] - call.times[0]) * 1e6))
    most = call.options.max_tokens
    if call.reply.finish == "stop" and most and most >= LONG:
        member.stopped += 1
        member.stopped_at_limit += call.reply.usage.completion == most


def _whole(subject: VerifiedRun, thresholds: Thresholds, name: str, member: _Member) -> None:
    where = f"{subject.place()} {name}"
    if len(member.models) > 1:
        what = "several models answered as one"
        subject.add("R9.model", what, where, found=dict(member.models.most_common(5)))
    elif member.models:
        (reported,) = member.models
        if member.name and not _names_agree(reported, member.name):
            what = "the endpoint calls its model by another name"
            subject.warn("R9.model", what, where, expected=member.name, found=reported)
    if len(member.fingerprints) > 1:
        what = "the endpoint changed while the run went on"
        subject.warn("R9.fingerprint", what, where, found=dict(member.fingerprints.most_common(5)))
    if member.settled:
        what = "failed calls that the submitter settled on purpose"
        subject.warn("R9.settled", what, where, found=member.settled)
    if member.cached:
        what = "replies from the response cache of another run"
        subject.note("R9.cached", what, where, found=member.cached)
    if member.served:
        _regular(subject, thresholds, where, member)
    member.prompts.whole(subject, thresholds, where)
    if member.stopped >= thresholds["least"]:
        share = member.stopped_at_limit / member.stopped
        if share > thresholds["stops_at_limit"]:
            what = "many replies stop by themselves at exactly max_tokens"
            subject.warn("R9.finish", what, where, found=f"{share:.0%}")


def _names_agree(reported: str, name: str) -> bool:
    one, other = reported.lower().rstrip("/"), name.lower().rstrip("/")
    return one in other or other in one or one.rpartition("/")[2] == other.rpartition("/")[2]


def _regular(subject: VerifiedRun, thresholds: Thresholds, where: str, member: _Member) -> None:
    """Times that a clock does not give."""
    times = np.frombuffer(member.latencies, dtype=np.int64)
    if len(times) < MIN_LATENCIES:
        return
    _, counts = np.unique(times, return_counts=True)
    share = counts.max() / len(times)
    if share > thresholds["equal_latencies"]:
        what = "many calls took the same time to the microsecond"
        subject.warn("R9.regular", what, where, found=f"{share:.0%}")
        return
    from scipy import stats

    digits = np.bincount(np.abs(times) % 10, minlength=10)
    p = float(stats.chisquare(digits).pvalue)
    if p < thresholds["last_digit_p"]:
        what = "the last digits of the times are not those of a clock"
        subject.warn("R9.regular", what, where, found=f"p = {p:.2g}")


class _Order:
    """Which request quotes which reply: a request that goes on from another with its reply in between."""

    def __init__(self) -> None:
        self._ends: dict[int, float] = {}

    def add(self, call: CallRecord) -> None:
        """Note when a reply was there, under the history that quotes it."""
        if (
            call.kind != "chat"
            or call.cached
            or call.reply.tool_calls
            or len(call.request) >= LIST_LENGTH - 1
        ):
            return
        quoted = sha256_hex(_canonical.encode(assistant(call.reply.text)))
        key = self._key(call, [*call.request, quoted])
        self._ends[key] = min(call.times[1], self._ends.get(key, float("inf")))

    def too_early(self, call: CallRecord, slack: float) -> bool:
        """Whether a call began before a reply that its request quotes."""
        if call.kind != "chat" or call.cached or len(call.request) >= LIST_LENGTH:
            return False
        return any(
            call.times[0] + slack < self._ends.get(self._key(call, call.request[:length]), 0.0)
            for length in range(2, len(call.request))
        )

    @staticmethod
    def _key(call: CallRecord, blocks: list[str]) -> int:
        body = hashlib.blake2b("".join(blocks).encode(), digest_size=8).hexdigest()
        return digest64(call.role, call.group, call.trial, body)


DAY_S = 86_400


def check_attempts(subject: VerifiedRun) -> tuple[float, Counter[str]]:
    """(when the run first started, failed tries by call); what cannot be is a finding."""
    begin = float("inf")
    retries: Counter[str] = Counter()
    for attempt in subject.run.journal.attempts:
        if attempt.event == "start":
            begin = min(begin, attempt.at)
        elif attempt.event == "retry":
            retries[attempt.call] += 1
        elif attempt.event not in EVENTS:
            what = "an event that the runner does not write"
            subject.add("R9.event", what, subject.place("attempts.jsonl"), found=attempt.event)
    _created(subject, begin)
    return begin, retries


def _created(subject: VerifiedRun, begin: float) -> None:
    """The manifest is written when the run first starts."""
    told = subject.manifest.created
    try:
        created = datetime.fromisoformat(told).timestamp()
    except ValueError:
        created = -math.inf
    if math.isfinite(begin) and abs(created - begin) > DAY_S:
        where = subject.place("manifest.json", "created")
        what = "the manifest was not written when the run began"
        subject.warn("R9.times", what, where, expected=begin, found=told)
