"""Makes the 18 options of one aspect: 3 correct, 10 wrong, 5 noise, with reasons and prices.

Categories of fields are redrawn until each preference holds or fails as wanted. Raises RuntimeError if no
options are found after many tries (never seen; a bug of the catalogue).
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from suite_userbench.synth import pricing
from suite_userbench.synth.catalogue import Wish
from suite_userbench.synth.fields import ABSURD, SAMPLERS
from suite_userbench.synth.rules import RULES, Option

CORRECT, WRONG, NOISE, SPARE = 3, 10, 5, 4
LETTERS = {"flight": "F", "hotel": "H", "apartment": "A", "rental_car": "C", "restaurant": "R"}
_DRAWS = 100  # of one category of fields
_RESTARTS = 50  # of an option
_TRIES = 60  # of a whole aspect


@dataclass(frozen=True, slots=True)
class Chosen:
    """A preference with its value: as the statement says it, and as options are compared with it."""

    wish: Wish
    shown: str = ""
    value: Any = None

    def holds(self, option: Option) -> bool:
        """Whether an option satisfies it."""
        return RULES[self.wish.aspect][self.wish.key](option, self.value)


def draw(
    rng: random.Random, aspect: str, frame: Mapping[str, str], targets: Sequence[tuple[Chosen, bool]]
) -> Option | None:
    """An option for which each preference holds or fails as wanted; None if none was found."""
    for _ in range(_RESTARTS):
        if (option := _once(rng, aspect, frame, targets)) is not None:
            return option
    return None


def _once(
    rng: random.Random, aspect: str, frame: Mapping[str, str], targets: Sequence[tuple[Chosen, bool]]
) -> Option | None:
    option: Option = {}
    for category, sampler in SAMPLERS[aspect]:
        wanted = [(one, truth) for one, truth in targets if one.wish.category == category]
        for _ in range(_DRAWS if wanted else 1):
            sampler(rng, option, frame)
            if all(one.holds(option) == truth for one, truth in wanted):
                break
        else:
            return None  # an earlier field leaves no way (a direct flight has no layover): draw all again
    return option


def _must(option: Option | None) -> Option:
    if option is None:
        raise _Again
    return option


class _Again(Exception):
    pass


def _wrong(
    rng: random.Random, aspect: str, frame: Mapping[str, str], chosen: Sequence[Chosen]
) -> list[tuple[Option, str]]:
    """Ten options that break something: each preference alone at least twice where that many fit."""
    count = len(chosen)
    breaks = [{place % count} for place in range(max(6, min(2 * count, WRONG)))]
    while len(breaks) < WRONG:
        size = rng.randint(min(2, count), count)
        breaks.append(set(rng.sample(range(count), size)))
    found = []
    for broken in breaks:
        targets = [(one, place not in broken) for place, one in enumerate(chosen)]
        option = _must(draw(rng, aspect, frame, targets))
        reason = "breaks: " + "; ".join(chosen[place].wish.text for place in sorted(broken))
        found.append((option, reason))
    return found


def _noise(
    rng: random.Random, aspect: str, frame: Mapping[str, str], chosen: Sequence[Chosen]
) -> list[Option]:
    """Five options that break something by nature; what is absurd about them comes after pricing."""
    found = []
    for _ in range(NOISE):
        broken = rng.randrange(len(chosen))
        targets = [(one, place != broken) for place, one in enumerate(chosen)]
        found.append(_must(draw(rng, aspect, frame, targets[broken : broken + 1])))
    return found


def make(
    rng: random.Random, aspect: str, frame: Mapping[str, str], chosen: Sequence[Chosen]
) -> dict[str, Any]:
    """The option fields of an aspect block: ids, options, best and why."""
    for _ in range(_TRIES):
        try:
            return _attempt(rng, aspect, frame, chosen)
        except _Again:
            continue
    raise RuntimeError(f"no options for {aspect}: {[one.wish.key for one in chosen]}")


def _attempt(
    rng: random.Random, aspect: str, frame: Mapping[str, str], chosen: Sequence[Chosen]
) -> dict[str, Any]:
    wishes = [one.wish for one in chosen]
    every = [(one, True) for one in chosen]
    correct = [_must(draw(rng, aspect, frame, every)) for _ in range(CORRECT)]
    wrong = _wrong(rng, aspect, frame, chosen)
    noise = _noise(rng, aspect, frame, chosen)
    others = [option for option, _ in wrong]
    if not pricing.price_all(rng, aspect, wishes, correct, [*others, *noise]):
        raise _Again
    reasons = _make_absurd(rng, aspect, noise)
    if any(all(one.holds(option) for one in chosen) for option in noise):
        raise _Again
    letter = LETTERS[aspect]
    ids = [f"{letter}{number}" for number in range(1, CORRECT + WRONG + NOISE + SPARE + 1)]
    rng.shuffle(ids)
    right, bad = ids[:CORRECT], ids[CORRECT : CORRECT + WRONG]
    odd = ids[CORRECT + WRONG :]
    totals = [pricing.total(aspect, option, wishes) for option in correct]
    options = {
        "correct": [
            {"id": name, **option, "type": "suitable", "reason": f"meets every preference for {cost}"}
            for name, option, cost in zip(right, correct, totals, strict=True)
        ],
        "wrong": [
            {"id": name, **option, "type": "not-suitable", "reason": reason}
            for name, (option, reason) in zip(bad, wrong, strict=True)
        ],
        "noise": [
            {"id": name, **option, "type": "noise", "reason": reason}
            for name, option, reason in zip(odd, noise, reasons, strict=False)
        ],
    }
    best, thought = (
        right[0],
        "totals: " + ", ".join(f"{name} {cost}" for name, cost in zip(right, totals, strict=True)),
    )
    shuffled = list(right)
    rng.shuffle(shuffled)
    options["correct"].sort(key=lambda option: shuffled.index(option["id"]))
    rng.shuffle(ids)
    return {
        "all_ids": ids,
        "correct_ids": shuffled,
        "wrong_ids": bad,
        "noise_ids": odd,
        "best_id": best,
        "best_id_thought": thought,
        "options": options,
    }


def _make_absurd(rng: random.Random, aspect: str, noise: Sequence[Option]) -> list[str]:
    """Change each noise option; the last is a plausible mismatch. Returns why each is noise."""
    absurd, mismatch = ABSURD[aspect]
    return [
        *(rng.choice(absurd)(rng, option) for option in noise[:-1]),
        mismatch(rng, noise[-1]),
    ]
