"""Single calls: tokens, times, attempts, who answered. One pass over the journals, 24 bytes a call kept."""

import hashlib
import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import numpy as np

from suite.board.verify.plausibility.rules import OddRules
from suite.board.verify.subject import UNSERVED, Half, VerifiedRun, provider_of
from suite.chat import assistant, call_id, sha256_hex
from suite.journal.blocks import BlockReader
from suite.journal.index import OffsetIndex, digest64, key64
from suite.journal.lines import Lines
from suite.journal.records import EVENTS, LIST_LENGTH, BlockRecord, CallRecord, spelled_like
from suite.journal.run import Journal

MIN_LATENCIES = 50
TICKS = 10_000  # a second: a run records no smaller part of it
TWO_DIGITS = 0.8  # share of two last digits: rounded times have more, quick calls of much the same time less
LONG_TEXT = 60
LONG = 16  # a limit in tokens that an answer seldom meets by chance
ADDED = 8192  # tokens that a chat template, a system prompt of its own and tools may add
SHORT = 60  # bytes below which a template counts for more than the request
DAY_S = 86_400
_canonical = msgspec.json.Encoder(order="sorted")


@dataclass
class _Member:
    """What one member's calls have in common.

    latencies: ticks. tally: of calls by what is counted, and of their prompts the tokens and bytes
    ("size"). sizes: the smallest and the largest. tokens: the first two different counts.
    """

    served: bool
    name: str
    models: Counter[str] = field(default_factory=Counter)
    fingerprints: Counter[str] = field(default_factory=Counter)
    latencies: "array[int]" = field(default_factory=lambda: array("q"))
    tally: Counter[str] = field(default_factory=Counter)
    sizes: tuple[int, int] = (2**63, 0)
    tokens: set[int] = field(default_factory=set)


def family_of(call: CallRecord, families: Sequence[str], blocks: BlockReader) -> str:
    """Of a run's task families the one that a call was made for: its id names it, its record does not."""
    if len(families) == 1:
        return families[0]
    asked = call.group, call.trial, call.role, call.key, blocks.request_hash(call)
    return next((one for one in families[:-1] if call_id(one, *asked) == call.id), families[-1])


def check_calls(subject: VerifiedRun, rules: OddRules) -> float:
    """Everything about single calls. Returns the highest temperature that the candidate was asked at."""
    seen: dict[str, _Member] = {}
    for name, record in subject.members.items():
        served = provider_of(record) not in UNSERVED
        seen[name] = _Member(served, str(record.identity.get("name", "")))
        if name == "candidate" and not served:
            rules.tell("no model", subject.place("manifest.json", "roles.candidate"), found=record.spec)
    begin, retries = check_attempts(subject, rules)
    temperature, quoting = 0.0, False
    families = sorted({one.task.partition("/")[0] for one in subject.run.manifest.cells})
    for half in subject.halves:
        seated = {one.member for records in half.manifest.roles.values() for one in records}
        sizes = _Sizes(half.journal)
        for call in half.journal.calls:
            where = _at(subject, half, call)
            if call.role not in seated:
                rules.tell("nobody", where, found=call.role)
                continue
            member = seen[call.role]
            _usage(rules, where, call)
            _times(rules, where, call, member, begin)
            _tried(rules, where, call, retries)
            _note(member, call)
            _prompt(rules, where, call, member, sizes.of(call))
            quoting |= len(call.request) > 2
            if call.role == "candidate":
                temperature = max(temperature, call.options.temperature or 0.0)
                family = family_of(call, families, half.journal.blocks)
                subject.replies.add(family, call.group, call.reply.text)
    if quoting:
        _quoted(subject, rules)
    for name, member in seen.items():
        _whole(rules, f"{subject.place()} {name}", member)
    return temperature


class _Sizes:
    """Bytes of requests, by the blocks that they are made of; 16 bytes a block are kept."""

    def __init__(self, journal: Journal) -> None:
        self._sizes, self._lists = OffsetIndex(), OffsetIndex()
        lines = Lines(journal.folder / "blocks.jsonl", BlockRecord)
        for block in lines:
            if block.list is None:
                extra = _canonical.encode(block.extra) if block.extra else b""
                self._sizes.add(key64(block.sha256), len(block.content.encode()) + len(extra))
        for block in lines:
            if block.list is not None:
                self._lists.add(key64(block.sha256), sum(map(self._of, block.list)))

    def _of(self, digest: str) -> int:
        found = self._sizes.find(key64(digest)) or self._lists.find(key64(digest))
        return found[0] if found else 0

    def of(self, call: CallRecord) -> int:
        return sum(self._of(one) for one in (*call.request, *call.texts, call.prompt, call.tools) if one)


