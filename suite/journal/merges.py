"""merge.json: what a merge saw of the shards of a run, in its folder, or of a scoring alone, in its."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from suite.journal.documents import Share
from suite.journal.shapes import Count, Sha256, matching, shaped

MERGE, MERGE_FORMAT = "merge.json", "suite-merge/1"


class MergedShard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A shard, such as "3-of-8", as a merge found it. lease: the one that counts, and its token. groups,
    samples: of one that is merged. why: it is foreign. torn: by file, records that were cut short or lack a
    part. held: by file, the most records that a merge found in this lease; stay: how many of them the lease
    lacks now, which stay in the run."""

    shard: Annotated[str, matching("[0-9]+-of-[0-9]+")]
    state: Literal["merged", "missing", "foreign"]
    lease: Annotated[str, matching("[0-9]*")] = ""
    groups: Count = 0
    samples: Count = 0
    why: str = ""
    torn: Mapping[str, Count] = {}
    token: str = ""
    held: Mapping[str, Count] = {}
    stay: Count = 0


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """All shards of a run, or of its scoring. done: samples with an output, or with a score. groups, samples:
    those of the shards that were merged, of all. complete: nothing is missing, in scorings neither."""

    format: Annotated[str, shaped(const=MERGE_FORMAT)] = MERGE_FORMAT
    run: str
    plan_sha256: Sha256
    scoring: str
    complete: bool
    done: Count
    groups: Share
    samples: Share
    shards: Sequence[MergedShard]

    @property
    def planned(self) -> list[MergedShard]:
        """The shards of the run, without foreign folders of another number."""
        return [one for one in self.shards if one.shard.endswith(self.shards[0].shard.partition("-")[2])]
