"""Merging shards: the journals of a run are written anew, as a whole, from what each shard holds.

    DIR/shards/3-of-8/0002/…                  -> DIR/outputs.jsonl, …, DIR/scorings/ID/scores.jsonl, …
    DIR/scorings/ID/shards/3-of-8/0001/…      -> DIR/scorings/ID/scores.jsonl, …, of a scoring alone

Of a shard only the last lease counts, so what a stopped owner wrote after a takeover is not read. Others may
write meanwhile: of each lease a beginning is taken in which nothing names what is not there. What stands
twice is taken once, by call id, block or sample. Nothing of a shard is changed, and a file of the run that
would get the bytes that it has is left alone.
"""

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from heapq import merge as in_order
from itertools import chain, groupby
from pathlib import Path
from typing import NamedTuple

import msgspec

from suite.errors import RunError
from suite.files import open_regular, own_folder, replacing, trying
from suite.journal.document_files import read_document, read_manifest, write_document
from suite.journal.documents import ScoringManifest, Share
from suite.journal.index import key64
from suite.journal.journal_file import folder_lock
from suite.journal.lines import Lines
from suite.journal.merges import MERGE, Merge, MergedShard
from suite.journal.records import AttemptRecord, SpentRecord, encode
from suite.journal.repairs import ROOM, Survey, sizes
from suite.journal.run import Run
from suite.journal.shards import SHARDS, Shard, leases, shards_of
from suite.plugins import catalogue
from suite.run.cells import Cell
from suite.run.code import other_code
from suite.run.order import shard_of
from suite.run.recorded_files import with_recorded
from suite.run.reopen import cells_of
from suite.run.results import make_results
from suite.run.run_folder import differing


class _Name(msgspec.Struct):
    """What names a record of any journal, and when something happened."""

    id: str = ""
    sha256: str = ""
    cell: str = ""
    sample: str = ""
    trial: int = 0
    at: float | str = 0.0


_name, _spent = msgspec.json.Decoder(_Name).decode, msgspec.json.Decoder(SpentRecord).decode


