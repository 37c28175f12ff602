import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from suite.scoring.metrics.means import COEFFICIENTS
from suite.scoring.stats.agreement import RatingTable, agreement, coefficient_of, largest_cohen
from suite.scoring.stats.clusters import clusters_of

SCALES = ("nominal", "ordinal", "interval")


def close(value: float | tuple[float, float]) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def table_of(ratings: list[Any], categories: list[Any] | str) -> RatingTable:
    place = {one: code for code, one in enumerate(categories)}
    codes = np.array([[place.get(one, -1) for one in row] for row in ratings], dtype=np.int64)
    labels = any(isinstance(one, str) for one in categories)
    return RatingTable(codes, len(place), None if labels else np.array(categories, dtype=float))


def values(ratings: list[Any], categories: list[Any] | str, scale: str = "nominal") -> dict[str, Any]:
    table = table_of(ratings, categories)
    return {name: coefficient_of(name, table, scale)[0] for name in COEFFICIENTS}


def test_two_raters_meet_the_golden_values(given: dict[str, Any], golden: dict[str, Any]) -> None:
    case, row = given["agreement"]["two"], golden["agreement_two"]
    ratings = list(zip(case["r1"], case["r2"], strict=True))
    assert values(ratings, case["categories"], "ordinal") == {
        "percent": close(row["percent"]),
        "alpha": close(row["kripp_ordinal"]),
        "ac1": close(row["gwet_ac1"]),
        "randolph": close(row["randolph"]),
        "fleiss": close(row["scott_pi"]),
        "cohen": close(row["cohen"]),
    }
    assert largest_cohen(table_of(ratings, case["categories"]))[0] == close(row["max_kappa"])
    assert values(ratings, case["categories"])["alpha"] == close(row["kripp_nominal"])
    assert values(ratings, case["categories"], "interval")["alpha"] == close(row["kripp_interval"])


def test_several_raters_meet_the_golden_values(given: dict[str, Any], golden: dict[str, Any]) -> None:
    case, row = given["agreement"]["multi"], golden["agreement_multi"]
    found = values(case["ratings"], case["categories"])
    assert found["percent"] == close(row["pairwise_percent"])
    assert (found["fleiss"], found["randolph"]) == close((row["fleiss"], row["randolph"]))
    assert found["cohen"] is None


@pytest.mark.parametrize("scale", SCALES)
def test_gaps_meet_the_golden_values(given: dict[str, Any], golden: dict[str, Any], scale: str) -> None:
    ratings = list(zip(*given["agreement"]["missing"], strict=True))
    row = golden["agreement_missing"]
    found = values(ratings, [1, 2, 3, 4, 5], scale)
    assert found["alpha"] == close(row[f"kripp_{scale}"])
    assert (found["percent"], found["ac1"]) == close((row["percent"], row["gwet_ac1"]))
    assert found["randolph"] == close(row["brennan_prediger"])
    assert found["fleiss"] is None


def test_items_of_one_category_have_no_kappa() -> None:
    table = table_of([("yes", "yes")] * 6, ["yes", "no"])
    found = {name: coefficient_of(name, table, "nominal") for name in COEFFICIENTS}
    assert found == {
        "percent": (1, ""),
        "ac1": (1, ""),
        "randolph": (1, ""),
        "alpha": (None, "no variation"),  # evalica says 1, the krippendorff package raises
        "fleiss": (None, "no variation"),  # statsmodels says NaN
        "cohen": (None, "no variation"),  # scikit-learn says NaN
    }
    assert largest_cohen(table) == (None, "no variation")


@pytest.mark.parametrize(
    ("ratings", "categories"),
    [
        ([("a", None), (None, "b")], "ab"),
        ([(None, None)], "ab"),
        ([("a", "a")], "a"),
        ([("a", "b")], "ab"),
        ([("a", "b"), ("b", "b"), ("a", "a")], "ab"),
    ],
)
def test_too_little_data_never_raises(ratings: list[Any], categories: str) -> None:
    table = table_of(ratings, categories)
    for name, scale in itertools.product(COEFFICIENTS, SCALES):
        found = agreement(name, scale, table, clusters_of(None, len(ratings)), 0.95)
        assert (found.value is None) <= (found.low is None)


def test_a_lone_prevalent_category_fools_kappa_but_not_ac1() -> None:
    ratings = [("a", "a")] * 95 + [("a", "b")] * 3 + [("b", "a")] * 2
    found = values(ratings, "ab")
    assert found["cohen"] < 0 < 0.9 < found["ac1"]


