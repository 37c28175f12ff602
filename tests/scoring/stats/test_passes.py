from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from suite.scoring.stats.passes import pass_at, pass_hat


def test_passes_meet_the_golden_values(given, golden):
    right = [int(sum(row)) for row in given["repeats"]["matrix"]]
    for k in given["repeats"]["ks"]:
        for formula, name in ((pass_at, "pass@"), (pass_hat, "pass^")):
            found = np.mean([formula(5, one, k) for one in right])
            assert found == pytest.approx(golden["repeats"][f"{name}{k}"]["value"], rel=1e-9, abs=1e-12)


@forall(st.integers(0, 8))
def test_pass_at_k_grows_and_pass_hat_k_falls(right):
    up = [pass_at(8, right, k) for k in range(1, 9)]
    down = [pass_hat(8, right, k) for k in range(1, 9)]
    assert up[0] == pytest.approx(down[0])
    assert all(b >= a - 1e-12 for a, b in pairwise(up))
    assert all(b <= a + 1e-12 for a, b in pairwise(down))
