"""What a score may hold: values left out, unscored, within a range, labels where a metric takes them."""

import pytest

from suite import Custom, Mean, Part, PassAt, Rate, Score, Unscored, WinRate
from suite.scoring.value_checks import ValueChecks

METRICS = (
    Rate("right"),
    Mean("grade", range=(1, 5)),
    WinRate("won"),
    PassAt("solved"),
    Mean("found", over="parts", range=(0, 1)),
    Custom("kappa", lambda columns: None, needs=("label",)),
)


@pytest.mark.parametrize(
    "score",
    [
        Score(),
        Score({"right": None}),
        Score({"right": True, "other": "a note"}),
        Score({"right": Unscored("unparsed")}),
        Score({"right": 1 + 1e-12, "grade": 5, "won": 0.5, "label": "a"}),
        Score({"right": float("nan")}),
        Score({"other": 3}, [Part("a", {"found": 0.5})]),
    ],
)
def test_what_metrics_can_count_passes(score: Score) -> None:
    assert not ValueChecks(METRICS).problem(score)


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (Score({"rigth": True}), "did you mean 'right'?"),
        (Score({"xyz": True}), "they read grade, label, right, solved, won"),
        (Score({"right": "yes"}), "takes a number"),
        (Score({"right": 2}), "takes 0 to 1"),
        (Score({"grade": 0.5}), "takes 1 to 5"),
        (Score({"won": -1}), "takes 0 to 1"),
        (Score({"solved": 1.5}), "takes 0 to 1"),
        (Score({"right": 1}, [Part("a", {"found": 2})]), "takes 0 to 1"),
        (Score({"right": 1}, [Part("a", {"found": "no"})]), "takes a number"),
    ],
)
def test_what_no_metric_can_count_is_named(score: Score, said: str) -> None:
    assert said in ValueChecks(METRICS).problem(score)
