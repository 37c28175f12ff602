import pytest
import suite_vibechecker.measures as measures
from hypothesis import given
from hypothesis import strategies as st

FOLLOWED = [[True, False], [True, True], [False, False, True], []]


def test_following_by_instruction_by_task_and_with_tests() -> None:
    assert measures.instruction_following(FOLLOWED) == pytest.approx((0.5 + 1 + 1 / 3) / 3)
    assert measures.task_following(FOLLOWED) == 1 / 3
    assert measures.joint(FOLLOWED[:3], [True, True, False]) == 1 / 3
    assert measures.by_position(FOLLOWED) == [2 / 3, 1 / 3, 1.0]


@given(st.lists(st.booleans(), min_size=1))
def test_with_one_instruction_both_levels_are_equal(answers: list[bool]) -> None:
    followed = [[one] for one in answers]
    assert measures.instruction_following(followed) == measures.task_following(followed)


@pytest.mark.parametrize(
    ("base", "now", "lost"),
    [
        (0.5, 0.4, 0.2),
        (0.5, 0.6, -0.2),
        (0.0, 0.4, None),
        (None, 0.4, None),
        (0.5, None, None),
        (0.5, 0.0, 1.0),
    ],
)
def test_regression_is_relative_to_the_base(
    base: float | None, now: float | None, lost: float | None
) -> None:
    assert measures.regression(base, now) == (None if lost is None else pytest.approx(lost))


def test_categories_are_pooled_over_instances() -> None:
    pairs = [("style", True), ("logic", False), ("style", False), ("style", True)]
    assert measures.by_label(pairs) == {"style": 2 / 3, "logic": 0.0}


def test_nothing_has_no_mean() -> None:
    assert (measures.instruction_following([[]]), measures.task_following([]), measures.joint([], [])) == (
        None,
        None,
        None,
    )
