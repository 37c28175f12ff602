"""Upstream's numbers restated: a worked example, its parser's cases, its order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from suite_contexteval import official

X = ["1112T", "2211T", "TTT11", "22222", "1111I", "12TT2"]
Y = ["11111", "22211", "1111T", "22221", "22211", "12222"]


def panels(rows: list[str]) -> list[official.Panel]:
    return [official.panel(list(row)) for row in rows]


def near(value: float) -> object:
    return pytest.approx(value, abs=1e-6)


def test_the_worked_example() -> None:
    x, y = panels(X), panels(Y)
    assert official.agreement(x) == [near(one) for one in (0.6, 0.4, 0.6, 1, 0.8, 0.4)]
    assert sum(official.agreement(x)) / 6 == near(0.633333)
    assert official.non_tie_agreement(x) == [near(one) for one in (0.6, 0.4, 1, 0.8, 0.4)]
    assert list(official.win_rates(x)) == [0.5, 0.25, 0.25, 4]
    assert official.randolph([list(row) for row in X]) == near(0.175)
    assert sum(official.agreement(y)) / 6 == near(0.766667)
    assert sum(official.non_tie_agreement(y)) / 6 == near(0.766667)
    assert list(official.win_rates(y)) == [near(0.333333), near(0.666667), 0, 6]
    assert official.randolph([list(row) for row in Y]) == near(0.4)
    paired = official.paired_t(official.agreement(x), official.agreement(y))
    assert paired is not None
    assert list(paired) == [near(-1.195229), near(0.285591), 5]
    independent = official.independent_t(official.non_tie_agreement(x), official.non_tie_agreement(y))
    assert independent is not None
    assert list(independent) == [near(-1.010950), near(0.338446), 9]
    assert official.t_interval(official.agreement(y)) == (near(0.608669), near(0.924664))


def test_without_a_majority_there_is_no_rate() -> None:
    assert official.win_rates(panels(["1122T"])) == (None, None, None, 0)
    assert official.win_rates([]) == (None, None, None, 0)


def test_tests_without_variation_have_no_result() -> None:
    assert official.paired_t([0.6, 0.8], [0.6, 0.8]) is None
    assert official.paired_t([], []) is None
    assert official.independent_t([1.0, 1.0], [1.0]) is None
    assert official.t_interval([0.5]) is None


def test_one_judge_has_no_kappa() -> None:
    assert official.randolph([["1"], ["2"]]) is None


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ('**output: {"judgement": "Response 2"}**\nResponse 1 is weak.', "2"),
        ('output: {"judgement": "Tie"}', "T"),
        ("output: {'judgement': 'Response 1'}", "1"),
        ("Response 2 is better", "2"),
        ("Response 2 beats Response 1", "1"),  # a text that names both
        ("Tie", "I"),  # a tie outside the dictionary is lost
        ("", "I"),
        ('output: {"judgement": "Neither"}', "I"),
        ('output: {"judgment": "Response 2"}', "2"),  # no such key: found by its words
        ('output: {"judgement": 3}', "I"),
        # what upstream's reader says of other spellings of its marker, each with the other response named
        ('Output: {"judgement": "Tie"} Response 1', "T"),
        ('output:{"judgement": "Response 2"} Response 1', "2"),
        ('Output:\n{"judgement": "Response 2"} Response 1', "2"),
        ('```json\n{"judgement": "Response 2"}\n``` Response 1', "2"),
        ('Answer: {"judgement": "Response 2"} Response 1', "2"),
        ('JUDGEMENT: {"judgement": "Response 2"}, not Response 1', "1"),
        ('{"judgement": "Response 2", "why": "Response 1 is short"}', "1"),
        ('{x} output: {"judgement": "Response 2"} Response 1', "1"),  # it cuts to the text's first bracket
        ('output: {"judgement": ["Tie"]}', "T"),
        ('output: {"judgement": "Response 2", "why": "\\( x"}', "2"),
    ],
)
def test_the_reader_of_judgements(text: str, label: str) -> None:
    assert official.judgement(text) == label


@given(st.text(alphabet="{}\"'* \n12outp:jdgemenRsTi", max_size=80))
def test_any_text_has_a_label(text: str) -> None:
    assert official.judgement(text) in "12TI"


@pytest.mark.parametrize("label", ["1", "2", "T", "I"])
def test_the_mapping_by_order(label: str) -> None:
    assert official.mapped(label, 1) == label
    assert official.mapped(label, 2) == {"1": "2", "2": "1"}.get(label, label)


def test_the_generators_of_the_first_queries_are_upstreams() -> None:
    draws = [int(3 * chance) + 1 for chance, _ in zip(official.generator_draws(), range(20), strict=False)]
    assert draws == [2, 1, 1, 1, 3, 3, 3, 1, 2, 1, 1, 2, 1, 1, 2, 2, 1, 2, 3, 1]


def test_need_and_cut_of_contexts_as_upstream() -> None:
    assert not official.needs_context("No")
    assert official.needs_context("No.")
    assert not official.needs_context("Need for Context: No\n")
    text = 'Q: Old. Which one? A: ["a", "b"]\nQ: Tell me A: ["c"]'
    questions, answers = official.follow_ups(text)
    assert questions == ["Q: Old. Which one?"]
    assert len(answers) == 2  # a question without its mark breaks the count


@pytest.mark.filterwarnings("ignore:Precision loss")
@settings(deadline=None, max_examples=40)  # importing scipy.stats takes long
@given(
    st.lists(st.tuples(*[st.sampled_from([0.4, 0.6, 0.8, 1.0])] * 2), min_size=3, max_size=30),
)
def test_t_tests_are_scipys(pairs: list[tuple[float, float]]) -> None:
    from scipy import stats

    x, y = [one for one, _ in pairs], [one for _, one in pairs]
    paired = official.paired_t(x, y)
    if paired is not None:
        found = stats.ttest_rel(x, y)
        assert list(paired[:2]) == pytest.approx([found.statistic, found.pvalue])
    independent = official.independent_t(x, y)
    if independent is not None:
        found = stats.ttest_ind(x, y)
        assert list(independent[:2]) == pytest.approx([found.statistic, found.pvalue])
