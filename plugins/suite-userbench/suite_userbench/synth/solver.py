"""An independent solver: from what the user's texts say to the answers, without the generator's rules.

It reads the preference text (what kind of wish), finds a value in the implicit statement, and decides on
the options as they are shown. It shares no code with the generator, so that an error in either shows up as
a disagreement. `check` holds a record to everything that the benchmark promises.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Option = Mapping[str, Any]
Judge = Callable[[Option], bool]
_MARGIN = 1.05
_FEES: Mapping[str, str] = {
    "check in a bag": "check_bag",
    "business class": "business",
    "parking at the hotel": "parking",
    "breakfast at the hotel": "breakfast",
    "barrier-free": "barrier_free",
    "late checkout": "late_checkout",
    "early check-in": "early_checkin",
    "a cleaning service": "cleaning",
    "liability insurance": "liability",
    "damage insurance": "damage",
    "personal accident insurance": "personal_accident",
    "insurance for belongings": "belonging",
    "child seat": "child_seat",
    "under-age driver": "underage",
    "additional driver": "additional_driver",
}
_LISTED: Mapping[str, str] = {
    "a carry-on bag": "Carry on Baggage Allowance",
    "airport lounge": "Lounge Access",
    "WiFi on board": "WiFi",
    "a meal to be served": "Meal Service",
    "a gym": "Gym",
    "washer and dryer": "Washer and Dryer",
    "pets to be allowed": "Pets Allowed",
    "business workspace": "Business Workspace",
    "air conditioning": "Air Conditioning",
    "wants a kitchen": "Kitchen",
    "high-speed WiFi": "High-Speed WiFi",
    "wants parking": "Parking",
    "an elevator": "Elevator",
    "a garden": "Garden",
    "reservations to be": "Reservations Available",
    "outdoor seating": "Outdoor Seating",
    "walk-ins": "Walk-ins Welcomed",
    "a pet-friendly": "Pet-Friendly",
    "delivery to be": "Delivery Available",
    "late-night service": "Late Night Service",
    "business dining": "Business Dining",
}
_EXACT: Mapping[str, tuple[str, str]] = {
    "an electric car": ("categories", "Electric"),
    "an SUV": ("categories", "SUV"),
    "an economy car": ("categories", "Economy"),
    "runs on gasoline": ("categories", "Gasoline"),
    "fast food": ("cuisine", "Fast Food"),
    "vegetarian food": ("cuisine", "Vegetarian"),
    "wants seafood": ("cuisine", "Seafood"),
    "a steakhouse": ("cuisine", "Steakhouse"),
    "a cheap restaurant": ("expectation", "Cheap"),
    "an expensive restaurant": ("expectation", "Expensive"),
    "at normal prices": ("expectation", "Normal"),
}
_ROOMS = {
    "a double room": "Double",
    "king-size": "King",
    "queen-size": "Queen",
    "suite with a kitchen": "Suite (with kitchen)",
}


def _said(statement: str, pattern: str) -> str:
    match = re.search(pattern, statement)
    if match is None:
        raise ValueError(f"the statement names no value: {statement!r}")
    return match[1]


def _numbers(statement: str) -> tuple[float, float]:
    match = re.search(r"between (\d+(?:\.\d)?) and (\d+(?:\.\d)?)", statement)
    if match is None:
        raise ValueError(f"the statement names no range: {statement!r}")
    return float(match[1]), float(match[2])


def _extras(option: Option) -> dict[str, int | None]:
    """Short fee name -> price, of all groups of extras."""
    found: dict[str, int | None] = {}
    for group in ("service", "insurance"):
        for name, price in (option.get(group) or {}).items():
            short = re.sub(r"^cost_|_(total|fee|waiver)$", "", name)
            found[re.sub(r"_(total|fee|waiver)$", "", short)] = price
    return found


def _listed(option: Option) -> list[str]:
    return [*(option.get("amenities") or []), *(option.get("tags") or [])]


def _names(option: Option, statement: str, field: str) -> bool:
    """Whether the option's name, brand, … is said in the statement, word for word."""
    return re.search(rf"(?<!\w){re.escape(str(option[field]))}(?!\w)", statement) is not None


