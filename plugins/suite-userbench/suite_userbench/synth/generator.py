"""Scenarios as a function of (catalogue version, seed, tag, index): no model, the same bytes everywhere.

`scenarios` yields records in the published schema with two fields more: `source` and `split`. Splits are
disjoint by preference combination (85/15 by hash of the id) and by implicit statements.
"""

import hashlib
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from suite_userbench.scenario import DIFFICULTY, TAGS, Tag
from suite_userbench.synth import options, values
from suite_userbench.synth.catalogue import ASPECTS, VERSION, Split, Wish, pool
from suite_userbench.synth.options import Chosen

SOURCE = f"userbench-synth/{VERSION}"
# how many scenarios the published data has: tag -> (train, test)
COUNTS: Mapping[str, tuple[int, int]] = {
    "22": (570, 101),
    "33": (489, 87),
    "44": (379, 67),
    "233": (341, 61),
    "333": (300, 53),
    "334": (266, 47),
    "444": (210, 38),
    "2222": (96, 17),
}
Record = dict[str, Any]


def _rng(*parts: object) -> random.Random:
    text = "\x1f".join(map(str, (SOURCE, *parts)))
    return random.Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def aspect_sets(size: int) -> tuple[tuple[str, ...], ...]:
    """All sets of aspects of that size that may occur: never a hotel and an apartment."""
    return tuple(
        chosen
        for chosen in itertools.combinations(ASPECTS, size)
        if not {"hotel", "apartment"} <= set(chosen)
    )


Combination = tuple[tuple[Wish, ...], ...]


def _combination(seed: int, tag: Tag, index: int) -> tuple[str, Combination]:
    """Which preferences the index-th draw of a tag has, and the scenario id they make."""
    rng = _rng(seed, tag, index, "combination")
    sets = aspect_sets(len(tag))
    aspects = sets[index % len(sets)]
    counts = [int(digit) for digit in tag]
    rng.shuffle(counts)
    parts, chosen = [], []
    for aspect, count in zip(aspects, counts, strict=True):
        combinations = pool(aspect, count)
        place = rng.randrange(len(combinations))
        parts.append(f"{aspect}:{count}-{place}")
        chosen.append(combinations[place])
    return "|".join(parts), tuple(chosen)


def split_of(scenario: str) -> Split:
    """85 % train, 15 % test, by hash of the id."""
    digest = hashlib.sha256(scenario.encode()).digest()
    return "test" if int.from_bytes(digest[:4], "big") % 100 < 15 else "train"


def scenarios(
    tag: Tag, split: Split | None = None, *, seed: int = 0, count: int | None = None
) -> Iterator[Record]:
    """Scenarios of a tag, of one split or (None) of both, without repeated ids; endless without `count`."""
    seen: set[str] = set()
    found = 0
    for index in itertools.count():
        if count is not None and found >= count:
            return
        scenario, combination = _combination(seed, tag, index)
        if scenario in seen:
            continue
        seen.add(scenario)
        if split is None or split_of(scenario) == split:
            found += 1
            yield scenario_of(seed, tag, index, scenario, combination)


def scenario_of(seed: int, tag: Tag, index: int, name: str, combination: Combination) -> Record:
    """One record. All randomness comes from (seed, tag, index)."""
    rng = _rng(seed, tag, index, "scenario")
    split = split_of(name)
    frame = _frame(rng)
    blocks: dict[str, Record] = {}
    for wishes in combination:
        aspect = wishes[0].aspect
        chosen = [_with_value(rng, wish) for wish in wishes]
        rng.shuffle(chosen)
        blocks[aspect] = {
            "preferences": [_row(rng, one, split) for one in chosen],
            "arguments": _arguments(aspect, frame),
            **options.make(rng, aspect, frame, chosen),
        }
    dimensions = list(blocks)
    rng.shuffle(dimensions)
    opening = _opening(rng, frame, dimensions)
    told = " ".join(row[3] for aspect in dimensions for row in blocks[aspect]["preferences"])
    return {
        "scenario_id": name,
        "source": SOURCE,
        "split": split,
        "scenario": f"{opening} {told}",
        "wanted_num": [len(blocks[aspect]["preferences"]) for aspect in blocks],
        "difficulty": DIFFICULTY[tag],
        "dimensions": dimensions,
        "initial_description": opening,
        **blocks,
    }


def _with_value(rng: random.Random, wish: Wish) -> Chosen:
    if not wish.value:
        return Chosen(wish)
    return Chosen(wish, *rng.choice(values.VALUES[wish.value]))


def _row(rng: random.Random, one: Chosen, split: Split) -> list[str]:
    statement = rng.choice(one.wish.statements(split)).replace("{v}", one.shown)
    text = one.wish.text
    return [one.wish.aspect, one.wish.category, text, statement, one.wish.note]


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th …"""
    if 10 <= number % 100 <= 20:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _frame(rng: random.Random) -> Mapping[str, str]:
    origin, destination = rng.sample(values.CITIES, 2)
    month, first, nights = rng.choice(values.MONTHS), rng.randint(1, 20), rng.randint(2, 7)
    return {
        "origin": origin,
        "destination": destination,
        "start": f"{month} {ordinal(first)}",
        "end": f"{month} {ordinal(first + nights)}",
        "evening": f"{month} {ordinal(first + rng.randint(1, nights - 1))}",
    }


def _arguments(aspect: str, frame: Mapping[str, str]) -> dict[str, str]:
    if aspect == "flight":
        return {"origin": frame["origin"], "destination": frame["destination"], "date": frame["start"]}
    if aspect == "restaurant":
        return {"city": frame["destination"], "date": frame["evening"]}
    return {"city": frame["destination"], "date_start": frame["start"], "date_end": frame["end"]}


_FRAMES = (
    "I'm planning a trip to {destination}, from {start} to {end}{origin}. Could you help me to arrange "
    "{wants}?",
    "From {start} to {end} I'll be in {destination}{origin}. I would be grateful for help with {wants}.",
    "My next trip takes me to {destination}{origin}: I arrive on {start} and go home on {end}. "
    "For that I am looking for {wants}.",
    "We have decided on {destination}{origin}, {start} to {end}. Now somebody has to find us {wants}, and "
    "I hoped it could be you.",
)
_WANTS = {
    "flight": "a flight on {start}",
    "hotel": "a hotel for the whole stay",
    "apartment": "an apartment for the whole stay",
    "rental_car": "a rental car for the whole stay",
    "restaurant": "a restaurant for the evening of {evening}",
}


def _opening(rng: random.Random, frame: Mapping[str, str], dimensions: Sequence[str]) -> str:
    wants = [_WANTS[aspect].format(**frame) for aspect in dimensions]
    listed = ", ".join(wants[:-1]) + f" and {wants[-1]}"
    origin = f", starting from {frame['origin']}" if "flight" in dimensions else ""
    text = rng.choice(_FRAMES).format(**{**frame, "origin": origin}, wants=listed)
    if "restaurant" in dimensions:
        text += " For the restaurant, what counts as price is the average cost per person."
    return text


def full_set(split: Split, seed: int = 0, tags: Sequence[Tag] = TAGS) -> Iterator[Record]:
    """As many scenarios of each tag as the published split has."""
    for tag in tags:
        yield from scenarios(tag, split, seed=seed, count=COUNTS[tag][0 if split == "train" else 1])
