"""How often nights of an equal model are blocked, and how soon a loss is found, by benchmarks/gates.py."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks/gates.py"


@pytest.fixture(scope="module")
def gates() -> ModuleType:
    spec = importlib.util.spec_from_file_location("simulated_gates", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_a_year_of_an_equal_model_has_at_most_one_false_block_on_average(gates: ModuleType) -> None:
    chance, policy = np.random.default_rng(1), gates.policy_of(1)
    blocks = [gates.null_year(chance, policy, gates.chances(0.05, 1.0)) for _ in range(12)]
    assert np.mean(blocks) <= 1


@pytest.mark.parametrize(("differ", "loss"), [(0.05, 0.02), (0.1, 0.025)])
def test_a_loss_is_found_within_three_independent_nights(
    gates: ModuleType, differ: float, loss: float
) -> None:
    chance, policy = np.random.default_rng(2), gates.policy_of(1)
    found = [gates.found_by(chance, policy, differ - loss, loss, 0) for _ in range(40)]
    assert sum(one is not None for one in found) >= 32  # 36, less two standard errors


@pytest.mark.slow
@pytest.mark.parametrize(("claims", "years"), [(1, 300), (10, 30), (50, 4)])
def test_policies_of_many_claims_have_no_more_false_blocks(
    gates: ModuleType, claims: int, years: int
) -> None:
    chance, policy = np.random.default_rng(3), gates.policy_of(claims)
    blocks = [gates.null_year(chance, policy, gates.chances(0.05, 1.0)) for _ in range(years)]
    assert np.mean(blocks) <= 1 + 2 * np.std(blocks) / years**0.5
