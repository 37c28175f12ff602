"""Generated scenarios, ready to play."""

from collections.abc import Iterator, Sequence

from suite_userbench.records import Record, scenario_from
from suite_userbench.scenario import Scenario, Tag
from suite_userbench.synth.catalogue import Split
from suite_userbench.synth.generator import COUNTS, scenarios


def made(tags: Sequence[Tag], split: Split, seed: int = 0, count: int | None = None) -> Iterator[Scenario]:
    """`count` scenarios of each tag (None: as many as the published split has), lazily."""
    for tag in tags:
        wanted = COUNTS[tag][0 if split == "train" else 1] if count is None else count
        for record in scenarios(tag, split, seed=seed, count=wanted):
            yield scenario_from(Record(**record))
