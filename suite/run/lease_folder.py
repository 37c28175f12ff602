"""A shard's folder at work: what a `Session` writes there, and what stands for the whole run.

The shards of a run write into folders of their own. One thing is made for all of them, once: the manifest of
the whole plan. The journals of the run are written by a merge alone.
"""

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from suite.errors import RunError
from suite.files import trying
from suite.journal.document_files import read_manifest, write_document
from suite.journal.merges import MERGE
from suite.journal.shards import Shard, divided_into, leases, shards_of
from suite.roles import Stage
from suite.run.leases import take
from suite.run.manifest import FactsOfCells, run_manifest
from suite.run.plan import Plan, sharded
from suite.run.run_folder import RunFolder, differing, refuse_open


class LeaseFolder(RunFolder):
    """The folder of a shard's lease. whole: the plan of all shards. root: the folder of their run.

    A scoring alone reads the journals of the root; its own files stand in the lease.
    """

    otherwise = "remove the folder of the shard: it begins anew"

    def __init__(self, whole: Plan, root: Path, shard: Shard, stages: Sequence[str]) -> None:
        self._alone = Stage.SOLVE not in stages
        super().__init__(sharded(whole, shard), root, whole.scoring_id if Stage.SCORE in stages else "")
        self.whole, self.shard = whole, shard
        self.base = root / "scorings" / self.scoring if self._alone else root
        last = leases(shard.folder(self.base))[-1:]
        self._use(last[0] if last else shard.folder(self.base) / "none")

    def _use(self, lease: Path) -> None:
        self.own, self.path = lease, self.root if self._alone else lease

    def of(self, stage: Stage) -> Path:
        """Where the records of a stage stand."""
        return self.own if self._alone and stage is Stage.SCORE else super().of(stage)

    def watched(self) -> list[Path]:
        """This shard's folder, and those of the others as their owners write them."""
        shards = (Shard(which, self.shard.of) for which in range(self.shard.of) if which != self.shard.which)
        return [self.path, *(one for other in shards for one in leases(other.folder(self.base))[-1:])]

    @contextmanager
    def hold(
        self, say: Callable[[str], None], lost: Callable[[RunError], None], stages: Sequence[Stage]
    ) -> Iterator[str]:
        """Take the shard and keep it while the block runs, unless nothing is left to do.

        lost: told, on another thread, that another process has it now. Raises RunError where one has it
        already, or where the folder is not divided so.
        """
        if Stage.SOLVE not in stages:
            refuse_open(self.root, self.scoring)
        self._divide()
        if self.all_done(stages):
            yield ""
            return
        lease = take(self.shard, self.base, say, self.root if self._alone else None)
        self._use(lease.path)
        if lease.told:
            say(lease.told)
        with lease.kept(lost):
            yield lease.told

    def check_division(self) -> None:
        """Raises RunError where the folder has no shards but records, or is divided otherwise."""
        journal = "scores.jsonl" if self._alone else "outputs.jsonl"
        if (self.base / journal).exists() and not shards_of(self.base):
            gone = (self.base / MERGE).exists()
            how = "merged from shards whose folders are gone" if gone else "begun without shards"
            raise RunError.of("run.shards.none", base=self.base, how=how)
        number, certain = divided_into(self.base)
        others = {one.of for one in shards_of(self.base)} - {self.shard.of}
        if others and not (certain and number == self.shard.of):  # who begins at this moment has no lease yet
            number = number if certain else max(others)
            about = {"base": self.base, "number": number, "of": self.shard.of}
            raise RunError.of("run.shards.other-number", place=self.shard.folder(self.base).parent, **about)

    def _divide(self) -> None:
        self.check_division()
        folder = self.shard.folder(self.base)
        with trying("make the folder of the shard", folder):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            self.check_division()  # who divides it otherwise at this moment sees this folder
        except RunError:
            with suppress(OSError):  # it holds leases
                folder.rmdir()
            raise

    def write_manifests(
        self, facts: FactsOfCells, stages: Sequence[Stage], *, imported: bool, level: float
    ) -> None:
        """The manifests of the shard, and before them that of the whole run unless another shard made it."""
        path = self.root / "manifest.json"
        if not self._alone and not path.exists():
            made = path.with_name(f".manifest-{secrets.token_hex(8)}")
            write_document(made, run_manifest(self.whole, self.name, facts, imported=imported))
            with trying("write manifest.json", path), suppress(FileExistsError):
                os.link(made, path)
            made.unlink()
        if (there := read_manifest(path)).plan_sha256 != self.whole.sha256 and not self._alone:
            fields = ", ".join(differing(there.plan, self.whole.solve_identity()))
            raise RunError(f"{self.name} holds a run of another plan; differing: {fields}", str(path))
        super().write_manifests(facts, stages, imported=imported, level=level)