def _at(subject: VerifiedRun, half: Half, call: CallRecord) -> str:
    return subject.place(f"{half.base}calls.jsonl", f"call {call.id[:12]}, trial {call.trial}")


def _usage(rules: OddRules, where: str, call: CallRecord) -> None:
    usage, most, text = call.reply.usage, call.options.max_tokens, call.reply.text
    if most is not None and usage.completion > most:
        rules.tell("over limit", where, expected=f"<= {most}", found=usage.completion)
    rules.tell("reasoning", where, usage.reasoning > usage.completion, found=usage.reasoning)
    rules.tell("cached prompt", where, usage.cached > usage.prompt, found=usage.cached)
    rules.tell("no tokens", where, text and usage.prompt and not usage.completion, found=usage.completion)
    told = len(text) + len(call.reply.reasoning)
    worth = usage.completion >= LONG or told >= LONG_TEXT
    if worth and usage.completion and call.kind in ("chat", "complete") and not call.reply.tool_calls:
        length = told / usage.completion
        low, high = (rules.thresholds[f"characters_per_token_{end}"] for end in ("low", "high"))
        if not low <= length <= high and text:
            rules.tell("characters", where, expected=f"{low} to {high}", found=round(length, 3))
    if call.reply.finish == "length" and most is not None and 0 < usage.completion < most // 2:
        rules.tell("cut early", where, expected=most, found=usage.completion)


def _prompt(rules: OddRules, where: str, call: CallRecord, member: _Member, size: int) -> None:
    """Prompt tokens against the request that was recorded. size: its bytes."""
    tokens = call.reply.usage.prompt
    if call.kind not in ("chat", "complete"):
        return
    if not tokens:
        member.tally["uncounted prompts"] += call.reply.usage.completion > 0
        return
    member.tally.update(counted=1, size=size, tokens=tokens)
    member.sizes = min(member.sizes[0], size), max(member.sizes[1], size)
    if len(member.tokens) < 2:
        member.tokens.add(tokens)
    short, told = size >= SHORT and size > tokens * rules["short prompt"], f"for {size:,} bytes"
    rules.tell("short prompt", where, short, expected=told, found=tokens)
    rules.tell("long prompt", where, tokens > size + ADDED, expected=told, found=tokens)


def _times(rules: OddRules, where: str, call: CallRecord, member: _Member, begin: float) -> None:
    start, end = call.times
    rules.tell("backwards", where, end < start, found=call.times)
    rules.tell("too early", where, start < begin - rules["too early"], expected=begin, found=start)
    rules.tell("cache took time", where, call.cached and start != end, found=call.times)
    if call.cached or not member.served or call.kind not in ("chat", "complete"):
        return
    seconds = end - start
    if 0 <= seconds < rules["latency"] / 1000:
        rules.tell("latency", where, found=f"{seconds:.6f} s")
        return
    speed = call.reply.usage.completion / seconds if seconds > 0 else 0.0
    if speed > rules["speed"]:
        impossible = speed > rules["impossible speed"]
        rules.tell("impossible speed" if impossible else "speed", where, found=round(speed))


def _tried(rules: OddRules, where: str, call: CallRecord, retries: Counter[str]) -> None:
    """A reply at the nth try has n - 1 recorded failures; only one from the cache has no try."""
    if (call.attempt < 1) is not call.cached:
        rules.tell("tries", where, expected="0" if call.cached else ">= 1", found=call.attempt)
    most = retries.get(call.id, 0) + 1
    rules.tell("failures", where, call.attempt > most, expected=most, found=call.attempt)


def _note(member: _Member, call: CallRecord) -> None:
    if call.reply.model:
        member.models[call.reply.model] += 1
    if call.reply.fingerprint:
        member.fingerprints[call.reply.fingerprint] += 1
    member.tally["cached"] += call.cached
    member.tally["settled"] += isinstance(call.reply.details, dict) and "settled" in call.reply.details
    if not call.cached:
        member.latencies.append(round((call.times[1] - call.times[0]) * TICKS))
    most = call.options.max_tokens
    if call.reply.finish == "stop" and most and most >= LONG:
        member.tally["stopped"] += 1
        member.tally["stopped at limit"] += call.reply.usage.completion == most


