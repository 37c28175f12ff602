"""What a planned sample size can show: the smallest detectable difference.

The difference that a two-sided test at `alpha` finds with probability `power`. None where there are fewer
than two samples. Never for post-hoc power at the observed difference. Source: Miller 2024, arXiv 2411.00640,
section 5. Why: docs/statistics.md, "Two models".
"""

import math

from scipy.special import ndtri

ALPHA = 0.05
POWER = 0.8
UNKNOWN_SD = 0.5  # of a 0/1 score at its most uncertain


def mde(n: int, sd: float = UNKNOWN_SD, *, alpha: float = ALPHA, power: float = POWER) -> float | None:
    """One mean of n units against a fixed value."""
    if n < 2:
        return None
    return float(ndtri(1 - alpha / 2) + ndtri(power)) * sd * math.sqrt(1.0 / n)


def mde_paired(
    n: int, *, sd: float = UNKNOWN_SD, correlation: float = 0.5, alpha: float = ALPHA, power: float = POWER
) -> float | None:
    """Two models on the same n samples, whose scores correlate."""
    return mde(n, sd * math.sqrt(2 * (1 - correlation)), alpha=alpha, power=power)
