"""Cells are told apart by as few parameters as possible; the sweep's plot follows from them."""

from suite.parameters import distinguishing
from suite.report.summary import label


def test_a_parameter_that_follows_from_another_is_left_out() -> None:
    cells = [
        {
            "method": method,
            "rag_k": 5 if method == "rag" else None,
            "turns": turns,
            "paper": turns + 2,
            "p": 1,
        }
        for method in ("plain", "remind", "rag")
        for turns in (0, 8)
    ]
    assert distinguishing(cells) == ("method", "turns")
    assert label(cells[5], distinguishing(cells)) == "method=rag, turns=8"


def test_a_determined_parameter_before_its_source_is_left_out_too() -> None:
    cells = [{"rag_k": 5 if method == "rag" else None, "method": method} for method in ("a", "b", "rag")]
    assert distinguishing(cells) == ("method",)


def test_all_that_vary_independently_stay() -> None:
    cells = [{"a": a, "b": b} for a in (1, 2) for b in (True, False)]
    assert distinguishing(cells) == ("a", "b")
    assert distinguishing(cells[:1]) == ()


def test_one_and_true_are_different_values() -> None:
    assert distinguishing([{"a": 1}, {"a": True}]) == ("a",)
