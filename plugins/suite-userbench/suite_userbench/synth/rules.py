"""When an option satisfies a preference: one predicate for each of the 82, used by the generator only.

The solver that checks generated scenarios has its own reading of the same texts and imports nothing here.
"""

from collections.abc import Callable, Mapping
from typing import Any

Option = dict[str, Any]
Rule = Callable[[Option, Any], bool]


def _lists(field: str, item: str) -> Rule:
    return lambda option, _: item in (option.get(field) or ())


def _priced(group: str, fee: str) -> Rule:
    return lambda option, _: option[group][fee] is not None


def _legs(option: Option) -> list[float]:
    return list(option["time"][::2])


def _layovers(option: Option) -> list[float]:
    return list(option["time"][1::2])


def _has_room(kind: str) -> Rule:
    return lambda option, _: any(room["type"] == kind for room in option["room"])


def _bedrooms(option: Option) -> int:
    return int(option["room"].partition("B")[0])


def _bathrooms(option: Option) -> int:
    return int(option["room"].split("B")[1])


def _within(option: Option, ends: tuple[float, float]) -> bool:
    return option["rating"] is not None and ends[0] <= option["rating"] <= ends[1]


def _is(field: str, value: str) -> Rule:
    return lambda option, _: option.get(field) == value


RULES: Mapping[str, Mapping[str, Rule]] = {
    "flight": {
        "direct": lambda option, _: len(option["path"]) == 2,
        "via": lambda option, city: city in option["path"][1:-1],
        "layover": lambda option, _: len(option["path"]) >= 3,
        "short-legs": lambda option, _: max(_legs(option)) <= 5,
        "sensible-layover": lambda option, _: bool(_layovers(option))
        and all(1 <= hours <= 3 for hours in _layovers(option)),
        "short-total": lambda option, _: sum(option["time"]) <= 9,
        "airline": lambda option, name: set(option["company"]) == {name},
        "all-different": lambda option, _: 1 < len(option["company"]) == len(set(option["company"])),
        "same-airline": lambda option, _: len(set(option["company"])) == 1,
        "avoid-airline": lambda option, name: name not in option["company"],
        "carry-on": _lists("amenities", "Carry on Baggage Allowance"),
        "lounge": _lists("amenities", "Lounge Access"),
        "wifi": _lists("amenities", "WiFi"),
        "meal": _lists("amenities", "Meal Service"),
        "checked-bag": _priced("service", "cost_check_bag_total"),
        "business": _priced("service", "cost_business_total"),
    },
    "hotel": {
        "brand": lambda option, name: name in option["name"],
        "double": _has_room("Double"),
        "king": _has_room("King"),
        "queen": _has_room("Queen"),
        "kitchen-suite": _has_room("Suite (with kitchen)"),
        "rating": _within,
        "view": lambda option, view: view in option["amenities"],
        "gym": _lists("amenities", "Gym"),
        "laundry": _lists("amenities", "Washer and Dryer"),
        "pets": _lists("amenities", "Pets Allowed"),
        "workspace": _lists("amenities", "Business Workspace"),
        "air-conditioning": _lists("amenities", "Air Conditioning"),
        "parking": _priced("service", "cost_parking_total"),
        "breakfast": _priced("service", "cost_breakfast_total"),
        "barrier-free": _priced("service", "cost_barrier_free_total"),
    },
    "apartment": {
        "platform": lambda option, name: name in option["name"],
        "one-bedroom": lambda option, _: _bedrooms(option) == 1,
        "two-bedrooms": lambda option, _: _bedrooms(option) == 2,
        "three-bedrooms": lambda option, _: _bedrooms(option) >= 3,
        "capacity": lambda option, people: option["capacity"] >= people,
        "bathrooms": lambda option, _: _bathrooms(option) >= _bedrooms(option),
        "rating": _within,
        "kitchen": _lists("amenities", "Kitchen"),
        "pets": _lists("amenities", "Pets Allowed"),
        "laundry": _lists("amenities", "Washer and Dryer"),
        "wifi": _lists("amenities", "High-Speed WiFi"),
        "air-conditioning": _lists("amenities", "Air Conditioning"),
        "parking": _lists("amenities", "Parking"),
        "elevator": _lists("amenities", "Elevator"),
        "garden": _lists("amenities", "Garden"),
        "late-checkout": _priced("service", "cost_late_checkout_fee"),
        "early-checkin": _priced("service", "cost_early_checkin_fee"),
        "cleaning": _priced("service", "cost_cleaning_total"),
    },
    "rental_car": {
        "brand": lambda option, name: option["brand"] == name,
        "electric": _is("categories", "Electric"),
        "suv": _is("categories", "SUV"),
        "economy": _is("categories", "Economy"),
        "gasoline": _is("categories", "Gasoline"),
        "named-model": lambda option, name: option["model"] == name,
        "seats": lambda option, seats: option["seats"] == seats,
        "liability": _priced("insurance", "cost_liability_waiver"),
        "damage": _priced("insurance", "cost_damage_waiver"),
        "accident": _priced("insurance", "cost_personal_accident_waiver"),
        "belongings": _priced("insurance", "cost_belonging_waiver"),
        "child-seat": _priced("service", "cost_child_seat_total"),
        "underage": _priced("service", "cost_underage_total"),
        "additional-driver": _priced("service", "cost_additional_driver_total"),
    },
    "restaurant": {
        "fast-food": _is("cuisine", "Fast Food"),
        "vegetarian": _is("cuisine", "Vegetarian"),
        "sweet": lambda option, cuisine: option["cuisine"] == cuisine,
        "national": lambda option, cuisine: option["cuisine"] == cuisine,
        "seafood": _is("cuisine", "Seafood"),
        "steakhouse": _is("cuisine", "Steakhouse"),
        "cheap": _is("expectation", "Cheap"),
        "expensive": _is("expectation", "Expensive"),
        "normal": _is("expectation", "Normal"),
        "rating": _within,
        "no-one-star": lambda option, _: option["reviews"]["1_star"] == 0,
        "reservations": _lists("tags", "Reservations Available"),
        "parking": _lists("tags", "Parking"),
        "outdoor": _lists("tags", "Outdoor Seating"),
        "walk-ins": _lists("tags", "Walk-ins Welcomed"),
        "pet-friendly": _lists("tags", "Pet-Friendly"),
        "delivery": _lists("tags", "Delivery Available"),
        "late-night": _lists("tags", "Late Night Service"),
        "business-dining": _lists("tags", "Business Dining"),
    },
}
