"""Merging shards: the journals of a run are written anew, as a whole, from what each shard holds.

    DIR/shards/3-of-8/0002/…                  -> DIR/outputs.jsonl, …, DIR/scorings/ID/scores.jsonl, …
    DIR/scorings/ID/shards/3-of-8/0001/…      -> DIR/scorings/ID/scores.jsonl, …, of a scoring alone

Of a shard only the last lease counts, so what a stopped owner wrote after a takeover is not read. Others may
write meanwhile: of each lease a beginning is taken in which nothing names what is not there. What stands
twice is taken once, by call id, block or sample; what a merge took of a shard whose folder is gone by now, or
whose files are cut or lost, stays. Nothing of a shard is changed, and a file of the run that would get the
bytes it has is left alone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from heapq import merge as in_order
from itertools import chain, groupby
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from suite.chat import Json
from suite.errors import RunError, SuiteError
from suite.files import own_folder, replacing, trying, write_whole
from suite.journal.decisions import DECISION
from suite.journal.document_files import read_bytes, read_document, read_manifest, write_document
from suite.journal.documents import RunManifest, ScoringManifest, Share, TaskCode
from suite.journal.index import key64
from suite.journal.journal_file import folder_lock
from suite.journal.lines import Lines
from suite.journal.merges import MERGE, Merge, MergedShard
from suite.journal.records import AttemptRecord, SpentRecord, encode
from suite.journal.repairs import ROOM, Survey, sizes
from suite.journal.run import Run
from suite.journal.shards import LEASE, Shard, divided_into, leases, owner_of, parse_shard, shards_of
from suite.plugins import catalogue
from suite.run.cells import Cell
from suite.run.order import shard_of
from suite.run.recorded_files import with_recorded
from suite.run.reopen import cells_of
from suite.run.results import make_results
from suite.run.run_folder import differing

PATIENCE_S = 10.0  # for another merge to end


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

    sources: what is to be merged.
    """

    def __init__(self, base: Path, run: Run) -> None:
        self.base, self._run, self._alone = base, run, base != run.folder
        self.sources: list[Source] = []
        self._code: Mapping[str, TaskCode] | None = None if self._alone else run.manifest.code
        self._known = Survey()
        self._groups: Counter[str] = Counter()  # of a scoring alone: samples of each
        if self._alone:
            self._known.note(run.folder)
            self._groups.update(output.group for output in run.outputs())
        last = read_document(base / MERGE, Merge).shards if (base / MERGE).exists() else ()
        self._before = {one.shard: one for one in last if one.state == "merged"}
        found = shards_of(base) or [parse_shard(one.replace("-of-", "/")) for one in self._before]
        self._of = divided_into(base)[0] or found[0].of
        planned = [Shard(which, self._of) for which in range(self._of)]
        others = [one for one in found if one.of != self._of and leases(one.folder(base))]
        self._shards = [self._seen(one) for one in (*planned, *others)]
        if any(one.stay or one is self._before.get(one.shard) for one in self._shards):
            survey = Survey(known=self._known)
            survey.read(base)
            scorings = [one.parent for one in sorted(base.glob("scorings/*/manifest.json"))]
            places = [base, *(one for one in scorings if not shards_of(one))]
            self.sources += [Source(place, survey, place) for place in places]

    def _seen(self, shard: Shard) -> MergedShard:
        folder = shard.folder(self.base)
        with trying("read the shard", folder):
            lease = next(reversed(leases(folder)), None)
            before = self._before.get(folder.name)
            lost = lease is None or (before is not None and int(lease.name) < int(before.lease or 0))
            if lease is None or lost or not (path := lease / "manifest.json").is_file():
                return before or MergedShard(shard=folder.name, state="missing")
            manifest = read_document(path, ScoringManifest) if self._alone else read_manifest(path)
            if why := ", ".join(self._differing(shard, manifest)):
                return MergedShard(shard=folder.name, state="foreign", lease=lease.name, why=why)
            survey = Survey(sizes(lease), self._known)
            survey.read(lease)
        self.sources.append(Source(lease, survey, self.base))
        for one in sorted(lease.glob("scorings/*/manifest.json")):
            self.sources.append(Source(one.parent, survey, self.base / "scorings" / one.parent.name))
        own = [n for group, n in self._groups.items() if shard_of(group, shard.of) == shard.which]
        groups, samples = len(own), sum(own)
        if isinstance(manifest, RunManifest):
            groups, samples = manifest.counts.groups_taken, manifest.all_works
        token = owner_of(lease).token if (lease / LEASE).exists() else ""
        held, most = survey.held(lease), Counter[str]()
        same = before is not None and before.lease == lease.name
        if before is not None and same and (not token or before.token in ("", token)):
            most.update(before.held)
        return MergedShard(
            shard=folder.name, state="merged", lease=lease.name, groups=groups, samples=samples,
            torn=survey.lost(lease), token=token, held={**(most | held)}, stay=(most - held).total(),
        )  # fmt: skip

    def _differing(self, shard: Shard, found: RunManifest | ScoringManifest) -> list[str]:
        """What a manifest says otherwise than the run, or the scoring, that its shard is to be of."""
        run, self._code = self._run.manifest, found.code if self._code is None else self._code
        there: dict[str, Json] = {"shards": self._of}
        here: dict[str, Json] = {"shards": shard.of}
        there["code"], here["code"] = msgspec.to_builtins(self._code), msgspec.to_builtins(found.code)
        if isinstance(found, RunManifest):
            there |= {"shard": str(shard), "suite": run.suite, "plan": {**run.plan}}
            here |= {"shard": str(Shard(*found.shard or (0, 1))), "suite": found.suite}
            here["plan"] = {**found.plan, "shard": None}
        else:
            there |= {"scoring": self.base.name, "plan": run.plan_sha256}
            here |= {"scoring": found.scoring, "plan": found.plan_sha256}
        return differing(there, here)

    def told(self, done: int, *, complete: bool) -> Merge:
        """What merge.json tells. done: outputs or scores. complete: no sample lacks anything."""
        run, there = self._run.manifest, [one for one in self._shards if one.state == "merged"]
        groups, samples = run.counts.groups_taken, run.all_works
        if self._alone:
            groups, samples = len(self._groups), self._groups.total()
        return Merge(
            run=self._run.name, plan_sha256=run.plan_sha256, scoring=self.base.name if self._alone else "",
            complete=complete and len(there) == len(self._shards), done=done, shards=self._shards,
            groups=Share(taken=sum(one.groups for one in there), all=groups),
            samples=Share(taken=sum(one.samples for one in there), all=samples),
        )  # fmt: skip


