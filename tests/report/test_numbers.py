"""Numbers as people read them."""

import pytest

from suite.journal.documents import MetricResult
from suite.report.numbers import coverage_text, interval, number, percent, plain, value_text


def result(**changed: object) -> MetricResult:
    fields: dict[str, object] = {
        "name": "kept", "slice": {}, "headline": True, "value": 0.5, "low": 0.4, "high": 0.6, "level": 0.95,
        "method": "wilson", "n": 10, "unscored": 0, "not_applicable": 0, "coverage": 1.0, "bounds": None,
        "clusters": 10, "n_effective": None, "direction": "higher", "note": "", "unit": "",
    }  # fmt: skip
    return MetricResult(**{**fields, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0.12345, "0.123"), (-0.5, "-0.500"), (12.345, "12.3"), (1234.56, "1,235"), (7, "7"),
     (123456.0, "123,456"), (12345, "12,345")],
)  # fmt: skip
def test_numbers(value: float | int | None, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(1.0, "100 %"), (0.0, "0 %"), (0.9999, "99.9 %"), (0.0001, "0.1 %"), (0.861, "86 %"), (None, "–")],
)
def test_a_share_never_rounds_to_all_or_nothing(share: float | None, shown: str) -> None:
    assert percent(share) == shown


def test_a_value_comes_with_its_interval_and_unit() -> None:
    assert value_text(result(unit="words", value=12.0, low=10.0, high=14.0)) == "12.0 words [10.0, 14.0]"
    assert value_text(result(low=None, high=None)) == "0.500"
    assert value_text(result(value=None)) == value_text(None) == "–"
    assert interval(None, 1.0) == "–"


def test_bounds_stand_beside_a_coverage_below_one() -> None:
    assert coverage_text(result(coverage=0.8, bounds=(0.4, 0.6))) == "80 % (0.400 to 0.600)"
    assert coverage_text(result()) == "100 %"


def test_values_of_parameters() -> None:
    assert plain(["a", 1, None, True]) == "a, 1, none, yes"
    assert plain({"k": [1, 2]}) == "k=1, 2"
    assert plain([]) == "none"
