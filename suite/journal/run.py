"""A run folder with one of its scorings: the one way in which everything else reads a run.

    run = open_run("runs/prefeval-1a2b3c4d")    # or a name under runs/, or PLACE@SCORING
    run.manifest, run.scoring_manifest, run.results          # structs of `suite.journal.documents`
    for output, score in run.pairs(): run.text(output)       # streamed; score is None where there is none

Memory holds the documents and indexes of 16 bytes a record, each made when first asked for. A run that was
not scored yet, or whose scoring has no results yet, can be read, too: its `scoring` is "", the documents that
it lacks are empty.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import msgspec

from suite.errors import ConfigError, RunError, unknown
from suite.journal.blocks import BlockReader
from suite.journal.decisions import DECISION, Decision
from suite.journal.document_files import read_document, read_manifest
from suite.journal.documents import (
    RESULTS_FORMAT,
    SCORING_FORMAT,
    Coverage,
    Results,
    RoleMember,
    RunManifest,
    ScoredCell,
    ScoringManifest,
    Share,
)
from suite.journal.index import Recorded
from suite.journal.lines import Lines
from suite.journal.merges import MERGE, Merge
from suite.journal.pairs import Key, pairs
from suite.journal.records import AttemptRecord, BroughtSample, CallRecord, OutputRecord, ScoreRecord
from suite.journal.shards import shards_of

RUNS = Path("runs")
SAMPLES = "samples.jsonl"
_NEAR = 8


class Journal:
    """One set of journal files: a run folder's own, or one of its scorings'."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outputs = Lines(folder / "outputs.jsonl", OutputRecord)
        self.calls = Lines(folder / "calls.jsonl", CallRecord)
        self.attempts = Lines(folder / "attempts.jsonl", AttemptRecord)
        self.scores = Lines(folder / "scores.jsonl", ScoreRecord)
        self.blocks = BlockReader(folder / "blocks.jsonl")


class _Begun(msgspec.Struct):
    """What orders scorings; the rest of a manifest is for those who choose it."""

    started: str = ""


class FoundCall(NamedTuple):
    """A call, the bodies its hashes stand for, and the stage it was made in."""

    call: CallRecord
    blocks: BlockReader
    stage: str


