"""What the cells of a run cost: tokens and times of the candidate's calls that their outputs name, each once.

Taken from the records by cell and not shared out over a run's cells: cells that a board does not ask for
must not make the others look cheaper. Where a reply does not say what it cost, the whole is unknown: the
others alone would look cheap. 32 bytes a call are kept.
"""

import math
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from suite.board.verify.plausible.calls import UNSERVED, members, provider_of
from suite.board.verify.subject import Subject


class _Usage(msgspec.Struct):
    prompt: int = 0
    completion: int = 0


class _Reply(msgspec.Struct):
    usage: _Usage = msgspec.field(default_factory=_Usage)


class _Call(msgspec.Struct):
    id: str
    role: str
    reply: _Reply = msgspec.field(default_factory=_Reply)
    times: tuple[float, float] = (0.0, 0.0)
    cached: bool = False


class _Output(msgspec.Struct):
    cell: str
    calls: list[str] = []


class Spent:
    """The candidate's calls of one run. all: how many there are."""

    def __init__(self, subject: Subject) -> None:
        ids, prompt, completion, seconds = array("Q"), array("q"), array("q"), array("d")
        decode = msgspec.json.Decoder(_Call).decode
        for line in subject.reader.calls.raw():
            call = decode(line)
            if call.role == "candidate":
                ids.append(int(call.id[:16], 16))
                prompt.append(call.reply.usage.prompt)
                completion.append(call.reply.usage.completion)
                seconds.append(math.nan if call.cached else call.times[1] - call.times[0])
        self._ids = np.frombuffer(ids, dtype=np.uint64)
        order = np.argsort(self._ids, kind="stable")
        self._ids = self._ids[order]
        self._prompt = np.frombuffer(prompt, dtype=np.int64)[order]
        self._completion = np.frombuffer(completion, dtype=np.int64)[order]
        self._seconds = np.frombuffer(seconds, dtype=np.float64)[order]
        candidate = members(subject).get("candidate")
        self._served = candidate is not None and provider_of(candidate) not in UNSERVED
        self._of = self._by_cell(subject)
        self.all = len(self._ids)

    def _by_cell(self, subject: Subject) -> dict[str, NDArray[np.int64]]:
        """Cell -> places of the calls that its outputs name."""
        named: dict[str, array[int]] = {}
        decode = msgspec.json.Decoder(_Output).decode
        for line in subject.reader.outputs.raw():
            output = decode(line)
            named.setdefault(output.cell, array("Q")).extend(int(one[:16], 16) for one in output.calls)
        found = {}
        for cell, calls in named.items():
            wanted = np.unique(np.frombuffer(calls, dtype=np.uint64))
            found[cell] = np.flatnonzero(np.isin(self._ids, wanted))
        return found

    def of(self, cells: Iterable[str]) -> tuple[int, tuple[int, int] | None]:
        """(calls, (prompt tokens, completion tokens) or None) of some cells together, each call once."""
        here = self._places(cells)
        prompt, completion = self._prompt[here], self._completion[here]
        told = bool(len(here)) and bool((prompt + completion > 0).all())
        return len(here), (int(prompt.sum()), int(completion.sum())) if told else None

    def seconds(self, cells: Iterable[str]) -> NDArray[np.float64]:
        """How long each call of some cells took, by the recorded clock; those from a response cache left out.
        Empty for a script or a rule, which is no model that takes time to answer.
        """
        found = self._seconds[self._places(cells)] if self._served else np.zeros(0)
        return found[~np.isnan(found)]

    def _places(self, cells: Iterable[str]) -> NDArray[np.int64]:
        places = [self._of[cell] for cell in cells if cell in self._of]
        return np.unique(np.concatenate(places)) if places else np.zeros(0, dtype=np.int64)


def latency(seconds: Sequence[NDArray[np.float64]]) -> dict[str, Any] | None:
    """The median of calls as verification.json has it, None without calls. seconds: of each call."""
    every = np.concatenate([np.zeros(0), *seconds])
    return {"median_s": round(float(np.median(every)), 4), "calls": len(every)} if len(every) else None
