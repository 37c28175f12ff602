"""Hidden reasoning that stands in a reply's text, taken off it: the one place that reads how models mark it.

Only what leads a text is reasoning: blocks that are closed, that the chat template opened (so that only
their end is seen), or that never end. A block in the middle of an answer, and a tag that an answer talks
about (in quotes, in code, in JSON), stay. `suite.chat.raw_text` gives back the text as it was written.
Taking off twice is taking off once. Time is linear in the text.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, chain
from typing import NamedTuple

import msgspec

from suite.chat import Json, Reply, TokenLogprob
from suite.data.entry import Strict
from suite.errors import ConfigError
from suite.models.tables import Pattern, read_rows

HELP = (
    "how reasoning is marked in a text: auto, none, names, OPEN…CLOSE; `opened` where the template opens it"
)


class ReasoningMarks(Strict):
    """How one family of models marks its reasoning; patterns.

    alone: the closing mark alone ends reasoning, too. endless: an opening mark alone begins it, too.
    """

    name: str
    opening: Pattern
    closing: Pattern
    alone: bool = True
    endless: bool = True


@lru_cache(maxsize=1)
def known_marks() -> tuple[ReasoningMarks, ...]:
    """The table. No plugin adds to it: what is the answer in a reply is the same everywhere."""
    return tuple(row for _, row in read_rows(ReasoningMarks, "reasoning_marks.yaml", "reasoning marks"))


_AFTER = re.compile(r"(?:[ \t]*\r?\n)+|[ \t]*")  # white space that goes with a closing mark, no indentation
_TALK = re.compile(r"[ \t]+(?:tags?|tokens?|markers?|elements?|blocks?|delimiters?|is|are|means?|marks?)\b")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_JSON = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[\[{\"\]\d-])")
_QUOTES = {"`": "`", '"': '"', "'": "'", "“": "”", "‘": "’", "«": "»"}


class Tags:
    """The rows that are looked for. opened: a reply that no mark ends is all reasoning."""

    def __init__(self, rows: tuple[ReasoningMarks, ...], *, opened: bool = False) -> None:
        self.rows = rows
        self.opened = opened
        names = "|".join(f"(?P<r{number}>{row.opening})" for number, row in enumerate(rows))
        self.opening = re.compile(rf"[\s\ufeff]*(?:{names or '(?!)'})")
        alone = "|".join(f"(?P<r{number}>{row.closing})" for number, row in enumerate(rows) if row.alone)
        self.alone = re.compile(alone or "(?!)")
        # the character that whatever matches a closing pattern begins with
        self.firsts = {one.closing.removeprefix("(?i:").removeprefix("\\")[0] for one in rows if one.alone}
        firsts = "".join(map(re.escape, sorted(self.firsts)))
        self.first = re.compile(f"[{firsts}]" if firsts else "(?!)")
        self.both = [re.compile(f"(?P<c>{row.closing})|(?P<o>{row.opening})") for row in rows]

    def nowhere(self, text: str) -> bool:
        """Whether no mark can end reasoning that leads a text, and none begins it: so it is of nearly all."""
        for first in self.firsts:  # as a loop, since every reply passes here
            if first in text:
                return False
        return not self.opened and self.opening.match(text) is None


def tags_of(value: Json = "auto") -> Tags | None:
    """What an option says: "auto" (the table), "none" (leave replies alone), or names and OPEN…CLOSE pairs,
    by commas or as a list, "auto" and "opened" among them. Raises ConfigError.
    """
    if value is None or value is False or value in ("none", "off"):
        return None
    given = ["auto"] if value is True else value.split(",") if isinstance(value, str) else value
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) and one.strip() for one in given):
        raise ConfigError(f"reasoning_tags is {value!r}", fix=HELP)
    return _named(tuple(one.strip() for one in given))


@lru_cache(maxsize=64)
def _named(names: tuple[str, ...]) -> Tags:
    rows = chain.from_iterable(_rows(one) for one in names if one != "opened")
    return Tags(tuple(rows) or known_marks(), opened="opened" in names)


def _rows(name: str) -> tuple[ReasoningMarks, ...]:
    opening, between, closing = name.replace("...", "…").partition("…")
    if between:
        if not opening or not closing:
            raise ConfigError(f"reasoning_tags: {name!r} has not both marks", fix="write OPEN…CLOSE")
        return (ReasoningMarks(name=name, opening=re.escape(opening), closing=re.escape(closing)),)
    known = tuple(row for row in known_marks() if name in ("auto", row.name))
    if not known and not re.fullmatch(r"[\w:.-]+", name):
        raise ConfigError(f"reasoning_tags: {name!r} is no name of a tag", fix=HELP)
    tag = re.escape(name)
    return known or (ReasoningMarks(name=name, opening=f"(?i:<{tag}>)", closing=f"(?i:</{tag}>)"),)


class _Found(NamedTuple):
    """A block: where its reasoning starts and ends, and where what follows it starts."""

    start: int
    end: int
    after: int


class _Text:
    """One text that is looked at."""

    def __init__(self, text: str, tags: Tags, *, cut: bool) -> None:
        self._text = text
        self._tags = tags
        self._cut = cut
        self._lines: list[int] | None = None

    def block(self, at: int) -> _Found | None:
        """The reasoning that leads the text from a place on."""
        opened = self._tags.opening.match(self._text, at)
        return self._opened(opened.end(), _row(opened)) if opened is not None else self._unopened(at)

    def _opened(self, start: int, row: int) -> _Found | None:
        depth, last = 1, None
        for mark in self._tags.both[row].finditer(self._text, start):
            if self._talked_about(mark):
                continue
            if mark["o"] is not None:
                depth += 1
                continue
            last = mark
            if self._in_code(mark.start()):
                continue
            depth -= 1
            if depth == 0:
                break
        if last is not None:
            return self.found(start, last)
        if not self._tags.rows[row].endless or (not self._cut and _TALK.match(self._text, start)):
            return None
        return self.found(start, None)

    def _unopened(self, at: int) -> _Found | None:
        """What stands before a closing mark that nothing opened."""
        if _JSON.match(self._text, at):
            return None
        for mark in self._closings(at):
            if self._talked_about(mark) or self._in_code(mark.start()):
                continue
            opening = re.compile(self._tags.rows[_row(mark)].opening)
            before = opening.finditer(self._text, at, mark.start())
            if any(not self._talked_about(one) for one in before):
                return None  # a block in the middle of an answer
            return self.found(at, mark)
        return None

    def _closings(self, at: int) -> Iterator[re.Match[str]]:
        """Closing marks from a place on. To look for their first characters is much faster."""
        for first in self._tags.first.finditer(self._text, at):
            if first.start() >= at and (mark := self._tags.alone.match(self._text, first.start())):
                at = mark.end()
                yield mark

    def found(self, start: int, mark: re.Match[str] | None) -> _Found:
        """The block from a place to a mark or to the end, white space around its reasoning left out."""
        text = self._text
        end = len(text) if mark is None else mark.start()
        inner = text[start:end]
        first = start + len(inner) - len(inner.lstrip())
        last = max(first, start + len(inner.rstrip()))
        after = end if mark is None else _AFTER.match(text, mark.end()).end()  # type: ignore[union-attr]
        return _Found(first, last, after)

    def _talked_about(self, mark: re.Match[str]) -> bool:
        before, after = self._text[max(0, mark.start() - 1) : mark.start()], self._text[mark.end() :][:1]
        if before and _QUOTES.get(before) == after:
            return True
        return _TALK.match(self._text, mark.end()) is not None

    def _in_code(self, place: int) -> bool:
        """Whether a place lies inside a fence of a text whose fences are all closed."""
        if self._lines is None:
            self._lines = [found.start() for found in _FENCE.finditer(self._text)]
        return len(self._lines) % 2 == 0 and bisect_left(self._lines, place) % 2 == 1


def _row(mark: re.Match[str]) -> int:
    """The number of the row whose mark was found: the one group that took part."""
    return int(str(mark.lastgroup)[1:])


def _blocks(text: str, tags: Tags, *, cut: bool) -> list[_Found]:
    if tags.nowhere(text):
        return []
    looked, found, at = _Text(text, tags, cut=cut), [], 0
    while at < len(text) and (block := looked.block(at)) is not None:
        found.append(block)
        at = block.after
    return found or ([looked.found(0, None)] if tags.opened else [])


def without_reasoning(text: str, finish: str = "stop", tags: Tags | None = None) -> str:
    """A text without the hidden reasoning that leads it. finish: how the reply ended."""
    found = _blocks(text, tags or _named(("auto",)), cut=finish == "length")
    return text[found[-1].after :] if found else text


def separated(reply: Reply, tags: Tags | None) -> Reply:
    """A reply with the answer alone in text and log-probabilities; one that ended in reasoning is empty."""
    if tags is not None and reply.text and not reply.marks and not (tags.opened and reply.reasoning):
        found = _blocks(reply.text, tags, cut=reply.finish == "length")
        reply = _taken_off(reply, found) if found else reply
    if reply.logprobs and reply.reasoning:
        return msgspec.structs.replace(reply, logprobs=_of_text(reply))
    return reply


def _taken_off(reply: Reply, found: list[_Found]) -> Reply:
    written, at = reply.text, 0
    reasoning = f"{reply.reasoning}\n" if reply.reasoning else ""
    marks: list[tuple[int, str]] = []
    for block in found:
        marks.append((len(reasoning), written[at : block.start]))
        reasoning += written[block.start : block.end]
        marks.append((len(reasoning), written[block.end : block.after]))
        at = block.after
    text = written[at:]
    changes: dict[str, Json] = {"text": text, "reasoning": reasoning, "marks": tuple(marks)}
    if reply.finish == "stop" and not text.strip() and not reply.tool_calls:
        changes["finish"] = "empty"
    return msgspec.structs.replace(reply, **changes)


def _of_text(reply: Reply) -> tuple[TokenLogprob, ...]:
    """The tokens from the one that begins the text on; all where the text is not what they spell."""
    spelt = "".join(one.token for one in reply.logprobs)
    begin = spelt.rfind(reply.text) if reply.text else len(spelt)
    starts = list(accumulate((len(one.token) for one in reply.logprobs), initial=0))
    return reply.logprobs[bisect_left(starts, begin) :] if begin >= 0 else reply.logprobs
