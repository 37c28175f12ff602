"""pass@k and pass^k: that one of k answers is right, that all k are.

Unbiased combinatorial estimators per sample, to be averaged: the values are graded, never 0/1. Sources: Chen
et al. 2021, arXiv 2107.03374, eq. 1 (pass@k); tau-bench, arXiv 2406.12045 (pass^k).
"""

from math import comb

import numpy as np

from suite.scoring.stats.clusters import Codes, Floats


def pass_at(n: int, c: int, k: int) -> float:
    """Chance that at least one of k answers drawn from n, c of them right, is right. Needs k <= n."""
    return 1 - comb(n - c, k) / comb(n, k)


def pass_hat(n: int, c: int, k: int) -> float:
    """Chance that all k answers drawn from n, c of them right, are right. Needs k <= n."""
    return comb(c, k) / comb(n, k)


def pass_values(answers: Codes, right: Codes, k: int, *, every: bool) -> Floats:
    """Of each sample, shape (n,), from its answers and how many are right. every: all k, else one of them."""
    formula = pass_hat if every else pass_at
    pairs, inverse = np.unique(np.stack([answers, right]), axis=1, return_inverse=True)
    each = np.array([formula(int(n), int(c), k) for n, c in pairs.T], dtype=np.float64)
    return each[inverse.reshape(-1)] if len(each) else np.empty(0)
