"""Draws the fields of options, one category of fields at a time, and the absurdities of noise options.

Each sampler fills what its category of preferences looks at, so that the generator can redraw one
category until its preferences hold or fail as wanted. Not here: prices (`pricing`).
"""

# ruff: noqa: ARG001  (samplers share one signature)

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from suite_userbench.synth import values
from suite_userbench.synth.rules import Option

Sampler = Callable[[random.Random, Option, Mapping[str, str]], None]


def some(rng: random.Random, items: Sequence[str], share: float) -> list[str]:
    """Each item with a probability, in a fixed order."""
    return [item for item in items if rng.random() < share]


def _tenth(rng: random.Random, low: int, high: int) -> float:
    """A number with one decimal, from tenths, so that no float arithmetic shows."""
    return rng.randint(low, high) / 10


def _fee(rng: random.Random, low: int, high: int, missing: float) -> int | None:
    return None if rng.random() < missing else rng.randint(low, high)


def _path(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    stops = rng.choices((0, 1, 2), (30, 60, 10))[0]
    option["path"] = [frame["origin"], *rng.sample(values.HUBS, stops), frame["destination"]]


def _time(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    legs = len(option["path"]) - 1
    short = rng.random() < 0.6
    hours = []
    for leg in range(legs):
        if leg:
            hours.append(_tenth(rng, 10, 30) if rng.random() < 0.5 else _wait(rng))
        hours.append(_tenth(rng, 10, 36 if short else 110))
    option["time"] = hours


def _wait(rng: random.Random) -> float:
    return _tenth(rng, 3, 7) if rng.random() < 0.4 else _tenth(rng, 61, 120)


def _company(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    legs = len(option["path"]) - 1
    if rng.random() < 0.4:
        option["company"] = [rng.choice(values.AIRLINES)] * legs
    else:
        option["company"] = [rng.choice(values.AIRLINES) for _ in range(legs)]
    option["flight_number"] = [f"{name[:2].upper()}{rng.randint(100, 1999)}" for name in option["company"]]


_ON_BOARD = ("WiFi", "Meal Service", "Carry on Baggage Allowance", "Lounge Access")


def _on_board(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    option["amenities"] = some(rng, _ON_BOARD, 0.5)


def _flight_service(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    option["service"] = {
        "cost_check_bag_total": _fee(rng, 30, 110, 0.25),
        "cost_business_total": _fee(rng, 300, 900, 0.25),
    }


def _hotel_name(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    style = rng.choice(values.HOTEL_STYLES)
    option["name"] = f"{rng.choice(values.HOTEL_BRANDS)} {frame['destination']} {style}"


_ROOMS = (
    ("Double", 2), ("King", 2), ("Queen", 2), ("Suite (with kitchen)", 4), ("Suite", 3), ("Single", 1),
    ("Twin", 2),
)  # fmt: skip


def _rooms(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    chosen = rng.sample(_ROOMS, rng.randint(1, 3))
    option["room"] = [{"type": kind, "capacity": capacity} for kind, capacity in chosen]


def _rating(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    option["rating"] = _tenth(rng, 50, 99)


_HOTEL_AMENITIES = (
    "High-Speed WiFi", "Air Conditioning", "City View", "Ocean View", "Mountain View", "Gym", "Pets Allowed",
    "Washer and Dryer", "Business Workspace",
)  # fmt: skip


def _hotel_amenities(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    option["amenities"] = some(rng, _HOTEL_AMENITIES, 0.45)


def _hotel_service(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    option["service"] = {
        "cost_breakfast_total": _fee(rng, 40, 160, 0.3),
        "cost_parking_total": _fee(rng, 30, 140, 0.35),
        "cost_barrier_free_total": _fee(rng, 20, 120, 0.5),
    }


def _apartment_name(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    style = rng.choice(("Loft", "Nest", "Courtyard", "Attic", "Canal House", "Garden Row", "Studio Nine"))
    option["name"] = f"{rng.choice(values.PLATFORMS)}: {style.replace('Garden Row', 'Brick Row')}"


def _apartment_room(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    beds = rng.choice((1, 1, 2, 2, 3, 4, 6))
    option["room"] = f"{beds}B{max(1, beds - rng.choice((0, 0, 1, 2)))}B"
    option["capacity"] = rng.randint(1, 9) if rng.random() < 0.3 else 2 * beds


_APARTMENT_AMENITIES = (
    "Kitchen", "Air Conditioning", "High-Speed WiFi", "Parking", "Washer and Dryer", "Garden", "Elevator",
    "Pets Allowed",
)  # fmt: skip


def _apartment_amenities(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    option["amenities"] = some(rng, _APARTMENT_AMENITIES, 0.5)


def _apartment_service(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    option["service"] = {
        "cost_cleaning_total": _fee(rng, 30, 150, 0.2),
        "cost_late_checkout_fee": _fee(rng, 20, 90, 0.35),
        "cost_early_checkin_fee": _fee(rng, 20, 90, 0.35),
    }


def _car_brand(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    option["brand"] = rng.choice(values.CAR_BRANDS)


def _car_model(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    option["model"] = rng.choice(values.CAR_MODELS)
    option["categories"] = rng.choice(("Gasoline", "Electric", "SUV", "Economy"))


def _car_seats(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    option["seats"] = rng.choice((2, 4, 5, 5, 7, 8))


def _insurance(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    names = ("damage_waiver", "liability_waiver", "personal_accident_waiver", "belonging_waiver")
    option["insurance"] = {f"cost_{name}": _fee(rng, 20, 150, 0.3) for name in names}


def _car_service(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    names = ("child_seat_total", "underage_total", "additional_driver_total")
    option["service"] = {f"cost_{name}": _fee(rng, 20, 120, 0.35) for name in names}


def _cuisine(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    option["name"] = f"{rng.choice(values.RESTAURANT_NAMES)} {frame['destination']}"
    option["cuisine"] = rng.choice(values.CUISINES + values.OTHER_CUISINES)


def _expectation(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    option["expectation"] = rng.choice(("Cheap", "Normal", "Expensive"))


def _reviews(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    option["rating"] = rng.randint(3, 10)
    option["reviews"] = {f"{stars}_star": rng.randint(1, 400 // (6 - stars)) for stars in (5, 4, 3, 2)}
    option["reviews"]["1_star"] = 0 if rng.random() < 0.4 else rng.randint(1, 60)


_TAGS = (
    "Reservations Available", "Parking", "Outdoor Seating", "Walk-ins Welcomed", "Pet-Friendly",
    "Delivery Available", "Late Night Service", "Business Dining",
)  # fmt: skip


def _tags(rng: random.Random, option: Option, frame: Mapping[str, str]) -> None:
    option["tags"] = some(rng, _TAGS, 0.5)


# aspect -> (category of preferences, sampler), in an order in which later ones may read earlier fields
SAMPLERS: Mapping[str, tuple[tuple[str, Sampler], ...]] = {
    "flight": (
        ("path", _path), ("time", _time), ("company", _company), ("amenities", _on_board),
        ("service", _flight_service),
    ),
    "hotel": (
        ("name", _hotel_name), ("room", _rooms), ("rating", _rating), ("amenities", _hotel_amenities),
        ("service", _hotel_service),
    ),
    "apartment": (
        ("name", _apartment_name), ("room", _apartment_room), ("rating", _rating),
        ("amenities", _apartment_amenities), ("service", _apartment_service),
    ),
    "rental_car": (
        ("brand", _car_brand), ("model", _car_model), ("seats", _car_seats), ("insurance", _insurance),
        ("service", _car_service),
    ),
    "restaurant": (
        ("cuisine", _cuisine), ("expectation", _expectation), ("rating", _reviews), ("tags", _tags)
    ),
}  # fmt: skip

Absurd = Callable[[random.Random, Option], str]


def _field(field: str, choices: Sequence[Any], reason: str) -> Absurd:
    def change(rng: random.Random, option: Option) -> str:
        option[field] = rng.choice(choices)
        return reason

    return change


def _nowhere(rng: random.Random, option: Option) -> str:
    option["path"] = [option["path"][0], *option["path"][1:-1], rng.choice(values.FICTIONAL)]
    return "flies to a place that does not exist"


def _no_time(rng: random.Random, option: Option) -> str:
    option["time"] = [rng.choice((0, 1000)) for _ in option["time"]]
    return "takes no time, or weeks"


def _odd_name(rng: random.Random, option: Option) -> str:
    option["name"] = f"{rng.choice(values.FICTIONAL)} Inn at the End of Time"
    return "stands in a place that does not exist"


_MAD_COST = _field("cost", (0, -50, 250_000, 1_000_000), "costs nothing, less than nothing or a fortune")
_MAD_RATING = _field("rating", (11, -5, 37), "has a rating outside the scale")


def _mad_rooms(rng: random.Random, option: Option) -> str:
    option["cost"] = [rng.choice((0, -80, 400_000)) for _ in option["room"]]
    return "costs nothing, less than nothing or a fortune"


def _other_route(rng: random.Random, option: Option) -> str:
    places = [city for city in values.CITIES if city not in option["path"]]
    option["path"] = [*rng.sample(places, 1), *option["path"][1:-1], *rng.sample(places, 1)]
    return "flies between other cities"


def _other_city(rng: random.Random, option: Option) -> str:
    option["name"] = f"{option['name']} (in {rng.choice(values.HUBS)})"
    return "is in another city"


def _other_pickup(rng: random.Random, option: Option) -> str:
    option["model"] = f"{option['model']} (only in {rng.choice(values.HUBS)})"
    return "is to be picked up in another city"


# aspect -> absurdities, and the plausible mismatch
ABSURD: Mapping[str, tuple[tuple[Absurd, ...], Absurd]] = {
    "flight": ((_nowhere, _no_time, _MAD_COST), _other_route),
    "hotel": ((_odd_name, _MAD_RATING, _mad_rooms), _other_city),
    "apartment": (
        (_odd_name, _MAD_RATING, _MAD_COST, _field("capacity", (0, 900), "has room for nobody, or a town")),
        _other_city,
    ),
    "rental_car": (
        (
            _MAD_COST,
            _field("seats", (0, 100), "has no seats, or a hundred"),
            _field("brand", values.FICTIONAL, "is made by nobody"),
        ),
        _other_pickup,
    ),
    "restaurant": (
        (
            _odd_name,
            _MAD_RATING,
            _field("cuisine", ("Stardust", "Moonstone"), "serves what nobody can eat"),
        ),
        _other_city,
    ),
}
