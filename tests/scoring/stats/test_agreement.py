import itertools

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from suite.errors import NotFound
from suite.scoring.stats.agreement import agreement
from suite.scoring.stats.krippendorff import SCALES

CASES = [("nominal", "nominal"), ("ordinal", "ordinal"), ("interval", "interval"), ("ratio", "ratio")]


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def values(ratings, categories=None, scale="nominal"):
    found = agreement(ratings, categories, scale, draws=0)
    return {name: one.value for name, one in found.items()}


def test_two_raters_meet_the_golden_values(given, golden):
    case, row = given["agreement"]["two"], golden["agreement_two"]
    ratings = list(zip(case["r1"], case["r2"], strict=True))
    found = values(ratings, case["categories"], "ordinal")
    assert found == {
        "percent": close(row["percent"]),
        "alpha": close(row["kripp_ordinal"]),
        "ac1": close(row["gwet_ac1"]),
        "randolph": close(row["randolph"]),
        "fleiss": close(row["scott_pi"]),
        "cohen": close(row["cohen"]),
        "cohen-max": close(row["max_kappa"]),
        "cohen-linear": close(row["linear_weighted"]),
        "cohen-quadratic": close(row["quadratic_weighted"]),
    }
    assert values(ratings, case["categories"])["alpha"] == close(row["kripp_nominal"])
    assert values(ratings, case["categories"], "interval")["alpha"] == close(row["kripp_interval"])


def test_an_unused_category_keeps_its_place(given, golden):
    case, row = given["agreement"]["two"], golden["agreement_two"]
    ratings = list(zip(case["r1"], case["r2"], strict=True))
    observed = values(ratings, None, "ordinal")["cohen-linear"]
    # 4 occurs nowhere: leaving it out is what scikit-learn does without `labels`.
    assert observed == close(row["linear_weighted_without_labels"])
    assert observed != close(values(ratings, case["categories"], "ordinal")["cohen-linear"])


def test_several_raters_meet_the_golden_values(given, golden):
    case, row = given["agreement"]["multi"], golden["agreement_multi"]
    found = values(case["ratings"], case["categories"])
    assert found["percent"] == close(row["pairwise_percent"])
    assert (found["fleiss"], found["randolph"]) == close((row["fleiss"], row["randolph"]))
    assert "cohen" not in found


@pytest.mark.parametrize(("scale", "key"), CASES)
def test_gaps_meet_the_golden_values(given, golden, scale, key):
    ratings = list(zip(*given["agreement"]["missing"], strict=True))
    row = golden["agreement_missing"]
    found = values(ratings, [1, 2, 3, 4, 5], scale)
    assert found["alpha"] == close(row[f"kripp_{key}"])
    assert (found["percent"], found["ac1"]) == close((row["percent"], row["gwet_ac1"]))
    assert found["randolph"] == close(row["brennan_prediger"])
    assert "fleiss" not in found


def test_intervals_resample_units_rather_than_pairs(given, golden):
    ratings = list(zip(*given["agreement"]["missing"], strict=True))
    found = agreement(ratings, [1, 2, 3, 4, 5], "ordinal", seed=20250101)["alpha"]
    expected = golden["agreement_missing"]["kripp_ordinal_unit_bootstrap_ci"]
    assert [found.low, found.high] == pytest.approx(expected, abs=0.02)
    assert (found.method, found.n, found.n_unscored) == ("cluster-bootstrap-percentile", 11, 1)


def test_clusters_of_items_are_drawn_whole():
    ratings = [("a", "a"), ("a", "b"), ("b", "b"), ("b", "a")] * 5
    alone = agreement(ratings, ["a", "b"], seed=1)["percent"]
    together = agreement(ratings, ["a", "b"], clusters=[i % 2 for i in range(20)], seed=1)["percent"]
    assert (alone.clusters, together.clusters) == (20, 2)
    assert (together.low, together.high) != (alone.low, alone.high)
    assert agreement(ratings, ["a", "b"], clusters=["c"] * 20)["percent"].note == "one cluster"


def test_items_of_one_category_have_no_kappa():
    found = agreement([("yes", "yes")] * 6, ["yes", "no"], seed=1)
    assert {name: one.value for name, one in found.items()} == {
        "percent": 1,
        "ac1": 1,
        "randolph": 1,
        "alpha": None,  # evalica says 1, the krippendorff package raises
        "fleiss": None,  # statsmodels says NaN
        "cohen": None,  # scikit-learn says NaN
        "cohen-max": None,
    }
    assert found["cohen"].note == found["alpha"].note == "no variation"
    assert found["percent"].low is None


