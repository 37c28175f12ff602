"""The folder of a shard's lease at work: what a `Session` writes there, and what stands for the whole run.

The shards of a run write into folders of their own. One thing is made for all of them, once: the manifest of
the whole plan. The journals of the run are written by a merge alone.
"""

import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from suite.errors import RunError
from suite.files import trying
from suite.journal.document_files import read_manifest, write_document
from suite.journal.shards import Shard, leases, shards_of
from suite.roles import Stage
from suite.run.leases import Lease, take
from suite.run.manifest import FactsOfCells, run_manifest
from suite.run.plan import Plan, sharded
from suite.run.run_folder import RunFolder, differing, refuse_open


class LeaseFolder(RunFolder):
    """The folder of a shard's lease. whole: the plan of all shards. root: the folder of their run.

    A scoring alone reads the journals of the root; its own files stand in the lease.
    """

    def __init__(self, whole: Plan, plan: Plan, root: Path, lease: Path, stages: Sequence[str]) -> None:
        self.alone = Stage.SOLVE not in stages
        scoring = plan.scoring_id if Stage.SCORE in stages else ""
        super().__init__(plan, root if self.alone else lease, scoring)
        self.whole, self.root, self.own, self.name = whole, root, lease, root.name
        self._lease: Lease | None = None

    def of(self, stage: Stage) -> Path:
        """Where the records of a stage stand."""
        return self.own if self.alone and stage is Stage.SCORE else super().of(stage)

    def hold(
        self, all_done: Callable[[], bool], say: Callable[[str], None], lost: Callable[[RunError], None]
    ) -> AbstractContextManager[str]:
        """Keep the lease, until another process has the shard: `lost` is told then, on another thread."""
        del all_done, say
        assert self._lease is not None
        return self._lease.kept(lost)

    def write_manifests(
        self, facts: FactsOfCells, stages: Sequence[Stage], *, imported: bool, level: float
    ) -> None:
        """The manifests of the shard, and before them that of the whole run unless another shard made it."""
        path = self.root / "manifest.json"
        if not self.alone and not path.exists():
            made = path.with_name(f"manifest.json.{secrets.token_hex(8)}")
            write_document(made, run_manifest(self.whole, self.root.name, facts, imported=imported))
            with trying("write manifest.json", path), suppress(FileExistsError):
                os.link(made, path)
            made.unlink(missing_ok=True)
        if (there := read_manifest(path)).plan_sha256 != self.whole.sha256 and not self.alone:
            fields = ", ".join(differing(there.plan, self.whole.solve_identity()))
            raise RunError(f"{self.root.name} holds a run of another plan; differing: {fields}", str(path))
        super().write_manifests(facts, stages, imported=imported, level=level)


def lease_folder(
    whole: Plan, root: Path, shard: Shard, stages: Sequence[str], say: Callable[[str], None]
) -> LeaseFolder | None:
    """The folder of a shard, taken by this process; None where nothing of the shard is left to do.

    Raises RunError where another process has it, or where the folder is not divided so.
    """
    alone, plan = Stage.SOLVE not in stages, sharded(whole, shard)
    base = root / "scorings" / plan.scoring_id if alone else root
    if alone:
        refuse_open(root)
    _divided(base, shard, "scores.jsonl" if alone else "outputs.jsonl")
    for last in leases(shard.folder(base))[-1:]:
        found = LeaseFolder(whole, plan, root, last, stages)
        if found.all_done([Stage(one) for one in stages], plan.all_works):
            return None
    lease = take(shard, base, say, root if alone else None)
    found = LeaseFolder(whole, plan, root, lease.path, stages)
    found._lease = lease
    return found


def _divided(base: Path, shard: Shard, journal: str) -> None:
    """Make the folder of a shard. Raises RunError where the run is divided otherwise, or not at all."""
    if (base / journal).exists() and not shards_of(base):
        fix = "the same command without shards continues it"
        raise RunError(f"{base.name} was begun without shards", str(base), fix)
    folder = shard.folder(base)
    with trying("make the folder of the shard", folder):
        folder.mkdir(parents=True, exist_ok=True)
    if others := {one.of for one in shards_of(base)} - {shard.of}:
        with suppress(OSError):  # it holds leases
            folder.rmdir()
        number = max(others)
        what = f"{base.name} is divided into {number} shards, not {shard.of}"
        raise RunError(what, str(folder.parent), f"give --shards {number}, or --shard I/{number}")
