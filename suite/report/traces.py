"""What is told of a sample: its values and parts in words, the calls behind it rebuilt for reading.

Long histories are folded, repeats shown once. A call that continues an earlier one of the same role shows
only what is new. Of a long history only the first and last messages are read; those between stay a number, or
are kept to unfold if they are few. Not here: how it is drawn.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from suite.chat import Json, Message, Reply, ToolCall
from suite.errors import RunError
from suite.journal.blocks import BlockReader, message_of
from suite.journal.records import CallRecord, OutputRecord
from suite.journal.run import FoundCall, Run
from suite.report.hostile_text import shortened
from suite.report.markdown import cell_text
from suite.report.numbers import plain
from suite.task import Unscored, Value

FIRST, LAST = 2, 3  # messages of a long history that are always shown
UNFOLDABLE = 40  # messages between them that are kept to unfold
MOST_TEXT = 6_000
MOST_CALLS = 40  # of one sample
MOST_TEXTS = 12  # documents or answers of one call


@dataclass(frozen=True)
class Said:
    """One message. calls: of tools."""

    role: str
    text: str
    calls: Sequence[ToolCall] = ()


@dataclass(frozen=True)
class Trace:
    """One call as shown.

    shared: messages at its beginning that are those of call number `continues` (from 1).
    head, between, tail: messages; hidden: how many between are not kept at all.
    """

    number: int
    call: CallRecord
    stage: str
    options: str
    seconds: float
    continues: int = 0
    shared: int = 0
    head: Sequence[Said] = ()
    between: Sequence[Said] = ()
    hidden: int = 0
    tail: Sequence[Said] = ()
    prompt: Said | None = None
    texts: Sequence[Said] = ()
    more_texts: int = 0
    tools: Sequence[str] = ()


_Known = dict[str, list[tuple[int, list[str]]]]
"""What was shown already: for each member the calls with their message hashes."""


def traces(run: Run, calls: Sequence[str]) -> Iterator[Trace | str]:
    """Every call by its id, in order; for one that is missing or damaged a sentence that says so."""
    known: _Known = {}
    for number, identity in enumerate(calls[:MOST_CALLS], 1):
        try:
            found = run.call(identity)
            if found is None:
                yield f"Call {identity[:12]} is not in the journal."
                continue
            yield _trace(number, found, known)
        except RunError as error:
            yield f"Call {identity[:12]} cannot be read: {error}"
    if len(calls) > MOST_CALLS:
        yield f"{len(calls) - MOST_CALLS:,} more calls are not shown here; calls.jsonl has them."


def question(run: Run, output: OutputRecord) -> str:
    """The last message of the user that the candidate was sent, else its prompt; where no call tells, what an
    importer brought as the `question` of its payload; else ""."""
    calls = [one for each in (output.text_from, *reversed(output.calls)) if each and (one := run.call(each))]
    own = [one for one in calls if one.call.role.partition("/")[0] == "candidate"]
    for found in (own or calls)[:1]:
        for digest in reversed(list(message_hashes(found.call, found.blocks))):
            message = message_of(found.blocks.get(digest))
            if message.role == "user":
                return message.content
        return found.blocks.get(found.call.prompt).content if found.call.prompt else ""
    told = brought.payload if (brought := run.brought.find((output.cell, output.sample))) else None
    return str(told.get("question", "")) if isinstance(told, dict) else ""


def answer(run: Run, output: OutputRecord) -> str:
    """The text of an output, else its data as JSON; "" where there is neither."""
    text = run.text(output)
    return text if text or output.output.data is None else msgspec.json.encode(output.output.data).decode()


def _trace(number: int, found: FoundCall, known: _Known) -> Trace:
    call, blocks = found.call, found.blocks
    hashes = list(message_hashes(call, blocks))
    continues, shared = _shared(known, call.role, hashes)
    known.setdefault(call.role, []).append((number, hashes))
    folded = _folded(hashes[shared:], blocks, bool(shared))
    prompt = Said("prompt", blocks.get(call.prompt).content) if call.prompt else None
    texts = [Said("text", blocks.get(digest).content) for digest in call.texts[:MOST_TEXTS]]
    asked: dict[str, Json] = msgspec.to_builtins(call.options)
    options = ", ".join(f"{name}={value}" for name, value in asked.items() if name != "json_schema")
    return Trace(
        number, call, found.stage, options, seconds_of(call), continues, shared, *folded, prompt, texts,
        max(len(call.texts) - MOST_TEXTS, 0), _tools(call, blocks),
    )  # fmt: skip


def seconds_of(call: CallRecord) -> float:
    """How long a call took."""
    return max(call.times[1] - call.times[0], 0.0)


def message_hashes(call: CallRecord, blocks: BlockReader) -> Iterator[str]:
    """Hashes of the messages of a request, list blocks opened; those can only stand at its beginning."""
    folded = True
    for digest in call.request:
        inner = blocks.get(digest).list if folded else None
        folded = inner is not None
        yield from (digest,) if inner is None else inner


def _shared(known: _Known, member: str, hashes: list[str]) -> tuple[int, int]:
    """Number of the earlier call whose messages are this one's beginning, and how many they are."""
    best = (0, 0)
    for number, earlier in known.get(member, ()):
        if 1 < len(earlier) < len(hashes) and len(earlier) > best[1] and hashes[: len(earlier)] == earlier:
            best = (number, len(earlier))
    return best


def _folded(
    hashes: list[str], blocks: BlockReader, continued: bool
) -> tuple[list[Said], list[Said], int, list[Said]]:
    if len(hashes) <= FIRST + LAST + 2:
        return [_message(blocks, digest) for digest in hashes], [], 0, []
    first = 0 if continued else FIRST
    head = [_message(blocks, digest) for digest in hashes[:first]]
    tail = [_message(blocks, digest) for digest in hashes[-LAST:]]
    middle = hashes[first:-LAST]
    if len(middle) > UNFOLDABLE:
        return head, [], len(middle), tail
    return head, [_message(blocks, digest) for digest in middle], 0, tail


def _message(blocks: BlockReader, digest: str) -> Said:
    message: Message = message_of(blocks.get(digest))
    return Said(message.role, message.content, message.tool_calls)


def with_calls(text: str, tool_calls: Sequence[ToolCall]) -> str:
    """What a model said, with its calls of tools below."""
    return text + "".join(f"\n[calls {one.name}({one.arguments})]" for one in tool_calls)


def _tools(call: CallRecord, blocks: BlockReader) -> list[str]:
    extra: Json = blocks.get(call.tools).extra if call.tools else None
    tools = extra if isinstance(extra, list) else ()
    return [str(one.get("name", "")) for one in tools if isinstance(one, dict)]


def value_text(value: Value) -> str:
    """A score's value: a number, a label, a reason."""
    if isinstance(value, Unscored):
        return f"unscored: {value.reason}" + (f" ({value.detail})" if value.detail else "")
    return "not applicable" if value is None else cell_text(value)


def pretty(value: object, most: int = 20_000) -> str:
    """JSON to read, cut if it is long."""
    return shortened(msgspec.json.format(msgspec.json.encode(value), indent=2).decode(), most)


def reply_facts(reply: Reply) -> list[tuple[str, str]]:
    """What a reply holds beside its text."""
    found = []
    if reply.scores:
        shown = ("none" if one is None else f"{one:.5g}" for one in reply.scores[:50])
        found.append(("scores", ", ".join(shown)))
    if reply.ranking:
        found.append(("ranking", ", ".join(f"{index} ({score:.4g})" for index, score in reply.ranking[:50])))
    return found if reply.details is None else [*found, ("details", plain(reply.details))]
