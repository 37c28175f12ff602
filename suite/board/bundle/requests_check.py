"""Blocks held against their hashes, and requests rebuilt from them to hold the recorded hash against.

A request is put together from canonical pieces, not decoded: a long shared history is encoded once. What
one request and all together may grow to is bounded, since blocks can be named any number of times.
"""

import msgspec

from suite.board.bundle.bounds import MIB
from suite.board.bundle.keyed_index import Index, digest
from suite.board.bundle.lines_check import LinesCheck
from suite.board.bundle.rungs import Refused, refuse
from suite.chat import Json, Message, Options, Tool, sha256_hex
from suite.journal.records import LIST_LENGTH, BlockRecord, CallRecord, spelled_like

_canonical = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(BlockRecord)
_ROLES = ("system", "user", "assistant", "tool")
_KEPT = 64 * MIB
_OVERHEAD = 400  # of a kept piece
_NO_OPTIONS = CallRecord(id="", group="").options  # the very object of a line without options


class _Shape(msgspec.Struct, omit_defaults=True):
    """A request whose pieces are canonical JSON already."""

    kind: str
    messages: list[msgspec.Raw] = []
    texts: list[msgspec.Raw] = []
    prompt: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    tools: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    options: Options | msgspec.UnsetType = msgspec.UNSET


def piece_of(block: BlockRecord) -> tuple[str, bytes, str]:
    """(kind: message, text, tools or list; its canonical JSON, "" for a list; its hash).

    Raises Refused for what is no block.
    """
    if block.list is not None:
        wrong = block.role or block.content or block.extra is not None or len(block.list) != LIST_LENGTH
        refuse(wrong, "block/list", LIST_LENGTH)
        return "list", b"", sha256_hex(b"list\x1f" + "".join(block.list).encode())
    if block.role == "text" and block.extra is None:
        return "text", _canonical.encode(block.content), sha256_hex(b"text\x1f" + block.content.encode())
    if block.role == "tools" and not block.content:
        body = _body(block.extra, tuple[Tool, ...], "a block of tools", "tools")
        return "tools", body, sha256_hex(b"tools\x1f" + body)
    refuse(block.role not in _ROLES, "block")
    more = {} if block.extra is None else block.extra
    if not isinstance(more, dict):
        raise Refused("block/message")
    fields = {**more, "role": block.role, "content": block.content}
    body = _body(fields, Message, "a message block", "message")
    return "message", body, sha256_hex(body)


def _body(value: Json, kind: object, name: str, what: str) -> bytes:
    """Canonical JSON of what must be a value of this kind, and nothing more."""
    try:
        body = _canonical.encode(msgspec.convert(value, kind))
    except msgspec.ValidationError as error:
        raise Refused("block/none", name, what) from error
    more = "a message" if what == "message" else what
    refuse(_canonical.encode(value) != body, "block/more", name, more)
    return body


class BlocksCheck:
    """The blocks of one folder: each held against its hash, then found again by it.

    budget: [bytes that may still be rebuilt], shared by all runs of a bundle.
    """

    def __init__(self, lines: LinesCheck[BlockRecord], budget: list[int]) -> None:
        self._lines, self._findings, self._budget = lines, lines.findings, budget
        self._index = Index(lines.path)
        self._kept: dict[str, tuple[str, bytes]] = {}  # hash -> kind, canonical JSON
        self._kept_bytes = 0
        for number, offset, length, block in self._lines.records():
            where = self._lines.at(number)
            try:
                kind, body, found = piece_of(block)
            except Refused as error:
                self._findings.refused("R2", error, where)
                continue
            found = spelled_like(found, block.sha256)
            if found != block.sha256:
                self._findings.add("R2.block-hash", where, expected=found, found=block.sha256)
                continue
            self._index.add(digest(block.sha256), offset, length)
            if kind != "list" and self._kept_bytes < _KEPT // 2:
                self._keep(block.sha256, (kind, body))
        self._index.freeze()

    def finish(self) -> None:
        """Note the blocks that no request names, and let go of the file."""
        if unused := len(self._index.unused()):
            self._findings.add("R2.unused-blocks", self._lines.where, severity="note", found=unused)
        self._index.close()

    def _piece(self, name: str, inside: bool) -> tuple[str, bytes]:
        """(kind, canonical JSON) of a hash; a list's is its messages with commas between."""
        at = self._index.find(digest(name))
        refuse(at < 0, "no-block")
        self._index.mark(at)
        parts = None
        if name in self._kept:
            kind, body = self._kept[name]
        else:
            block = _decoder.decode(self._index.line(at))
            (kind, body, _), parts = piece_of(block), block.list
        refuse(inside and kind.startswith("list"), "block/inside")
        if parts is not None:
            kind, pieces = self._pieces(parts)
            kind, body = f"list of {kind}", b",".join(pieces)
        self._keep(name, (kind, body))
        return kind, body

    def _keep(self, name: str, piece: tuple[str, bytes]) -> None:
        size = len(piece[1]) + _OVERHEAD
        if name not in self._kept and size <= _KEPT // 8:
            if self._kept_bytes + size > _KEPT:  # what is still asked comes in again
                self._kept.clear()
                self._kept_bytes = 0
            self._kept[name] = piece
            self._kept_bytes += size

    def _pieces(self, names: list[str], wanted: str = "") -> tuple[str, list[bytes]]:
        """The kind of these blocks and the canonical JSON of each. wanted: the kind that they must have; ""
        inside a list block, where all have one kind, and none is a list block.
        """
        kinds: set[str] = set()
        pieces: list[bytes] = []
        size = 0
        for name in names:
            kind, body = self._piece(name, inside=not wanted)
            kinds.add(kind.removeprefix("list of "))
            pieces.append(body)
            size += len(body) + 1
            most = self._lines.limits.request
            refuse(size > most, "request-too-big", most)
        refuse(wanted and kinds - {wanted}, "block/kind")
        refuse(len(kinds) > 1, "block/mixed")
        return wanted or kinds.pop(), pieces

    def request_hash(self, call: CallRecord) -> str:
        """The hash of a call's request, rebuilt; the recorded one if either notation of it fits.

        Options that are all unset may be absent or empty; where the hash stands on the line, either will do.
        Raises Refused.
        """
        parts: list[list[msgspec.Raw]] = []
        for names, wanted in (
            (call.request, "message"),
            (call.texts, "text"),
            ([call.prompt] if call.prompt else [], "text"),
            ([call.tools] if call.tools else [], "tools"),
        ):
            _, pieces = self._pieces(names, wanted)
            self._budget[0] -= sum(map(len, pieces)) + len(pieces)
            parts.append(list(map(msgspec.Raw, pieces)))
        refuse(self._budget[0] < 0, "requests-too-big")
        messages, texts, *rest = parts
        prompt, tools = (one[0] if one else msgspec.UNSET for one in rest)
        shape = _Shape(call.kind, messages, texts, prompt, tools, call.options)
        if not call.request_sha256 and call.options is _NO_OPTIONS:
            shape.options = msgspec.UNSET
        found = sha256_hex(_canonical.encode(shape))
        if call.request_sha256 not in ("", found) and call.options == _NO_OPTIONS:
            shape.options = msgspec.UNSET
            found = sha256_hex(_canonical.encode(shape))
        return found