def _path_or_time(text: str, statement: str) -> Judge | None:
    if "direct flight" in text:
        return lambda option: len(option["company"]) == 1
    if "break the journey" in text:
        return lambda option: any(city in statement for city in option["path"][1:-1])
    if "with a layover" in text:
        return lambda option: len(option["company"]) > 1
    if "every single leg" in text:
        return lambda option: not [hours for hours in option["time"][0::2] if hours > 5]
    if "layovers of a sensible length" in text:
        return lambda option: len(option["time"]) > 1 and not [
            hours for hours in option["time"][1::2] if hours < 1 or hours > 3
        ]
    if "short journey" in text:
        return lambda option: round(sum(option["time"]), 6) <= 9
    return None


def _airlines(text: str, statement: str) -> Judge | None:
    if "different airline on every leg" in text:
        return lambda option: len(option["company"]) > 1 and all(
            option["company"].count(name) == 1 for name in option["company"]
        )
    if "same airline on all legs" in text:
        return lambda option: option["company"].count(option["company"][0]) == len(option["company"])
    if "not want to fly with" in text:
        return lambda option: not any(name in statement for name in option["company"])
    if "fly with an airline" in text:
        return lambda option: all(name in statement for name in option["company"])
    return None


def _space(text: str, statement: str) -> Judge | None:
    for phrase, kind in _ROOMS.items():
        if phrase in text:
            return lambda option, kind=kind: kind in [room["type"] for room in option["room"]]  # type: ignore[misc]
    for phrase, test in (
        ("exactly one bedroom", lambda beds, _: beds == 1),
        ("exactly two bedrooms", lambda beds, _: beds == 2),
        ("at least three bedrooms", lambda beds, _: beds > 2),
        ("bathroom for every bedroom", lambda beds, baths: baths >= beds),
    ):
        if phrase in text:
            return lambda option, test=test: test(*map(int, re.findall(r"\d+", option["room"])))  # type: ignore[misc]
    if "number of people" in text:
        people = int(_said(statement, r"(\d+)"))
        return lambda option: people <= option["capacity"]
    if "number of seats" in text:
        seats = int(_said(statement, r"(\d+)"))
        return lambda option: seats == option["seats"]
    return None


def _named(text: str, statement: str) -> Judge | None:
    if "hotel of a brand" in text or "from a platform" in text:
        return lambda option: any(
            option["name"].startswith(found)
            for found in re.findall(r"[A-Z][\wé]+(?: [A-Z]\w+)?", statement)
            if len(found) > 2 and found not in ("For", "There", "Anybody")
        )
    if "a car of a brand" in text:
        return lambda option: _names(option, statement, "brand")
    if "a car model" in text:
        return lambda option: _names(option, statement, "model")
    if "a view that" in text:
        view = {"city": "City View", "ocean": "Ocean View", "mountains": "Mountain View"}
        wanted = next(name for word, name in view.items() if f"the {word}" in statement)
        return lambda option: wanted in option["amenities"]
    if "national cuisine" in text:
        return lambda option: _names(option, statement, "cuisine")
    if "dessert, bakery" in text:
        places = {"dessert bar": "Dessert", "bakery": "Bakery", "café": "Cafe"}
        kind = next(name for word, name in places.items() if word in statement)
        return lambda option: option["cuisine"] == kind
    return None


