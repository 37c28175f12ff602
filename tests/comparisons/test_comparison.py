import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from suite.blocks import Table
from suite.comparisons.comparison import Compared, ComparisonWanted, compare_runs
from suite.comparisons.differences import MeasureRow
from suite.comparisons.sections import as_data, sections
from suite.errors import ConfigError, NotFound, RunError
from suite.plugins import Catalogue
from suite.scoring.stats.clusters import clusters_of
from suite.scoring.stats.means import spread
from suite.task import Unscored
from tests.scoring.measuring import table_of


def only(found: Compared, metric: str = "kept") -> MeasureRow:
    return next(row for row in found.rows if row.measure.name == metric)


def kept(*indices: int) -> Callable[..., Any]:
    return lambda index, trial: {"kept": index in indices}


def compared(
    write_run: Callable[..., Any],
    plugins: Catalogue,
    a: Callable[..., Any],
    b: Callable[..., Any],
    wanted: ComparisonWanted | None = None,
    **how: Callable[..., Any] | int | str,
) -> Compared:
    places = [write_run("a", a, **how), write_run("b", b, **how)]
    return compare_runs([str(one) for one in places], wanted, plugins)


def test_rates_are_paired_by_sample_with_bonett_and_prices_interval(
    write_run: Callable[..., Any], plugins: Catalogue
) -> None:
    found = compared(write_run, plugins, kept(*range(30)), kept(*range(10, 32)), n=40)
    row = only(found)
    middle, se = 8 / 42, math.sqrt((14 / 42 - (8 / 42) ** 2) / 42)  # 10 and 2 discordant of 40, one more each
    d = row.found.comparison.difference
    assert (d.value, d.method) == (0.2, "bonett-price")
    assert (d.low, d.high) == pytest.approx((middle - 1.959964 * se, middle + 1.959964 * se), abs=1e-6)
    assert row.found.comparison.p == pytest.approx(math.erfc(middle / se / math.sqrt(2)))
    assert row.found.comparison.p == row.corrected
    assert (row.found.comparison.wins, row.found.comparison.ties, row.found.comparison.losses) == (10, 28, 2)
    assert row.verdict == "scripted/a better"
    assert found.family == 1
    assert row.found.comparison.smallest_difference > 0


def test_swapping_the_runs_turns_everything_round(
    write_run: Callable[..., Any], plugins: Catalogue, score_all: Callable[..., Any]
) -> None:
    a, b = write_run("a", score_all()), write_run("b", score_all(4))
    one = compare_runs([str(a), str(b)], ComparisonWanted(metrics=["all"]), plugins)
    none = [row.measure.name for row in one.rows if row.found.comparison.difference.value is None]
    assert none == ["solved@2", "solved^2"]  # one trial
    two = compare_runs([str(b), str(a)], ComparisonWanted(metrics=["all"]), plugins)
    for row in one.rows:
        if row.measure.name in none:
            continue
        other = only(two, row.measure.name)
        x, y = row.found.comparison, other.found.comparison
        assert y.difference.value == pytest.approx(-x.difference.value)
        assert (y.wins, y.losses, y.n_common) == (x.losses, x.wins, x.n_common)
        assert y.p == pytest.approx(x.p, abs=0.05 if x.difference.method == "cluster-bootstrap" else 1e-9)


def test_every_kind_of_metric_is_compared(
    write_run: Callable[..., Any], plugins: Catalogue, score_all: Callable[..., Any]
) -> None:
    found = compared(
        write_run, plugins, score_all(), score_all(4), ComparisonWanted(metrics=["all"]), trials=2, n=30
    )
    names = [row.measure.name for row in found.rows]
    assert names == [
        "kept", "grade", "grade_macro", "cost", "hits_per_tries", "win", "win_excluded", "win_strict",
        "win_net", "solved@1", "solved@2", "solved^1", "solved^2", "good", "followed",
    ]  # fmt: skip
    for row in found.rows:
        one = row.found.comparison
        assert one.n_common == (60 if row.measure.name == "followed" else 30)
        assert one.difference.value == pytest.approx(row.found.a - row.found.b, abs=1e-9)
        assert 0 < one.p <= 1
        assert row.headline == (row.measure.name == "kept")
        assert (row.verdict != "") == row.headline
    json.dumps(as_data(found), allow_nan=False)


