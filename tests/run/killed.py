"""A process that works on a run, or on a shard of it, until it is done or killed.

Its arguments: the URL of the models, the folder, and the shard as I/N.
"""

import asyncio
import sys
from pathlib import Path

from small_tasks import Spell, cells, plan_of, run

from suite.journal.shards import parse_shard
from suite.run.lease_folder import LeaseFolder


class Longer(Spell):
    """More words, so that there is something to interrupt."""

    words = 60


def main(url: str, folder: str, shard: str = "") -> int:
    """Exit code of the run."""
    sweep = [{"turns": turns, "style": style} for turns in (0, 2) for style in ("plain", "polite")]
    plan = plan_of(
        {"candidate": "openai/loopback", "judge": "openai/loopback"},
        cells(Longer, *sweep),
        options=[("", "base_url", url), ("judge", "base_url", url)],
    )
    if not shard:
        return asyncio.run(run(plan, Path(folder))).exit_code
    lease = LeaseFolder(plan, Path(folder), parse_shard(shard), ("solve", "score"))
    outcome = asyncio.run(run(lease.plan, lease))
    if outcome.error is not None:
        sys.stderr.write(f"{outcome.error}\n")
    return outcome.exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
