"""Generated scenarios as files: index rows in the published schema, and the bundled mini set."""

from collections.abc import Iterator, Mapping
from typing import Any

from suite_userbench.scenario import TAGS, Tag
from suite_userbench.synth.generator import scenarios

MINI_SEED = 1
MINI_COUNTS: Mapping[Tag, int] = {tag: 5 if tag == "22" else 2 for tag in TAGS}


def index_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """The split-index row of a generated record."""
    best = [record[aspect]["best_id"] for aspect in record["dimensions"]]
    return {
        "data_source": "userbench-synth",
        "reward_model": {
            "env_name": "UserBench",
            "ground_truth": str(best),
            "id": record["scenario_id"],
            "style": "rule",
        },
        "extra_info": {"split": record["split"]},
    }


def mini(tag: Tag) -> Iterator[dict[str, Any]]:
    """The bundled scenarios of a tag."""
    return scenarios(tag, "test", seed=MINI_SEED, count=MINI_COUNTS[tag])
