"""RewardBench 1 and 2 over their own-written data: sections, best of four, Ties."""

from typing import Any

import pytest
from suite_rag_rewardbench import formulas
from suite_rag_rewardbench.parameters import V1Parameters, V2Parameters
from suite_rag_rewardbench.v1 import RewardBench1
from suite_rag_rewardbench.v2 import RewardBench2

import suite
from suite.testing import metrics_of


def v1(**parameters: Any) -> RewardBench1:
    return RewardBench1(V1Parameters(**parameters))


def v2(**parameters: Any) -> RewardBench2:
    return RewardBench2(V2Parameters(**parameters))


def knows(task: Any, data: Any, wrong: tuple[str, ...] = ()) -> set[str]:
    """The better answers of all pairs but those of some subsets, where the worse ones."""
    return {
        one.payload.rejected if one.tags["subset"] in wrong else one.payload.chosen
        for one in task.samples(data)
    }


def test_sections_are_weighted_and_sums_kept_apart(mini: Any, scores: Any, run: Any) -> None:
    task = v1(prior_sets=True)
    good = knows(task, mini, ("math-prm", "alpacaeval-easy", "shp"))
    found = metrics_of(task, run(task, mini, scores(lambda text: float(text in good))))
    reasoning, chat = 1 - 984 / (984 + 6 * 164), 1 - 100 / 358
    assert found["reasoning"] == pytest.approx(reasoning) == 0.5
    assert found["chat"] == pytest.approx(chat)
    assert (found["chat_hard"], found["safety"], found["prior_sets"]) == (1.0, 1.0, 0.75)
    assert found["overall_sections"] == pytest.approx((reasoning + chat + 2) / 4)
    assert found["overall_with_prior"] == pytest.approx((2 * (reasoning + chat + 2) + 0.75) / 9)
    assert found["correct"] == pytest.approx(27 / 31)
    assert found["correct[math-prm]"] == 0.0


def test_without_prior_sets_their_weight_is_left_out(mini: Any, scores: Any, run: Any) -> None:
    good = knows(v1(), mini)
    found = metrics_of(v1(), run(v1(), mini, scores(lambda text: float(text in good))))
    assert found["overall_with_prior"] == found["overall_sections"] == 1.0
    assert found["prior_sets"] is None
    assert (v1().datasets(), len(v1(prior_sets=True).datasets())) == (("reward-bench",), 2)


def test_a_prior_prompt_may_be_a_conversation(mini: Any) -> None:
    prompts = [one.payload.prompt() for one in v1(prior_sets=True).samples(mini)]
    assert sum(len(one) == 3 for one in prompts) == 1
    assert len(prompts) == 31


def test_an_unread_verdict_is_half_by_the_lenient_rule(mini: Any, model: Any, run: Any) -> None:
    found = metrics_of(v1(), run(v1(), mini, model("no idea")))
    assert (found["overall_sections"], found["overall_official"]) == (None, None)
    assert found["correct_lenient"] == 0.5


def test_weights_are_the_published_ones() -> None:
    weights = {section: sum(subsets.values()) for section, subsets in formulas.SECTIONS.items()}
    assert weights == {"Chat": 358, "Chat Hard": 456, "Safety": 740, "Reasoning": 1968}
    assert sum(weights.values()) - 984 + 447 == 2985


def test_missing_subsets_leave_their_weight_out() -> None:
    some = {"hep-go": 0.5, "math-prm": 1.0, "elsewhere": 0.0}
    assert formulas.section_scores(some) == {"Reasoning": pytest.approx((164 * 0.5 + 984) / (164 + 984))}
    assert formulas.overall_with_prior({}) is None
    assert formulas.overall_sections({"hep-go": 0.25, "donotanswer": 0.75}) == 0.5


def prompt(number: int, correct: list[float], incorrect: list[float]) -> formulas.TiesPrompt:
    from suite_rag_rewardbench.credit import gap_and_spread

    gap, spread = gap_and_spread(correct, incorrect)
    return formulas.TiesPrompt(number, len(correct) > 1, float(gap > 0), gap, spread)