full = st.lists(st.tuples(*[st.sampled_from("abc")] * 3), min_size=2, max_size=12)


@forall(full, st.permutations(range(3)), st.permutations("abc"))
def test_raters_and_labels_have_no_order(
    ratings: list[tuple[str, str, str]], raters: list[int], names: list[str]
) -> None:
    renamed = dict(zip("abc", names, strict=True))
    mixed = [tuple(renamed[row[i]] for i in raters) for row in ratings]
    one, other = values(ratings, "abc"), values(mixed, "abc")
    assert one == {name: None if value is None else close(value) for name, value in other.items()}


# Krippendorff's example of 12 units and 4 observers; 0 is missing
EXAMPLE = """
1 1 0 1
2 2 3 2
3 3 3 3
3 3 3 3
2 2 2 2
1 2 3 4
4 4 4 4
1 1 2 1
2 2 2 2
0 5 5 5
0 0 1 1
0 0 3 0
"""
MISSING = RatingTable(
    np.array([[int(one) - 1 for one in line.split()] for line in EXAMPLE.strip().splitlines()]),
    5,
    np.arange(1.0, 6.0),
)


@pytest.mark.parametrize(
    ("name", "scale", "value"),
    [
        ("alpha", "nominal", 0.743421),
        ("alpha", "ordinal", 0.815388),
        ("alpha", "interval", 0.849107),
        ("ac1", "nominal", 0.775444),
        ("randolph", "nominal", 0.772727),
        ("percent", "nominal", 0.818182),
    ],
)
def test_ratings_with_gaps(name: str, scale: str, value: float) -> None:
    found, note = coefficient_of(name, MISSING, scale)
    assert found == pytest.approx(value, abs=1e-6)
    assert note == ""


def test_fleiss_wants_as_many_ratings_on_every_item() -> None:
    assert coefficient_of("fleiss", MISSING, "nominal") == (None, "items have different numbers of ratings")


CODES = st.integers(2, 4).flatmap(
    lambda raters: st.lists(
        st.lists(st.integers(0, 3), min_size=raters, max_size=raters), min_size=2, max_size=15
    )
)


@settings(max_examples=60, deadline=None)
@forall(CODES, st.sampled_from(["nominal", "ordinal", "interval"]))
def test_coefficients_equal_other_libraries(codes: list[list[int]], scale: str) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    metrics = pytest.importorskip("sklearn.metrics")
    table = np.array(codes)
    ratings = RatingTable(table, 4, np.arange(4.0))
    if len(np.unique(table)) == 1:
        assert coefficient_of("alpha", ratings, scale)[0] is None
        assert coefficient_of("fleiss", ratings, scale)[0] is None
        assert coefficient_of("percent", ratings, scale)[0] == 1.0
        assert coefficient_of("ac1", ratings, scale)[0] == 1.0
        return
    counts = np.array([[(row == k).sum() for k in range(4)] for row in table])
    assert coefficient_of("alpha", ratings, scale)[0] == pytest.approx(
        krippendorff.alpha(value_counts=counts, value_domain=[0, 1, 2, 3], level_of_measurement=scale)
    )
    assert coefficient_of("fleiss", ratings, scale)[0] == pytest.approx(inter_rater.fleiss_kappa(counts))
    assert coefficient_of("randolph", ratings, scale)[0] == pytest.approx(
        inter_rater.fleiss_kappa(counts, method="randolph")
    )
    if table.shape[1] == 2 and len(np.unique(table[:, 0])) > 1:
        expected = metrics.cohen_kappa_score(table[:, 0], table[:, 1], labels=[0, 1, 2, 3])
        assert coefficient_of("cohen", ratings, scale)[0] == pytest.approx(expected)
    elif table.shape[1] != 2:
        assert coefficient_of("cohen", ratings, scale)[0] is None


def test_no_two_ratings_is_no_agreement() -> None:
    alone = RatingTable(np.array([[0, -1], [-1, 1]]), 2, np.arange(2.0))
    for name in COEFFICIENTS:
        assert coefficient_of(name, alone, "nominal")[0] is None
    assert coefficient_of("alpha", RatingTable(np.array([[0, 1]]), 2), "interval")[0] is None


@pytest.mark.parametrize("name", COEFFICIENTS)
def test_a_coefficient_of_one_item_is_a_plain_number(name: str) -> None:
    found = agreement(name, "nominal", RatingTable(np.array([[0, 1]]), 2), clusters_of(None, 1), 0.95)
    assert (type(found.value), found.note) == (float, "one sample")
