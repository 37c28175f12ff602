"""Prompt tokens against the requests that were recorded: the other side of what `calls` holds to replies."""

from dataclasses import dataclass, field

import msgspec

from suite.board.verify.plausibility.rules import OddRules
from suite.journal.index import OffsetIndex
from suite.journal.lines import Lines
from suite.journal.records import BlockRecord, CallRecord
from suite.journal.run import Journal

ADDED = 8192  # tokens that a chat template, a system prompt of its own and tools may add
_SHORT = 60  # bytes below which a template counts for more than the request
_encode = msgspec.json.Encoder().encode


class Sizes:
    """Bytes of requests, by the blocks that they are made of; 16 bytes a block are kept."""

    def __init__(self, journal: Journal) -> None:
        self._sizes, self._lists = OffsetIndex(), OffsetIndex()
        lines = Lines(journal.folder / "blocks.jsonl", BlockRecord)
        for block in lines:
            if block.list is None:
                told = len(block.content.encode()) + (len(_encode(block.extra)) if block.extra else 0)
                self._sizes.add(_key(block.sha256), told)
        for block in lines:
            if block.list is not None:
                self._lists.add(_key(block.sha256), sum(map(self._of, block.list)))

    def _of(self, digest: str) -> int:
        found = self._sizes.find(_key(digest)) or self._lists.find(_key(digest))
        return found[0] if found else 0

    def of(self, call: CallRecord) -> int:
        """Bytes of a call's request."""
        return sum(self._of(one) for one in (*call.request, *call.texts, call.prompt, call.tools) if one)


def _key(digest: str) -> int:
    return int(digest[:16], 16)


@dataclass
class MemberPrompts:
    """What the calls of one member have in common. uncounted: with tokens of the reply alone."""

    calls: int = 0
    uncounted: int = 0
    size: int = 0
    tokens: int = 0
    counts: set[int] = field(default_factory=set)
    smallest: int = 2**63
    largest: int = 0

    def add(self, rules: OddRules, where: str, call: CallRecord, size: int) -> None:
        """One call; what cannot be is a finding."""
        tokens = call.reply.usage.prompt
        if call.kind not in ("chat", "complete") or not (tokens or call.reply.usage.completion):
            return
        self.calls += 1
        if not tokens:
            self.uncounted += 1
            return
        self.size, self.tokens = self.size + size, self.tokens + tokens
        self.smallest, self.largest = min(self.smallest, size), max(self.largest, size)
        if len(self.counts) < 2:
            self.counts.add(tokens)
        broken = ""
        if size >= _SHORT and size > tokens * rules["short prompt"]:
            broken = "short prompt"
        elif tokens > size + ADDED:
            broken = "long prompt"
        if broken:
            rules.tell(broken, where, expected=f"for {size:,} bytes", found=tokens)

    def whole(self, rules: OddRules, where: str) -> None:
        """What all calls together tell."""
        if self.uncounted:
            rules.tell("uncounted prompts", where, found=self.uncounted)
        if self.tokens and self.size > self.tokens * rules["short prompts"]:
            rules.tell("short prompts", where, expected=f"for {self.size:,} bytes", found=self.tokens)
        if rules.enough(self.calls) and len(self.counts) == 1 and self.largest > 2 * self.smallest:
            rules.tell("one count", where, found=self.counts.pop())