class Source(NamedTuple):
    """A folder with journals of a shard, what is whole of them, and the folder that they are merged into."""

    folder: Path
    survey: Survey
    target: Path

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a journal, newline included."""
        return self.survey.kept(self.folder / name)


class Division:
    """The shards of a run, or of a scoring alone: `base` is its folder. Raises RunError for damage.

    sources: what is to be merged. shards: each of them, as it was found.
    """

    def __init__(self, base: Path, run: Run) -> None:
        self.base, self._run, self._alone = base, run, base != run.folder
        self.sources: list[Source] = []
        self._code = {} if self._alone else run.manifest.code  # that all must be made by
        self._known = Survey()
        if self._alone:
            self._known.note(run.folder)
        found = shards_of(base)
        self._of = max((n, of) for of, n in Counter(one.of for one in found).items())[1]
        planned = [Shard(which, self._of) for which in range(self._of)]
        self.shards = {one: self._seen(one) for one in dict.fromkeys([*planned, *found])}

    def _seen(self, shard: Shard) -> MergedShard:
        folder = shard.folder(self.base)
        with trying("read the shard", folder):
            lease = next(reversed(leases(folder)), None)
        if lease is None or not (lease / "manifest.json").is_file():
            return MergedShard(shard=folder.name, state="missing")
        if why := self._foreign(lease, shard):
            return MergedShard(shard=folder.name, state="foreign", lease=lease.name, why=why)
        survey = Survey(sizes(lease), self._known)
        survey.read(lease)
        self.sources.append(Source(lease, survey, self.base))
        for one in sorted(lease.glob("scorings/*/manifest.json")):
            self.sources.append(Source(one.parent, survey, self.base / "scorings" / one.parent.name))
        return MergedShard(shard=folder.name, state="merged", lease=lease.name, torn=survey.lost(lease))

    def _foreign(self, lease: Path, shard: Shard) -> str:
        """Why a lease is of another run or scoring, "" if it is not."""
        path, run = lease / "manifest.json", self._run.manifest
        if shard.of != self._of:
            return f"another number of shards: the others are of {self._of}"
        if self._alone:
            scoring = read_document(path, ScoringManifest)
            if (scoring.plan_sha256, scoring.scoring) != (run.plan_sha256, self.base.name):
                return f"another scoring: {scoring.scoring} of the plan {scoring.plan_sha256[:8]}"
            code = scoring.code
            self._code = self._code or code
        else:
            manifest = read_manifest(path)
            if manifest.shard != shard:
                return f"another shard: its manifest says {manifest.shard and Shard(*manifest.shard)}"
            if fields := differing(run.plan, {**manifest.plan, "shard": None}):
                what = "other data" if all(one.startswith("data") for one in fields) else "another plan"
                return f"{what}: {', '.join(fields)}"
            if manifest.suite != run.suite:
                return f"another suite: {manifest.suite}, the run was made by {run.suite}"
            code = manifest.code
        return "; ".join(f"other code of {task}: {change}" for task, change in other_code(self._code, code))

    def told(self, done: int, *, complete: bool) -> Merge:
        """What merge.json tells. done: outputs or scores. complete: no sample lacks anything."""
        run, own = self._run, [one.folder for one in self.sources if one.target == self.base]
        if self._alone:
            here = {one.which for one, seen in self.shards.items() if seen.state == "merged"}
            every = Counter(output.group for output in run.outputs())
            some = [count for group, count in every.items() if shard_of(group, self._of) in here]
            groups, samples = (len(some), len(every)), (sum(some), every.total())
        else:
            there = [read_manifest(one / "manifest.json") for one in own]
            groups = (sum(one.counts.groups_taken for one in there), run.manifest.counts.groups_taken)
            samples = (sum(one.all_works for one in there), run.manifest.all_works)
        return Merge(
            run=run.name,
            plan_sha256=run.manifest.plan_sha256,
            scoring=self.base.name if self._alone else "",
            complete=complete and all(one.state == "merged" for one in self.shards.values()),
            done=done,
            groups=Share(taken=groups[0], all=groups[1]),
            samples=Share(taken=samples[0], all=samples[1]),
            shards=list(self.shards.values()),
        )


def merge_shards(folder: Path, cells: Sequence[Cell] = ()) -> list[Merge]:
    """Merge the shards of a run, and of those of its scorings that are divided by themselves, and make
    `results.json` of each scoring; what was seen of the shards.

    cells: of the run's tasks; () for those that are installed. Raises RunError where nothing is divided, for
    a journal that is damaged before good records, or where something cannot be written; SuiteError where the
    task of a scoring is not at hand.
    """
    run = Run(folder)
    bases = [folder, *(one.parent for one in sorted(folder.glob(f"scorings/*/{SHARDS}")))]
    with folder_lock(folder):
        divisions = [Division(base, run) for base in bases if shards_of(base)]
        if not divisions:
            fix = "`suite eval … --shards N` divides a run"
            raise RunError(f"{folder.name} has no shards to merge", str(folder), fix)
        sources: dict[Path, list[Source]] = {}
        for source in chain.from_iterable(one.sources for one in divisions):
            sources.setdefault(source.target, []).append(source)
        scored = [place for place in sources if place != folder]
        if scored and not cells:  # what is not at hand shows before anything is written
            cells = cells_of(run, with_recorded(catalogue(), [run]))
        done = {place: _write(place, some, run) for place, some in sources.items()}
        own = [one for base in bases for one in sources.get(base, ())]
        _put(folder / "attempts.jsonl", _by_time(folder / "attempts.jsonl", own))
        told = groupby(_by_time(folder / "commands.jsonl", own), lambda line: line.partition(b',"at":')[0])
        _put(folder / "commands.jsonl", (next(same) for _, same in told))
        pending = {place: _results(place, run, cells) for place in scored}
        if folder in sources:
            pending[folder] = run.manifest.all_works - done[folder]
        merges = []
        for one in divisions:
            left = pending.values() if one.base == folder else [pending.get(one.base, 1)]
            merges.append(one.told(done.get(one.base, 0), complete=not any(left)))
            write_document(one.base / MERGE, merges[-1])
        return merges


def _write(place: Path, sources: Sequence[Source], run: Run) -> int:
    """Write the journals of a run or scoring; how many outputs or scores they hold."""
    if place != run.folder:
        with trying("make the folder of the scoring", place):
            own_folder(place.parent)
            own_folder(place)
        if not (manifest := place / "manifest.json").exists():
            found = read_document(sources[0].folder / "manifest.json", ScoringManifest)
            named = msgspec.structs.replace(found, run=run.name, plan_sha256=run.manifest.plan_sha256)
            write_document(manifest, named)
    names = ("blocks", "calls", "outputs", "scores")  # what is named goes before what names it
    *_, outputs, scores = [_put(place / f"{name}.jsonl", _once(f"{name}.jsonl", sources)) for name in names]
    _put(place / "spent.jsonl", _numbered(sources))
    return outputs or scores


def _results(place: Path, run: Run, cells: Sequence[Cell]) -> int:
    """Write results.json of a scoring; how many samples have no score."""
    run = Run(run.folder, place.name)
    metrics = {one.plan.task: one.task.metrics for one in cells}
    results = make_results(run, metrics, level=run.scoring_manifest.level)
    write_document(place / "results.json", results)
    return results.pending


def _put(path: Path, lines: Iterable[bytes]) -> int:
    """Make a file of these lines unless it is that already; how many there are. Raises RunError."""
    count, same, lines = 0, 0, iter(lines)
    with trying(f"write {path.name}", path, ROOM), ExitStack() as stack:
        old = stack.enter_context(open_regular(path)) if path.exists() else None
        for line in lines:
            count += 1
            if old is None or old.read(len(line)) != line:
                break
            same += len(line)
        else:
            if old is None or not old.read(1):
                return count
            line = b""
        new = stack.enter_context(replacing(path))
        if old is not None:
            old.seek(0)
            shutil.copyfileobj(old, new)
            new.seek(same)
            new.truncate()
        new.write(line)
        for one in lines:
            count += 1
            new.write(one)
    return count


def _once(name: str, sources: Sequence[Source]) -> Iterator[bytes]:
    """The records of a journal, each once."""
    seen: set[int] = set()
    for line in chain.from_iterable(source.lines(name) for source in sources):
        one = _name(line)
        key = key64((one.id, one.sha256, one.cell, one.sample, one.trial))
        if key not in seen:
            seen.add(key)
            yield line


def _by_time(path: Path, sources: Sequence[Source]) -> Iterator[bytes]:
    """What happened in all shards, in order of time, and in the run itself since it was merged."""
    seen = {hash(line) for source in sources for line in source.lines(path.name)} if path.exists() else ()
    own = (line + b"\n" for line in Lines(path, AttemptRecord).raw())
    since = (line for line in own if hash(line) not in seen)
    return in_order(*(source.lines(path.name) for source in sources), since, key=lambda line: _name(line).at)


def _numbered(sources: Sequence[Source]) -> Iterator[bytes]:
    """What tries used, numbered over all shards."""
    last = most = 0
    for source in sources:
        for one in map(_spent, source.lines("spent.jsonl")):
            one.number += last
            most = max(most, one.number)
            yield encode(one)
        last = most