class Run:
    """A run with one scoring: the one named, else the newest that has results, else the newest.

    journal: the run's own. judged: the scoring's; empty where there is none.

    Raises RunError if the folder holds no run, or no such scoring.
    """

    def __init__(self, folder: Path, scoring: str = "") -> None:
        self.folder = folder
        self.manifest: RunManifest = read_manifest(folder / "manifest.json")
        self.journal = Journal(folder)
        if not scoring:  # a scoring that was just begun hides no finished one
            known = self.scorings()
            done = [one for one in known if (folder / "scorings" / one / "results.json").exists()]
            scoring = (done or known or [""])[-1]
        elif all(one.parent.name != scoring for one in (folder / "scorings").glob("*/manifest.json")):
            known = self.scorings()
            raise RunError(f"run {folder.name} has no scoring {scoring!r}", fix=f"it has: {', '.join(known)}")
        self.scoring = scoring
        self.judged = Journal(folder / "scorings" / (scoring or "none"))
        self._near: dict[str, FoundCall] = {}  # calls asked for last: one is asked for several times on end

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.manifest.name or self.folder.absolute().name

    def scorings(self) -> list[str]:
        """Ids of all scorings, oldest first."""
        found = (self.folder / "scorings").glob("*/manifest.json")
        dated = ((read_document(path, _Begun).started, path.parent.name) for path in found)
        return [name for _, name in sorted(dated)]

    def manifest_of(self, scoring: str) -> ScoringManifest:
        """The manifest of a scoring."""
        return read_document(self.folder / "scorings" / scoring / "manifest.json", ScoringManifest)

    @property
    def unmerged(self) -> str:
        """What to do where the run, or a scoring, is in shards that nobody has merged yet; else ""."""
        bases = [self.folder, *(self.folder / "scorings").glob("*/")]
        if all((one / MERGE).exists() or not shards_of(one) for one in bases):
            return ""
        return f"in shards that are not merged yet: suite runs merge {shlex.quote(str(self.folder))}"

    def need_scoring(self) -> None:
        """Raises RunError for a run that was not scored."""
        if not self.scoring and self.unmerged:
            raise RunError(f"run {self.folder.name} is {self.unmerged}", str(self.folder))
        if not self.scoring:
            raise RunError(f"run {self.folder.name} has not been scored", fix=f"suite score {self.folder}")

    @cached_property
    def scoring_manifest(self) -> ScoringManifest:
        """The scoring's manifest; an empty one where the run was not scored."""
        if self.scoring:
            return self.manifest_of(self.scoring)
        return ScoringManifest(
            format=SCORING_FORMAT, scoring="", started="", run=self.manifest.name, level=0.95, roles={},
            plan_sha256=self.manifest.plan_sha256, cells=(),
        )  # fmt: skip

    @cached_property
    def scored_cells(self) -> dict[str, ScoredCell]:
        """The cells of the scoring's manifest by id."""
        return {one.cell: one for one in self.scoring_manifest.cells}

    @cached_property
    def decision(self) -> Decision | None:
        """What a rule found that looked after every group of this scoring; None where none did."""
        path = self.judged.folder / DECISION
        return read_document(path, Decision) if path.exists() else None

    @cached_property
    def stopped(self) -> Decision | None:
        """The decision that ended the run before its plan; None where all was run, or nothing is decided.
        That of another scoring which left out as much has no claims: their numbers are not this one's."""
        found, pending = self.decision, self.results.pending
        for path in () if found else self.folder.glob(f"scorings/*/{DECISION}"):
            other = Run(self.folder, path.parent.name)
            if other.stopped and pending <= other.results.pending:
                until = f"{other.stopped.until}, scoring {other.scoring}"
                found = msgspec.structs.replace(other.stopped, claims=(), until=until)
        return found if found and pending and found.verdict != "undecided" else None

    @property
    def has_results(self) -> bool:
        """Whether the scoring has results yet."""
        return (self.judged.folder / "results.json").exists()

    @cached_property
    def results(self) -> Results:
        """The scoring's results; empty ones, of no cell, where there are none yet."""
        if self.has_results:
            return read_document(self.judged.folder / "results.json", Results)
        counts = self.manifest.counts
        return Results(
            format=RESULTS_FORMAT, run=self.manifest.name, scoring=self.scoring, level=0.95, complete=False,
            pending=self.manifest.all_works, imported=self.manifest.imported, cells=(),
            across=(), coverage=Coverage(groups=Share(taken=counts.groups_taken, all=counts.groups), tags={}),
            calls={}, seconds=0.0,
        )  # fmt: skip

    @cached_property
    def merges(self) -> list[Merge]:
        """What the last merge saw of the shards of the run, and of those of the scoring alone, if any."""
        places = (self.folder / MERGE, self.judged.folder / MERGE)
        return [read_document(one, Merge) for one in places if one.exists()]

    @property
    def roles(self) -> Mapping[str, Sequence[RoleMember]]:
        """Members by role, those of the scoring in place of the run's where both name a role."""
        return {**self.manifest.roles, **self.scoring_manifest.roles}

    def specs(self, role: str) -> str:
        """Who fills a role, on one line; "" where nobody does."""
        return ", ".join(one.spec for one in self.roles.get(role, ()))

    @property
    def candidate(self) -> RoleMember | None:
        """Who is measured; None of a run without a candidate."""
        return next(iter(self.manifest.roles.get("candidate", ())), None)

    def journals(self) -> tuple[Journal, Journal]:
        """The run's own journal and the scoring's."""
        return self.journal, self.judged

    def every_journal(self) -> Iterator[Journal]:
        """The run's own journal and those of all its scorings."""
        yield self.journal
        for name in self.scorings():
            yield Journal(self.folder / "scorings" / name)

    def outputs(self) -> Iterator[OutputRecord]:
        """All outputs, in no particular order."""
        return iter(self.journal.outputs)

    def scores(self) -> Iterator[ScoreRecord]:
        """All scores of the scoring, in no particular order."""
        return iter(self.judged.scores)

    def attempts(self) -> Iterator[AttemptRecord]:
        """What happened on the way, in the run and in the scoring."""
        return chain.from_iterable(one.attempts for one in self.journals())

    def pairs(self) -> Iterator[tuple[OutputRecord, ScoreRecord | None]]:
        """Each output with its score, None where it is not scored. Raises RunError for damage."""
        return pairs(self.outputs(), self.scores(), str(self.folder))

    @cached_property
    def _outputs(self) -> Recorded[OutputRecord]:
        return Recorded(self.journal.outputs, Key.of)

    @cached_property
    def _scores(self) -> Recorded[ScoreRecord]:
        return Recorded(self.judged.scores, Key.of)

    def output(self, key: Key) -> OutputRecord | None:
        """The output of a key; the last one if there are several."""
        return next(reversed(self._outputs.every(key)), None)

    def score(self, key: Key) -> ScoreRecord | None:
        """The score of a key; the last one if there are several."""
        return next(reversed(self._scores.every(key)), None)

    @cached_property
    def brought(self) -> Recorded[BroughtSample]:
        """The samples that an imported run brought along, by (cell, sample); of another run none."""
        return Recorded(Lines(self.folder / SAMPLES, BroughtSample), attrgetter("cell", "sample"))

    @cached_property
    def solve_calls(self) -> Recorded[CallRecord]:
        """The calls of solving by id."""
        return Recorded(self.journal.calls)

    @cached_property
    def score_calls(self) -> Recorded[CallRecord]:
        """The calls of scoring by id."""
        return Recorded(self.judged.calls)

    def call(self, identity: str) -> FoundCall | None:
        """A call by its id, from the run or the scoring; None if neither recorded it."""
        if (near := self._near.get(identity)) is not None:
            return near
        found = None
        if (call := self.solve_calls.find(identity)) is not None:
            found = FoundCall(call, self.journal.blocks, "solve")
        elif (call := self.score_calls.find(identity)) is not None:
            found = FoundCall(call, self.judged.blocks, "score")
        if found is not None:
            if len(self._near) >= _NEAR:
                self._near.clear()
            self._near[identity] = found
        return found

    def text(self, output: OutputRecord) -> str:
        """An output's text, taken from its call where it was left out. Raises RunError if that is missing."""
        if not output.text_from:
            return output.output.text
        if (found := self.call(output.text_from)) is not None:
            return found.call.reply.text
        raise RunError.of("journal.no-call", output=output, folder=self.folder)


