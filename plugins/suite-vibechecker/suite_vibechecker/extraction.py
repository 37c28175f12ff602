"""The program in a reply: the first fenced block that holds one, else the whole reply.

Two readings. `extract` is the sound one, which scores rest on: fences as Markdown knows them (backticks or
tildes, of any length, indented in a list, with any words after the language, under any line breaks), half
fences, and blocks of other languages passed over. `extract_official` is the authors' (a fence label is word
characters up to the line's end; the block runs to the next fence), for the `_official` values. Where a reply
is written as the prompt asks, both are equal. LiveCodeBench takes the last block; that is not this protocol.
The block is taken as it stands, its last line break included: style_1 minds a missing one.
"""

import itertools
import re
from typing import NamedTuple

from suite_vibechecker.vericode.parsing import parses

_OFFICIAL = re.compile(r"```(?:\w*\n)?(.*?)```", re.DOTALL)
_OPENING = re.compile(r"^(?P<before>[^`~\n]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$", re.MULTILINE)
_PYTHON = re.compile(r"[{.\s]*(?:python|py|ipython|pycon)(?:[-_ ]?\d[\d.]*)?(?![\w+#])", re.IGNORECASE)
_TAGGED = re.compile(r"<code>(.*?)(?:</code>|\Z)", re.DOTALL)
_INLINE = re.compile(r"```(?:python\d?|py)?[ \t]+(.*?)```|```(.*?)```", re.DOTALL)
_MARKER = re.compile(r"[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?")
MOST_CLOSINGS, MOST_BLOCKS = 20, 100  # fences that are tried as the end of a block; blocks that are read


class _Block(NamedTuple):
    """A fenced block: its words after the fence, its content, and whether it was closed."""

    info: str
    content: str
    closed: bool


def extract(response: str) -> str:
    """The program in a reply; "" if its blocks are all empty."""
    text = response.removeprefix("\ufeff").replace("\r\n", "\n")
    blocks = [] if parses(text) else _blocks(text)
    if not blocks:
        return _unfenced(text)
    filled = [one for one in blocks if one.content.strip()]
    ours = [one for one in filled if not one.info.strip() or _PYTHON.match(one.info)]
    labelled = [one for one in ours if one.info.strip()]
    for one in ours:  # an unlabelled block before a labelled one may be output or a command
        if one.info.strip() or not labelled or parses(one.content):
            return one.content
    return filled[0].content if filled else ""


def extract_official(response: str) -> str:
    """The program as the authors' generator takes it from a reply.

    No fence at all, or one that is never closed: the whole reply. Only empty blocks: "".
    """
    found = False
    for block in _OFFICIAL.finditer(response):
        found = True
        if block.group(1).strip():
            return block.group(1)
    return "" if found else response


def _blocks(text: str) -> list[_Block]:
    """Fenced blocks in their order."""
    found: list[_Block] = []
    at = 0
    while len(found) < MOST_BLOCKS and (opening := _opening(text, at)):
        if not found and not opening["info"].strip() and _is_closer(text, opening):
            return [_Block("", _clean(text[: opening.start("fence")]), True)]
        begin = min(opening.end() + 1, len(text))
        end, at, closed = _end(text, begin, opening["fence"])
        found.append(_Block(opening["info"], _dedented(text[begin:end], opening["before"]), closed))
    return found


def _opening(text: str, at: int) -> re.Match[str] | None:
    """The next fence that may open a block; inside of a sentence only a bare one, or Python's."""
    for one in _OPENING.finditer(text, at):
        if _MARKER.fullmatch(one["before"]) or not one["info"].strip() or _PYTHON.match(one["info"]):
            return one
    return None


def _is_closer(text: str, fence: re.Match[str]) -> bool:
    """Whether the first fence ends a program that nothing opened."""
    before, after = text[: fence.start("fence")], text[fence.end() :]
    if not before.strip() or _opening(after, 0):
        return False
    return parses(_clean(before)) or (bool(fence["before"].strip()) and not parses(after))


def _end(text: str, begin: int, fence: str) -> tuple[int, int, bool]:
    """Where a block's content ends, where to read on, and whether a fence closed it.

    A fence may stand inside of a string of the program: the first closing with which it parses counts, else
    the first on a line of its own, else the first at the end of a line.
    """
    run = f"{fence[0]}{{{len(fence)},}}[ \t]*$"
    closing = re.compile(f"(?P<alone>^[ \t>]*){run}|{run}", re.MULTILINE)
    candidates = [
        (match.start(), match.end(), match["alone"] is not None)
        for match in itertools.islice(closing.finditer(text, begin), MOST_CLOSINGS)
    ]
    if not candidates:
        return len(text), len(text), False
    best = next((one for one in candidates if one[2]), candidates[0])
    if len(candidates) > 1 and not parses(_dedented(text[begin : best[0]], "")):
        for one in candidates:
            if "```" not in _opened(text[best[1] : one[0]]) and parses(text[begin : one[0]]):
                best = one
                break
    return best[0], best[1], True


def _opened(text: str) -> str:
    """Lines that open a labelled block: what comes after them is another block."""
    return "\n".join(one.group() for one in _OPENING.finditer(text) if one["info"].strip())


def _dedented(content: str, before: str) -> str:
    """Content without the indentation, list marker or quotation mark of its fence."""
    if ">" in before and not before.strip(" \t>"):
        return re.sub(r"^[ \t]*>[ \t]?", "", content, flags=re.MULTILINE)
    width = len(before.expandtabs(4)) if _MARKER.fullmatch(before) else 0
    return re.sub(rf"^[ \t]{{1,{width}}}", "", content, flags=re.MULTILINE) if width else content


def _clean(text: str) -> str:
    """A program between or after half of its marks."""
    tagged = _TAGGED.search(text)
    return tagged.group(1).lstrip("\n") if tagged else text.split("</code>")[0]


def _unfenced(text: str) -> str:
    """The program in a reply without a fence on a line: all of it, in one line, or in tags."""
    if parses(text):
        return text
    for one in _INLINE.finditer(text):
        if content := (one.group(1) or one.group(2) or "").strip():
            return content
    return _clean(text)
