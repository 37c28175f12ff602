"""Reads what a viewer is given, as the page does: rows of the index, each with its body and texts."""

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from suite.report.viewer.embedding import AWKWARD
from suite.report.viewer.source import ViewSource

Json = Any


class ViewRow(NamedTuple):
    """One row of a view. values: as in the index, unscored ones as ("unscored", reason)."""

    sample: str
    cell: str
    trial: int
    question: str
    answer: str
    finish: str
    outcome: str
    values: dict[str, Json]
    tags: dict[str, str]
    cost: tuple[int, float, int]
    body: dict[str, Json]
    texts: Sequence[Json]

    def text(self, place: int) -> str:
        """A text of the part, put together; without what was cut off."""
        if place < 0:
            return ""
        one = self.texts[place]
        if isinstance(one, str):
            return one
        if isinstance(one, list):
            return str(one[0])
        return "".join(piece if isinstance(piece, str) else self.texts[piece] for piece in one["pieces"])

    def blocks(self) -> list[dict[str, Json]]:
        """The task's own view, its texts put in."""
        return [self._filled(one) for one in self.body.get("blocks", [])]

    def _filled(self, block: dict[str, Json]) -> dict[str, Json]:
        told = {name: self.text(block[name]) for name in ("text", "code") if name in block}
        turns = {"turns": [self._filled(one) for one in block["turns"]]} if "turns" in block else {}
        return block | told | turns

    def calls(self) -> list[dict[str, Json]]:
        """Its calls; a sentence in the place of one fails."""
        found = self.body.get("calls", [])
        assert all(isinstance(one, dict) for one in found), found
        return list(found)


def unpacked(body: bytes) -> Json:
    return json.loads(gzip.decompress(body))


def from_dense(text: str) -> bytes:
    """The bytes of an element of samples, as a page reads them."""
    bits = ""
    for code in map(ord, text):
        sevens = [code]
        if code >= 0x800:
            sevens = [ord(AWKWARD[code - 0x800])]
        elif code >= 0x100:
            sevens = [ord(AWKWARD[(code >> 7) - 2]), code & 127]
        bits += "".join(f"{seven:07b}" for seven in sevens)
    return int(f"0{bits[: len(bits) // 8 * 8]}", 2).to_bytes(len(bits) // 8, "big")


def read_source(source: ViewSource) -> list[ViewRow]:
    """The rows of a source that nobody has read yet."""
    parts = list(source.parts())
    return list(rows_of(unpacked(source.index()), [unpacked(one) for one in parts]))


def read_page(html: str, name: str = "run") -> list[ViewRow]:
    """The rows that a page holds."""
    pattern = (
        f'<script type="text/plain" data-source="{name}" class="suite-(part|index)"[^>]*>([^<]*)</script>'
    )
    found = [(one[1], unpacked(from_dense(one[2]))) for one in re.finditer(pattern, html)]
    (index,) = [body for kind, body in found if kind == "index"]
    return list(rows_of(index, [body for kind, body in found if kind == "part"]))


def rows_of(index: Json, parts: Sequence[Json]) -> Iterator[ViewRow]:
    """Rows of an index and its parts; everything that they promise each other is asserted."""
    columns = index["samples"]
    own = [column for name, column in columns.items() if name not in ("values", "tags")]
    count = len(columns["id"])
    assert {len(one) for one in (*own, *columns["values"], *columns["tags"])} <= {count}
    assert index["format"] == "suite-view/1"
    assert index["parts"] == len(parts)
    assert len(columns["values"]) == len(index["values"])
    assert len(columns["tags"]) == len(index["tags"])
    assert sorted(zip(columns["part"], columns["at"], strict=True)) == [
        (number, at) for number, part in enumerate(parts) for at in range(len(part["samples"]))
    ]
    for row in range(count):
        at = {name: column[row] for name, column in columns.items() if name not in ("values", "tags")}
        part = parts[at["part"]]
        values = {
            one["name"]: column[row] for one, column in zip(index["values"], columns["values"], strict=True)
        }
        yield ViewRow(
            sample=at["id"],
            cell=index["cells"][at["cell"]]["id"],
            trial=at["trial"],
            question=index["questions"][at["question"]],
            answer=at["answer"],
            finish=index["finishes"][at["finish"]],
            outcome=index["outcomes"][at["outcome"]],
            values={
                name: ("unscored", index["reasons"][one["u"]]) if isinstance(one, dict) else one
                for name, one in values.items()
            },
            tags={
                one["name"]: one["values"][column[row]]
                for one, column in zip(index["tags"], columns["tags"], strict=True)
                if column[row] >= 0
            },
            cost=(at["tokens"], at["seconds"], at["calls"]),
            body=part["samples"][at["at"]],
            texts=part["texts"],
        )