def _whole(rules: OddRules, where: str, member: _Member) -> None:
    if len(member.models) > 1:
        rules.tell("several models", where, found=dict(member.models.most_common(5)))
    elif member.models:
        (reported,) = member.models
        if member.name and not _names_agree(reported, member.name):
            rules.tell("another name", where, expected=member.name, found=reported)
    if len(member.fingerprints) > 1:
        rules.tell("fingerprints", where, found=dict(member.fingerprints.most_common(5)))
    tally = member.tally
    for name in ("settled", "cached", "uncounted prompts"):
        rules.tell(name, where, tally[name], found=tally[name])
    if member.served:
        _regular(rules, where, member)
    if tally["size"] > tally["tokens"] * rules["short prompts"]:
        rules.tell("short prompts", where, expected=f"for {tally['size']:,} bytes", found=tally["tokens"])
    smallest, largest = member.sizes
    prompts = tally["counted"] + tally["uncounted prompts"]
    if rules.enough(prompts) and largest > 2 * smallest and len(member.tokens) == 1:
        rules.tell("one count", where, found=member.tokens.pop())
    if rules.enough(tally["stopped"]):
        share = tally["stopped at limit"] / tally["stopped"]
        if share > rules["stops at limit"]:
            rules.tell("stops at limit", where, found=f"{share:.0%}")


def _names_agree(reported: str, name: str) -> bool:
    one, other = reported.lower().rstrip("/"), name.lower().rstrip("/")
    return one in other or other in one or one.rpartition("/")[2] == other.rpartition("/")[2]


def _regular(rules: OddRules, where: str, member: _Member) -> None:
    """Times that a clock does not give."""
    times = np.frombuffer(member.latencies, dtype=np.int64)
    if len(times) < MIN_LATENCIES:
        return
    _, counts = np.unique(times, return_counts=True)
    share = counts.max() / len(times)
    if share > rules["equal times"]:
        rules.tell("equal times", where, found=f"{share:.0%}")
        return
    from scipy import stats

    digits = np.bincount(np.abs(times) % 10, minlength=10)
    p = float(stats.chisquare(digits).pvalue)
    if p < rules["last digits"] and np.sort(digits)[-2:].sum() > TWO_DIGITS * len(times):
        rules.tell("last digits", where, found=f"p = {p:.2g}")


def _quoted(subject: VerifiedRun, rules: OddRules) -> None:
    """Calls that began before a reply that their request quotes, as one that goes on from another request
    does, with the reply in between.
    """
    ends: dict[int, float] = {}  # when a reply was there, under the history that quotes it
    for _, call in _timed_chats(subject):
        if not call.reply.tool_calls and len(call.request) < LIST_LENGTH - 1:
            quoted = sha256_hex(_canonical.encode(assistant(call.reply.text)))
            key = _history(call, [*call.request, *(spelled_like(quoted, one) for one in call.request[-1:])])
            ends[key] = min(call.times[1], ends.get(key, math.inf))
    slack = rules["quoted early"] / 1000
    for half, call in _timed_chats(subject):
        if len(call.request) < LIST_LENGTH:
            keys = (_history(call, call.request[:length]) for length in range(2, len(call.request)))
            if any(call.times[0] + slack < ends.get(key, 0.0) for key in keys):
                rules.tell("quoted early", _at(subject, half, call))


def _timed_chats(subject: VerifiedRun) -> Iterator[tuple[Half, CallRecord]]:
    for half in subject.halves:
        yield from ((half, call) for call in half.journal.calls if call.kind == "chat" and not call.cached)


def _history(call: CallRecord, blocks: Iterable[str]) -> int:
    body = hashlib.blake2b("".join(blocks).encode(), digest_size=8).hexdigest()
    return digest64(call.role, call.group, call.trial, body)


def check_attempts(subject: VerifiedRun, rules: OddRules) -> tuple[float, Counter[str]]:
    """(when the run first started, failed tries by call); what cannot be is a finding."""
    begin = math.inf
    retries: Counter[str] = Counter()
    for attempt in subject.run.journal.attempts:
        if attempt.event == "start":
            begin = min(begin, attempt.at)
        elif attempt.event == "retry":
            retries[attempt.call] += 1
        elif attempt.event not in EVENTS:
            rules.tell("event", subject.place("attempts.jsonl"), found=attempt.event)
    told = subject.run.manifest.created
    try:
        created = datetime.fromisoformat(told).timestamp()
    except ValueError:
        created = -math.inf
    if math.isfinite(begin) and abs(created - begin) > DAY_S:  # it is written when the run first starts
        rules.tell("created", subject.place("manifest.json", "created"), expected=begin, found=told)
    return begin, retries
