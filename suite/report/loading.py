"""A run folder with one of its scorings, as reports and analyses see it: read-only and streamed.

Memory holds the manifests, the results and indexes of 16 bytes a record, made when first asked for.
A run that was not scored yet, or whose scoring has no results yet, can be shown too.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from suite.errors import RunError
from suite.journal.blocks import BlockReader
from suite.journal.index import Recorded
from suite.journal.reading import RunReader, read_results
from suite.journal.records import CallRecord, OutputRecord, ScoreRecord
from suite.journal.run import Journal


class Key(NamedTuple):
    """Which record: cell, sample, trial."""

    cell: str
    sample: str
    trial: int

    @classmethod
    def of(cls, record: OutputRecord | ScoreRecord) -> "Key":
        """The key of an output or score."""
        return cls(record.cell, record.sample, record.trial)


class FoundCall(NamedTuple):
    """A call, the bodies its hashes stand for, and the stage it was made in."""

    call: CallRecord
    blocks: BlockReader
    stage: str


class LoadedRun:
    """A run with one scoring (the newest without a name); satisfies `suite.scoring.analysis.RunView`.

    Raises RunError if the folder holds no run or no such scoring.
    """

    def __init__(self, folder: Path, scoring: str = "") -> None:
        self.folder = folder
        self.reader = RunReader(folder)
        known = self.reader.scorings()
        if not scoring:  # a scoring that was just begun hides no finished one
            done = [name for name in known if (folder / "scorings" / name / "results.json").exists()]
            scoring = (done or known or [""])[-1]
        self.scoring_id = scoring
        self._scoring: Journal | None = self.reader.scoring(scoring) if scoring else None
        self._results: dict[str, Any] = {}
        if self._scoring is not None and (self._scoring.folder / "results.json").exists():
            self._results = read_results(self._scoring.folder / "results.json")

    @property
    def name(self) -> str:
        """Name of the run."""
        return str(self.manifest.get("name") or self.folder.absolute().name)

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The run's manifest.json."""
        return self.reader.manifest

    @property
    def results(self) -> Mapping[str, Any]:
        """The scoring's results.json, {} if there is none yet."""
        return self._results

    @cached_property
    def scoring_manifest(self) -> Mapping[str, Any]:
        """The scoring's manifest.json, {} if the run was not scored."""
        return self.reader.scoring_manifest(self.scoring_id) if self._scoring else {}

    def outputs(self) -> Iterator[OutputRecord]:
        """All outputs, in no particular order."""
        return iter(self.reader.outputs)

    def scores(self) -> Iterator[ScoreRecord]:
        """All scores of the scoring, in no particular order."""
        return iter(self._scoring.scores if self._scoring else ())

    def journals(self) -> Iterator[Journal]:
        """The run's own journal and the scoring's."""
        yield self.reader
        if self._scoring is not None:
            yield self._scoring

    @cached_property
    def recorded_scores(self) -> Recorded[ScoreRecord]:
        """The scores by key."""
        return Recorded((self._scoring or self.reader).scores, Key.of)  # a run itself has none

    @cached_property
    def recorded_outputs(self) -> Recorded[OutputRecord]:
        """The outputs by key."""
        return Recorded(self.reader.outputs, Key.of)

    def score(self, key: Key) -> ScoreRecord | None:
        """The score of a key; the last one if there are several."""
        return next(reversed(self.recorded_scores.every(key)), None)

    def output(self, key: Key) -> OutputRecord | None:
        """The output of a key; the last one if there are several."""
        return next(reversed(self.recorded_outputs.every(key)), None)

    @cached_property
    def _recorded(self) -> list[tuple[Recorded[CallRecord], BlockReader, str]]:
        stages = zip(self.journals(), ("solve", "score"), strict=False)
        return [(Recorded(journal.calls), journal.blocks, stage) for journal, stage in stages]

    def call(self, identity: str) -> FoundCall | None:
        """A call by its id, from the run or the scoring; None if neither recorded it."""
        for calls, blocks, stage in self._recorded:
            if (call := calls.find(identity)) is not None:
                return FoundCall(call, blocks, stage)
        return None

    def text(self, record: OutputRecord) -> str:
        """An output's text, taken from its call where it was left out. Raises RunError if that is missing."""
        if not record.text_from:
            return record.output.text
        found = self.call(record.text_from)
        if found is None:
            raise RunError(f"call {record.text_from} of sample {record.sample!r} is not in calls.jsonl")
        return found.call.reply.text
