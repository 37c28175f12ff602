"""The records of a run held against each other: hashes recomputed, references followed both ways.

Memory is some 40 bytes a record: what must be found again is kept as 64-bit digests. Not here: lines
(`lines_check`), requests (`requests_check`), whether records are complete or follow from the inputs
(`verify`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from suite.board.bundle.bounds import SizeLimits
from suite.board.bundle.keyed_index import Index, digest
from suite.board.bundle.lines_check import LinesCheck, RecordT_co
from suite.board.bundle.requests_check import BlocksCheck
from suite.board.bundle.rungs import Findings, Refused
from suite.chat import call_id
from suite.journal.records import AttemptRecord, BlockRecord, CallRecord, OutputRecord, ScoreRecord, whole
from suite.run.records import judged_hash
from suite.task import Output

_decode_call = msgspec.json.Decoder(CallRecord).decode


@dataclass
class RecordsCheck:
    """One run. files: name in the run's folder of the bundle -> where it was unpacked. base: "runs/ID/", for
    findings. cells: cell -> its task's family. budget: [bytes that may still be rebuilt].
    """

    files: Mapping[str, Path]
    base: str
    cells: Mapping[str, str]
    findings: Findings
    limits: SizeLimits
    budget: list[int]

    def __post_init__(self) -> None:
        self._families = sorted(set(self.cells.values()))
        self._read: list[LinesCheck[msgspec.Struct]] = []

    def check(self) -> dict[str, int]:
        """Read everything; what is wrong goes into `findings`. File in the bundle -> lines."""
        calls = self._calls("")
        self._outputs = self._check_outputs(calls)
        judging = self._calls("scoring/")
        self._check_scores(calls, judging)
        for index, of in ((calls, ""), (judging, "scoring/")):
            for call in (_call_at(index, at) for at in index.unused()):
                where = f"{self.base}{of}calls.jsonl.zst"
                self.findings.add("R2.orphan-call", where, sample=call.group, found=call.id)
        for index in (calls, judging, self._outputs):
            index.close()
        for _ in self._lines("attempts", AttemptRecord).records():
            pass
        return {one.where: one.count for one in self._read}

    def _lines(self, name: str, kind: type[RecordT_co]) -> LinesCheck[RecordT_co]:
        name += ".jsonl.zst"
        found = LinesCheck(self.files[name], self.base + name, kind, self.findings, self.limits)
        self._read.append(found)
        return found

    def _calls(self, of: str) -> Index:
        blocks = BlocksCheck(self._lines(f"{of}blocks", BlockRecord), self.budget)
        lines = self._lines(f"{of}calls", CallRecord)
        index = Index(lines.path)
        for number, offset, length, call in lines.records():
            family = self._check_call(call, lines.at(number), blocks)
            index.add(digest(call.id), offset, length, digest(f"{family}\x1f{call.group}\x1f{call.trial}"))
        blocks.finish()
        index.freeze()
        for at in index.twice():
            self.findings.add("R2.call-twice", lines.where, found=_call_at(index, at).id)
        return index

    def _check_call(self, call: CallRecord, where: str, blocks: BlocksCheck) -> str:
        """Hold a call's request and id against what they must be; the family it belongs to."""
        asked = call.request_sha256
        try:
            found = blocks.request_hash(call)
        except Refused as error:
            self.findings.refused("R2", error, where)
            if not asked:  # nothing to hold the id against
                return self._families[0]
        else:
            asked = asked or found
            if found != asked:
                self.findings.add("R2.request-hash", where, expected=found, found=asked)
        usage = call.reply.usage
        if min(usage.prompt, usage.completion, usage.cached, usage.reasoning, call.attempt, call.trial) < 0:
            self.findings.add("R1.negative", where)
        for family in self._families:
            if call.id == call_id(family, call.group, call.trial, call.role, call.key, asked):
                return family
        self.findings.add("R2.call-id", where, found=call.id)
        return ""

    def _check_outputs(self, calls: Index) -> Index:
        """Outputs by name, and by name with the hash of what was judged."""
        lines = self._lines("outputs", OutputRecord)
        index = Index(lines.path)
        for number, offset, length, output in lines.records():
            where = lines.at(number)
            family = self.cells.get(output.cell)
            if family is None:
                self.findings.add("R2.unknown-cell", where, sample=output.sample)
                continue
            group = digest(f"{family}\x1f{output.group}\x1f{output.trial}")
            self._follow(output.calls, (calls,), group, where, output.sample)
            text = self._filled(output, calls, where) if output.text_from else output.output
            name = f"{output.cell}\x1f{output.sample}\x1f{output.trial}"
            index.add(digest(name), offset, length, group)
            index.add(digest(f"{name}\x1f{judged_hash(text)}"), offset, length, group)
        index.freeze()
        return index

    def _filled(self, output: OutputRecord, calls: Index, where: str) -> Output:
        """The output with the text that was left out."""
        at = calls.find(digest(output.text_from))
        if output.output.text or output.text_from not in output.calls or at < 0:
            self.findings.add("R2.text-from", where, sample=output.sample)
            return output.output
        line = calls.line(at)
        self.budget[0] -= len(line)
        if self.budget[0] < 0:
            self.findings.add("R2.requests-too-big")
            return output.output
        return Output(_decode_call(line).reply.text, output.output.data, output.output.finish)

    def _follow(
        self, names: list[str], indexes: tuple[Index, ...], group: int, where: str, sample: str
    ) -> None:
        for name in names:
            key = digest(name)
            for index in indexes:
                at = index.find(key)
                if at >= 0:
                    index.mark(at)
                    if index.notes[at] != group:
                        self.findings.add("R2.call-of-other-group", where, sample=sample, found=name)
                    break
            else:
                self.findings.add("R2.no-call", where, sample=sample, found=name)

    def _check_scores(self, calls: Index, judging: Index) -> None:
        lines = self._lines("scoring/scores", ScoreRecord)
        for number, _, _, score in lines.records():
            where = lines.at(number)
            name = f"{score.cell}\x1f{score.sample}\x1f{score.trial}"
            if self._outputs.find(digest(name)) < 0:
                self.findings.add("R2.no-output", where, sample=score.sample)
                continue
            judged = self._outputs.find(digest(f"{name}\x1f{score.output_sha256}"))
            if judged < 0:
                self.findings.add("R2.output-hash", where, sample=score.sample, found=score.output_sha256)
                continue
            self._follow(score.calls, (judging, calls), self._outputs.notes[judged], where, score.sample)


def _call_at(index: Index, at: int) -> CallRecord:
    return whole(_decode_call(index.line(at)))
