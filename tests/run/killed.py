"""A process that works on one run until it is done or killed: URL and folder are its arguments."""

import asyncio
import sys
from pathlib import Path

from small_tasks import Spell, cells, plan_of, run


class Longer(Spell):
    """More words, so that there is something to interrupt."""

    words = 60


def main(url: str, folder: str) -> int:
    """Exit code of the run."""
    sweep = [{"turns": turns, "style": style} for turns in (0, 2) for style in ("plain", "polite")]
    plan = plan_of(
        {"candidate": "openai/loopback", "judge": "openai/loopback"},
        cells(Longer, *sweep),
        options=[("", "base_url", url), ("judge", "base_url", url)],
    )
    return asyncio.run(run(plan, Path(folder))).exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
