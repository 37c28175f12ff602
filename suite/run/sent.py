"""Whether an endpoint read all of the prompts that were sent, by its own count of their tokens.

A tokenizer may be kinder to a text than we know, so what is compared is the least that any would need: a
token for each run of letters or digits between spaces (two words are never one token), more for very long
runs, an eighth of a token for a character of a script without spaces, nothing for punctuation, spaces, emoji.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from suite.journal.reading import Lines
from suite.journal.records import BlockRecord

MARGIN = 0.85
LEAST_SENT = 100  # tokens of a prompt; shorter ones show nothing
MOST_CALLS = 20_000  # looked at by member
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


class Sent:
    """The prompts of one member: the least that was sent against what was read."""

    def __init__(self) -> None:
        self._waiting: list[tuple[list[str], int]] = []
        self._both: list[tuple[float, int]] = []

    def add(self, blocks: list[str], read: int) -> None:
        """Note a call. read: prompt tokens by the endpoint, cached ones included; 0 if it does not tell."""
        if read > 0 and len(self._both) + len(self._waiting) < MOST_CALLS:
            self._waiting.append((blocks, read))

    def waiting(self) -> Iterator[str]:
        """Hashes of the blocks whose sizes are wanted."""
        return (block for blocks, _ in self._waiting for block in blocks)

    def weigh(self, sizes: Mapping[str, float]) -> None:
        """Take the sizes of the blocks that wait."""
        self._both += [(sum(sizes.get(one, 0.0) for one in blocks), read) for blocks, read in self._waiting]
        self._waiting = []

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
        return {
            "cut": len(cut),
            "sent": round(max(sent for sent, _ in cut)),
            "read": max(read for _, read in cut),
        }


def least_tokens(path: Path, wanted: set[str]) -> dict[str, float]:
    """`least` of each block, by hash; of a list block, of all it holds. wanted: which are asked for."""
    lists: dict[str, list[str]] = {}
    sizes: dict[str, float] = {}
    decoder = msgspec.json.Decoder(BlockRecord)
    for line in Lines(path, BlockRecord).raw():
        block = decoder.decode(line)
        if block.list is not None:
            lists[block.sha256] = block.list
        elif block.role not in ("tools",):
            sizes[block.sha256] = least(block.content)
    for digest, inner in lists.items():
        sizes[digest] = sum(sizes.get(one, 0.0) for one in inner)
    return {one: sizes[one] for one in wanted if one in sizes}