def judge(text: str, statement: str) -> Judge:
    """What an option must be like for a preference. Raises ValueError for a text it does not know."""
    for reading in (_path_or_time, _airlines, _space, _named):
        if (found := reading(text, statement)) is not None:
            return found
    if "rating in a range" in text:
        low, high = _numbers(statement)
        return lambda option: option["rating"] is not None and low <= option["rating"] <= high
    if "without any 1-star" in text:
        return lambda option: not option["reviews"]["1_star"]
    for phrase, fee in _FEES.items():
        if phrase in text:
            return lambda option, fee=fee: _extras(option)[fee] is not None  # type: ignore[misc]
    for phrase, (field, value) in _EXACT.items():
        if phrase in text:
            return lambda option, field=field, value=value: option.get(field) == value  # type: ignore[misc]
    for phrase, item in _LISTED.items():
        if phrase in text:
            return lambda option, item=item: item in _listed(option)  # type: ignore[misc]
    raise ValueError(f"no reading of the preference {text!r}")


def price(aspect: str, option: Option, texts: list[str]) -> int:
    """What the option costs a traveller with these preferences."""
    if aspect == "restaurant":
        return int(option["avg_cost_per_person"])
    wanted = {fee for text in texts for phrase, fee in _FEES.items() if phrase in text}
    if aspect == "apartment":
        wanted |= {"cleaning"}
    extra = sum(cost or 0 for name, cost in _extras(option).items() if name in wanted)
    if aspect != "hotel":
        return int(option["cost"]) + extra
    kinds = [kind for text in texts for phrase, kind in _ROOMS.items() if phrase in text]
    costs = [
        cost
        for room, cost in zip(option["room"], option["cost"], strict=True)
        if not kinds or room["type"] in kinds
    ]
    return int(min(costs)) + extra


def solve(aspect: str, block: Mapping[str, Any]) -> tuple[set[str], list[tuple[int, str]]]:
    """(ids of the options that meet every preference, their (price, id) in ascending order)."""
    rows = block["preferences"]
    judges = [judge(row[2], row[3]) for row in rows]
    real = [*block["options"]["correct"], *block["options"]["wrong"], *block["options"]["noise"]]
    meeting = [option for option in real if all(test(option) for test in judges)]
    texts = [row[2] for row in rows]
    return {option["id"] for option in meeting}, sorted(
        (price(aspect, option, texts), option["id"]) for option in meeting
    )


def check(record: Mapping[str, Any]) -> Iterator[str]:
    """Everything that is wrong with a generated record; nothing if it keeps its promises."""
    for aspect in record["dimensions"]:
        block = record[aspect]
        if (counts := [len(block["options"][kind]) for kind in ("correct", "wrong", "noise")]) != [3, 10, 5]:
            yield f"{aspect}: {counts} options"
        if len(set(block["all_ids"])) != 22 or set(block["all_ids"]) != {
            *block["correct_ids"],
            *block["wrong_ids"],
            *block["noise_ids"],
        }:
            yield f"{aspect}: ids do not add up"
        found, prices = solve(aspect, block)
        if found != set(block["correct_ids"]):
            yield f"{aspect}: meeting {sorted(found)}, promised {sorted(block['correct_ids'])}"
            continue
        if prices[0][1] != block["best_id"] or prices[1][0] < prices[0][0] * _MARGIN:
            yield f"{aspect}: best {block['best_id']}, prices {prices}"
        judges = [judge(row[2], row[3]) for row in block["preferences"]]
        broken = [[not test(option) for test in judges] for option in block["options"]["wrong"]]
        if any(sum(breaks[place] for breaks in broken) < 2 for place in range(len(judges))):
            yield f"{aspect}: a preference is broken by fewer than two wrong options"
        if sum(sum(breaks) == 1 for breaks in broken) < 4:
            yield f"{aspect}: too few near misses"
        if len({row[1] for row in block["preferences"]}) != len(judges):
            yield f"{aspect}: two preferences of one category"
        opening = record["initial_description"].casefold()
        missing = [value for value in block["arguments"].values() if value.casefold() not in opening]
        if missing:
            yield f"{aspect}: the opening request does not say {missing[0]!r}"
        if any(
            row[3].casefold() in opening or row[2].casefold() in row[3].casefold()
            for row in block["preferences"]
        ):
            yield f"{aspect}: a preference is given away"
