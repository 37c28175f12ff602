"""The records of a run held against each other: hashes recomputed, references followed both ways.

Memory is some 40 bytes a record: what must be found again is kept as 64-bit digests. Not here: lines
(`lines_check`), requests (`requests_check`), whether records are complete or follow from the inputs
(`verify`).
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from suite.board.bundle.keyed_index import Index, digest
from suite.board.bundle.lines_check import LinesCheck, RecordT
from suite.board.bundle.requests_check import BadBlock, BlocksCheck
from suite.board.bundle.rungs import Findings
from suite.board.bundle.size_limits import SizeLimits
from suite.chat import call_id
from suite.journal.records import AttemptRecord, CallRecord, OutputRecord, ScoreRecord
from suite.run.records import output_sha256
from suite.task import Output


class _Reply(msgspec.Struct):
    text: str = ""


class _Call(msgspec.Struct):
    reply: _Reply = msgspec.field(default_factory=_Reply)


_decode_text = msgspec.json.Decoder(_Call).decode


class RecordsCheck:
    """One run. folder: as unpacked. base: "runs/ID/", for findings. cells: cell -> its task's family."""

    def __init__(
        self,
        folder: Path,
        scoring: Path,
        base: str,
        cells: Mapping[str, str],
        findings: Findings,
        limits: SizeLimits,
        budget: list[int],
    ) -> None:
        self._folder, self._scoring, self._base = folder, scoring, base
        self._cells = cells
        self._families = sorted(set(cells.values()))
        self._findings, self._limits, self._budget = findings, limits, budget
        self.counts: dict[str, int] = {}  # file in the bundle -> lines
        self._outputs = Index(folder / "outputs.jsonl")

    def check(self) -> None:
        """Read everything; what is wrong goes into `findings`."""
        calls = self._calls(self._folder, self._base)
        self._check_outputs(calls)
        judging = self._calls(self._scoring, self._base + "scoring/")
        self._check_scores(calls, judging)
        for index, base in ((calls, self._base), (judging, self._base + "scoring/")):
            self._orphans(index, f"{base}calls.jsonl.zst")
            index.close()
        self._outputs.close()
        attempts = self._lines(self._folder, self._base, "attempts", AttemptRecord)
        for _ in attempts.records():
            pass
        self.counts[attempts.where] = attempts.count

    def _lines(self, folder: Path, base: str, name: str, kind: type[RecordT]) -> LinesCheck[RecordT]:
        return LinesCheck(
            folder / f"{name}.jsonl", f"{base}{name}.jsonl.zst", kind, self._findings, self._limits
        )

    def _calls(self, folder: Path, base: str) -> Index:
        where = f"{base}blocks.jsonl.zst"
        blocks = BlocksCheck(folder / "blocks.jsonl", where, self._findings, self._limits, self._budget)
        blocks.read()
        self.counts[where] = blocks.count
        lines = self._lines(folder, base, "calls", CallRecord)
        index = Index(lines.path)
        for number, offset, length, call in lines.records():
            family = self._check_call(call, lines.at(number), blocks)
            index.add(digest(call.id), offset, length, digest(f"{family}\x1f{call.group}\x1f{call.trial}"))
        blocks.finish()
        index.freeze()
        self.counts[lines.where] = lines.count
        for at in index.twice():
            twice: CallRecord = msgspec.json.decode(index.line(at), type=CallRecord)
            self._findings.add("R2.call-twice", "a call stands twice", lines.where, found=twice.id)
        return index

    def _check_call(self, call: CallRecord, where: str, blocks: BlocksCheck) -> str:
        """Hold a call's request and id against what they must be; the family it belongs to."""
        try:
            found = blocks.request_hash(call)
        except BadBlock as error:
            self._findings.add(f"R2.{error.word}", str(error), where)
        else:
            if found != call.request_sha256:
                what = "a call's request has another hash than it says"
                self._findings.add("R2.request-hash", what, where, expected=found, found=call.request_sha256)
        usage = call.reply.usage
        if min(usage.prompt, usage.completion, usage.cached, usage.reasoning, call.attempt, call.trial) < 0:
            self._findings.add("R1.negative", "a count of a call is negative", where)
        for family in self._families:
            if call.id == call_id(family, call.group, call.trial, call.role, call.key, call.request_sha256):
                return family
        self._findings.add("R2.call-id", "a call's id does not follow from its content", where, found=call.id)
        return ""

    def _check_outputs(self, calls: Index) -> None:
        lines = self._lines(self._folder, self._base, "outputs", OutputRecord)
        for number, offset, length, output in lines.records():
            where = lines.at(number)
            family = self._cells.get(output.cell)
            if family is None:
                what = "an output is of no cell of the run"
                self._findings.add("R2.unknown-cell", what, where, sample=output.sample)
                continue
            group = digest(f"{family}\x1f{output.group}\x1f{output.trial}")
            self._follow(output.calls, (calls,), group, where, output.sample)
            text = output.output
            if output.text_from:
                text = self._filled(output, calls, where)
            name = f"{output.cell}\x1f{output.sample}\x1f{output.trial}"
            judged = digest(f"{name}\x1f{output_sha256(text)}")
            key = digest(name)
            self._outputs.add(key, offset, length, judged)
            self._outputs.add(judged, offset, length, group)
        self._outputs.freeze()
        self.counts[lines.where] = lines.count

    def _filled(self, output: OutputRecord, calls: Index, where: str) -> Output:
        """The output with the text that was left out."""
        at = calls.find(digest(output.text_from))
        if output.output.text or output.text_from not in output.calls or at < 0:
            what = "an output's text is said to be that of a call which is not its own"
            self._findings.add("R2.text-from", what, where, sample=output.sample)
            return output.output
        line = calls.line(at)
        self._budget[0] -= len(line)
        if self._budget[0] < 0:
            self._findings.add("R2.requests-too-big", "the texts of the bundle are too big to be filled in")
            return output.output
        text = _decode_text(line).reply.text
        return Output(text, output.output.data, output.output.finish)

    def _follow(
        self, names: list[str], indexes: tuple[Index, ...], group: int, where: str, sample: str
    ) -> None:
        for name in names:
            key = digest(name)
            for index in indexes:
                at = index.find(key)
                if at >= 0:
                    index.mark(at)
                    if index.note(at) != group:
                        what = "a record names a call of another group, trial or family"
                        self._findings.add("R2.call-of-other-group", what, where, sample=sample, found=name)
                    break
            else:
                what = "a record names a call that is not there"
                self._findings.add("R2.no-call", what, where, sample=sample, found=name)

    def _check_scores(self, calls: Index, judging: Index) -> None:
        lines = self._lines(self._scoring, self._base + "scoring/", "scores", ScoreRecord)
        for number, _, _, score in lines.records():
            where = lines.at(number)
            name = f"{score.cell}\x1f{score.sample}\x1f{score.trial}"
            if self._outputs.find(digest(name)) < 0:
                self._findings.add("R2.no-output", "a score belongs to no output", where, sample=score.sample)
                continue
            judged = self._outputs.find(digest(f"{name}\x1f{score.output_sha256}"))
            if judged < 0:
                what = "a score is of another output than the recorded one"
                self._findings.add(
                    "R2.output-hash", what, where, sample=score.sample, found=score.output_sha256
                )
                continue
            self._follow(score.calls, (judging, calls), self._outputs.note(judged), where, score.sample)
        self.counts[lines.where] = lines.count

    def _orphans(self, index: Index, where: str) -> None:
        for at in index.unused():
            call: CallRecord = msgspec.json.decode(index.line(at), type=CallRecord)
            what = "a call is there that no output or score names"
            self._findings.add("R2.orphan-call", what, where, sample=call.group, found=call.id)
