"""What a reader of results must be told, found in the journals: who answered, from where, what ends alike.

Each finding is data (`kind`, `who`, `counts`, `of`); reports put it into words. Kinds: `models` and
`fingerprints` (several answered as one), `identity` (another server than at the start), `code` (of a task:
another than the outputs or earlier scores were made with), `cached` (replies by date), `cut` (fewer prompt
tokens read than sent), `settled` and `wording` (outcomes that the user decided), `room` (asked for fewer new
tokens than wanted), `counts` (of tokens that cannot be, with the first), `short` (replies of judges and
simulated users that were cut, by limit), `alike`, `judged` and `unscored` (most fail in one way), `tags` (by
which metrics slice and which nothing has).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from suite.chat import Json, Usage
from suite.journal.documents import FindingKind, ResultFinding, Roles
from suite.journal.records import USUAL_KIND, USUAL_ROLE, AttemptRecord
from suite.journal.run import Journal
from suite.models.sent_prompts import Sent

FAILING = frozenset({"alike", "judged", "unscored"})  # the exit code is 1
OF_CELL = frozenset({"alike", "tags", "unscored"})
LEAST = 3  # outputs or replies, of which fewer show nothing
LEAST_CUT = 8  # outputs that were cut off: a small model may ramble, and its answer may stand before the cut
FAILED = ("overflow", "refused", "empty", "length", "invalid")


class CountedReply(msgspec.Struct):
    """What counting needs of a reply; the rest is skipped."""

    reasoning: str = ""
    usage: Usage = Usage()
    finish: str = "stop"
    model: str = ""
    fingerprint: str = ""
    details: msgspec.Raw = msgspec.Raw(b"null")


class CountedOptions(msgspec.Struct):
    """What counting needs of a call's options."""

    max_tokens: int | None = None


class Call(msgspec.Struct):
    """What counting needs of a call record."""

    role: str = USUAL_ROLE
    id: str = ""
    kind: str = USUAL_KIND
    request: list[str] = []
    prompt: str = ""
    times: tuple[float, float] = (0.0, 0.0)
    cached: bool = False
    kept: float = 0.0
    options: CountedOptions = msgspec.field(default_factory=CountedOptions)
    reply: CountedReply = msgspec.field(default_factory=CountedReply)


def counted_calls(journal: Journal) -> Iterator[Call]:
    """The calls of a journal, as far as counting needs them."""
    return map(msgspec.json.Decoder(Call).decode, journal.calls.raw())


class CallTally:
    """What the calls of one journal after the other tell, by member."""

    def __init__(self, roles: Roles) -> None:
        self._counts: dict[tuple[FindingKind, str], Counter[str]] = defaultdict(Counter)
        self._calls: Counter[str] = Counter()
        self._impossible: dict[tuple[str, str], str] = {}  # member and count -> the first of them
        served = ("openai/", "vllm/")
        self._sent = {
            one.member: Sent() for members in roles.values() for one in members if one.spec.startswith(served)
        }
        self._candidates = {one.member for one in roles.get("candidate", ())}

    def _add(self, kind: FindingKind, member: str, what: str) -> None:
        self._counts[kind, member][what] += 1

    def add(self, call: Call) -> None:
        member, reply = call.role, call.reply
        self._calls[member] += 1
        if reply.model:
            self._counts["models", member][reply.model] += 1
        if reply.fingerprint:
            self._add("fingerprints", member, reply.fingerprint)
        if call.cached:
            day = datetime.fromtimestamp(call.kept, UTC).date().isoformat() if call.kept else "unknown"
            self._add("cached", member, day)
        if bytes(reply.details) != b"null":
            self._detail(member, msgspec.json.decode(bytes(reply.details)), reply.finish)
        if member not in self._candidates and call.kind == "chat":
            self._add("judged", member, reply.finish)
            if reply.finish == "length":
                self._add("short", member, str(call.options.max_tokens or ""))
        if member in self._sent and call.kind in ("chat", "complete"):
            blocks = call.request or ([call.prompt] if call.prompt else [])
            self._sent[member].add(blocks, reply.usage.prompt + reply.usage.cached)

    def _detail(self, member: str, details: Json, finish: str) -> None:
        if not isinstance(details, dict):
            return
        if "settled" in details:
            self._add("settled", member, f"{finish} ({details['settled']})")
        elif str(details.get("row", "")).startswith("-o "):
            self._add("wording", member, f"{finish} ({details['row']})")
        if "max_tokens_asked" in details:
            self._add("room", member, "replies")
        mended = details.get("mended")
        for text in mended if isinstance(mended, list) else []:
            if (name := str(text).partition(" ")[0]).endswith("_tokens"):
                self._add("counts", member, self._impossible.setdefault((member, name), str(text)))

    def journal(self, journal: Journal) -> None:
        """The prompts of the calls just counted are in this journal's blocks."""
        for one in self._sent.values():
            one.weigh(journal.folder / "blocks.jsonl")

    def findings(self) -> Iterator[ResultFinding]:
        for (kind, member), counts in sorted(self._counts.items()):
            several = kind not in ("models", "fingerprints") or len(counts) > 1
            if kind == "judged":
                ended, n = counts.most_common(1)[0]
                several = ended in FAILED and n >= LEAST and n * 2 > self._calls[member]
                counts = Counter({ended: n})  # noqa: PLW2901
            if several:
                yield finding(kind, member, counts, self._calls[member])
        for member, sent in sorted(self._sent.items()):
            if found := sent.cut():
                yield finding("cut", member, found, self._calls[member])


def answered(*journals: Journal) -> dict[str, Counter[str]]:
    """Member -> how often each model answered, as the replies name it; nobody where none is named."""
    found: dict[str, Counter[str]] = {}
    for journal in journals:
        for call in counted_calls(journal):
            if call.reply.model:
                found.setdefault(call.role, Counter())[call.reply.model] += 1
    return found


def finding(kind: FindingKind, who: str, counts: Mapping[str, int], of: int) -> ResultFinding:
    """One finding, its counts in order."""
    return ResultFinding(kind, who, dict(sorted(counts.items())), of)


def of_cell(
    cell: str, finishes: Mapping[str, int], unscored: Mapping[str, Mapping[str, int]], scored: int, same: bool
) -> Iterator[ResultFinding]:
    """Whether all outputs of a cell fail alike, or most of its scores lack one value for one reason.

    same: all scores have the same values. Answers that were cut off fail alike only then.
    """
    solved = sum(finishes.values())
    ended = next(iter(finishes), "")
    least = LEAST_CUT if ended == "length" else LEAST
    if len(finishes) == 1 and solved >= least and ended in FAILED and (ended != "length" or same):
        yield finding("alike", cell, finishes, solved)
    for value, reasons in sorted(unscored.items()):
        reason, n = max(reasons.items(), key=lambda pair: pair[1])
        if n >= LEAST and n * 2 > scored:
            yield finding("unscored", cell, {f"{value}: {reason}": n}, scored)


def changed(attempts: Iterable[AttemptRecord], scoring: str) -> Iterator[ResultFinding]:
    """What was another when the run, or this scoring of it, went on."""
    found: dict[tuple[FindingKind, str], Counter[str]] = defaultdict(Counter)
    for one in attempts:
        if one.event == "identity":
            found["identity", one.role][one.detail] += 1
        elif one.event == "code" and one.kind in ("solve", scoring):
            found["code", one.role][one.detail] += 1
    for (kind, who), counts in sorted(found.items()):
        yield finding(kind, who, counts, sum(counts.values()))