def test_values_are_those_of_the_runs_own_results(
    write_run: Callable[..., Any], plugins: Catalogue, score_all: Callable[..., Any]
) -> None:
    from suite.journal.run import open_run
    from suite.scoring.computation import compute, wanted

    place = write_run("a", score_all())
    found = compare_runs(
        [str(place), str(write_run("b", score_all(3)))], ComparisonWanted(metrics=["all"]), plugins
    )
    task = plugins.load("task", "tiny/one")
    scored = [(output, score) for output, score in open_run(str(place)).pairs() if score is not None]
    table = table_of(scored, wanted(task.metrics))
    rows = {row.name: row for row in compute(task.metrics, "kept", table) if not row.slice}
    for row in found.rows:
        assert row.found.a == pytest.approx(rows[row.measure.name].value), row.measure.name


def test_clusters_are_kept_whole(write_run: Callable[..., Any], plugins: Catalogue) -> None:
    a, b = (lambda i, t: {"kept": i % 4 != 0}), (lambda i, t: {"kept": i % 3 == 0})
    found = compared(write_run, plugins, a, b, clusters=lambda index: f"c{index // 5}")
    one = only(found).found.comparison
    d = np.array([float(i % 4 != 0) - float(i % 3 == 0) for i in range(40)])
    expected = spread(d, clusters_of([f"c{i // 5}" for i in range(40)], 40))
    assert (one.difference.method, one.difference.clusters) == ("cluster-t-unseen", 8)
    student = stats.t(7, expected.mean, expected.se)
    assert one.difference.low == pytest.approx(student.ppf(0.025), abs=0.03)
    assert one.p == pytest.approx(2 * student.cdf(0), abs=0.05)
    assert one.p_method == "inverted-interval"


def test_a_lower_value_can_be_the_better_one(write_run: Callable[..., Any], plugins: Catalogue) -> None:
    a, b = (
        (lambda i, t: {"kept": True, "cost": 1.0 + i % 2}),
        (lambda i, t: {"kept": True, "cost": 3.0 + i % 3}),
    )
    found = compared(write_run, plugins, a, b, ComparisonWanted(metrics=["cost"]))
    row = only(found, "cost")
    assert row.found.comparison.difference.value < 0
    table = sections(found)[2].blocks[1]
    assert isinstance(table, Table)
    assert "cost" in table.rows[0]
    assert row.verdict == ""  # no headline, no verdict


def test_equal_runs_show_no_difference_and_never_equality(
    write_run: Callable[..., Any], plugins: Catalogue
) -> None:
    found = compared(write_run, plugins, kept(*range(20)), kept(*range(20)))
    row = only(found)
    assert (row.found.comparison.p, row.verdict) == (1.0, "no difference shown")
    assert row.found.comparison.difference.low < 0 < row.found.comparison.difference.high
    assert found.parts[0].disagreements == ()


def test_zero_variance_of_a_graded_metric_is_no_certainty(
    write_run: Callable[..., Any], plugins: Catalogue
) -> None:
    a, b = (lambda i, t: {"kept": True, "grade": 0.6}), (lambda i, t: {"kept": False, "grade": 0.4})
    one = only(
        compared(write_run, plugins, a, b, ComparisonWanted(metrics=["grade"])), "grade"
    ).found.comparison
    assert 0 < one.difference.low < 0.2 < one.difference.high < 0.4  # 40 of 40, in a range of 2
    assert one.p < 0.05


def test_unscored_samples_are_counted_and_a_selective_loss_is_flagged(
    write_run: Callable[..., Any], plugins: Catalogue
) -> None:
    lost = Unscored("unparsed")
    found = compared(
        write_run, plugins, lambda i, t: {"kept": lost if i < 10 else True}, lambda i, t: {"kept": i % 2 == 0}
    )
    one = only(found).found.comparison
    assert (one.n_common, one.lost_a, one.lost_b) == (30, 10, 0)
    assert "may be selective" in only(found).found.note


