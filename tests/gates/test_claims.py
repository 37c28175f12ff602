"""Claims measured on runs: as `suite compare` does, and refused where it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from suite.comparisons.comparison import ComparisonWanted, compare_runs
from suite.comparisons.runs import open_runs
from suite.errors import ConfigError, NotFound
from suite.gates.claims import claim_cells, measure
from suite.gates.nights import ClaimNight
from suite.gates.policy import Claim, Policy
from suite.plugins import Catalogue
from suite.scores import Unscored
from tests.comparisons.conftest import Tiny, cell_of, everything

Gated = Callable[..., str]
FEW = {"groups": 40, "groups_taken": 40, "tags": {}, "samples": {cell_of("tiny/one", {"turns": 0}): 40}}
NO_WORSE: dict[str, Any] = {"task": "tiny/one", "no-worse-than": {}}


@pytest.fixture
def measured(plugins: Catalogue) -> Callable[..., ClaimNight]:
    """The numbers of one claim on runs of both sides."""

    def of(claim: dict[str, Any], candidate: list[str], baseline: list[str], **more: Any) -> ClaimNight:
        policy = Policy.model_validate({"claims": [claim], **more})
        return measure(policy, candidate, baseline, plugins).tested[0].numbers

    return of


@pytest.mark.parametrize(
    "metric", ["kept", "grade", "cost", "grade_macro", "good", "followed", "hits_per_tries"]
)
def test_numbers_are_those_of_compare(
    write_run: Callable[..., Path], measured: Callable[..., ClaimNight], plugins: Catalogue, metric: str
) -> None:
    roles = {"roles": {"candidate": [{"spec": "scripted/one"}]}}
    a, b = (
        str(write_run(name, lambda index, trial, k=k: everything(index // 2 + k * (index % 4), trial), n=90,
                      clusters=lambda index: f"c{index // 2}", **roles))
        for name, k in (("a", 0), ("b", 3))
    )  # fmt: skip
    found = measured({**NO_WORSE, "metric": metric}, [a], [b])
    rows = compare_runs([a, b], ComparisonWanted(metrics=[metric]), plugins).rows
    (row,) = (one for one in rows if one.measure.name == metric)
    d, sign = row.found.comparison.difference, found.sign
    assert row.found.interval is not None
    ends = sorted(sign * one for one in row.found.interval(0.95))
    close = 0.02 if metric in ("good", "hits_per_tries") else 1e-12  # drawn by another seed
    assert found.d == pytest.approx(sign * (d.value or 0.0), abs=1e-12)
    assert [found.low, found.high] == pytest.approx(ends, abs=close)
    assert (found.n, found.clusters) == (d.n, d.clusters)


def test_several_runs_of_a_side_count_as_trials(
    gated: Gated, measured: Callable[..., ClaimNight], write_run: Callable[..., Path]
) -> None:
    base = gated("base", range(10), n=60)
    runs = [gated("one", range(8), n=60), gated("two", range(4, 20), n=60)]
    lost = (range(8), range(4, 20))
    trials = write_run(
        "trials", lambda index, trial: everything(index) | {"kept": index not in lost[trial]}, n=60, trials=2,
        roles={"candidate": [{"spec": "scripted/one"}]},
    )  # fmt: skip
    assert measured(NO_WORSE, runs, [base]) == measured(NO_WORSE, [str(trials)], [base])


def test_at_least_is_about_the_candidate_alone(gated: Gated, measured: Callable[..., ClaimNight]) -> None:
    found = measured({"task": "tiny/one", "metric": "cost", "at-least": 0.2}, [gated("a", range(40))], [])
    assert (found.value, found.baseline, found.d, found.threshold) == (0.1, None, -0.1, -0.2)


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ({"task": "tiny/on", "better": {}}, ["no task of a candidate named 'tiny/on'", "'tiny/one'?"]),
        ({**NO_WORSE, "metric": "kep"}, ["no metric named 'kep'", "claim 1 of the policy", "'kept'"]),
        ({**NO_WORSE, "cell": {"turn": 0}}, ["no parameter named 'turn'", "'turns'?"]),
        ({**NO_WORSE, "cell": {"turns": 7}}, ["no cell of tiny/one has {'turns': 7}"]),
    ],
)
def test_an_unknown_name_is_told_with_near_ones(
    gated: Gated, measured: Callable[..., ClaimNight], claim: dict[str, Any], told: list[str]
) -> None:
    with pytest.raises((NotFound, ConfigError)) as error:
        measured(claim, [gated("a")], [gated("b")])
    assert [one for one in told if one not in str(error.value)] == []


def test_a_claim_about_a_baseline_needs_one(gated: Gated, measured: Callable[..., ClaimNight]) -> None:
    with pytest.raises(NotFound, match="no task of a baseline named 'tiny/one'"):
        measured(NO_WORSE, [gated("a")], [])


def test_other_data_is_refused_and_named(gated: Gated, measured: Callable[..., ClaimNight]) -> None:
    data = {"tiny": {"entry": "tiny", "revision": "b" * 40, "files": {"x": "2" * 64}}}
    with pytest.raises(ConfigError, match=r"data tiny: .* has tiny aaaaaaaaaaaa, .* has tiny bbbbbbbbbbbb"):
        measured(NO_WORSE, [gated("a")], [gated("b", data=data)])


def test_two_models_on_one_side_are_refused(gated: Gated, measured: Callable[..., ClaimNight]) -> None:
    with pytest.raises(ConfigError, match="the candidate runs are of several models"):
        measured(NO_WORSE, [gated("a"), gated("c", model="scripted/two")], [gated("b")])


def test_runs_without_a_common_sample_are_refused(gated: Gated, measured: Callable[..., ClaimNight]) -> None:
    with pytest.raises(ConfigError, match="share no sample"):
        measured(NO_WORSE, [gated("a", samples=range(20))], [gated("b", samples=range(20, 40))])


@pytest.mark.parametrize(("rule", "verdict"), [("undecided", "undecided"), ("fail", "fail")])
def test_a_night_that_did_not_finish_is_what_the_policy_says(
    gated: Gated, measured: Callable[..., ClaimNight], rule: str, verdict: str
) -> None:
    found = measured(NO_WORSE, [gated("a", counts=FEW)], [gated("b")], missing={"pending": rule})
    assert (found.verdict, found.note) == (verdict, "40 samples are pending: a run did not finish")


def test_another_task_version_is_refused_and_named(gated: Gated, measured: Callable[..., ClaimNight]) -> None:
    base = Path(gated("b"))
    manifest = base / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(ConfigError, match=r"task version \(tiny/one\): \S+ has 1, \S+ has 2"):
        measured(NO_WORSE, [gated("a")], [str(base)])


def test_too_many_unscored_samples_leave_a_claim_undecided(
    write_run: Callable[..., Path], gated: Gated, measured: Callable[..., ClaimNight]
) -> None:
    def score(index: int, trial: int) -> dict[str, Any]:
        return everything(index) | {"kept": Unscored("no verdict") if index < 4 else True}

    run = str(write_run("u", score, n=40, roles={"candidate": [{"spec": "scripted/one"}]}))
    found = measured(NO_WORSE, [run], [gated("b", n=40)])
    assert (found.verdict, found.note) == ("undecided", "4 of 40 samples are unscored, more than 2.0%")
    assert "selective" in measured(NO_WORSE, [run], [gated("c", n=40)], missing={"unscored": 0.2}).note


ONE: dict[str, Any] = {"roles": {"candidate": [{"spec": "scripted/one"}]}}


@pytest.mark.parametrize("metric", ["kept", "good"])
def test_a_sample_that_both_sides_lost_is_unscored(
    write_run: Callable[..., Path], measured: Callable[..., ClaimNight], metric: str
) -> None:
    def score(index: int, trial: int) -> dict[str, Any]:
        lost = {"kept": Unscored("no verdict"), "grade": Unscored("no verdict")}
        return everything(index) | (lost if index < 24 else {})

    runs = [str(write_run(name, score, n=40, **ONE)) for name in ("u", "v")]
    found = measured({**NO_WORSE, "metric": metric}, runs[:1], runs[1:])
    assert (found.n, found.unscored, found.verdict) == (16, 24, "undecided")
    assert found.note.startswith("24 of 40 samples are unscored, more than 2.0%")


@pytest.mark.parametrize("claim", [NO_WORSE, {"task": "tiny/one", "at-least": 0.2}])
def test_unscored_samples_within_the_limit_are_told(
    write_run: Callable[..., Path], gated: Gated, measured: Callable[..., ClaimNight], claim: dict[str, Any]
) -> None:
    def score(index: int, trial: int) -> dict[str, Any]:
        return everything(index) | {"kept": Unscored("no verdict") if index < 4 else True}

    found = measured(claim, [str(write_run("u", score, **ONE))], [gated("b")], missing={"unscored": 0.2})
    assert "4 of 40 samples are unscored" in found.note


@pytest.mark.parametrize("sides", [("ab", "a", ""), ("a", "ab", ""), ("ab", "ab", "a"), ("ab", "a", "ab")])
def test_runs_of_a_side_with_other_cells_are_refused_in_any_order(
    write_run: Callable[..., Path], measured: Callable[..., ClaimNight], sides: tuple[str, str, str]
) -> None:
    def of(name: str, cells: str) -> str:
        each = [("tiny/one", {"turns": "ab".index(one)}, everything) for one in cells]
        return str(write_run(name, cells=each, **ONE))

    first, second, third = (of(f"run-{place}", cells or "ab") for place, cells in enumerate(sides))
    candidate, baseline = ([first], [second, third]) if sides[2] else ([first, second], [third])
    with pytest.raises(ConfigError, match="runs of one side differ in the cells of tiny/one"):
        measured(NO_WORSE, candidate, baseline)


@pytest.mark.parametrize("claim", [NO_WORSE, {"task": "tiny/one", "at-least": 0.2}])
def test_pending_samples_that_are_ignored_are_told(
    gated: Gated, measured: Callable[..., ClaimNight], claim: dict[str, Any]
) -> None:
    found = measured(claim, [gated("a", counts=FEW)], [gated("b")], missing={"pending": "ignore"})
    assert "40 samples are pending: a run did not finish" in found.note


def test_a_run_that_stopped_early_is_told_as_such(gated: Gated, measured: Callable[..., ClaimNight]) -> None:
    scoring = Path(gated("a", counts=FEW)) / "scorings" / "first"
    results = json.loads((scoring / "results.json").read_text()) | {"pending": 40}
    (scoring / "results.json").write_text(json.dumps(results))
    decision = {"format": "suite-decision/1", "until": "p.yaml", "policy_sha256": "0" * 64, "level": 0.05,
                "groups": {"taken": 400, "all": 440}, "against": {}, "verdict": "pass",
                "claims": []}  # fmt: skip
    (scoring / "decision.json").write_text(json.dumps(decision))
    found = measured(NO_WORSE, [str(scoring.parent.parent)], [gated("b")])
    assert found.note == "40 samples are pending: a stopped early, decided after 400 of 440 groups"


@pytest.mark.parametrize(
    "claim", [{"no-worse-than": {"margin": 2}}, {"better": {"margin": 1}}, {"at-least": 70}, {"at-least": -1}]
)
def test_a_threshold_beyond_the_metric_is_refused(
    gated: Gated, measured: Callable[..., ClaimNight], claim: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=r"never be shown: the metric's values go from 0 to 1\n.*claim 1"):
        measured({"task": "tiny/one", **claim}, [gated("a")], [gated("b")])


def test_changed_rows_of_a_file_and_changed_code_of_one_are_refused(gated: Gated) -> None:
    def of(name: str, change: str) -> str:
        code = {"tiny/one": {"distribution": "tiny 1", "sha256": change * 64}}
        rows = {"rows": {"source": "file", "files": {"rows.jsonl": change * 64}}}
        run = Path(gated(name, code=code, data=rows))
        manifest = json.loads((run / "manifest.json").read_text())
        source = {"name": "tiny.py", "sha256": change * 64, "kind": "Tiny", "path": "tiny.py"}
        manifest["cells"][0]["file"] = source
        (run / "manifest.json").write_text(json.dumps(manifest))
        return str(run)

    with pytest.raises(ConfigError) as error:
        sides = [[one] for one in open_runs([of("a", "1"), of("b", "2")])]
        [*claim_cells(1, Claim.model_validate(NO_WORSE), sides, {"tiny/one": Tiny}, {})]
    assert "code (tiny/one): " in str(error.value)
    assert "data rows: " in str(error.value)