RunReader = Run  # what it was called before 0.2


def find_run(place: str | Path, runs: Path = RUNS) -> Path:
    """The folder of a run: as given, or by its name under `runs`.

    Raises NotFound for no such run, RunError for a folder that holds none, ConfigError for what names none.
    """
    if not isinstance(place, str | Path):
        raise ConfigError(f"{place!r} is no run", fix="give its folder, or its name")
    if (folder := _folder(place, runs)) is not None:
        return folder
    if Path(place).is_dir():
        raise RunError(f"{place} holds no run", where=str(place), fix="name a folder that `suite eval` wrote")
    known = [path.parent.name for path in runs.glob("*/manifest.json")]
    raise unknown("run", str(place), known, where=f"searched here and in {runs}/")


def open_run(place: str | Path, runs: Path = RUNS) -> Run:
    """A run by folder, or by name under `runs`; PLACE@SCORING takes another scoring than the newest finished.

    Raises as `find_run`, and RunError where the folder has no such scoring.
    """
    base, _, scoring = str(place).rpartition("@")
    if base and scoring and _folder(place, runs) is None and (folder := _folder(base, runs)) is not None:
        return Run(folder, scoring)
    return Run(find_run(place, runs))


def _folder(place: str | Path, runs: Path) -> Path | None:
    choices = (Path(place), runs / place)
    return next((one for one in choices if (one / "manifest.json").is_file()), None)
