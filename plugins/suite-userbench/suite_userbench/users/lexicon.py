"""What words in a question ask for: aspects, categories of preferences, single preferences.

From the catalogue's lexicons for its 82 preferences; a preference that is not of the catalogue (published
data) is known by the content words of its own text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from suite_userbench.scenario import Preference
from suite_userbench.synth.catalogue import by_text, catalogue
from suite_userbench.users.language import phrase, words

ALIASES: Mapping[str, tuple[str, ...]] = {
    "flight": ("flight", "fly", "flying", "plane", "plane ticket", "airfare", "air ticket"),
    "hotel": ("hotel",),
    "apartment": ("apartment", "flat", "vacation rental", "holiday rental"),
    "rental_car": ("rental car", "car rental", "car", "rent a car", "vehicle", "vehicle hire", "car hire"),
    "restaurant": ("restaurant", "dining", "dinner", "eatery", "place to eat"),
}
# A question may name a whole category. (aspect, category) -> phrases.
CATEGORIES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("flight", "path"): ("route", "stop", "routing"),
    ("flight", "time"): ("flight time", "schedule", "time limit", "journey time"),
    ("flight", "company"): ("airline", "carrier"),
    ("flight", "amenities"): ("amenity", "on board service", "onboard", "facility"),
    ("flight", "service"): ("extra", "add on", "paid service"),
    ("hotel", "name"): ("brand", "chain"),
    ("hotel", "room"): (
        "room type",
        "bed type",
        "kind of room",
        "type of room",
        "type of bed",
        "kind of bed",
        "bed",
    ),
    ("hotel", "rating"): ("rating",),
    ("hotel", "amenities"): ("amenity", "facility"),
    ("hotel", "service"): ("extra", "service", "add on"),
    ("apartment", "name"): ("platform",),
    ("apartment", "room"): ("room layout", "layout", "how big", "size"),
    ("apartment", "rating"): ("rating",),
    ("apartment", "amenities"): ("amenity", "facility"),
    ("apartment", "service"): ("extra", "service", "add on"),
    ("rental_car", "brand"): ("brand", "make"),
    ("rental_car", "model"): ("model", "type of car", "kind of car", "car type", "category"),
    ("rental_car", "seats"): ("seat",),
    ("rental_car", "insurance"): ("insurance", "coverage", "cover", "waiver"),
    ("rental_car", "service"): ("extra", "service", "add on"),
    ("restaurant", "cuisine"): ("cuisine", "kind of food", "type of food", "food"),
    ("restaurant", "expectation"): ("price range", "price level", "budget"),
    ("restaurant", "rating"): ("rating", "review"),
    ("restaurant", "tags"): ("feature", "amenity", "facility", "atmosphere"),
}
VAGUE = (
    "preference", "prefer", "requirement", "need", "want", "anything else", "something else", "wish", "like",
    "important", "in mind", "else", "detail", "expectation", "looking for", "special",
)  # fmt: skip
LONGEST = 4  # words of the longest phrase
_STOP = frozenset(
    [
        "want",
        "wants",
        "the",
        "and",
        "with",
        "that",
        "for",
        "user",
        "specify",
        "specified",
        "least",
        "most",
        "from",
        "has",
        "have",
        "not",
        "would",
        "like",
        "should",
        "prefer",
        "prefers",
        "any",
        "all",
        "within",
        "than",
        "more",
        "less",
        "each",
        "every",
        "one",
        "are",
    ]
)


@dataclass(frozen=True, slots=True)
class Target:
    """What a phrase asks for. key: of a catalogue preference, "" for a whole category."""

    aspect: str
    category: str
    key: str = ""


def _index() -> Mapping[str, tuple[Target, ...]]:
    found: dict[str, list[Target]] = {}
    for aspect, wishes in catalogue().items():
        for wish in wishes:
            for text in wish.words:
                found.setdefault(phrase(text), []).append(Target(aspect, wish.category, wish.key))
    for (aspect, category), texts in CATEGORIES.items():
        for text in texts:
            found.setdefault(phrase(text), []).append(Target(aspect, category))
    return {text: tuple(dict.fromkeys(targets)) for text, targets in found.items()}


@lru_cache(maxsize=1)
def targets() -> Mapping[str, tuple[Target, ...]]:
    """Phrase -> everything it may ask for."""
    return _index()


@lru_cache(maxsize=1)
def aliases() -> Mapping[str, str]:
    """Phrase -> aspect."""
    return {phrase(text): aspect for aspect, texts in ALIASES.items() for text in texts}


@lru_cache(maxsize=1)
def vague() -> frozenset[str]:
    """Phrases that ask for nothing in particular."""
    return frozenset(phrase(text) for text in VAGUE)


@lru_cache(maxsize=4096)
def _known(aspect: str, text: str) -> str:
    wish = by_text().get((aspect, text))
    return wish.key if wish else ""


def key_of(preference: Preference) -> str:
    """The catalogue key of a preference, "" if it is not of the catalogue."""
    return _known(preference.aspect, preference.text)


@lru_cache(maxsize=4096)
def own_words(text: str) -> frozenset[str]:
    """Content words of a preference text that is not of the catalogue."""
    return frozenset(word for word in words(text) if len(word) > 3 and word not in _STOP)


def phrases_in(said: list[str]) -> list[tuple[str, int, int]]:
    """All runs of up to LONGEST words: (phrase, place of the first word, number of words)."""
    return [
        (" ".join(said[place : place + size]), place, size)
        for size in range(1, LONGEST + 1)
        for place in range(len(said) - size + 1)
    ]
