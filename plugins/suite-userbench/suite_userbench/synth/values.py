"""Words and values of the generated world: cities, brands, ranges. Only names; no rules."""

from collections.abc import Mapping
from typing import Any

# Ends of trips; hubs are disjoint from them, so that "via" names never collide with a search argument.
CITIES = (
    "Lisbon", "Oslo", "Vienna", "Prague", "Dublin", "Athens", "Warsaw", "Helsinki", "Seville", "Naples",
    "Boston", "Denver", "Seattle", "Chicago", "Austin", "Montreal", "Vancouver", "Lima", "Bogota", "Santiago",
    "Osaka", "Busan", "Hanoi", "Jaipur", "Perth", "Auckland", "Nairobi", "Cape Town", "Marrakesh", "Tunis",
)  # fmt: skip
HUBS = (
    "Frankfurt", "Amsterdam", "Zurich", "Istanbul", "Doha", "Dubai", "Singapore", "Atlanta", "Toronto",
    "Panama City", "Reykjavik", "Madrid",
)  # fmt: skip
AIRLINES = (
    "Delta", "United", "Lufthansa", "Air France", "Emirates", "Qatar Airways", "Iberia", "KLM", "Finnair",
    "Avianca",
)  # fmt: skip
HOTEL_BRANDS = (
    "Marriott", "Hilton", "Hyatt", "Radisson", "Novotel", "Sheraton", "Westin", "Ibis", "Scandic", "Meliá",
)  # fmt: skip
HOTEL_STYLES = ("Harbour", "Central", "Park", "Old Town", "Riverside", "Station", "Plaza", "Hillside")
VIEWS = (("the city", "City View"), ("the ocean", "Ocean View"), ("the mountains", "Mountain View"))
PLATFORMS = ("Airbnb", "VRBO", "Homestay", "Sonder", "Plum Guide", "HomeToGo")
CAR_BRANDS = ("Toyota", "Ford", "Kia", "Volvo", "Fiat", "Skoda", "Mazda", "Renault")
CAR_MODELS = ("Alder", "Brio", "Corsair", "Dune", "Estero", "Fjord", "Galena", "Heron", "Ibex", "Jura")
SWEET = (("dessert bar", "Dessert"), ("bakery", "Bakery"), ("café", "Cafe"))
CUISINES = (
    "Japanese", "French", "Italian", "Mexican", "Indian", "Chinese", "Thai", "Greek", "Korean", "Spanish",
    "Vietnamese", "Lebanese",
)  # fmt: skip
OTHER_CUISINES = ("Fast Food", "Vegetarian", "Seafood", "Steakhouse", "Dessert", "Bakery", "Cafe", "American")
RESTAURANT_NAMES = (
    "Copper Spoon", "Blue Lantern", "Salt and Smoke", "Three Herons", "Orchard Room", "Night Kettle",
    "Marble Fork", "Golden Acre", "The Long Table", "Pepper Lane", "Corner of Sage", "Willow Hall",
)  # fmt: skip
RANGES = (("6.0 and 7.5", (6.0, 7.5)), ("7.0 and 8.5", (7.0, 8.5)), ("8.0 and 9.5", (8.0, 9.5)))
WHOLE_RANGES = (("5 and 7", (5, 7)), ("6 and 8", (6, 8)), ("7 and 9", (7, 9)))
PEOPLE = (4, 5, 6, 7)
SEATS = (2, 4, 5, 7)
FICTIONAL = ("Atlantis", "Gotham", "Narnia", "El Dorado", "Wakanda", "Mordor", "Neverland")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


def _plain(names: tuple[Any, ...]) -> tuple[tuple[str, Any], ...]:
    return tuple((str(name), name) for name in names)


# kind of value -> (how a statement says it, what an option is compared with)
VALUES: Mapping[str, tuple[tuple[str, Any], ...]] = {
    "via": _plain(HUBS),
    "airline": _plain(AIRLINES),
    "hotel_brand": _plain(HOTEL_BRANDS),
    "range": RANGES,
    "whole_range": WHOLE_RANGES,
    "view": VIEWS,
    "platform": _plain(PLATFORMS),
    "people": _plain(PEOPLE),
    "car_brand": _plain(CAR_BRANDS),
    "car_model": _plain(CAR_MODELS),
    "seats": _plain(SEATS),
    "sweet": SWEET,
    "cuisine": _plain(CUISINES),
}