def merge_shards(folder: Path, cells: Sequence[Cell] = (), tasks: Sequence[str] = ()) -> list[Merge]:
    """Merge the shards of a run, and of those of its scorings that are divided by themselves, and make
    `results.json` of each scoring; what was seen of the shards.

    cells: of the run's tasks; () for those that are installed. tasks: files of those that come from one.
    Raises RunError where nothing is divided, for a journal that is damaged before good records, or where
    something cannot be written; SuiteError where the task of a scoring is not at hand: all but its results is
    merged then.
    """
    absent: SuiteError | None = None
    run, bases = Run(folder), [folder, *sorted(folder.glob("scorings/*/"))]
    with folder_lock(folder, needed=False, patience=PATIENCE_S):
        divisions = [Division(one, run) for one in bases if shards_of(one) or (one / MERGE).exists()]
        if not divisions:
            raise RunError.of("run.shards.to-merge", folder=folder)
        sources: dict[Path, list[Source]] = {}
        for source in chain.from_iterable(one.sources for one in divisions):
            sources.setdefault(source.target, []).append(source)
        if sources.keys() - {folder} and not cells:
            try:
                cells = cells_of(run, with_recorded(catalogue(), [run], tasks))
            except SuiteError as error:
                absent = error
        before = {place: _written(place, folder) for place in sources}
        done = {place: _write(place, some, run) for place, some in sources.items()}
        own = [one for base in bases for one in sources.get(base, ()) if one.folder != base]
        _put(folder / "attempts.jsonl", _by_time(folder / "attempts.jsonl", own))
        told = groupby(_by_time(folder / "commands.jsonl", own), lambda line: line.partition(b',"at":')[0])
        _put(folder / "commands.jsonl", (next(same) for _, same in told))
        left = dict.fromkeys(done, 1)
        for place in done if absent is None else ():
            if place != folder:
                left[place] = _results(place, run, cells, same=before[place] == _written(place, folder))
        left[folder] = run.manifest.all_works - done[folder] if folder in done else 0
        merges = []
        for one in divisions:
            pending = left.values() if one.base == folder else [left.get(one.base, 1)]
            merges.append(one.told(done.get(one.base, 0), complete=not any(pending)))
            write_document(one.base / MERGE, merges[-1])
        if absent is not None:
            what = f"the journals are merged, but results.json cannot be made: {absent.what}"
            fix = "; ".join(filter(None, [absent.fix, "a task's file that moved: --task FILE.py"]))
            raise type(absent)(what, absent.where, fix)
        return merges


