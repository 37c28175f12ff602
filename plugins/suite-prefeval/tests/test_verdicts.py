"""How the judge's replies are read and composed."""

import itertools

import pytest
from suite_prefeval.verdicts import Findings, compose, official_findings, restatement, values, yes

import suite

BOTH = (False, True)
CUT = suite.Unscored("truncated", "cut off before it ended")


@pytest.mark.parametrize(("a", "h", "v", "u"), list(itertools.product(BOTH, repeat=4)))
def test_error_types_follow_the_paper(a: bool, h: bool, v: bool, u: bool) -> None:
    hallucinated = a and h
    assert compose(Findings(acknowledged=a, violated=v, hallucinated=h, unhelpful=u)) == {
        "kept": not u and not v,
        "unhelpful": u,
        "inconsistency": a and not hallucinated and v and not u,
        "hallucination": a and hallucinated and v and not u,
        "unaware": not a and v and not u,
    }


@pytest.mark.parametrize(("a", "h", "v", "u"), list(itertools.product(BOTH, repeat=4)))
def test_exactly_one_of_kept_and_the_error_types_holds(a: bool, h: bool, v: bool, u: bool) -> None:
    assert sum(map(bool, compose(Findings(a, v, h, u)).values())) == 1


@pytest.mark.parametrize(
    ("findings", "kept"),
    [
        (Findings(CUT, False, CUT, False), True),
        (Findings(True, CUT, False, False), CUT),
        (Findings(True, False, False, CUT), CUT),
        (Findings(True, CUT, False, True), False),
        (Findings(CUT, True, CUT, CUT), False),
    ],
)
def test_an_unreadable_check_leaves_only_what_hangs_on_it_unscored(
    findings: Findings, kept: bool | suite.Unscored
) -> None:
    assert values(findings)["kept"] == compose(findings)["kept"] == kept


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("<explanation>fine</explanation>\n<answer>Yes</answer>", True),
        ("<answer>No", False),
        ("<answer> no. </answer>", False),
        ("<answer>Yes/No</answer>", None),
        ("<answer>Not applicable</answer>", None),
        ("<answer>Yes</answer><answer>No</answer>", None),
        ("<answer><answer>Yes</answer>", True),
        ("No.", False),
        ("Yes, because it does", None),
        ("", None),
    ],
)
def test_an_answer_is_read_strictly(reply: str, expected: bool | None) -> None:
    assert suite.read_verdict(suite.Reply(reply), yes).value is expected


@pytest.mark.parametrize(
    ("helpful", "violate", "kept"),
    [
        ("<answer>Yes</answer>", "<answer>No</answer>", True),
        ("<answer>unknown</answer>", "<answer>No</answer>", False),  # "no" inside "unknown"
        ("<answer>Not applicable</answer>", "<answer>No</answer>", False),
        ("<answer>Yes/No</answer>", "<answer>No</answer>", False),
        ("no tags at all", "", True),  # an unreadable judge counts as following
        ("<answer>Yes</answer>", "<answer>Yes/No</answer>", False),
    ],
)
def test_upstreams_rule_reads_by_substring(helpful: str, violate: str, kept: bool) -> None:
    assert compose(official_findings({"helpful": helpful, "violate": violate}))["kept"] is kept


def test_the_restatement_is_what_the_first_check_quotes() -> None:
    assert restatement("<preference> You like tea. </preference><answer>Yes</answer>") == "You like tea."
    assert restatement("<answer>No</answer>") == ""