@pytest.mark.parametrize(
    ("prompts", "score"),
    [
        # one number, spread 1, gaps 5 and 3: all right, margin tanh(3 / 1 - 1)
        ([prompt(1, [6.0], [1.0]), prompt(1, [5.0, 4.0], [1.0])], 1.0 + 0.01 * 0.9640275800758169),
        # no spread and a positive gap: the margin is +1, and the score is above 1
        ([prompt(1, [2.0], [1.0]), prompt(1, [3.0, 3.0], [1.0])], 1.01),
        # nothing right, no spread: the margin is -1, and the score is below 0
        ([prompt(1, [0.0], [1.0]), prompt(1, [0.0, 0.0], [1.0])], -0.01),
        # all equal: 0/0 counts 0
        ([prompt(1, [1.0], [1.0]), prompt(1, [1.0, 1.0], [1.0])], 0.0),
        # the tied gap exceeds its spread, the ref one does not: pref without hard pref
        ([prompt(1, [1.5], [1.0]), prompt(1, [4.0, 3.0], [1.0])], 0.8 - 0.01 * 0.46211715726000973),
        # numbers without a partner count for accuracy only
        ([prompt(1, [2.0], [1.0]), prompt(2, [2.0, 2.0], [3.0])], 0.3),
        ([], None),
    ],
)
def test_the_ties_formula(prompts: list[formulas.TiesPrompt], score: float | None) -> None:
    assert formulas.ties_score(prompts) == (None if score is None else pytest.approx(score, abs=1e-12))


@pytest.mark.parametrize(("correct", "incorrect"), [([], [1.0]), ([1.0], [])])
def test_a_ties_prompt_without_one_side_is_malformed(correct: list[float], incorrect: list[float]) -> None:
    with pytest.raises(suite.DataError, match="correct and incorrect"):
        prompt(1, correct, incorrect)


def test_a_model_that_knows_is_perfect_and_above(mini: Any, scores: Any, run: Any) -> None:
    good = {text for one in v2().samples(mini) for text in one.payload.answers[: one.payload.num_correct]}
    found = metrics_of(v2(), run(v2(), mini, scores(lambda text: float(text in good))))
    assert found["ties"] == pytest.approx(1.01)
    assert found["overall"] == pytest.approx((5 + 1.01) / 6)
    assert found["overall_official"] == found["overall"]
    assert found["correct[Precise IF]"] == found["correct[tied]"] == 1.0


def test_the_best_shared_by_k_counts_one_kth(mini: Any, scores: Any, run: Any) -> None:
    found = metrics_of(v2(), done := run(v2(), mini, scores(lambda _: 1.0)))
    assert {score.values["correct"] for one, _, score in done if one.tags["form"] == "best-of-n"} == {0.25}
    assert found["ties"] == 0.0
    assert found["overall"] == pytest.approx(5 * 0.25 / 6)


def test_a_chat_model_ranks_four_and_grades_ties(mini: Any, model: Any, run: Any) -> None:
    good = {text for one in v2().samples(mini) for text in one.payload.answers[: one.payload.num_correct]}

    def answer(request: suite.Request) -> str:
        asked = request.messages[-1].content
        body = asked.split("</request>")[1]
        texts = [part.split(">\n", 1)[1].split("\n</answer>")[0] for part in body.split("<answer")[1:]]
        if len(texts) == 1:
            return "9" if texts[0] in good else "2"
        return f"Choose {[text in good for text in texts].index(True) + 1}"

    judge = model(answer)
    found = metrics_of(v2(), run(v2(), mini, judge))
    assert found["overall"] == pytest.approx((5 + 1.01) / 6)
    assert found["correct[best-of-n]"] == 1.0
    assert len(judge.requests) == 10 + sum(
        len(one.payload.answers) for one in v2().samples(mini) if one.tags["form"] != "best-of-n"
    )
    found = metrics_of(v2(kind="rating"), run(v2(kind="rating"), mini, model(answer)))
    assert found["overall"] == pytest.approx((5 + 1.01) / 6)


def test_unread_grades_count_as_upstream_counts_them_but_are_not_official(
    mini: Any, model: Any, run: Any
) -> None:
    done = run(v2(), mini, model("no idea"))
    found = metrics_of(v2(), done)
    assert found["overall"] is None
    assert found["correct"] is None
    assert (found["overall_official"], found["ties_official"]) == (None, None)
    lenient = {sample.tags["form"]: score.values["correct_lenient"] for sample, _, score in done}
    assert lenient == {"best-of-n": 0.25, "ref": 0.0, "tied": 0.0}  # of Ties every grade enters as -1
    one = next(score for sample, _, score in done if sample.tags["form"] == "tied")
    assert one.values["ties_gap"] == suite.Unscored("unparsed", "the last line is not a number alone")