def test_half_the_samples_missing_on_one_side(write_run: Callable[..., Any], plugins: Catalogue) -> None:
    places = [
        write_run("a", kept(*range(9)), n=40),
        write_run("b", kept(*range(20)), n=40, samples=range(20)),
    ]
    row = only(compare_runs([str(one) for one in places], None, plugins))
    assert (row.found.comparison.n_common, row.found.only_a, row.found.only_b) == (20, 20, 0)
    assert "20 units only in A" in row.found.note


def test_no_sample_in_common_has_no_difference(write_run: Callable[..., Any], plugins: Catalogue) -> None:
    places = [write_run("a", kept(1), samples=range(5)), write_run("b", kept(1), samples=range(5, 9))]
    found = compare_runs([str(one) for one in places], None, plugins)
    assert only(found).found.comparison.difference.value is None
    assert "no difference: " in str(sections(found)[1].blocks[0])


def test_samples_scored_by_neither_side_have_no_difference(
    write_run: Callable[..., Any], plugins: Catalogue
) -> None:
    nothing = lambda i, t: {"kept": None}  # noqa: E731
    row = only(compared(write_run, plugins, nothing, nothing, ComparisonWanted(metrics=["all"])))
    assert (row.found.comparison.n_common, row.found.a, row.corrected) == (0, None, None)


def test_trials_are_averaged_and_no_longer_binary(write_run: Callable[..., Any], plugins: Catalogue) -> None:
    a, b = (lambda i, t: {"kept": (i + t) % 3 > 0}), (lambda i, t: {"kept": (i + t) % 3 > 1})
    one = only(compared(write_run, plugins, a, b, trials=2)).found.comparison
    assert (one.n_common, one.difference.method) == (40, "t-unseen")


def test_many_headlines_are_one_family(write_run: Callable[..., Any], plugins: Catalogue) -> None:
    places = [write_run(name, kept(*range(k))) for name, k in (("a", 30), ("b", 22), ("c", 10))]
    found = compare_runs([str(one) for one in places], None, plugins)
    raw = [row.found.comparison.p for row in found.rows]
    assert found.family == 3
    assert [row.corrected for row in found.rows] == pytest.approx(
        [min(1, p * (3 - rank)) for p, rank in zip(raw, [1, 0, 2], strict=True)], abs=0.02
    )
    assert all(row.corrected >= row.found.comparison.p for row in found.rows)
    for row in found.rows:
        one = row.found.comparison.difference
        assert one.level == pytest.approx(1 - 0.05 * row.found.comparison.p / row.corrected)
        assert (one.low <= 0 <= one.high) == (row.corrected >= 0.05)
    none = compare_runs([str(one) for one in places], ComparisonWanted(correction="none"), plugins)
    assert [row.corrected for row in none.rows] == raw
    against = compare_runs([str(one) for one in places], ComparisonWanted(baseline="b"), plugins)
    assert [(row.a, row.b) for row in against.rows] == [
        ("scripted/a", "scripted/b"),
        ("scripted/c", "scripted/b"),
    ]


def test_macro_averages_weigh_groups_alike(write_run: Callable[..., Any], plugins: Catalogue) -> None:
    def of(shift: int) -> Callable[..., Any]:
        return lambda i, t: {"grade": ((i * 7 + shift) % 10) / 9 if i % 3 else 0.5 + shift / 20}

    found = compared(write_run, plugins, of(0), of(3), task="tiny/macro", n=50)
    row = only(found, "grade")
    assert row.found.comparison.difference.value == pytest.approx(row.found.a - row.found.b)
    assert row.found.comparison.difference.method.startswith("macro")


