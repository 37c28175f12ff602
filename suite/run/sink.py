"""Where the records of one stage go: the files of a run folder, or of one of its scorings."""

from pathlib import Path
from typing import NamedTuple

from suite.chat import Reply, Request
from suite.files import sync_folder
from suite.journal.records import CallRecord, OutputRecord, ScoreRecord
from suite.journal.writing import Blocks, JournalFile


class Asked(NamedTuple):
    """One call of a member: who asks what, in which group and trial. identity: the call's id."""

    identity: str
    member: str
    group: str
    trial: int
    key: str
    request: Request
    request_sha256: str


class Sink:
    """The files that one stage appends to. Raises RunError where they cannot be written."""

    def __init__(self, folder: Path, stage: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.stage = stage
        self._blocks_file = JournalFile(folder / "blocks.jsonl")
        self._blocks = Blocks(self._blocks_file)
        self._calls = JournalFile(folder / "calls.jsonl")
        self._done = JournalFile(folder / ("outputs.jsonl" if stage == "solve" else "scores.jsonl"))
        sync_folder(folder)

    def _files(self) -> tuple[JournalFile, ...]:
        return self._blocks_file, self._calls, self._done

    def call(
        self, asked: Asked, reply: Reply, times: tuple[float, float], attempt: int, kept: float | None
    ) -> None:
        """Write a finished call, its bodies first. kept: of a reply from the cache, when it was asked for."""
        blocks, request = self._blocks, asked.request
        messages = blocks.fold([blocks.message(one) for one in request.messages])
        texts = blocks.fold([blocks.text(one) for one in request.texts])
        self._calls.append(
            CallRecord(
                asked.identity,
                asked.member,
                asked.group,
                asked.trial,
                request.kind,
                asked.request_sha256,
                messages,
                texts,
                blocks.text(request.prompt) if request.prompt else "",
                blocks.tools(request),
                asked.key,
                request.options,
                reply,
                times,
                attempt,
                kept is not None,
                kept or 0.0,
            )
        )

    def done(self, record: OutputRecord | ScoreRecord) -> None:
        """Write a solved or a scored sample."""
        self._done.append(record)

    def sync(self) -> None:
        """Put everything on the disk."""
        for one in self._files():
            one.sync()

    def close(self) -> None:
        """Sync and close."""
        for one in self._files():
            one.close()
