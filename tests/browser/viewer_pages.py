"""Pages with the viewer alone and samples made by hand, as files with their policy."""

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from suite.report.html import policy
from suite.report.viewer.embedding import inline, script_files, viewer_script, viewer_style
from suite.report.viewer.source import ViewSource

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)> <b>bold</b> '\""
TOPICS = ("travel", "pets", HOSTILE)
PART = 50
COLOURS = Path(__file__).resolve().parents[2] / "suite" / "report" / "templates" / "report.css"


def kept_in_turns(cell: int, sample: int) -> bool | None:
    return None if sample % 5 == 4 else (sample + cell) % 2 == 0


def quiet_answer(cell: int, sample: int) -> str:
    return f"A quiet answer to {sample} of cell {cell} by the sea"


@dataclass
class Made:
    """A source of rows by hand: every sample in each cell.

    kept: what is kept in (cell, sample), None for an unscored one. answer: the text in (cell, sample).
    """

    samples: int = 12
    cells: Sequence[str] = ("method=plain", "method=remind")
    kept: Callable[[int, int], bool | None] = kept_in_turns
    answer: Callable[[int, int], str] = quiet_answer
    label: str = "made"

    def _rows(self) -> Iterator[tuple[int, int]]:
        return ((sample, cell) for sample in range(self.samples) for cell in range(len(self.cells)))

    def parts(self) -> Iterator[bytes]:
        for first in range(0, self.samples, PART):
            taken = range(first, min(first + PART, self.samples))
            texts: list[object] = []
            bodies = [self._body(cell, sample, texts) for sample in taken for cell in range(len(self.cells))]
            yield gzip.compress(json.dumps({"texts": texts, "samples": bodies}).encode(), 1)

    def _body(self, cell: int, sample: int, texts: list[object]) -> dict[str, object]:
        def place(text: object) -> int:
            texts.append(text)
            return len(texts) - 1

        kept = self.kept(cell, sample)
        judge: dict[str, object] = {
            "number": 2, "role": "judge", "stage": "score", "kind": "chat", "model": "openai/judge",
            "key": "", "options": "", "continues": 0, "shared": 0, "messages": [["user", place("Fits it?")]],
            "between": [], "hidden": 0, "tail": [], "prompt": -1, "texts": [], "more_texts": 0, "tools": [],
            "reply": place("It fits."), "reasoning": place(f"needle-{sample} {HOSTILE}"), "tool_calls": [],
            "finish": "stop", "facts": [], "tokens": [30, 3], "seconds": 0.5, "cached": True, "attempt": 1,
        }  # fmt: skip
        history = [["user", place(f"I like trains, not planes {HOSTILE}")], ["assistant", place("Noted.")]]
        asked = f"Where do I go in {sample}?" + (" Keep my wishes in mind." if cell else "")
        solve = judge | {
            "number": 1, "role": "candidate", "stage": "solve", "model": "vllm/x", "options": "temperature=0",
            "messages": [*history, ["user", place(asked)]], "reply": place(self.answer(cell, sample)),
            "reasoning": -1, "tool_calls": [["search", '{"q": "sea"}']], "tools": ["search"], "cached": False,
        }  # fmt: skip
        value = {"u": "no-verdict", "detail": HOSTILE} if kept is None else kept
        line = {"name": HOSTILE, "points": [[0, 1], [1, 3]]}
        turn = {"speaker": "user", "text": "Hi", "notes": ["late"]}
        finding = {"line": 2, "text": HOSTILE}
        blocks = [
            {"kind": "Text", "title": "Wish", "text": HOSTILE},
            {"kind": "Facts", "title": "", "facts": {"kept": kept, "cell": cell}},
            {"kind": "Table", "title": "", "columns": ["n", HOSTILE], "rows": [[1, "x"], [None, HOSTILE]]},
            {"kind": "Code", "title": "Code", "code": "x = 1\ny = 2", "findings": [finding]},
            {"kind": "Dialogue", "title": "", "turns": [turn]},
            {"kind": "Plot", "title": "", "lines": [line], "x": "turn"},
        ]  # fmt: skip
        return {
            "text": place([self.answer(cell, sample), 99] if sample == 1 else self.answer(cell, sample)),
            "data": None,
            "values": {"kept": value, "words": 7.5 + sample, "kind": "long" if sample % 2 else "short"},
            "parts": [{"id": "p1", "tags": {"check": HOSTILE}, "values": {"yes": True, "no": {"u": "x"}}}],
            "blocks": blocks if sample % 2 else [],
            "note": "",
            "calls": [solve, judge, "Call 1a2b is not in the journal."],
        }

    def index(self) -> bytes:
        rows = list(self._rows())
        kept = [self.kept(cell, sample) for sample, cell in rows]
        outcomes = ["good", "bad", "between", "scored", "unscored", "pending"]
        index = {
            "format": "suite-view/1",
            "run": {"name": "run-1", "scoring": "abc", "label": self.label, "level": 0.95},
            "cells": [
                {"id": f"{place:012x}", "task": "made/task", "version": 1, "label": label, "headline": "kept",
                 "direction": "higher"} for place, label in enumerate(self.cells)
            ],
            "values": [
                {"name": "kept", "kind": "flag", "direction": "higher", "about": "Keeps to the wish."},
                {"name": "words", "kind": "number", "direction": "neither", "about": ""},
                {"name": "kind", "kind": "label", "direction": "neither", "about": ""},
            ],
            "tags": [{"name": "topic", "values": TOPICS}, {"name": "form", "values": ["one"]}],
            "finishes": ["stop", "length"], "reasons": ["no-verdict"], "outcomes": outcomes,
            "questions": [f"Where do I go in {sample}? {HOSTILE}" for sample in range(self.samples)],
            "parts": -(-self.samples // PART),
            "samples": {
                "id": [f"{TOPICS[sample % 2]}/{sample}" for sample, _ in rows],
                "cell": [cell for _, cell in rows],
                "trial": [0] * len(rows),
                "part": [sample // PART for sample, _ in rows],
                "at": [sample % PART * len(self.cells) + cell for sample, cell in rows],
                "question": [sample for sample, _ in rows],
                "answer": [self.answer(cell, sample)[:200] for sample, cell in rows],
                "finish": [int(sample % 3 == 2) for sample, _ in rows],
                "outcome": [4 if one is None else 1 - bool(one) for one in kept],
                "values": [
                    [{"u": 0} if one is None else one for one in kept],
                    [7.5 + sample if sample else None for sample, _ in rows],
                    ["long" if sample % 2 else "short" for sample, _ in rows],
                ],
                "tags": [[sample % 3 for sample, _ in rows], [0] * len(rows)],
                "tokens": [100 + sample for sample, _ in rows],
                "seconds": [1.5] * len(rows),
                "calls": [2] * len(rows),
            },
        }  # fmt: skip
        return gzip.compress(json.dumps(index).encode(), 1)


class Awkward(Made):
    """Two tasks of the same ids, a value called as the calls' tokens, a tag with values as our own words."""

    def index(self) -> bytes:
        index = json.loads(gzip.decompress(super().index()))
        index["cells"][1]["task"] = "other/task"
        rows = len(index["samples"]["id"])
        index["values"].append({"name": "tokens", "kind": "number", "direction": "neither", "about": ""})
        numbers = (1e-9, 0.30000000000000004, 123456.789, -2)
        index["samples"]["values"].append([numbers[row % 4] for row in range(rows)])
        index["tags"].append({"name": "mood", "values": ["", "all", "__proto__"]})
        index["samples"]["tags"].append([row % 3 for row in range(rows)])
        return gzip.compress(json.dumps(index).encode(), 1)


def write_page(path: Path, sources: dict[str, Made], *, pairs: str = "", beside: bool = False) -> Path:
    """A page with a viewer of these sources. beside: their samples as scripts in `samples/`."""
    body = ""
    for name, made in sources.items():
        source = cast(ViewSource, made)
        if beside:
            for file, content in script_files(name, source):
                target = path.parent / "samples" / file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        else:
            body += "".join(inline(name, source))
    style, script = COLOURS.read_text("utf-8") + viewer_style(), viewer_script()
    path.write_text(
        f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy(style, script, beside)}">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Made</title>
<style>{style}</style></head><body><main id="main"><h1>Made</h1><h2>Samples</h2>
<div class="suite-viewer" data-sources="{" ".join(sources)}" data-base="samples/" data-pairs="{pairs}">
<noscript>Samples need a script.</noscript></div></main>{body}<script>{script}</script></body></html>""",
        "utf-8",
    )
    return path
