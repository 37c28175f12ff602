"""Whether an endpoint read all of the prompts that were sent, by its own count of their tokens.

A tokenizer may be kinder to a text than we know, so what is compared is the least that any would need: a
token for each run of letters or digits between spaces (two words are never one token), more for very long
runs, an eighth of a token for a character of a script without spaces, nothing for punctuation, spaces, emoji.
"""

import builtins
import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from suite.journal.lines import Lines
from suite.journal.records import BlockRecord

MARGIN = 0.85
LEAST_SENT = 100  # tokens of a prompt; shorter ones show nothing
MOST_CALLS = 20_000  # looked at by member
PLAIN = 5  # characters for each token that was read: nothing to look at more closely
SPREAD = 1.5  # prompts this much apart in length that are counted alike
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_RUN = re.compile(r"\w+")
_REPEATED = re.compile(r"(.{1,8}?)\1{7,}", re.DOTALL)


def least(text: str) -> float:
    """The fewest tokens that a text can be, for any usual tokenizer."""
    unspaced = _UNSPACED.findall(text)
    spaced = _UNSPACED.sub(" ", text) if unspaced else text
    found = len(unspaced) / 8
    for run in _RUN.findall(spaced):
        found += 1 if len(run) <= 16 else len(_REPEATED.sub(r"\1", run)) / 16
    return found


def shortened(text: str, read: int) -> bool:
    """Whether so many tokens cannot be all of a text. read: 0 if the server does not tell."""
    return 0 < read * PLAIN < len(text) and max(LEAST_SENT, read / MARGIN) < least(text)


class _SentBlock(msgspec.Struct):
    """What measuring needs of a block record; the rest is skipped."""

    sha256: str
    content: str = ""
    list: builtins.list[str] | None = None


class Sent:
    """The prompts of one member: the least that was sent against what was read."""

    def __init__(self) -> None:
        self._waiting: list[tuple[list[str], int]] = []
        self._both: list[tuple[float, int]] = []
        self._seen = 0

    def add(self, blocks: list[str], read: int) -> None:
        """Note a call. read: prompt tokens by the endpoint, cached ones included; 0 if it does not tell."""
        if read > 0 and self._seen < MOST_CALLS:
            self._seen += 1
            self._waiting.append((blocks, read))

    def weigh(self, path: Path) -> None:
        """Take the sizes of what waits from a file of blocks; exact ones only where they may matter."""
        waiting, self._waiting = self._waiting, []
        characters = _sizes(path, {block for blocks, _ in waiting for block in blocks}, len)
        sent = [(sum(characters.get(one, 0) for one in blocks), blocks, read) for blocks, read in waiting]
        most = max((read for _, _, read in sent), default=0)
        top = [size for size, _, read in sent if read == most]
        ceiling = len(top) >= 3 and max(top) >= SPREAD * min(top)
        doubtful = [(b, read) for size, b, read in sent if read * PLAIN < size or (ceiling and read == most)]
        sizes = _sizes(path, {block for blocks, _ in doubtful for block in blocks}, least)
        self._both += [(sum(sizes.get(one, 0.0) for one in blocks), read) for blocks, read in doubtful]

    def cut(self) -> dict[str, int]:
        """{cut, sent, read}: replies to cut prompts, the least that the longest had, the most of it read."""
        most = max((read for _, read in self._both), default=0)
        top = [sent for sent, read in self._both if read == most]
        ceiling = len(top) >= 3 and min(top) >= LEAST_SENT and max(top) >= SPREAD * min(top)
        cut = [
            (sent, read)
            for sent, read in self._both
            if sent >= LEAST_SENT and (read < MARGIN * sent or (ceiling and read == most))
        ]
        if not cut:
            return {}
        longest = round(max(sent for sent, _ in cut))
        return {"cut": len(cut), "sent": longest, "read": max(read for _, read in cut)}


def _sizes(path: Path, wanted: set[str], measure: Callable[[str], float]) -> dict[str, float]:
    """The measure of each wanted block, by hash; of a list block, of all it holds."""
    if not wanted:
        return {}
    sizes, lists = _read(path, wanted, measure)
    inner = {one for members in lists.values() for one in members} - set(sizes)
    if inner:
        sizes |= _read(path, inner, measure)[0]
    return sizes | {one: sum(sizes.get(each, 0.0) for each in members) for one, members in lists.items()}


def _read(
    path: Path, wanted: set[str], measure: Callable[[str], float]
) -> tuple[dict[str, float], dict[str, list[str]]]:
    sizes: dict[str, float] = {}
    lists: dict[str, list[str]] = {}
    decoder = msgspec.json.Decoder(_SentBlock)
    for line in Lines(path, BlockRecord).raw():
        block = decoder.decode(line)
        if block.sha256 not in wanted:
            continue
        if block.list is not None:
            lists[block.sha256] = block.list
        else:
            sizes[block.sha256] = measure(block.content)
    return sizes, lists
