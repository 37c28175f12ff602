"""The folder of a run: chosen, made, locked, repaired; its manifests, its records, its scoring.

What is recorded there is held against who answers now and which code runs now.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from operator import attrgetter
from pathlib import Path

from suite.chat import Json
from suite.errors import DamagedError, RunError, SuiteError
from suite.files import own_folder, sync_folder, trying
from suite.journal.document_files import read_document, read_manifest, write_document
from suite.journal.documents import Hardware, RunManifest, ScoringManifest
from suite.journal.index import Recorded
from suite.journal.journal_file import CHOOSE_FOLDER, folder_lock
from suite.journal.lines import Lines
from suite.journal.merges import MERGE, Merge
from suite.journal.pairs import Key, RecordT
from suite.journal.records import CallRecord, OutputRecord, ScoreRecord
from suite.journal.repairs import repair
from suite.journal.run import RUNS
from suite.journal.shards import RELEASED, SHARDS, divided_into, leases, shards_of
from suite.roles import Stage
from suite.run.cache import other_facts
from suite.run.code import code_record, other_code
from suite.run.manifest import FactsOfCells, run_manifest, scoring_manifest
from suite.run.plan import Plan
from suite.trees import MISSING, differences

_EMPTY = {".lock", "attempts.jsonl"}  # what a folder holds before a model has started


class Done(Recorded[RecordT]):
    """The finished works of one stage. Raises RunError where a journal was changed or a record is double."""

    def __init__(self, path: Path, kind: type[RecordT]) -> None:
        super().__init__(Lines(path, kind), Key.of)

    def complete(self, works: int) -> bool:
        """Whether each of so many works stands here, once."""
        return len(self) == works == self._index.distinct()

    def work(self, cell: str, sample: str, trial: int) -> RecordT | None:
        """The record of a work; None if it is not done."""
        if not len(self):  # as in every new run
            return None
        found = self.every((cell, sample, trial))
        if len(found) > 1:
            about = {"sample": sample, "cell": cell, "trial": trial, "times": len(found)}
            raise DamagedError.of("run.folder.twice", path=self.lines.path, **about)
        return found[0] if found else None


class RunFolder:
    """The folder of a plan's run. scoring: what is scored, "" if nothing is. others: run folders whose calls
    count as recorded, too.

    root: what its user knows it by. own: where notes of this process go.
    """

    otherwise = "name another folder with --output"  # where it cannot go on

    def __init__(self, plan: Plan, path: Path, scoring: str, others: Sequence[Path] = ()) -> None:
        self.plan = plan
        self.path = self.root = self.own = path
        self.name = path.name
        self.scoring = scoring
        self.others = others
        self.hardware: Hardware | None = None  # of workers elsewhere

    @contextmanager
    def hold(
        self, say: Callable[[str], None], lost: Callable[[RunError], None], stages: Sequence[Stage]
    ) -> Iterator[str]:
        """Hold the folder while the block runs; what is done again, in words. One that cannot be written to
        is shown if nothing is left to do; one that is new and has no plan yet is gone after an error.

        lost: of folders that another process may take over. Raises RunError.
        """
        del lost
        folder = self.path
        refuse_open(folder, self.scoring if Stage.SOLVE not in stages else "")
        if self.scoring:
            refuse_open(self.of(Stage.SCORE))
        made = folder.exists()
        if made and not os.access(folder, os.W_OK) and self.all_done(stages):
            yield ""
            return
        with trying("make the run folder", folder, CHOOSE_FOLDER):
            folder.mkdir(parents=True, exist_ok=True)
        if not made:
            sync_folder(folder.parent)
        with folder_lock(folder):
            told = ", ".join(f"{count:,} in {name}" for name, count in repair(folder, self.others).items())
            if told:
                told = f"records that lack a part count as not done: {told}"
                say(told)
            try:
                yield told
            except SuiteError:
                if not made and {one.name for one in folder.iterdir()} <= _EMPTY:  # refused before it began
                    shutil.rmtree(folder)
                raise

    def of(self, stage: Stage) -> Path:
        """Where the records of a stage stand."""
        return self.path if stage is Stage.SOLVE else self.path / "scorings" / (self.scoring or "none")

    def watched(self) -> list[Path]:
        """Folders whose journals tell how far the run is."""
        return [self.path]

    @property
    def solved(self) -> Done[OutputRecord]:
        return Done(self.path / "outputs.jsonl", OutputRecord)

    @property
    def scored(self) -> Done[ScoreRecord]:
        return Done(self.of(Stage.SCORE) / "scores.jsonl", ScoreRecord)

    def all_done(self, stages: Sequence[Stage]) -> bool:
        """Whether the journals hold all that was asked for: then no engine is started to be asked nothing."""
        return all(
            (self.of(stage) / "manifest.json").exists()
            and (self.solved if stage is Stage.SOLVE else self.scored).complete(self.plan.all_works)
            for stage in stages
        )

    def calls(self, stages: Sequence[Stage], by: str = "id") -> list[Recorded[CallRecord]]:
        """The calls that are never asked again in these stages. by: the field by which they are found."""
        scored = [self.of(Stage.SCORE)] if Stage.SCORE in stages else []
        folders = [self.path, *scored, *self.others]
        return [Recorded(Lines(folder / "calls.jsonl", CallRecord), attrgetter(by)) for folder in folders]

    def write_manifests(
        self, facts: FactsOfCells, stages: Sequence[Stage], *, imported: bool, level: float
    ) -> None:
        """Write the manifests that are not there yet."""
        path, scoring = self.path / "manifest.json", self.of(Stage.SCORE)
        if not path.exists():
            if Stage.SOLVE not in stages:
                raise RunError(f"{self.path.name} holds no run to score", where=str(self.path))
            for name in ("outputs.jsonl", "calls.jsonl"):
                if (records := self.path / name).exists() and records.stat().st_size:
                    raise RunError.of("run.folder.no-manifest", name=name, folder=self)
            made = run_manifest(self.plan, self.name, facts, imported=imported, other=self.hardware)
            write_document(path, made)
        if Stage.SCORE in stages and not (scoring / "manifest.json").exists():
            run = read_manifest(path)
            for one in (scoring.parent, scoring):
                with trying("make the folder of the scoring", one):
                    own_folder(one)
            scored = scoring_manifest(self.plan, run.name, facts, run.plan_sha256, level)
            write_document(scoring / "manifest.json", scored)

    def other_models(self, stages: Sequence[Stage]) -> Iterator[tuple[str, str]]:
        """(member, what is another) of those whose endpoint tells other things than the manifests record."""
        for stage in stages:
            roles = self._manifest(stage).roles
            was = {one.member: one.identity for members in roles.values() for one in members}
            asked = ("both", stage) if stage is Stage.SOLVE else (stage,)
            for one in self.plan.filled.at(*asked):
                for change in other_facts(was.get(one.member), one.engine.identity()):
                    yield one.member, change

    @cached_property
    def other_code(self) -> list[tuple[Stage, str, str]]:
        """(stage, task, what is another) of tasks whose code has changed since this run or scoring began."""
        now = code_record(self.plan.cells)
        stages = [Stage.SOLVE, *([Stage.SCORE] if self.scoring else [])]
        return [
            (stage, task, change)
            for stage in stages
            if (self.of(stage) / "manifest.json").exists()
            for task, change in other_code(self._manifest(stage).code, now)
        ]

    def _manifest(self, stage: Stage) -> RunManifest | ScoringManifest:
        path = self.of(stage) / "manifest.json"
        return read_manifest(path) if stage is Stage.SOLVE else read_document(path, ScoringManifest)


def choose_folder(plan: Plan, out: Path | None, new: bool) -> Path:
    """The folder for a plan; it may hold an unfinished or finished run of the same plan.

    Raises RunError if it holds another plan (naming what differs), or anything that is no run.
    """
    folder = out or RUNS / plan.default_name()
    path, number, name = folder / "manifest.json", 1, folder.absolute().name  # of ".", too
    names = {one.name for one in folder.iterdir()} if folder.is_dir() else set()
    if new and out is None:
        while folder.exists():
            number += 1
            folder = RUNS / f"{plan.default_name()}-{number}"
    elif new and path.exists():
        raise RunError(f"{name} holds a run already", str(folder), "name another folder with --output")
    elif path.exists() and (manifest := read_manifest(path)).plan_sha256 != plan.sha256:
        fields = ", ".join(differing(manifest.plan, plan.solve_identity())) or "unknown"
        raise RunError.of("run.folder.other-plan", name=name, fields=fields, path=path)
    elif folder.exists() and not folder.is_dir():
        raise RunError(f"{name} is no folder", where=str(folder), fix="name another with --output")
    elif names and not names & {"manifest.json", ".lock", SHARDS}:
        raise RunError.of("run.folder.not-empty", name=name, folder=folder)
    return folder


def refuse_open(base: Path, scoring: str = "") -> None:
    """Raises RunError where a run or a scoring is divided into shards that are not all finished and merged:
    only a merge may write its journals. base: its folder.

    scoring: one that only reads the run: all shards may have ended with samples pending then, merged so.
    """
    shards, merged = shards_of(base), base / MERGE
    merge = read_document(merged, Merge) if merged.exists() else None
    if not shards or (merge is not None and merge.complete):
        return
    run = base.parent.parent if base.parent.name == "scorings" else base
    of, last = divided_into(base)[0], [one for shard in shards for one in leases(shard.folder(base))[-1:]]
    left = [one for one in last if (one / RELEASED).exists() and (one / "manifest.json").exists()]
    fix = f"the same command with --shards {of} continues it; `suite runs merge` tells what lacks"
    if len(shards) == len(left) == of:  # all of them have ended
        outputs = _lines(last, "outputs.jsonl" if run == base else "scores.jsonl")
        parts = () if merge is None else merge.shards
        odd = any(one.torn or one.state != "merged" for one in parts)
        seen = {one.shard: one.lease for one in parts} == {one.parent.name: one.name for one in last}
        if merge is None or not seen or not (odd or merge.done >= outputs):
            fix = f"all of them have ended: `suite runs merge {run}` comes first"
        elif scoring and not odd:
            own = [one / "scorings" / scoring for one in last]
            if not any(one.exists() for one in own) or _lines(own, "scores.jsonl") == outputs:
                return
            fix = f"this scoring is theirs: `suite eval … --output {base} --shards {of}` continues it"
    what = f"{base.name} is divided into {of} shards that are not all finished and merged"
    raise RunError(what, where=str(base), fix=fix)


def _lines(folders: Sequence[Path], journal: str) -> int:
    return sum(1 for one in folders for _ in Lines(one / journal, OutputRecord).raw())


def differing(run: Json, plan: Json) -> list[str]:
    """Which fields of a run's plan and of this one differ, as their hashes do; at most ten."""
    found = []
    for path, there, here in islice(differences(run, plan), 10):
        both = f"{_listed(there)!r} there, {_listed(here)!r} here"
        what = "only in this plan" if there is MISSING else "only in the run" if here is MISSING else both
        found.append(f"{path} ({what})")
    return found


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
