"""The records of a run folder, as they stand on disk (format suite-run/1).

One JSON object a line. `crc` is always the last key: 8 hex digits of CRC-32 over the line's bytes
before it. Record order has no meaning. A request is kept as block hashes: a block is one message body
or text; a list block stands for a run of 32 hashes, so a shared long history is stored once.

A line spells a hash shorter than 64 hex digits, which lines of before hold: an id of a call as 43 characters
of base64, the hash of a block, a payload or a judged output as its first 120 bits in 20 characters. Nothing
rests on those alone: a call's id covers the hash of its whole request, a payload is held against pinned data,
an output against its replies.
"""

import hashlib
import zlib
from binascii import a2b_base64, a2b_hex, b2a_base64
from typing import Annotated, TypeVar, get_args

import msgspec

from suite.chat import Json, Options, Reply, Request, RequestKind
from suite.journal.shapes import (
    CallId,
    CellId,
    Count,
    HashStart,
    HashStartOrNone,
    Positive,
    PromptSet,
    Sha256,
    Sha256OrNone,
    TaskName,
    matching,
    one_of,
    shaped,
)
from suite.task import Output, Part, Value

FORMAT = "suite-run/1"
LIST_LENGTH = 32

_encoder = msgspec.json.Encoder()
USUAL_ROLE, USUAL_KIND = "candidate", "chat"  # of a call: left out on disk
_LAST, _UNKNOWN = "last", 0.0
_CRC_TAIL = len(b',"crc":"00000000"}')
_Hashes = Annotated[list[HashStart], shaped(minItems=LIST_LENGTH, maxItems=LIST_LENGTH)]


class TaskSource(msgspec.Struct, frozen=True):
    """The file that holds a task of no distribution. kind: its class. path: where it was, from the folder of
    the command."""

    name: str
    sha256: Sha256
    kind: str
    path: str


class CellPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """One cell of a plan.

    cell: first 12 hex digits of SHA-256 over canonical {task, version, parameters}: solve parameters only.
    file: of a task that comes from one.
    """

    cell: CellId
    task: TaskName
    version: Positive
    parameters: dict[str, Json]
    score_parameters: dict[str, Json]
    prompts: PromptSet
    prompts_sha256: Sha256
    plugin: str  # distribution and version that brought the task
    file: TaskSource | None = None