@pytest.mark.parametrize(
    ("ratings", "categories"),
    [
        ([], ["a", "b"]),
        ([], None),
        ([("a",), ("b",)], ["a", "b"]),
        ([("a", None), (None, "b")], ["a", "b"]),
        ([(None, None)], ["a", "b"]),
        ([("a", "a")], ["a"]),
        ([("a", "b")], ["a", "b"]),
        ([()], ["a", "b"]),
    ],
)
def test_too_little_data_never_raises(ratings, categories):
    for scale in SCALES:
        found = agreement(ratings, categories, scale, draws=20)
        if not ratings or len(ratings[0]) < 2 or None in ratings[0] or categories == ["a"]:
            assert {one.value for one in found.values()} == {None}


def test_a_lone_prevalent_category_fools_kappa_but_not_ac1():
    ratings = [("a", "a")] * 95 + [("a", "b")] * 3 + [("b", "a")] * 2
    found = values(ratings, ["a", "b"])
    assert found["cohen"] < 0 < 0.9 < found["ac1"]


def test_distinct_scores_have_an_alpha():
    chance = np.random.default_rng(0)
    truth = chance.normal(size=3000)
    ratings = np.stack([truth + chance.normal(size=3000) * 0.5, truth], axis=1)
    found = agreement(ratings.tolist(), None, "interval", draws=50)
    library = pytest.importorskip("krippendorff")
    oracle = library.alpha(reliability_data=ratings[:200].T, level_of_measurement="interval")
    assert list(found) == ["alpha"]
    assert agreement(ratings[:200].tolist(), None, "interval", draws=0)["alpha"].value == close(oracle)
    assert found["alpha"].low < found["alpha"].value < found["alpha"].high


def test_unknown_categories_and_scales_are_errors():
    with pytest.raises(NotFound, match="'mabye'"):
        agreement([("yes", "mabye")], ["yes", "maybe"])
    with pytest.raises(NotFound, match="did you mean 'ordinal'"):
        agreement([], ["a"], "ordnal")


grid = st.integers(2, 4).flatmap(
    lambda raters: st.lists(
        st.lists(st.sampled_from([1, 2, 3, 4, None]), min_size=raters, max_size=raters),
        min_size=2,
        max_size=12,
    )
)


@forall(grid, st.sampled_from(SCALES))
def test_alpha_equals_the_reference(ratings, scale):
    data = np.array([[np.nan if one is None else one for one in row] for row in ratings]).T
    used = data[:, (~np.isnan(data)).sum(axis=0) >= 2]
    found = values(ratings, [1, 2, 3, 4], scale)["alpha"]
    if len(np.unique(used[~np.isnan(used)])) < 2:
        assert found is None
        return
    oracle = pytest.importorskip("krippendorff").alpha(reliability_data=data, level_of_measurement=scale)
    assert found == pytest.approx(oracle, abs=1e-9)


full = st.lists(st.tuples(*[st.sampled_from("abc")] * 3), min_size=2, max_size=12)


@forall(full, st.permutations(range(3)), st.permutations("abc"))
def test_raters_and_labels_have_no_order(ratings, raters, names):
    renamed = dict(zip("abc", names, strict=True))
    mixed = [tuple(renamed[row[i]] for i in raters) for row in ratings]
    one, other = values(ratings, "abc"), values(mixed, "abc")
    assert one == {name: None if value is None else close(value) for name, value in other.items()}


@forall(full)
def test_fleiss_equals_statsmodels(ratings):
    codes = np.array([["abc".index(one) for one in row] for row in ratings])
    if len(np.unique(codes)) == 1:
        return
    raters = pytest.importorskip("statsmodels.stats.inter_rater")
    counts, _ = raters.aggregate_raters(codes, n_cat=3)
    assert values(ratings, "abc")["fleiss"] == close(raters.fleiss_kappa(counts))


@forall(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=20))
def test_cohen_equals_scikit_learn(pairs):
    first, second = zip(*pairs, strict=True)
    found = values(pairs, range(4), "ordinal")
    for name, weights in (("cohen", None), ("cohen-linear", "linear"), ("cohen-quadratic", "quadratic")):
        if len(set(first) | set(second)) == 1:
            assert found[name] is None
        else:
            oracle = pytest.importorskip("sklearn.metrics").cohen_kappa_score(
                first, second, labels=range(4), weights=weights
            )
            assert found[name] == pytest.approx(oracle, abs=1e-9)


def test_percent_counts_pairs_of_raters():
    ratings = [("a", "a", "b", "c")]
    pairs = list(itertools.combinations(ratings[0], 2))
    assert values(ratings, "abc")["percent"] == close(sum(x == y for x, y in pairs) / len(pairs))
