"""What an option costs a traveller with certain preferences, and how prices are set to make one the best.

Total = base price + the fees that the preferences make payable (+ an apartment's cleaning, always).
Whole US dollars. A restaurant's price is `avg_cost_per_person`, an extension of the published schema.
"""

import random
from collections.abc import Sequence

from suite_userbench.synth.catalogue import Wish
from suite_userbench.synth.rules import Option

MARGIN = 1.05  # the second cheapest correct option costs at least this times the best
FLOOR = {"flight": 120, "hotel": 250, "apartment": 250, "rental_car": 120}
BASE = {"flight": (250, 900), "hotel": (500, 1900), "apartment": (550, 2200), "rental_car": (220, 700)}
BANDS = {"Cheap": (8, 18), "Normal": (24, 48), "Expensive": (60, 150)}


def fees(aspect: str, option: Option, wishes: Sequence[Wish]) -> int:
    """Dollars that come on top of the base price; a fee that is not offered is not paid."""
    groups = [option.get("service") or {}, option.get("insurance") or {}]
    names = {wish.fee for wish in wishes if wish.fee}
    if aspect == "apartment":
        names.add("cost_cleaning_total")
    return sum(group.get(name) or 0 for group in groups for name in names)


def total(aspect: str, option: Option, wishes: Sequence[Wish]) -> int:
    """What the traveller would pay in all."""
    if aspect == "restaurant":
        return int(option["avg_cost_per_person"])
    if aspect == "hotel":
        wanted = next((wish.room for wish in wishes if wish.room), "")
        rooms = list(zip(option["room"], option["cost"], strict=True))
        fitting = [cost for room, cost in rooms if room["type"] == wanted]
        base = min(fitting or [cost for _, cost in rooms])
    else:
        base = option["cost"]
    return int(base) + fees(aspect, option, wishes)


def set_total(rng: random.Random, aspect: str, option: Option, wishes: Sequence[Wish], target: int) -> None:
    """Set the base price so that the total is `target`, or as near above it as the lowest price allows."""
    base = max(target - fees(aspect, option, wishes), FLOOR[aspect] // 2)
    if aspect != "hotel":
        option["cost"] = base
        return
    wanted = next((wish.room for wish in wishes if wish.room), "")
    kinds = [room["type"] for room in option["room"]]
    chosen = kinds.index(wanted) if wanted in kinds else 0
    option["cost"] = [base if place == chosen else base + rng.randint(10, 400) for place in range(len(kinds))]


def price_all(
    rng: random.Random,
    aspect: str,
    wishes: Sequence[Wish],
    correct: Sequence[Option],
    others: Sequence[Option],
) -> bool:
    """Price an aspect's options: the first correct one becomes the best. False if no prices fit."""
    if aspect == "restaurant":
        return _price_restaurants(rng, wishes, correct, others)
    best, *rest = correct
    low, high = BASE[aspect]
    target = rng.randint(low, high) + fees(aspect, best, wishes)
    set_total(rng, aspect, best, wishes, target)
    for option in rest:
        wanted = target * rng.randint(108, 170) // 100
        floor = fees(aspect, option, wishes) + FLOOR[aspect]
        set_total(rng, aspect, option, wishes, max(wanted, floor))
    for place, option in enumerate(others):
        share = rng.randint(55, 95) if place % 2 == 0 else rng.randint(100, 170)
        set_total(rng, aspect, option, wishes, target * share // 100)
    return _clear_best(aspect, wishes, correct) and _temptation(aspect, wishes, best, others)


def _price_restaurants(
    rng: random.Random, wishes: Sequence[Wish], correct: Sequence[Option], others: Sequence[Option]
) -> bool:
    for option in (*correct, *others):
        option["avg_cost_per_person"] = rng.randint(*BANDS[option["expectation"]])
    best = correct[0]
    return _clear_best("restaurant", wishes, correct) and _temptation("restaurant", wishes, best, others)


def _clear_best(aspect: str, wishes: Sequence[Wish], correct: Sequence[Option]) -> bool:
    best, *rest = (total(aspect, option, wishes) for option in correct)
    return all(other >= best * MARGIN for other in rest)


def _temptation(aspect: str, wishes: Sequence[Wish], best: Option, others: Sequence[Option]) -> bool:
    """Whether some wrong option looks cheaper than the best; where price is what is wished for, it can't."""
    if any(wish.key == "cheap" for wish in wishes) and aspect == "restaurant":
        return True
    price = total(aspect, best, wishes)
    return sum(total(aspect, option, wishes) < price for option in others) >= 2