class OutputRecord(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One solved sample. `text_from`: the output's text equals that call's reply and is left out.

    On disk a group that is the sample's id is left out, so is a cluster that is the group, and `text_from` is
    "last" where it is the last of `calls`. reasoning: what led the text of an imported output and is no part
    of it; other runs keep it in calls.
    """

    cell: CellId
    sample: str
    trial: Count = 0
    group: str = ""
    cluster: str = ""
    tags: dict[str, str] = {}
    payload_sha256: HashStartOrNone
    output: Output
    calls: list[CallId] = []
    text_from: Annotated[str, matching("([0-9a-f]{64}|[A-Za-z0-9+/]{43}|last)?")] = ""
    imported: bool = False
    reasoning: str = ""


class CallRecord(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One call that got a reply.

    request: block hashes of messages; texts: of texts; prompt: block hash or "". options: as asked,
    with the kind and the block hash of the tools. request_sha256: of the whole request, in lines of before;
    it follows from the blocks (`BlockReader.request_hash`) and is part of the id. attempt: 1 for the first
    try. times: wall-clock seconds since the epoch at start and end. cached: the reply came from the response
    cache; kept: when it was asked for, seconds since the epoch, 0 if unknown.
    """

    id: CallId
    role: str = USUAL_ROLE
    group: str
    trial: Count = 0
    kind: Annotated[str, one_of(*get_args(RequestKind))] = USUAL_KIND
    request_sha256: Sha256OrNone = ""
    request: list[HashStart] = []
    texts: list[HashStart] = []
    prompt: HashStartOrNone = ""
    tools: HashStartOrNone = ""
    key: str = ""
    options: Options = Request("chat").options  # the very same: left out where a request leaves it out
    reply: Reply = Reply()
    times: tuple[float, float] = (0.0, 0.0)
    attempt: Count = 1
    cached: bool = False
    kept: float = _UNKNOWN


class BlockRecord(msgspec.Struct, omit_defaults=True):
    """A body stored once: a message (role, content, tool calls), a text, tools, or a list of hashes."""

    sha256: HashStart
    role: Annotated[str, one_of("", "system", "user", "assistant", "tool", "text", "tools")] = ""
    content: str = ""
    extra: Json = None
    list: _Hashes | None = None


EVENTS = frozenset({"start", "identity", "code", "adapted", "retry", "error", "pending", "resume",
                    "interrupted", "stopped", "finish", "engine"})  # fmt: skip
BUDGET = "budget"  # kind of what stopped a run: its budget


class AttemptRecord(msgspec.Struct, omit_defaults=True):
    """What happened on the way, without content. event: one of EVENTS."""

    at: float
    event: str
    kind: str = ""
    cell: str = ""
    sample: str = ""
    trial: Count = 0
    stage: str = ""
    call: str = ""
    role: str = ""
    detail: str = ""


class ScoreRecord(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One scored output. `output_sha256`: of the canonical output that was judged."""

    cell: CellId
    sample: str
    trial: Count = 0
    output_sha256: HashStart
    values: dict[str, Value]
    parts: list[Part] = []
    calls: list[CallId] = []


class CommandRecord(msgspec.Struct, omit_defaults=True):
    """What worked on a run: a shell line, or a call in Python. settings: flags that `suite.toml` or the
    environment gave. at: in UTC. scoring: the id of what it scored, "" if it only solved."""

    command: str
    settings: str = ""
    at: str = ""
    solves: bool = True
    scoring: str = ""


class SpentRecord(msgspec.Struct, omit_defaults=True):
    """What one try of a call used, under a budget; of several lines with a number, the last one counts. Until
    it is told, the tokens are the most that the try can use."""

    number: Positive
    call: CallId
    role: str = USUAL_ROLE
    prompt: Count = 0
    completion: Count = 0
    cached: Count = 0
    told: bool = False


class BroughtSample(msgspec.Struct, frozen=True):
    """What a sample of an imported run asks; lines of these carry no checksum."""

    cell: CellId
    sample: str
    payload: Json


Record = OutputRecord | CallRecord | BlockRecord | AttemptRecord | ScoreRecord | CommandRecord | SpentRecord
RecordT = TypeVar("RecordT")
PARTIAL = frozenset[type]({OutputRecord, CallRecord, ScoreRecord})  # see `whole`


def block_hash(data: bytes) -> str:
    """The hash that names a block: 20 characters."""
    return short_hash(hashlib.sha256(data).digest())


def short_hash(digest: bytes) -> str:
    """The beginning of a hash: 120 bits in 20 characters of base64."""
    return b2a_base64(digest[:15])[:20].decode()


def spelled_like(digest: str, other: str) -> str:
    """A hash of 64 hex digits in the spelling of another, whole or its beginning."""
    return digest if len(other) == 64 else short_hash(bytes.fromhex(digest))


def grouping(sample: str, group: str, cluster: str) -> tuple[str, str]:
    """The group and the cluster of an output from what its line says, which is "" where it says none."""
    group = group or sample
    return group, cluster or group


def shortened(record: Record) -> Record:
    """A record as it is written: without what follows from the rest of it, see `whole`."""
    if isinstance(record, CallRecord):  # a text or float is left out where it is the very default
        return msgspec.structs.replace(
            record,
            id=_spelled(record.id),
            role=USUAL_ROLE if record.role == USUAL_ROLE else record.role,
            kind=USUAL_KIND if record.kind == USUAL_KIND else record.kind,
            kept=record.kept or _UNKNOWN,
        )
    if isinstance(record, OutputRecord):
        last = record.calls[-1:] == [record.text_from]
        return msgspec.structs.replace(
            record,
            group="" if record.group == record.sample else record.group,
            cluster="" if record.cluster == record.group else record.cluster,
            calls=[_spelled(one) for one in record.calls],
            text_from=_LAST if last else _spelled(record.text_from),
        )
    if isinstance(record, ScoreRecord) and record.calls:
        return msgspec.structs.replace(record, calls=list(map(_spelled, record.calls)))
    return record


def _spelled(identity: str) -> str:
    """The id of a call as a line spells it."""
    return b2a_base64(a2b_hex(identity))[:43].decode() if len(identity) == 64 else identity


def whole(record: RecordT) -> RecordT:
    """A record with what was left out when it was written, see `shortened`, and ids of calls and hashes of
    payloads each in one spelling; this very one. Raises ValueError for an id or hash that is none."""
    if isinstance(record, CallRecord):
        if len(record.id) == 43:
            record.id = a2b_base64(record.id + "=").hex()
    elif isinstance(record, OutputRecord):
        record.group, record.cluster = grouping(record.sample, record.group, record.cluster)
        if len(record.payload_sha256) == 64:
            record.payload_sha256 = short_hash(a2b_hex(record.payload_sha256))
        if record.calls:
            record.calls = calls = _read_ids(record.calls)
            source = record.text_from
            record.text_from = calls[-1] if source == _LAST else source and _read_ids([source])[0]
    elif isinstance(record, ScoreRecord):
        if len(record.output_sha256) == 64:
            record.output_sha256 = short_hash(a2b_hex(record.output_sha256))
        if record.calls:
            record.calls = _read_ids(record.calls)
    return record


def _read_ids(identities: list[str]) -> list[str]:
    """Ids of calls from how lines spell them, or spelled them before."""
    return [a2b_base64(one + "=").hex() if len(one) == 43 else one for one in identities]


def encode(record: Record) -> bytes:
    """One journal line with its checksum, newline included."""
    return sealed(_encoder.encode(shortened(record)))


def sealed(line: bytes) -> bytes:
    """The line of a JSON object with its checksum, newline included."""
    return b'%b,"crc":"%08x"}\n' % (line[:-1], zlib.crc32(line[:-1]))


def checked(line: bytes) -> bool:
    """Whether a whole line (without newline) carries the checksum of its own bytes."""
    return line.endswith(b',"crc":"%08x"}' % zlib.crc32(line[:-_CRC_TAIL]))
