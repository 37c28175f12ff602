"""What a merge of shards saw, in words (`suite.journal.merges`)."""

from collections.abc import Iterator

from suite.errors import listed
from suite.journal.merges import Merge
from suite.report.numbers import percent

MOST = 8  # shards by name


def merge_lines(merge: Merge) -> Iterator[str]:
    """For who merges: how much is there, and what is not."""
    taken, done = (
        sum(one.state == "merged" for one in merge.shards),
        f"{merge.done:,} of {merge.samples.all:,}",
    )
    what = f"scored in scoring {merge.scoring}" if merge.scoring else "solved"
    yield f"merged {taken} of {len(merge.shards)} shards: {done} samples {what}"
    if gone := [one.shard for one in merge.shards if one.state == "missing"]:
        yield f"! missing: {listed(gone, MOST)}"
    for one in merge.shards:
        if one.state == "foreign":
            yield f"! {one.shard} is left out: {one.why}"
        if one.torn:
            lost = ", ".join(f"{count:,} in {name}" for name, count in one.torn.items())
            yield f"! {one.shard} is torn: records that lack a part count as not done: {lost}"


def missing(merge: Merge) -> str:
    """Which shards a run was merged without, and how much that is; "" of one that lacks none."""
    gone = [one.shard for one in merge.shards if one.state != "merged"]
    if not gone:
        return ""
    groups, samples = (percent(1 - one.taken / (one.all or 1)) for one in (merge.groups, merge.samples))
    return (
        f"Merged without {len(gone)} of {len(merge.shards)} shards ({listed(gone, MOST)}): {groups} of the "
        f"groups and {samples} of the samples are not there. A shard is a random share of the groups, drawn "
        "by a hash, so what is there is no biased slice."
    )