def test_one_unread_grade_leaves_the_others_to_decide_leniently(mini: Any, model: Any, run: Any) -> None:
    sample = next(iter(v2().samples(mini)))
    lost = sample.payload.answers[2]
    judge = model(lambda request: "?" if lost in request.messages[1].content else "5")
    done = run(v2(kind="rating"), mini, judge)
    values = done[0][2].values
    assert isinstance(values["correct"], suite.Unscored)
    assert (values["correct_official"], values["correct_lenient"]) == (None, pytest.approx(1 / 3))


FOUR = {
    "id": "1",
    "prompt": "Q?",
    "chosen": ["a"],
    "rejected": ["b", "c", "d"],
    "num_correct": 1,
    "subset": "Math",
}
TIED = {
    "id": "tied:1",
    "prompt": "Q?",
    "chosen": ["a", "b"],
    "rejected": ["c"],
    "num_correct": 2,
    "subset": "ties",
}


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (FOUR | {"rejected": None}, "missing-field: rejected"),
        (FOUR | {"prompt": ""}, "missing-field: prompt"),
        (FOUR | {"num_correct": 2}, "wrong-count: num_correct is 2, chosen holds 1"),
        (TIED | {"chosen": ["a"], "num_correct": 1}, "malformed-ties: a tied prompt with one correct answer"),
        (TIED | {"rejected": []}, "missing-field: rejected"),
        (TIED | {"id": "ref:1"}, "wrong-count: 2 chosen answers"),
        (TIED | {"id": "other:1", "chosen": ["a"], "num_correct": 1}, "malformed-ties: id other:1"),
    ],
)
def test_bad_rows_are_named_and_never_asked(
    in_memory: Any, scores: Any, run: Any, row: dict[str, Any], problem: str
) -> None:
    classifier = scores(lambda _: 1.0)
    ((_, output, score),) = run(v2(), in_memory([row]), classifier)
    reason, _, detail = problem.partition(": ")
    assert score.values == dict.fromkeys(("correct", "correct_official"), suite.Unscored(reason, detail))
    assert (output.data, classifier.requests) == ({"problem": problem}, [])
    assert list(v2().show(next(iter(v2().samples(in_memory([row])))), output, score))


@pytest.mark.parametrize(
    ("row", "problem", "official"),
    [
        (FOUR | {"rejected": ["b", "", "d"]}, "empty-answer", 1.0),
        (FOUR | {"rejected": ["b", "a", "d"]}, "equal-answers", 0.5),
        (TIED | {"rejected": ["b"]}, "equal-answers", 0.0),
    ],
)
def test_equal_and_empty_answers_are_counted_officially_only(
    in_memory: Any, scores: Any, run: Any, row: dict[str, Any], problem: str, official: float
) -> None:
    classifier = scores(lambda text: float(text == "a"))
    ((_, _, score),) = run(v2(), in_memory([row]), classifier)
    assert score.values["correct"] == suite.Unscored(problem)
    assert score.values["correct_official"] == official


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"prompt": "Q?", "chosen": "a", "subset": "shp"}, "missing-field: rejected"),
        ({"prompt": [{"role": "user"}], "chosen": "a", "rejected": "b"}, "missing-field: prompt"),
        ({"prompt": "Q?", "chosen": "a", "rejected": "a"}, "equal-answers"),
        ({"prompt": "Q?", "chosen": "a", "rejected": ""}, "empty-answer"),
    ],
)
def test_bad_pairs_are_named(in_memory: Any, row: dict[str, Any], problem: str) -> None:
    (sample,) = v1().samples(in_memory([row]))
    assert sample.payload.problem == problem


def test_an_answer_too_long_for_the_model_is_wrong(in_memory: Any, model: Any, run: Any) -> None:
    reply = suite.Reply(scores=(1.0, None, 0.0, 0.0), details={"reasons": ["", "overflow", "", ""]})
    ((_, output, score),) = run(v2(), in_memory([FOUR]), model(lambda _: reply, "rate"))
    assert output.finish == "overflow"
    assert (score.values["correct"], score.values["correct_official"]) == (0.0, 0.0)


def test_the_ties_score_reaches_both_ends_of_its_range() -> None:
    found = [
        formulas.ties_score([formulas.TiesPrompt(1, tied, right, gap, 0.0) for tied in (False, True)])
        for right, gap in ((0.0, -1.0), (1.0, 1.0))
    ]
    ranges = {one.range for one in v2().metrics if isinstance(one, suite.Custom)}
    assert ranges == {(-0.01, 1.01)}
    assert found == pytest.approx([-0.01, 1.01])