def _written(place: Path, folder: Path) -> list[int]:
    """What names the journals behind the results of a scoring: others once they are written anew."""
    paths = [one / f"{name}.jsonl" for one in (place, folder) for name in ("outputs", "calls", "scores")]
    return [path.stat().st_ino if path.exists() else 0 for path in paths]


def _write(place: Path, sources: Sequence[Source], run: Run) -> int:
    """Write the journals of a run or scoring; how many outputs or scores they hold."""
    if not (manifest := place / "manifest.json").exists():
        with trying("make the folder of the scoring", place):
            own_folder(place.parent)
            own_folder(place)
        found = read_document(sources[0].folder / "manifest.json", ScoringManifest)
        write_document(manifest, replace(found, run=run.name, plan_sha256=run.manifest.plan_sha256))
    for decided in (one.folder / DECISION for one in sources if (one.folder / DECISION).exists()):
        write_whole(place / DECISION, [read_bytes(decided)])  # all shards found the same
    files = ("blocks.jsonl", "calls.jsonl", "outputs.jsonl", "scores.jsonl")  # what is named comes first
    *_, outputs, scores = [_put(place / name, _once(name, sources)) for name in files]
    if sources[-1].folder != place:  # else it stays, with what shards spent that are gone
        _put(place / "spent.jsonl", _numbered(sources))
    return outputs or scores


def _results(place: Path, run: Run, cells: Sequence[Cell], *, same: bool) -> int:
    """Write results.json of a scoring; how many samples have no score. same: its journals are as they were,
    so only work on other scorings can have changed what was spent."""
    run = Run(run.folder, place.name)
    metrics = {one.plan.task: one.task.metrics for one in cells}
    results = make_results(run, metrics, level=run.scoring_manifest.level)
    if same and run.has_results:
        was = run.results
        unchanged = replace(results, seconds=was.seconds, calls=was.calls, findings=was.findings)
        if msgspec.json.encode(unchanged) == msgspec.json.encode(was):
            return results.pending
    write_document(place / "results.json", results)
    return results.pending


def _put(path: Path, lines: Iterator[bytes]) -> int:
    """Make a file of these lines unless it is that already; how many there are. Raises RunError."""
    count, first = 0, next(lines, b"")
    if first or path.exists():
        with trying(f"write {path.name}", path, ROOM), replacing(path, same_stays=True) as file:
            for count, line in enumerate(chain([first] if first else [], lines), 1):  # noqa: B007
                file.write(line)
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
