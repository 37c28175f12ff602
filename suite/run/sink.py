"""Where the records of one stage go: the files of a run folder, or of one of its scorings.

What was recorded in one turn of the loop is written at its end: bodies, the calls that name them, then the
samples that were solved or scored with those. So a killed process loses no more than that one turn brought.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from suite.errors import RunError
from suite.files import sync_folder
from suite.journal.journal_file import Blocks, JournalFile
from suite.journal.records import CallRecord, OutputRecord, ScoreRecord
from suite.roles import Stage
from suite.run.work import ModelCall

TIME_DIGITS = 4  # of seconds
BLOCKS, CALLS, DONE = range(3)  # what refers comes after what it names


class Sink:
    """The files that one stage appends to. Raises RunError where they cannot be written."""

    def __init__(self, stage: Stage, files: Sequence[JournalFile]) -> None:
        """files: of bodies, of calls, of what is done."""
        self.stage = stage
        self._files = files
        self._calls, self._done = files[CALLS], files[DONE]
        self._blocks = Blocks(files[BLOCKS])
        self._soon = False
        self._failed: RunError | None = None

    @classmethod
    def of(cls, folder: Path, stage: Stage) -> "Sink":
        """The files of a stage in a folder, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        done = "outputs.jsonl" if stage is Stage.SOLVE else "scores.jsonl"
        made = cls(stage, [JournalFile(folder / name) for name in ("blocks.jsonl", "calls.jsonl", done)])
        sync_folder(folder)
        return made

    def take(self, which: int, line: bytes) -> None:
        """Record a line that was made elsewhere, in one of the files, at the next `flush`."""
        self._files[which].waiting.append(line)

    def call(self, call: ModelCall) -> None:
        """Record a finished call and its bodies. Raises what stood in the way of writing before."""
        blocks, request, sample = self._blocks, call.request, call.work.sample
        self._write_soon()
        record = CallRecord(
            id=call.id, role=call.member, group=sample.group, trial=sample.trial, kind=request.kind,
            request=blocks.fold([*map(blocks.message, request.messages)]),
            texts=blocks.fold([*map(blocks.text, request.texts)]) if request.texts else [],
            prompt=blocks.text(request.prompt) if request.prompt else "", tools=blocks.tools(request),
            key=call.key, options=request.options, reply=call.reply, attempt=call.attempt,
            times=(round(call.times[0], TIME_DIGITS), round(call.times[1], TIME_DIGITS)),
            cached=call.kept is not None, kept=call.kept or 0.0,
        )  # fmt: skip
        self._calls.put(record)

    def done(self, record: OutputRecord | ScoreRecord) -> None:
        """Record a solved or a scored sample. Raises what stood in the way of writing before."""
        self._write_soon()
        self._done.put(record)

    def _write_soon(self) -> None:
        if self._failed is not None:
            raise self._failed
        if not self._soon:
            self._soon = True
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        self._soon = False
        try:
            for one in self._files:
                one.write()
        except RunError as error:
            self._failed = error
            for one in self._files:  # nothing is written that names what is not there
                one.waiting.clear()

    def flush(self) -> None:
        """Write what waits. Raises RunError where something could not be written."""
        self._write()
        if self._failed is not None:
            raise self._failed

    def sync(self) -> None:
        for one in self._files:
            one.sync()

    def close(self) -> None:
        self._write()
        for one in self._files:
            one.close()