def test_equivalence_within_a_margin(write_run: Callable[..., Any], plugins: Catalogue) -> None:
    a, b = kept(*range(0, 2000, 2)), kept(*range(2, 2000, 2))
    found = compared(write_run, plugins, a, b, ComparisonWanted(margin=0.05), n=2000)
    assert only(found).equivalent is True
    table = sections(found)[1].blocks[1]
    assert isinstance(table, Table)
    assert dict(zip(table.columns, table.rows[0], strict=True))["equivalent within 0.05"] == "yes"
    with pytest.raises(ConfigError, match="margin"):
        compare_runs(["a", "b"], ComparisonWanted(margin=0.0), plugins)


def test_slices_say_where_each_side_wins(write_run: Callable[..., Any], plugins: Catalogue) -> None:
    a, b = (lambda i, t: {"kept": i % 3 == 0}), (lambda i, t: {"kept": i % 3 == 1})
    found = compared(write_run, plugins, a, b)
    by_value = {one.found.value: one for one in found.slices}
    assert by_value["a"].found.difference.value == 1
    assert by_value["b"].found.difference.value == -1
    assert by_value["c"].found.difference.value == 0
    assert (by_value["a"].found.wins, by_value["b"].found.losses) == (14, 13)
    titles = [one.title for one in sections(found)]
    assert titles == ["Runs", "Headline", "Where each side wins", "To read: scripted/a against scripted/b"]


def test_disagreements_are_there_to_read(write_run: Callable[..., Any], plugins: Catalogue) -> None:
    found = compared(write_run, plugins, kept(3, 5, 7), kept(5, 9), ComparisonWanted(examples=2))
    read = found.parts[0].disagreements
    assert [(one.sample, one.difference) for one in read] in (
        [("s3", 1.0), ("s7", 1.0), ("s9", -1.0)],
        [("s7", 1.0), ("s3", 1.0), ("s9", -1.0)],
    )
    assert read[0].answer_a.startswith("a says")
    assert read[0].answer_b.startswith("b says")


def test_wrong_input_is_an_error_that_says_what_to_do(
    write_run: Callable[..., Any], plugins: Catalogue, tmp_path: Path
) -> None:
    a, b = str(write_run("a", kept(1))), str(write_run("b", kept(2)))
    with pytest.raises(ConfigError, match="one run"):
        compare_runs([a], None, plugins)
    with pytest.raises(ConfigError, match="given twice"):
        compare_runs([a, a], None, plugins)
    with pytest.raises(NotFound, match="run"):
        compare_runs([a, "nowhere"], None, plugins)
    with pytest.raises(RunError, match="holds no run"):
        compare_runs([a, str(tmp_path)], None, plugins)
    with pytest.raises(NotFound, match="kept"):
        compare_runs([a, b], ComparisonWanted(metrics=["kep"]), plugins)
    with pytest.raises(NotFound, match="run"):
        compare_runs([a, b], ComparisonWanted(baseline="z"), plugins)
    with pytest.raises(RunError, match="not been scored"):
        compare_runs([a, str(write_run("raw", kept(1), scored=False))], None, plugins)


def test_another_scoring_of_a_run_can_be_named(write_run: Callable[..., Any], plugins: Catalogue) -> None:
    a = write_run("a", kept(1))
    b = write_run("b", kept(2))
    found = compare_runs([f"{a}@first", str(b)], None, plugins)
    assert found.runs[0].run.scoring == "first"
    with pytest.raises(RunError, match="second"):
        compare_runs([f"{a}@second", str(b)], None, plugins)


def test_a_formula_as_headline_is_read_by_the_first_mean(
    write_run: Callable[..., Any],
    plugins: Catalogue,
    score_all: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import dataclasses

    task = plugins.load("task", "tiny/one")
    monkeypatch.setattr(task, "info", dataclasses.replace(task.info, headline="good"))
    found = compared(write_run, plugins, score_all(), score_all(4))
    assert [(row.measure.name, row.headline) for row in found.rows] == [("good", True), ("kept", False)]
    assert {one.row.measure.name for one in found.slices} == {"kept"}
    assert {one.metric for one in found.parts[0].disagreements} == {"kept"}
