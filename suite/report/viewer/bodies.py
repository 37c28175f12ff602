"""The body of a row: its answer, values, parts and calls, every text of it kept once a part."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TypedDict

import msgspec

from suite.blocks import Block
from suite.chat import Json
from suite.journal.records import OutputRecord, ScoreRecord
from suite.journal.run import Run
from suite.report.hostile_text import clean, cut, one_line
from suite.report.traces import (
    MOST_CALLS,
    MOST_TEXT,
    Said,
    Trace,
    answer,
    pretty,
    question,
    reply_facts,
    traces,
)
from suite.report.viewer.columns import Columns
from suite.task import Unscored, Value

MOST_ANSWER = 20_000
MOST_DATA = 20_000
MOST_PARTS = 200
MOST_ROWS = 500  # of a table of the task's own view, turns of a dialogue
NEAR, SHORT = 12, 60  # texts among which pieces of the next one are looked for; shorter ones are not
Body = dict[str, object]


class Pieces(TypedDict):
    """A text made of texts and of places of others; how many characters are left out."""

    pieces: list[str | int]
    left: int


class Texts:
    """The texts of a part, each once: as it is, or cut with the characters left out, or in pieces.

    A judge is asked with the question and the answer in its prompt: such a text is kept as {"pieces": [a text
    or a place of one, …], "left": 0}.
    """

    def __init__(self) -> None:
        self.kept: list[str | tuple[str, int] | Pieces] = []
        self.size = 0
        self._places: dict[str, int] = {}
        self._near = deque[tuple[str, int]](maxlen=NEAR)

    def place(self, text: str, most: int = MOST_TEXT, left: int = 0) -> int:
        """Where a text stands, -1 for none. most: characters that are kept; left: that were cut already."""
        if not text:
            return -1
        shown, more = cut(text, most)
        left += more
        key = f"{left} {shown}" if left else shown
        if key not in self._places:
            self._places[key] = len(self.kept)
            shown = clean(shown)
            pieces = self._pieces(shown)
            self.size += sum(len(one) for one in pieces if isinstance(one, str))
            if len(pieces) > 1:
                self.kept.append(Pieces(pieces=pieces, left=left))
            else:
                if len(shown) > SHORT and not left:
                    self._near.append((shown, len(self.kept)))
                self.kept.append((shown, left) if left else shown)
        return self._places[key]

    def _pieces(self, text: str) -> list[str | int]:
        pieces: list[str | int] = [text]
        for inner, place in self._near if len(text) > SHORT else ():
            for at, one in enumerate(pieces):
                if isinstance(one, str) and inner in one:
                    before, _, after = one.partition(inner)
                    pieces[at : at + 1] = [before, place, after]
                    break
        return pieces


def body_of(
    run: Run,
    output: OutputRecord,
    score: ScoreRecord | None,
    own: Sequence[Block],
    note: str,
    texts: Texts,
    columns: Columns,
) -> Body:
    """The body; what the index needs of it is added to the columns.

    own: what its task shows of it; note: why that is nothing.
    """
    kept, said = output.output, answer(run, output)
    calls = [*output.calls, *(score.calls if score else ())]
    shown = list(_calls(run, calls, texts, columns))
    columns.add(output, score, question(run, output), said)
    return {
        "text": texts.place(run.text(output), MOST_ANSWER),
        "data": -1 if kept.data is None else texts.place(pretty(kept.data, MOST_DATA), 2 * MOST_DATA),
        "values": _values(score.values if score else {}),
        "parts": [
            {
                "id": clean(one.id),
                "tags": {clean(name): one_line(text) for name, text in one.tags.items()},
                "values": _values(one.values),
            }
            for one in (score.parts[:MOST_PARTS] if score else ())
        ],
        "blocks": list(map(_block, own)),
        "note": clean(note),
        "calls": shown,
    }


def _block(found: Block) -> Json:
    try:
        told = _cleaned({"kind": type(found).__name__, **msgspec.to_builtins(found)})
        msgspec.json.encode(told)
    except Exception as error:  # a plugin may put anything into a table
        told = {"kind": "Text", "text": clean(f"A block cannot be shown: {type(error).__name__}: {error}")}
    return told


def _cleaned(value: Json) -> Json:
    """JSON with every text cleaned, and cut with a word about it; lists are cut, too."""
    if isinstance(value, str):
        shown, left = cut(value, MOST_ANSWER)
        return clean(shown) + (f"\n… {left:,} characters more" if left else "")
    if isinstance(value, Mapping):
        return {clean(str(name)): _cleaned(one) for name, one in value.items()}
    if isinstance(value, Sequence):
        return [_cleaned(one) for one in value[:MOST_ROWS]]
    return value


def withheld(score: ScoreRecord | None, note: str) -> Body:
    """The body of a row whose texts a licence holds back: its values, without what was said about them."""
    values = {clean(name): _bare(value) for name, value in score.values.items()} if score else {}
    return {"text": -1, "data": -1, "values": values, "parts": [], "blocks": [], "note": note, "calls": []}


def _bare(value: Value) -> object:
    return {"u": clean(value.reason)} if isinstance(value, Unscored) else _value(value)


def _values(values: Mapping[str, Value]) -> dict[str, object]:
    return {clean(name): _value(value) for name, value in values.items()}


def _value(value: Value) -> object:
    if isinstance(value, Unscored):
        return {"u": clean(value.reason), "detail": clean(cut(value.detail, MOST_TEXT)[0])}
    return clean(cut(value, MOST_TEXT)[0]) if isinstance(value, str) else value


def _calls(run: Run, calls: Sequence[str], texts: Texts, columns: Columns) -> Iterator[str | Body]:
    for one in traces(run, calls):
        if isinstance(one, Trace):
            usage = one.call.reply.usage
            columns.spend(usage.prompt + usage.completion, one.seconds)
            yield _call(one, texts)
        else:
            yield clean(one)
    for identity in calls[MOST_CALLS:]:
        if (found := run.call(identity)) is not None:
            usage, times = found.call.reply.usage, found.call.times
            columns.spend(usage.prompt + usage.completion, max(times[1] - times[0], 0.0))


def _call(one: Trace, texts: Texts) -> Body:
    call, reply = one.call, one.call.reply

    def said(message: Said) -> list[object]:
        place = texts.place(message.text, left=message.left)
        own = [[one_line(call.name), clean(cut(call.arguments, MOST_TEXT)[0])] for call in message.calls]
        return [message.role, place, own] if own else [message.role, place]

    return {
        "number": one.number,
        "role": clean(call.role),
        "stage": one.stage,
        "kind": call.kind,
        "model": clean(reply.model),
        "key": clean(call.key),
        "options": one_line(one.options, 1000),
        "continues": one.continues,
        "shared": one.shared,
        "messages": [said(message) for message in one.head],
        "between": [said(message) for message in one.between],
        "hidden": one.hidden,
        "tail": [said(message) for message in one.tail],
        "prompt": texts.place(one.prompt.text, left=one.prompt.left) if one.prompt else -1,
        "texts": [texts.place(text.text, left=text.left) for text in one.texts],
        "more_texts": one.more_texts,
        "tools": [one_line(name) for name in one.tools],
        "reply": texts.place(reply.text, MOST_ANSWER),
        "reasoning": texts.place(reply.reasoning, MOST_ANSWER),
        "tool_calls": [[one_line(x.name), clean(cut(x.arguments, MOST_TEXT)[0])] for x in reply.tool_calls],
        "finish": reply.finish,
        "facts": [[name, one_line(text, 2000)] for name, text in reply_facts(reply)],
        "tokens": [reply.usage.prompt, reply.usage.completion],
        "seconds": round(one.seconds, 2),
        "cached": call.cached,
        "attempt": call.attempt,
    }
