"""The correlation code against the published table (arXiv 2510.07315 v2), where a copy of it is at hand."""

import csv
import random
from pathlib import Path

import pytest
import suite_vibechecker.composite as composite
from scipy.stats import rankdata
from suite_vibechecker.composite import Kind, Standing

import suite

# Three digits were printed; for Spearman they come from the formula without correction for ties,
# which equal ratings move by up to 0.0002.
ROUNDED = 7e-4
TABLE = Path(__file__).parents[4] / "shared" / "data" / "vibechecker" / "published_scores.csv"


def rows() -> list[dict[str, str]]:
    if not TABLE.is_file():
        pytest.skip("no copy of the published table beside this checkout")
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


def standings(part: str, rating: str) -> list[Standing]:
    wanted = (f"{part}_base_pass1", f"{part}_if1_single", rating)
    return [
        Standing(*(float(row[name]) for name in wanted))
        for row in rows()
        if all(row[name] for name in wanted)
    ]


GOLDEN: list[tuple[str, str, Kind, float, float]] = [
    ("big", "arena_elo_sc", "pearson", 0.4, 0.752),
    ("big", "arena_elo_sc", "spearman", 0.7, 0.729),
    ("big", "arena_elo_sc", "kendall", 0.7, 0.557),
    ("live", "arena_elo_sc", "pearson", 0.4, 0.801),
    ("live", "arena_elo_sc", "spearman", 0.6, 0.817),
    ("live", "arena_elo_sc", "kendall", 0.6, 0.639),
    ("big", "arena_elo_no_sc", "pearson", 0.4, 0.692),
    ("big", "arena_elo_no_sc", "spearman", 0.8, 0.697),
    ("live", "arena_elo_no_sc", "pearson", 0.3, 0.814),
    ("live", "arena_elo_no_sc", "spearman", 0.6, 0.808),
]


@pytest.mark.parametrize(("part", "rating", "kind", "alpha", "value"), GOLDEN)
def test_the_published_optima_come_out(
    part: str, rating: str, kind: Kind, alpha: float, value: float
) -> None:
    found = composite.peak(standings(part, rating), kind)
    assert found is not None
    assert found.alpha == alpha
    assert found.correlation == pytest.approx(value, abs=ROUNDED)


ENDS: list[tuple[str, Kind, float, float]] = [
    ("big", "pearson", 0.656, 0.698),
    ("big", "spearman", 0.587, 0.702),
    ("live", "pearson", 0.787, 0.598),
    ("live", "spearman", 0.762, 0.645),
]


@pytest.mark.parametrize(("part", "kind", "functional", "following"), ENDS)
def test_each_score_alone_agrees_less(part: str, kind: Kind, functional: float, following: float) -> None:
    curve = composite.curve(standings(part, "arena_elo_sc"), kind)
    ends = [curve[0][1], curve[-1][1]]
    assert ends == [pytest.approx(functional, abs=ROUNDED), pytest.approx(following, abs=ROUNDED)]


def test_spearman_without_correction_for_ties_gives_the_printed_digits() -> None:
    table = standings("big", "arena_elo_sc")
    mixed = rankdata([composite.composite(one.functional, one.following, 0.7) for one in table])
    squares = sum((mixed - rankdata([one.rating for one in table])) ** 2)
    plain = 1 - 6 * squares / (len(table) * (len(table) ** 2 - 1))
    corrected = composite.correlation(table, 0.7, "spearman")
    assert round(plain, 3) == 0.729
    assert corrected == pytest.approx(plain, abs=2e-4)


def test_the_table_has_the_published_models_and_headline() -> None:
    counts = (len(standings("big", "arena_elo_sc")), len(standings("live", "arena_elo_sc")))
    regression = [
        round(sum(values) / len(values), 2)
        for name in ("big_fr5_single", "live_fr5_single")
        if (values := [float(row[name]) for row in rows() if row[name]])
    ]
    assert (counts, regression) == ((30, 23), [5.85, 6.61])


@pytest.mark.parametrize(
    "few",
    [[], [Standing(1, 2, 3), Standing(2, 3, 4)], [Standing(1, 1, 5), Standing(1, 1, 6), Standing(1, 1, 7)]],
)
def test_no_correlation_is_no_number(few: list[Standing]) -> None:
    assert composite.peak(few, "pearson") is None


def test_a_weight_outside_its_range_is_refused() -> None:
    with pytest.raises(suite.ConfigError, match="outside 0 to 1"):
        composite.composite(1, 1, 1.5)


@pytest.mark.parametrize("kind", ["pearson", "spearman", "kendall"])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_the_weight_that_made_a_rating_is_found(kind: Kind, alpha: float) -> None:
    rng = random.Random(1)
    mixed = [(rng.random(), rng.random()) for _ in range(200)]
    made = [Standing(f, i, 1000 + 400 * composite.composite(f, i, alpha)) for f, i in mixed]
    found = composite.peak(made, kind)
    assert found is not None
    assert found.alpha == pytest.approx(alpha)
    assert found.correlation == pytest.approx(1.0)
