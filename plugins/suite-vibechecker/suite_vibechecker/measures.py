"""The benchmark's own numbers as pure functions: following, regression, joint, position, category.

All shares are fractions in [0, 1]; the paper prints them times 100. `None` means "no such number".
Values are per problem: which of its first k instructions its final program follows, and whether that
program passes the tests. Source: arXiv 2510.07315 v2, section 3; the joint measure is ours.
"""

from collections.abc import Iterable, Mapping, Sequence


def instruction_following(followed: Sequence[Sequence[bool]]) -> float | None:
    """Mean over problems of the share of instructions followed. Problems without any are left out."""
    return mean([sum(one) / len(one) for one in followed if one])


def task_following(followed: Sequence[Sequence[bool]]) -> float | None:
    """Share of problems whose instructions are all followed. Problems without any are left out."""
    return mean([float(all(one)) for one in followed if one])


def joint(followed: Sequence[Sequence[bool]], passed: Sequence[bool]) -> float | None:
    """Share of problems whose program passes the tests and follows all instructions."""
    return mean([float(ok and all(one)) for one, ok in zip(followed, passed, strict=True)])


def regression(base: float | None, now: float | None) -> float | None:
    """Functional regression (S_0 - S_k) / S_0: the share of base pass@1 that the instructions cost.

    Negative where they help. None if S_0 is 0 or either is unknown.
    """
    if not base or now is None:
        return None
    return (base - now) / base


def by_position(followed: Sequence[Sequence[bool]]) -> list[float | None]:
    """Share followed at each position 1, 2, …, over the problems that have that many instructions."""
    longest = max((len(one) for one in followed), default=0)
    return [mean([float(one[at]) for one in followed if len(one) > at]) for at in range(longest)]


def by_label(pairs: Iterable[tuple[str, bool]]) -> Mapping[str, float]:
    """Share followed per category or instruction, pooled over its instances, names in first-seen order."""
    pooled: dict[str, list[float]] = {}
    for label, ok in pairs:
        pooled.setdefault(label, []).append(float(ok))
    return {label: sum(values) / len(values) for label, values in pooled.items()}


def mean(values: Sequence[float]) -> float | None:
    """Arithmetic mean, None of nothing."""
    return sum(values) / len(values) if values else None
