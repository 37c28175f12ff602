"""One walk over two trees; how strict it is, the caller says."""

from typing import Any

import pytest

from suite import trees
from suite.board.verify import equality
from suite.run.run_folder import differing
from suite.trees import MISSING, differences, exactly

MINE = {"a": 1, "b": {"c": [1, 2], "d": None}, "e": "x"}


@pytest.mark.parametrize(
    ("theirs", "found"),
    [
        (MINE, []),
        ({"e": "x", "b": {"d": None, "c": [1, 2]}, "a": 1}, []),
        ({**MINE, "a": 1.0}, [("a", 1, 1.0)]),
        ({**MINE, "a": True}, [("a", 1, True)]),
        ({**MINE, "b": {"c": [1, 3], "d": None}}, [("b.c", [1, 2], [1, 3])]),
        ({**MINE, "b": None}, [("b", MINE["b"], None)]),
        ({"a": 1, "b": {"c": (1, 2)}, "e": "x", "f": 0}, [("b.d", None, MISSING), ("f", MISSING, 0)]),
    ],
)
def test_what_differs_is_named_by_its_path(theirs: Any, found: list[Any]) -> None:
    assert list(differences(MINE, theirs)) == found


def test_what_is_not_there_may_stand_for_null() -> None:
    theirs = {"a": 1, "b": {"c": [1, 2]}, "e": "x", "f": None, "g": 0}
    assert list(differences(MINE, theirs, missing=None)) == [("g", None, 0)]


def test_lists_are_entered_where_their_entries_have_names() -> None:
    mine, theirs = {"cells": [{"n": 1}, {"n": 2}]}, {"cells": [{"n": 1}, {"n": 3}]}
    entered = differences(mine, theirs, "run", same=exactly, entry=lambda index, _: f"no. {index}")
    assert list(entered) == [("run.cells[no. 1].n", 2, 3)]
    shorter = differences(mine, {"cells": []}, entry=lambda index, _: str(index))
    assert [path for path, _, _ in shorter] == ["cells"]


def test_computed_numbers_are_the_same_within_a_tolerance() -> None:
    mine, theirs = (
        {"metrics": [{"name": "kept", "value": 1 / 3}]},
        {"metrics": [{"name": "kept", "value": 0.3333}]},
    )
    assert list(equality.differences(mine, {"metrics": [{"name": "kept", "value": 1 / 3 + 1e-12}]})) == []
    assert list(equality.differences(mine, theirs)) == [("metrics[kept].value", 1 / 3, 0.3333)]
    assert list(equality.differences({"a": None}, {})) == [("a", None, trees.MISSING)]


def test_a_run_of_another_plan_is_told_by_at_most_ten_fields() -> None:
    assert differing({"a": 1, "t": (1, 2), "x": 0}, {"a": 1.0, "t": (1, 3), "y": 0}) == [
        "a (1 there, 1.0 here)",
        "t ([1, 2] there, [1, 3] here)",
        "x (only in the run)",
        "y (only in this plan)",
    ]
    assert len(differing({str(n): n for n in range(30)}, {})) == 10
