"""The bodies of requests: messages and texts by hash, read where they stand in `blocks.jsonl`."""

from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

import msgspec

from suite.chat import Json, Message, Request, Tool, request_sha256
from suite.errors import RunError
from suite.journal.index import Recorded
from suite.journal.lines import Lines
from suite.journal.records import BlockRecord, CallRecord


class BlockReader:
    """Message bodies and texts by hash, read where they stand in `blocks.jsonl`."""

    def __init__(self, path: Path) -> None:
        self._lines = Lines(path, BlockRecord)
        self._found: Recorded[BlockRecord] | None = None

    def get(self, digest: str) -> BlockRecord:
        """The block of a hash. Raises RunError if it is not there."""
        if self._found is None:
            self._found = Recorded(self._lines, attrgetter("sha256"))
        if (block := self._found.find(digest)) is not None:
            return block
        raise RunError.of("journal.no-block", path=self._lines.path, digest=digest)

    def unfold(self, digests: list[str]) -> Iterator[BlockRecord]:
        """The blocks of a request's hashes, list blocks opened."""
        for digest in digests:
            block = self.get(digest)
            if block.list is None:
                yield block
            else:
                for inner in block.list:
                    yield self.get(inner)

    def request_hash(self, call: CallRecord) -> str:
        """The hash of a call's request (`suite.chat.request_sha256`)."""
        return call.request_sha256 or request_sha256(self.request(call))

    def request(self, call: CallRecord) -> Request:
        """The request of a call, rebuilt."""
        messages = tuple(message_of(block) for block in self.unfold(call.request))
        tools: tuple[Tool, ...] = ()
        if call.tools:
            tools = msgspec.convert(self.get(call.tools).extra, tuple[Tool, ...])
        prompt = self.get(call.prompt).content if call.prompt else ""
        texts = tuple(block.content for block in self.unfold(call.texts))
        return Request(call.kind, messages, prompt, texts, tools, call.options)  # type: ignore[arg-type]


def message_of(block: BlockRecord) -> Message:
    """The message of a block."""
    extra = msgspec.convert(block.extra or {}, dict[str, Json])
    return msgspec.convert({"role": block.role, "content": block.content, **extra}, Message)
