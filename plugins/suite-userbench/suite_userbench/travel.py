"""The travel domain: its five aspects, their letters, search arguments and the legends of their fields."""

from collections.abc import Mapping
from dataclasses import dataclass

from suite_userbench.scenario import SYNTH


@dataclass(frozen=True, slots=True)
class Domain:
    """What is fixed about an aspect. title: how the user would call it. legend: explains the fields that a
    search shows; made_legend: what holds of this project's own scenarios besides.
    """

    name: str
    letter: str
    title: str
    arguments: tuple[str, ...]
    legend: str
    made_legend: str = ""

    def legend_of(self, source: str) -> str:
        """The legend for scenarios of a source."""
        return f"{self.legend} {self.made_legend}".strip() if source.startswith(SYNTH) else self.legend


ASPECTS: Mapping[str, Domain] = {
    one.name: one
    for one in (
        Domain(
            "flight",
            "F",
            "flight",
            ("origin", "destination", "date"),
            "path: airports in order; time: hours of flights and waits in turn; company, flight_number: per "
            "flight; cost: US dollars in economy; amenities; service: prices of extras, null if not offered.",
        ),
        Domain(
            "hotel",
            "H",
            "hotel",
            ("city", "date_start", "date_end"),
            "room: types and how many people fit; cost: US dollars for the whole stay, per room type; "
            "rating: 0 "
            "to 10; amenities; service: prices of extras for the stay, null if not offered.",
        ),
        Domain(
            "apartment",
            "A",
            "apartment",
            ("city", "date_start", "date_end"),
            "room: 2B1B is two bedrooms and one bathroom; capacity: people; cost: US dollars for the whole "
            "stay; "
            "rating: 0 to 10; amenities; service: prices of extras, null if not offered.",
            "Cleaning is always paid.",
        ),
        Domain(
            "rental_car",
            "C",
            "rental car",
            ("city", "date_start", "date_end"),
            "categories: kind of car; seats; cost: US dollars for the whole period; insurance, service: "
            "prices of "
            "extras, null if not offered.",
        ),
        Domain(
            "restaurant",
            "R",
            "restaurant",
            ("city", "date"),
            "expectation: price level; rating: 0 to 10; reviews: how many of each; tags: what it offers.",
            "avg_cost_per_person: US dollars, where known.",
        ),
    )
}
