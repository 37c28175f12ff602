"""The 82 preferences a traveller may have: texts, lexicons and implicit statements from TOML files.

Raises nothing at import; `catalogue()` reads the files once. Not here: what makes an option satisfy a
preference (`rules`), the solver's own reading of the same texts (`solver`).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import combinations
from typing import Literal

VERSION = 1  # of texts, rules and generator together: raised when any scenario changes
ASPECTS = ("flight", "hotel", "apartment", "rental_car", "restaurant")
Split = Literal["train", "test"]

# Pairs that contradict or imply each other, or leave no way to break only one: never drawn together.
CONFLICTS: Mapping[str, frozenset[frozenset[str]]] = {
    "flight": frozenset(
        frozenset(pair)
        for pair in (
            ("direct", "sensible-layover"),
            ("direct", "all-different"),
            ("direct", "same-airline"),
            ("layover", "sensible-layover"),
            ("layover", "all-different"),
            ("layover", "same-airline"),
            ("via", "sensible-layover"),
        )
    ),
    "rental_car": frozenset({frozenset(("brand", "named-model"))}),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """One preference of the catalogue.

    value: kind of value that the statement names ("" if none), a key of `values.VALUES`.
    fee: the service fee it makes payable. room: the hotel room type it asks for.
    words: phrases of a question that asks for it. hides: what no statement may say.
    situations, wishes: a statement is one of each; the last situation is held out for the test split.
    """

    aspect: str
    key: str
    category: str
    text: str
    note: str
    words: tuple[str, ...]
    hides: tuple[str, ...]
    situations: tuple[str, ...]
    wishes: tuple[str, ...]
    value: str = ""
    fee: str = ""
    room: str = ""

    def statements(self, split: Split) -> tuple[str, ...]:
        """Templates of its implicit statements; a value stands in them as {v}."""
        chosen = self.situations[-1:] if split == "test" else self.situations[:-1]
        return tuple(f"{situation} {wish}" for situation in chosen for wish in self.wishes)


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, tuple[Wish, ...]]:
    """Aspect -> its preferences, in file order."""
    found = {}
    for aspect in ASPECTS:
        raw = tomllib.loads((files(__package__) / "catalogue" / f"{aspect}.toml").read_text("utf-8"))
        found[aspect] = tuple(
            Wish(
                aspect,
                one["key"],
                one["category"],
                one["text"],
                one["note"],
                tuple(one["words"]),
                tuple(one["hides"]),
                tuple(one["s"]),
                tuple(one["w"]),
                one.get("value", ""),
                one.get("fee", ""),
                one.get("room", ""),
            )
            for one in raw["preference"]
        )
    return found


@lru_cache(maxsize=1)
def by_text() -> Mapping[tuple[str, str], Wish]:
    """(aspect, text) -> preference."""
    return {(wish.aspect, wish.text): wish for wishes in catalogue().values() for wish in wishes}


@lru_cache(maxsize=64)
def pool(aspect: str, count: int) -> tuple[tuple[Wish, ...], ...]:
    """All combinations of `count` preferences from distinct categories without a conflict, in one order."""
    conflicts = CONFLICTS.get(aspect, frozenset())
    return tuple(
        combo
        for combo in combinations(catalogue()[aspect], count)
        if len({wish.category for wish in combo}) == count
        and not any(frozenset((a.key, b.key)) in conflicts for a, b in combinations(combo, 2))
    )
