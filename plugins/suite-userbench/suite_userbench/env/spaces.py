"""Spaces for free text: any string up to a length, and samples that mean something."""

import string
from typing import Any

from gymnasium import spaces

CHARACTERS = "".join(sorted({*string.printable[:95], "\n", "\t", *map(chr, range(0xA1, 0x100)), *"‘’“”–—…€"}))


class Words(spaces.Text):
    """Any text of at most `max_length` characters.

    Characters outside the charset are valid, too: where a flat form is needed they count as "?".
    """

    def __init__(self, max_length: int, seed: Any = None) -> None:
        super().__init__(max_length=max_length, min_length=0, charset=CHARACTERS, seed=seed)

    def contains(self, x: Any) -> bool:
        """Whether it is a string that is not too long."""
        return isinstance(x, str) and len(x) <= self.max_length

    def character_index(self, char: str) -> Any:
        """Place of a character in the charset."""
        return super().character_index(char if char in self.character_set else "?")


class Actions(Words):
    """Action strings "[choice] content"; a sample is a legal one."""

    def sample(self, mask: Any = None, probability: Any = None) -> str:  # noqa: ARG002
        """A search, a question or an answer, at random."""
        rng = self.np_random
        thing = ("flight", "hotel", "apartment", "rental car", "restaurant")[int(rng.integers(5))]
        kind = int(rng.integers(3))
        if kind == 0:
            return f"[search] {thing} in Oslo from May 3rd to May 9th"
        if kind == 1:
            topic = ("rating", "parking", "price range", "airline", "insurance")[int(rng.integers(5))]
            return f"[action] Do you care about {topic} for the {thing}?"
        return f"[answer] {'FHACR'[int(rng.integers(5))]}{int(rng.integers(1, 23))}"
