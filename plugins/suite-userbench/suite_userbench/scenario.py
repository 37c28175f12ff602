"""What the state machine knows of a scenario, and the benchmark's fixed vocabulary.

A scenario is a task with aspects; nothing here is about travel but the tags and tiers, so another domain
brings its own aspects, letters and legends. Not here: the published JSON schema (`records`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Tag = Literal["22", "33", "44", "233", "333", "334", "444", "2222"]
TAGS: tuple[Tag, ...] = get_args(Tag)
TIERS: Mapping[str, str] = {  # paper, Table 2
    "22": "easy",
    "2222": "easy",
    "33": "medium",
    "233": "medium",
    "333": "medium",
    "44": "hard",
    "334": "hard",
    "444": "hard",
}
DIFFICULTY: Mapping[str, str] = {  # the data's own field; differs from the tiers for 2222 and 44
    "22": "easy",
    "2222": "medium",
    "33": "medium",
    "44": "medium",
    "233": "medium",
    "333": "medium",
    "334": "hard",
    "444": "hard",
}
SYNTH = "userbench-synth"  # sources of this project's scenarios begin with it


@dataclass(frozen=True, slots=True)
class Preference:
    """What the user wants of one aspect and does not say. GOLD: no candidate may see any of it.

    id: "P1" …, numbered over the aspects in the scenario's order. statement: how the user hints at it.
    """

    id: str
    aspect: str
    category: str
    text: str
    statement: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing to be found. `options` holds what may be shown: id -> fields without gold ones.

    letter: what option ids begin with. arguments: what a search has to say. legend: explains the fields.
    correct: includes `best`. wrong, noise: ids of the distractors, in the data's order.
    """

    name: str
    letter: str
    arguments: Mapping[str, str]
    options: Mapping[str, Mapping[str, Any]]
    best: str
    correct: tuple[str, ...]
    wrong: tuple[str, ...]
    noise: tuple[str, ...]
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One task. Public: id, tag, tier, request. All else is gold.

    request: how the user opens. story: the whole trip with every preference. source: who made it.
    """

    id: str
    tag: str
    tier: str
    difficulty: str
    request: str
    story: str
    aspects: tuple[Aspect, ...]
    preferences: tuple[Preference, ...]
    source: str = "userbench"

    def aspect(self, name: str) -> Aspect | None:
        """The aspect of that name."""
        return next((one for one in self.aspects if one.name == name), None)

    def lettered(self, letter: str) -> Aspect | None:
        """The aspect whose option ids begin with that letter."""
        return next((one for one in self.aspects if one.letter == letter), None)
