"""Where the records of one stage go: the files of a run folder, or of one of its scorings.

A call is written before its task goes on, since it was paid for. What follows from calls, a solved or a
scored sample, is written with others of the same turn of the loop.
"""

import asyncio
from pathlib import Path

from suite.errors import RunError
from suite.files import sync_folder
from suite.journal.journal_file import Blocks, JournalFile
from suite.journal.records import CallRecord, OutputRecord, ScoreRecord
from suite.roles import Stage
from suite.run.work import ModelCall

TIME_DIGITS = 4  # of seconds


class Sink:
    """The files that one stage appends to. Raises RunError where they cannot be written."""

    def __init__(self, folder: Path, stage: Stage) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.stage = stage
        self._blocks_file = JournalFile(folder / "blocks.jsonl")
        self._blocks = Blocks(self._blocks_file)
        self._calls = JournalFile(folder / "calls.jsonl")
        self._done = JournalFile(folder / ("outputs.jsonl" if stage is Stage.SOLVE else "scores.jsonl"))
        self._waiting: list[OutputRecord | ScoreRecord] = []
        self._failed: RunError | None = None
        sync_folder(folder)

    def _files(self) -> tuple[JournalFile, ...]:
        return self._blocks_file, self._calls, self._done

    def call(self, call: ModelCall) -> None:
        """Write a finished call, its bodies first."""
        blocks, request, work = self._blocks, call.request, call.work
        self._calls.append(
            CallRecord(
                id=call.id,
                role=call.member,
                group=work.group,
                trial=work.trial,
                kind=request.kind,
                request_sha256=call.request_sha256,
                request=blocks.fold([blocks.message(one) for one in request.messages]),
                texts=blocks.fold([blocks.text(one) for one in request.texts]),
                prompt=blocks.text(request.prompt) if request.prompt else "",
                tools=blocks.tools(request),
                key=call.key,
                options=request.options,
                reply=call.reply,
                times=(round(call.times[0], TIME_DIGITS), round(call.times[1], TIME_DIGITS)),
                attempt=call.attempt,
                cached=call.kept is not None,
                kept=call.kept or 0.0,
            )
        )

    def done(self, record: OutputRecord | ScoreRecord) -> None:
        """Write a solved or a scored sample, at the loop's next turn. Raises what stood in the way before."""
        if self._failed is not None:
            raise self._failed
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._write)
        self._waiting.append(record)

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            if waiting:
                self._done.append(*waiting)
        except RunError as error:
            self._failed = error

    def flush(self) -> None:
        """Write what waits. Raises RunError where something could not be written."""
        self._write()
        if self._failed is not None:
            raise self._failed

    def sync(self) -> None:
        """Put everything on the disk."""
        for one in self._files():
            one.sync()

    def close(self) -> None:
        """Write, sync and close."""
        self._write()
        for one in self._files():
            one.close()
