"""Blocks held against their hashes, and requests rebuilt from them to hold the recorded hash against.

A request is put together from canonical pieces, not decoded: a long shared history is encoded once. What
one request and all together may grow to is bounded, since blocks can be named any number of times.
"""

import hashlib
from collections import OrderedDict
from pathlib import Path

import msgspec

from suite.board.bundle.keyed_index import Index, digest
from suite.board.bundle.lines_check import LinesCheck
from suite.board.bundle.rungs import Findings
from suite.board.bundle.size_limits import MIB, SizeLimits
from suite.chat import Json, Message, Options, Tool, sha256_hex
from suite.journal.records import LIST_LENGTH, BlockRecord, CallRecord

_canonical = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(BlockRecord)
_ROLES = frozenset({"system", "user", "assistant", "tool"})
_KEPT = 64 * MIB
_OVERHEAD = 400  # of a kept piece
_NO_OPTIONS = Options()


class BadBlock(ValueError):
    """Why a block or what names it is refused. word: a stable slug."""

    def __init__(self, word: str, what: str) -> None:
        super().__init__(what)
        self.word = word


class _Shape(msgspec.Struct, omit_defaults=True):
    """A request whose pieces are canonical JSON already."""

    kind: str
    messages: list[msgspec.Raw] = []
    prompt: str = ""
    texts: list[msgspec.Raw] = []
    tools: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    options: Options | msgspec.UnsetType = msgspec.UNSET


def piece_of(block: BlockRecord) -> tuple[str, bytes, str]:
    """(kind: message, text, tools or list; its canonical JSON, "" for a list; its hash).

    Raises BadBlock for what is no block.
    """
    if block.list is not None:
        if block.role or block.content or block.extra is not None or len(block.list) != LIST_LENGTH:
            raise BadBlock("block", f"a list block holds {LIST_LENGTH} hashes and nothing else")
        return "list", b"", sha256_hex(b"list\x1f" + "".join(block.list).encode())
    if block.role == "text" and block.extra is None:
        return "text", _canonical.encode(block.content), sha256_hex(b"text\x1f" + block.content.encode())
    if block.role == "tools" and not block.content:
        try:
            tools = msgspec.convert(block.extra, tuple[Tool, ...])
        except msgspec.ValidationError as error:
            raise BadBlock("block", "a block of tools holds no tools") from error
        body = _canonical.encode(tools)
        if _canonical.encode(block.extra) != body:
            raise BadBlock("block", "a block of tools holds more than tools")
        return "tools", body, sha256_hex(b"tools\x1f" + body)
    if block.role not in _ROLES:
        raise BadBlock("block", "a block is no message, text, tools or list")
    if block.extra is None:
        body = _canonical.encode(Message(block.role, block.content))  # type: ignore[arg-type]
        return "message", body, sha256_hex(body)
    try:
        fields = {
            **msgspec.convert(block.extra, dict[str, Json]),
            "role": block.role,
            "content": block.content,
        }
        message = msgspec.convert(fields, Message)
    except msgspec.ValidationError as error:
        raise BadBlock("block", "a message block holds no message") from error
    body = _canonical.encode(message)
    if _canonical.encode(fields) != body:
        raise BadBlock("block", "a message block holds more than a message")
    return "message", body, sha256_hex(body)


