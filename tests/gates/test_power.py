"""What a policy can find: samples, and the nights until a loss blocks, as the gate itself would."""

import json
from pathlib import Path

import numpy as np
import pytest

from suite.cli.main import run_command
from suite.gates.nights import UnitValues
from suite.gates.power import Scatter, found_within
from suite.scoring.stats.one_sided import WINDOWS

ALPHA = 1 / 365  # of one claim, one false block a year
DRAWS = 100


def pairs(discordant: float, design: float = 1.0) -> Scatter:
    return Scatter(discordant**0.5, discordant, design)


def within(scatter: Scatter, loss: float, n: int = 1000, shared: float = 0.0) -> list[float]:
    return found_within(scatter, n, loss, 0.0, ALPHA, DRAWS, shared)


def units(d: np.ndarray, clusters: np.ndarray | None = None) -> UnitValues:
    ids = np.arange(len(d), dtype=np.uint64)
    own = ids if clusters is None else clusters.astype(np.uint64)
    return UnitValues(ids, own, np.zeros(len(d), dtype=np.uint64), d.astype(np.float64))


def test_noise_that_all_nights_share_is_not_averaged_out() -> None:
    first, _, third = within(pairs(0.05), 0.02, shared=0.5)
    assert first < third < 0.6  # 0.85 where each night has a noise of its own


@pytest.mark.slow
@pytest.mark.parametrize("scatter", [pairs(0.2), Scatter(0.45)])
@pytest.mark.parametrize(("nights", "worth", "shared"), [(1, 1.0, 0.0), (3, 3.0, 0.0), (3, 1.5, 0.5)])
def test_so_many_samples_find_a_loss_with_the_power_asked_for(
    scatter: Scatter, nights: int, worth: float, shared: float
) -> None:
    needed, _ = scatter.samples(0.03, 0.03, ALPHA * WINDOWS[-1][nights - 1], worth) or (0, 0)
    assert 0.7 < within(scatter, 0.03, needed, shared)[nights - 1] < 0.9


def test_a_loss_inside_the_margin_is_found_by_no_number_of_samples() -> None:
    assert pairs(0.05).samples(0.0, 0.01, ALPHA, 1.0) is None


@pytest.mark.parametrize(("scatter", "spread"), [(pairs(0.05), 0.07**0.5), (Scatter(0.3), 0.3)])
def test_simulated_units_have_their_spread_and_their_loss(scatter: Scatter, spread: float) -> None:
    drawn = scatter.differences(np.random.default_rng(3).random(200_000), 0.02)
    assert (drawn.std(), drawn.mean()) == pytest.approx((spread, -0.02), abs=0.003)


@pytest.mark.parametrize("loss", [0.0, 0.02])
def test_a_loss_comes_on_top_of_the_pairs_that_differ_without_it(loss: float) -> None:
    drawn = pairs(0.05).differences((np.arange(10_000) + 0.5) / 10_000, loss)
    assert [(drawn > 0).mean(), (drawn < 0).mean()] == pytest.approx([0.025, 0.025 + loss])


def test_the_samples_of_a_loss_are_those_of_the_scatter_that_it_makes() -> None:
    deviation = pairs(0.05).differences((np.arange(10_000) + 0.5) / 10_000, 0.02).std()
    assert pairs(0.05).samples(0.02, 0.02, ALPHA, 1.0) == Scatter(deviation).samples(0.02, 0.02, ALPHA, 1.0)


def test_the_noise_of_pairs_is_measured_with_clusters_kept_whole() -> None:
    each = np.random.default_rng(4).choice([-1, 0, 1], 200, p=[0.1, 0.8, 0.1])
    found = Scatter.of(units(np.repeat(each, 5), np.repeat(np.arange(200), 5)), paired=True)
    assert (found.n, found.discordant) == (1000, float((each != 0).mean()))
    assert found.design == pytest.approx(5, rel=0.02)


def test_values_of_a_candidate_alone_are_no_pairs() -> None:
    found = Scatter.of(units(np.repeat([0.0, 1.0], 50)), paired=False)
    assert found.discordant is None
    assert found.deviation == pytest.approx(0.5, rel=0.02)


@pytest.fixture
def policy(tmp_path: Path) -> str:
    path = tmp_path / "policy.yaml"
    path.write_text(
        "format: suite-policy/1\nalarms: {per_year: 1}\nclaims:\n"
        "  - {task: a/b, no-worse-than: {margin: 0.01}}\n  - {task: a/c, better: {}}\n"
    )
    return str(path)


def test_a_plan_has_what_each_claim_needs(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    how = ("--discordance", "0.05", "--samples", "50", "--points", "0.4", "--json")
    assert run_command("gate", "plan", policy, *how) == 0
    worse, better = json.loads(capsys.readouterr().out)["claims"]
    assert [row["to find"] for row in worse["needs"]] == [
        "loss of 0.4 in one night",
        "loss of 0.4 in three",
        "loss of 0.4 in three, half the noise shared",
        "pass without loss",
    ]
    assert [row["to find"] for row in better["needs"]] == ["gain of 0.4"]
    assert [(row["samples"], len(row["shared"])) for row in worse["nights"]] == [(50, 3)]
    assert better["nights"] == []


@pytest.mark.parametrize(("claim", "points"), [("no-worse-than: {margin: 2}", "0.1"), ("better: {}", "5")])
def test_what_no_rate_can_lose_or_gain_is_refused(
    tmp_path: Path, claim: str, points: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(f"claims:\n- {{task: a/b, {claim}}}\n")
    assert run_command("gate", "plan", str(path), "--discordance", "0.05", "--points", points) == 2
    assert " can never be " in capsys.readouterr().err


def test_more_than_a_share_can_lose_is_no_error() -> None:
    assert pairs(0.05).samples(2.0, 2.0, ALPHA, 1.0) == [4, 4]


@pytest.mark.parametrize(
    "how", [(), ("--discordance", "0.1", "--candidate", "x"), ("--baseline", "x"), ("--discordance", "nan")]
)
def test_a_plan_needs_runs_or_a_discordance(policy: str, how: tuple[str, ...]) -> None:
    assert run_command("gate", "plan", policy, *how) == 2
