"""The body of a row: its answer, values, parts and calls, every text of it kept once a part.

What says nothing is left out: a reader takes it for empty.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import TypedDict

import msgspec

from suite.blocks import Block, Text
from suite.chat import Json, ToolCall
from suite.errors import RunError
from suite.journal.records import OutputRecord, ScoreRecord
from suite.journal.run import Run
from suite.report import traces
from suite.report.hostile_text import clean, cut, one_line, shortened
from suite.report.numbers import plain
from suite.report.viewer.columns import Told
from suite.task import Unscored, Value

MOST_ANSWER = 20_000  # characters of an answer, of a text of the task's own view
MOST_SIZE = 4_000_000  # characters of a part after which calls are left out
MOST_PARTS, MOST_ROWS = 200, 500  # of a score; of a table or dialogue in the task's own view
NEAR, SHORT = 8, 60  # texts among which pieces of the next one are looked for; shorter ones are not
Body = dict[str, object]


class Pieces(TypedDict):
    """A text made of texts and of places of others; how many characters are left out."""

    pieces: list[str | int]
    left: int


class Texts:
    """The texts of a part, each once: as it is, or cut with the number of characters left out, or in pieces.

    A judge is asked with the question and the answer in its prompt: those are its pieces.
    """

    def __init__(self) -> None:
        self.kept: list[str | tuple[str, int] | Pieces] = []
        self.size = 0  # characters
        self._places: dict[tuple[str, int], int] = {}
        self._near = deque[tuple[str, int]](maxlen=NEAR)

    def place(self, text: str, most: int = traces.MOST_TEXT) -> int:
        """Where a text stands, -1 for none. most: characters that are kept."""
        if not text:
            return -1
        shown, left = key = cut(text, most)
        if (known := self._places.get(key)) is not None:
            return known
        place = self._places[key] = len(self.kept)
        shown = clean(shown)
        pieces = self._pieces(shown)
        if len(pieces) > 1:
            self.kept.append(Pieces(pieces=pieces, left=left))
        else:
            self.kept.append((shown, left) if left else shown)
            if len(shown) > SHORT and not left:
                self._near.append((shown, place))
        self.size += sum(len(one) for one in pieces if isinstance(one, str))
        return place

    def _pieces(self, text: str) -> list[str | int]:
        pieces: list[str | int] = [text]
        for inner, place in self._near if len(text) > SHORT else ():
            for at, one in enumerate(pieces):
                if isinstance(one, str) and len(inner) <= len(one) and inner[:SHORT] in one and inner in one:
                    before, _, after = one.partition(inner)
                    pieces[at : at + 1] = [before, place, after]
                    break
        return pieces


def body_of(
    run: Run, output: OutputRecord, score: ScoreRecord | None, own: Sequence[Block], note: str, texts: Texts
) -> tuple[Body, Told]:
    """The body, and what the index tells of it. own: its task's view; note: why there is none."""
    data, parts = output.output.data, score.parts if score else []
    if output.reasoning:
        own = [*own, Text(output.reasoning, "Reasoning")]
    calls = [*output.calls, *(score.calls if score else ())]
    more, full = len(parts) - MOST_PARTS, texts.size > MOST_SIZE
    notes = [
        note,
        f"{more:,} more parts of the score are in scores.jsonl." if more > 0 else "",
        "Its calls are left out, since this sample has very much text." if full else "",
    ]
    # first, so that data and later texts can be made of what was asked
    told = traces.traces(run, () if full else calls)
    shown = [_call(one, texts) if isinstance(one, traces.Trace) else clean(one) for one in told]
    body: Body = {
        "text": texts.place(run.text(output), MOST_ANSWER),
        "data": -1 if data is None else texts.place(traces.pretty(data, MOST_ANSWER), 2 * MOST_ANSWER),
        "values": _values(score.values if score else {}),
        "parts": [
            {"id": clean(one.id), "tags": _cleaned(one.tags), "values": _values(one.values)}
            for one in parts[:MOST_PARTS]
        ],
        "blocks": [_placed(block_data(one), texts) for one in own],
        "note": clean(" ".join(filter(None, notes))),
        "calls": shown,
    }
    made = [found.call for one in calls if (found := run.call(one))]
    tokens = sum(one.reply.usage.prompt + one.reply.usage.completion for one in made)
    seconds = round(sum(map(traces.seconds_of, made)), 2)
    try:
        asked = traces.question(run, output)
    except RunError:  # a message is missing: said where its call is shown
        asked = ""
    told_by = data.items() if body["text"] == -1 and isinstance(data, Mapping) else ()
    facts = {name: plain(one) for name, one in told_by if not isinstance(one, Mapping | list) and one != ""}
    said = "; ".join(f"{name}: {text}" for name, text in facts.items()) or traces.answer(run, output)
    row = Told(asked, said, facts, tokens, seconds, len(made))
    return {name: one for name, one in body.items() if one not in ("", [])}, row