class BlocksCheck:
    """The blocks of one folder: each held against its hash, then found again by it."""

    def __init__(
        self, path: Path, where: str, findings: Findings, limits: SizeLimits, budget: list[int]
    ) -> None:
        """budget: [bytes that may still be rebuilt], shared by all runs of a bundle."""
        self._lines = LinesCheck(path, where, BlockRecord, findings, limits)
        self._findings, self._limits, self._budget = findings, limits, budget
        self._index = Index(path)
        self._kept: OrderedDict[str, tuple[str, msgspec.Raw, int]] = OrderedDict()
        self._kept_bytes = 0
        self._fresh: dict[str, tuple[str, msgspec.Raw, int]] = {}  # as read, not asked for yet
        self._fresh_bytes = 0

    @property
    def count(self) -> int:
        """Lines read."""
        return self._lines.count

    def read(self) -> None:
        """Hold every block against its hash."""
        for number, offset, length, block in self._lines.records():
            try:
                kind, body, found = piece_of(block)
            except BadBlock as error:
                self._findings.add(f"R2.{error.word}", str(error), self._lines.at(number))
                continue
            if found != block.sha256:
                what = "a block has another hash than it says"
                self._findings.add(
                    "R2.block-hash", what, self._lines.at(number), expected=found, found=block.sha256
                )
                continue
            self._index.add(digest(block.sha256), offset, length)
            if kind != "list" and self._fresh_bytes < _KEPT // 2:
                self._fresh[block.sha256] = (kind, msgspec.Raw(body), len(body))
                self._fresh_bytes += len(body) + _OVERHEAD
        self._index.freeze()

    def finish(self) -> None:
        """Note the blocks that no request names, and let go of the file."""
        unused = sum(1 for _ in self._index.unused())
        if unused:
            what = "blocks are there that no request names (an interrupted run can leave some)"
            self._findings.add("R2.unused-blocks", what, self._lines.where, severity="note", found=unused)
        self._index.close()

    def _piece(self, name: str, inside: bool = False) -> tuple[str, msgspec.Raw, int]:
        """(kind, canonical JSON, its size) of a hash; a list's is its messages with commas between."""
        kept = self._kept.get(name)
        if kept is not None and not (inside and kept[0].startswith("list")):
            self._kept.move_to_end(name)
            return kept
        at = self._index.find(digest(name))
        if at < 0:
            raise BadBlock("no-block", "a request names a block that is not there")
        self._index.mark(at)
        fresh = self._fresh.pop(name, None)
        if fresh is not None:
            self._fresh_bytes -= fresh[2] + _OVERHEAD
            self._keep(name, fresh)
            return fresh
        block = _decoder.decode(self._index.line(at))
        kind, body, _ = piece_of(block)
        if block.list is not None:
            if inside:
                raise BadBlock("block", "a list block names a list block")
            parts = []
            size = 0
            for inner in block.list:
                of, raw, length = self._piece(inner, True)
                size += length + 1
                if size > self._limits.request:
                    raise BadBlock("request-too-big", f"a request is over {self._limits.request} bytes")
                parts.append((of, bytes(raw)))
            kinds = {of for of, _ in parts}
            if len(kinds) != 1:
                raise BadBlock("block", "a list block mixes messages and texts")
            kind = f"list of {kinds.pop()}"
            body = b",".join(raw for _, raw in parts)
        found = (kind, msgspec.Raw(body), len(body))
        self._keep(name, found)
        return found

    def _keep(self, name: str, piece: tuple[str, msgspec.Raw, int]) -> None:
        if piece[2] > _KEPT // 8 or name in self._kept:
            return
        self._kept[name] = piece
        self._kept_bytes += piece[2] + _OVERHEAD
        while self._kept_bytes > _KEPT:
            _, (_, _, dropped) = self._kept.popitem(last=False)
            self._kept_bytes -= dropped + _OVERHEAD

    def _pieces(self, names: list[str], kind: str) -> tuple[list[msgspec.Raw], int]:
        found, total = [], 0
        for name in names:
            of, raw, size = self._piece(name)
            if of.removeprefix("list of ") != kind:
                raise BadBlock("block", "a request names a block of another kind")
            total += size + 1
            if total > self._limits.request:
                raise BadBlock("request-too-big", f"a request is over {self._limits.request} bytes")
            found.append(raw)
        return found, total

    def request_hash(self, call: CallRecord) -> str:
        """The hash of a call's request, rebuilt; the recorded one if either notation of it fits.

        Options that are all unset may be absent or empty. Raises BadBlock.
        """
        messages, size = self._pieces(call.request, "message")
        texts, more = self._pieces(call.texts, "text")
        size += more
        shape = _Shape(call.kind, messages, "", texts)
        if call.prompt:
            raw, length = self._pieces([call.prompt], "text")
            shape.prompt = msgspec.json.decode(raw[0], type=str)
            size += length
        if call.tools:
            raw, length = self._pieces([call.tools], "tools")
            shape.tools = raw[0]
            size += length
        self._budget[0] -= size
        if self._budget[0] < 0:
            raise BadBlock("requests-too-big", "the requests of the bundle are too big to be rebuilt")
        shape.options = call.options
        found = hashlib.sha256(_canonical.encode(shape)).hexdigest()
        if found != call.request_sha256 and call.options == _NO_OPTIONS:
            shape.options = msgspec.UNSET
            found = hashlib.sha256(_canonical.encode(shape)).hexdigest()
        return found