def withheld(score: ScoreRecord | None, note: str) -> Body:
    """The body of a row whose texts a licence holds back: its values, without what was said about them."""
    return {"values": _values(score.values if score else {}, details=False), "note": note}


def _values(values: Mapping[str, Value], details: bool = True) -> dict[str, Json]:
    return {clean(name): _value(value, details) for name, value in values.items()}


def _value(value: Value, details: bool) -> Json:
    if isinstance(value, Unscored):
        told = {"u": clean(value.reason)}
        return {**told, "detail": _cleaned(value.detail)} if value.detail and details else told
    return _cleaned(value)


def block_data(found: Block) -> dict[str, Json]:
    """A block as the page's script draws it, its texts cleaned and cut."""
    try:
        raw = {"kind": type(found).__name__, **msgspec.to_builtins(found)}
        for name, one in raw.items():
            if isinstance(one, list | tuple) and len(one) > MOST_ROWS:
                raw["title"] += f" ({name}: the first {MOST_ROWS} of {len(one):,})"
        told = {name: _cleaned(one) for name, one in raw.items()}
        msgspec.json.encode(told)
    except Exception as error:  # a plugin may put anything into a table
        return {"kind": "Text", "text": clean(f"A block cannot be shown: {type(error).__name__}: {error}")}
    return told


def _placed(block: dict[str, Json], texts: Texts) -> dict[str, Json]:
    """The same with the places of its texts: they are often those of the calls."""
    for name in ("text", "code"):
        if isinstance(text := block.get(name), str):
            block[name] = texts.place(text, 2 * MOST_ANSWER)
    if isinstance(turns := block.get("turns"), list):
        block["turns"] = [_placed(turn, texts) for turn in turns]
    return block


def _cleaned(value: Json) -> Json:
    """JSON with every text cleaned, and cut with a word about it; lists are cut, too."""
    if isinstance(value, str):
        return shortened(value)
    if isinstance(value, Mapping):
        return {clean(str(name)): _cleaned(one) for name, one in value.items()}
    return [_cleaned(one) for one in value[:MOST_ROWS]] if isinstance(value, Sequence) else value


def _call(one: traces.Trace, texts: Texts) -> Body:
    call, reply, facts = one.call, one.call.reply, traces.reply_facts(one.call.reply)

    def said(message: traces.Said) -> list[object]:
        tools = [_tools(message.calls)] if message.calls else ()
        return [message.role, texts.place(message.text), *tools]

    return {
        "number": one.number, "role": clean(call.role), "stage": one.stage, "kind": call.kind,
        "model": clean(reply.model), "key": clean(call.key), "options": one_line(one.options, 1000),
        "continues": one.continues, "shared": one.shared, "hidden": one.hidden,
        "messages": list(map(said, one.head)), "between": list(map(said, one.between)),
        "tail": list(map(said, one.tail)), "prompt": texts.place(one.prompt.text) if one.prompt else -1,
        "texts": [texts.place(text.text) for text in one.texts], "more_texts": one.more_texts,
        "tools": [one_line(name) for name in one.tools], "reply": texts.place(reply.text, MOST_ANSWER),
        "reasoning": texts.place(reply.reasoning, MOST_ANSWER), "tool_calls": _tools(reply.tool_calls),
        "finish": reply.finish, "facts": [[name, one_line(text, 2000)] for name, text in facts],
        "tokens": [reply.usage.prompt, reply.usage.completion], "seconds": round(one.seconds, 2),
        "cached": call.cached, "attempt": call.attempt,
    }  # fmt: skip


def _tools(calls: Sequence[ToolCall]) -> list[list[Json]]:
    return [[one_line(one.name), _cleaned(one.arguments)] for one in calls]
