"""RAG-RewardBench over its own-written data, with models that know the answers."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from suite_rag_rewardbench import asking
from suite_rag_rewardbench.parameters import RagParameters
from suite_rag_rewardbench.rag import SCENARIOS, SIZES, TOTAL, RagRewardBench, composed, scenario_at

import suite
from suite.testing import metrics_of, task_data

ROW = {
    "prompt": "## References\n\nReference [1] Title: A Text: The hall is red.",
    "question": "What colour is the hall?",
    "chosen": "Red, by reference [1].",
    "chosen_model": "one",
    "reject": "I think it is blue.",
    "reject_model": "two",
    "subset": "halls",
    "scenario": "helpful",
}


def task(**parameters: Any) -> RagRewardBench:
    return RagRewardBench(RagParameters(**parameters))


def better(mini: Any) -> set[str]:
    return {sample.payload.chosen for sample in task().samples(mini)}


def test_samples_are_stable_and_whole(mini: Any) -> None:
    samples = list(task().samples(mini))
    assert len(samples) == 24
    assert len({one.id for one in samples}) == 24
    assert {one.tags["scenario"] for one in samples} == set(SCENARIOS)
    assert {one.tags["prompt_mode"] for one in samples} == {"as_is", "composed"}
    assert [one.id for one in task(kind="pairwise").samples(mini)] == [one.id for one in samples]
    for one in samples:
        text = one.payload.messages[-1][1]
        assert "Reference [2]" in text
        assert text.count("## Question") == 1
        assert text.endswith("## Answer")
        assert not one.payload.problem
    assert sum(one.tags["longer"] == "better" for one in samples) == 13


def test_a_model_that_knows_is_right_everywhere(mini: Any, scores: Any, run: Any) -> None:
    good = better(mini)
    found = metrics_of(task(), run(task(), mini, scores(lambda text: float(text in good))))
    for name in (
        "correct",
        "correct_macro",
        "helpful_avg",
        "harmless_avg",
        "correct_half",
        "correct_official",
    ):
        assert found[name] == 1.0
    assert found["correct[citation]"] == 1.0
    assert found["correct_by[citation/handbooks]"] == 1.0
    assert (found["tie"], found["failed"], found["margin"], found["margin_median"]) == (0, 0, 1.0, 1.0)
    assert found["prefers_longer"] == found["longer_is_better"] == pytest.approx(13 / 23)
    assert found["correct_logp_sum"] is None
    assert found["baseline_longer"] == pytest.approx(13.5 / 24)
    assert found["baseline_shorter"] == pytest.approx(10.5 / 24)


def test_swapping_mirrors_and_a_constant_ties(mini: Any, scores: Any, run: Any) -> None:
    good = better(mini)
    found = metrics_of(task(), run(task(), mini, scores(lambda text: -float(text in good))))
    assert (found["correct"], found["correct_half"], found["margin"]) == (0.0, 0.0, -1.0)
    found = metrics_of(task(), run(task(), mini, scores(lambda _: 0.5)))
    assert (found["correct"], found["correct_half"], found["tie"]) == (0.0, 0.5, 1.0)
    assert found["prefers_longer"] is None


def test_logits_far_apart_do_not_tie(mini: Any, scores: Any, run: Any) -> None:
    good = better(mini)
    found = metrics_of(task(), run(task(), mini, scores(lambda text: 60.0 if text in good else 40.0)))
    assert (found["correct"], found["margin"]) == (1.0, 20.0)


def test_averages_are_weighted_by_pairs(in_memory: Any, scores: Any, run: Any) -> None:
    rows = [
        {**ROW, "scenario": name, "question": f"{name} {i}?", "chosen": "good" if i else "lost"}
        for name, count in (("helpful", 4), ("reason", 2), ("conflict", 2))
        for i in range(count)
    ]
    found = metrics_of(task(), run(task(), in_memory(rows), scores(lambda text: float(text == "good"))))
    assert found["correct"] == pytest.approx(5 / 8)
    assert found["correct_macro"] == pytest.approx((3 / 4 + 1 / 2 + 1 / 2) / 3)
    assert found["helpful_avg"] == pytest.approx(4 / 6)
    assert found["harmless_avg"] == pytest.approx(1 / 2)


def test_a_judge_of_the_first_slot_gets_exactly_half(mini: Any, model: Any, run: Any) -> None:
    judge = model("Choose 1")
    found = metrics_of(task(), run(task(), mini, judge))
    assert (found["correct"], found["correct_lenient"], found["consistent"]) == (0.5, 0.5, 0.0)
    assert found["correct_official"] is None
    assert found["prefers_first_slot"] == 1.0
    assert found["margin"] is None
    assert len(judge.requests) == 48
    found = metrics_of(task(), run(task(order="fixed"), mini, model("Choose 1")))
    assert (found["correct"], found["prefers_first_slot"]) == (1.0, 1.0)
    drawn = model("Choose 1")
    found = metrics_of(task(), run(task(order="random"), mini, drawn))
    assert found["correct"] is not None and 0.2 < found["correct"] < 0.8
    assert len(drawn.requests) == 24


def test_unread_verdicts_are_unscored_and_half_by_the_lenient_rule(mini: Any, model: Any, run: Any) -> None:
    found = metrics_of(task(), done := run(task(), mini, model("hm")))
    assert found["correct"] is None
    assert (found["correct_lenient"], found["failed"]) == (0.5, 1.0)
    assert {score.values["correct"] for _, _, score in done} == {
        suite.Unscored("unparsed", "it does not say which one to choose")
    }
    assert {output.finish for _, output, _ in done} == {"invalid"}


def test_grades_tie_for_half(mini: Any, model: Any, run: Any) -> None:
    found = metrics_of(task(), run(task(kind="rating"), mini, model("7")))
    assert (found["correct"], found["correct_lenient"], found["tie"]) == (0.5, 0.5, 1.0)


def likelier(sums: dict[bool, tuple[float, int]], good: set[str]) -> Any:
    def answer(request: suite.Request) -> suite.Reply:
        pairs = [sums[text in good] for text in request.texts]
        mean = request.options.normalise == "mean"
        scores = tuple(total / count if mean else total for total, count in pairs)
        return suite.Reply(scores=scores, details={"tokens": [count for _, count in pairs]})

    return answer


@pytest.mark.parametrize(("kind", "correct"), [("", 1.0), ("logp_mean", 1.0), ("logp_sum", 0.0)])
def test_likelihoods_report_both_sum_and_mean(
    mini: Any, model: Any, run: Any, kind: str, correct: float
) -> None:
    policy = model(
        likelier({True: (-20.0, 20), False: (-6.0, 2)}, better(mini)), "prompt_logprobs", "logprobs"
    )
    found = metrics_of(task(), run(task(kind=kind), mini, policy))
    assert found["correct"] == correct
    assert (found["correct_logp_sum"], found["correct_logp_mean"]) == (0.0, 1.0)


def test_a_reference_policy_is_subtracted(mini: Any, model: Any, run: Any) -> None:
    good = better(mini)
    reference = model(likelier({True: (-9.0, 5), False: (-1.0, 5)}, good), "prompt_logprobs")
    policy = model(
        likelier({True: (-6.0, 5), False: (-5.0, 5)}, good), "prompt_logprobs", reference=reference
    )
    found = metrics_of(task(), run(task(kind="logp_reference"), mini, policy))
    assert (found["correct"], found["margin"]) == (1.0, 7.0)
    assert "reference" in task(kind="logp_reference").roles()


@pytest.mark.parametrize(
    ("change", "reason", "detail"),
    [
        ({"reject": None}, "missing-field", "reject"),
        ({"question": "  "}, "missing-field", "question"),
        ({"chosen_model": 3}, "missing-field", "chosen_model"),
        ({"prompt": None, "subset": None}, "missing-field", "prompt, subset"),
    ],
)
def test_bad_rows_are_named_and_never_asked(
    in_memory: Any, scores: Any, run: Any, change: dict[str, Any], reason: str, detail: str
) -> None:
    classifier = scores(lambda text: float(text == ROW["chosen"]))
    done = run(task(), in_memory([ROW, {**ROW, **change}]), classifier)
    values = done[1][2].values
    assert values == dict.fromkeys(
        ("correct", "correct_half", "correct_official"), suite.Unscored(reason, detail)
    )
    assert len(classifier.requests) == 1
    assert metrics_of(task(), done)["correct"] == 1.0
    assert done[1][1].finish == "invalid"
    assert list(task().show(*done[1]))


@pytest.mark.parametrize(
    ("change", "reason", "official"),
    [
        ({"reject": ROW["chosen"]}, "equal-answers", 0.0),  # equal scores are not strictly higher
        ({"chosen": " \n"}, "empty-answer", 0.0),
        ({"reject": ""}, "empty-answer", 1.0),
    ],
)
def test_equal_and_empty_answers_are_counted_officially_only(
    in_memory: Any, scores: Any, run: Any, change: dict[str, Any], reason: str, official: float
) -> None:
    classifier = scores(lambda text: float(text == ROW["chosen"]))
    ((_, _, score),) = run(task(), in_memory([{**ROW, **change}]), classifier)
    lost = suite.Unscored(reason)
    assert score.values == {"correct": lost, "correct_half": lost, "correct_official": official}


@pytest.mark.parametrize(
    ("scored", "reasons", "correct", "official"),
    [
        ((1.0, None), ("", "not-finite"), suite.Unscored("not-finite"), 0.0),
        ((float("nan"), 1.0), (), suite.Unscored("no-score"), suite.Unscored("no-score")),
        ((1.0, None), ("", "overflow"), 0.0, 0.0),
        ((None, None), ("labels-2", "labels-2"), suite.Unscored("labels-2"), suite.Unscored("labels-2")),
        (
            (None, None),
            ("template: no system", "template: no system"),
            suite.Unscored("template", "no system"),
            suite.Unscored("template", "no system"),
        ),
    ],
)
def test_failures_are_never_a_score(
    in_memory: Any, model: Any, run: Any, scored: Any, reasons: Any, correct: Any, official: Any
) -> None:
    reply = suite.Reply(
        scores=scored, details={"tokens": [9, 9], **({"reasons": list(reasons)} if reasons else {})}
    )
    ((_, _, score),) = run(task(), in_memory([ROW]), model(lambda _: reply, "rate"))
    assert (score.values["correct"], score.values["correct_official"]) == (correct, official)
    assert score.values["failed"] is True
    assert score.values["margin"] is None


def test_aliases_of_other_copies_are_read(in_memory: Any) -> None:
    row: dict[str, Any] = {name: value for name, value in ROW.items() if not name.startswith("reject")}
    row |= {
        "rejected": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "blue"}],
        "rejected_model": "two",
        "chosen": [{"role": "assistant", "content": "red"}],
        "prompt": ["## References", "Reference [1] Text: red"],
        "extra": 1,
    }
    (sample,) = task().samples(in_memory([row]))
    assert (sample.payload.chosen, sample.payload.rejected, sample.payload.problem) == ("red", "blue", "")


def test_a_file_of_the_six_joined_is_known_by_its_count(tmp_path: Path) -> None:
    path = tmp_path / "joined.jsonl"
    row = {name: value for name, value in ROW.items() if name != "scenario"}
    line = json.dumps(row) + "\n"
    path.write_text(line * TOTAL, "utf-8")
    samples = list(task().samples(task_data(given={"rag-rewardbench": path})))
    counts = {name: sum(one.tags["scenario"] == name for one in samples) for name in SCENARIOS}
    assert counts == SIZES
    assert samples[0].id == "abstain/0000"
    path.write_text(line * 3, "utf-8")
    with pytest.raises(suite.DataError, match="3 rows are not the 1485"):
        list(task().samples(task_data(given={"rag-rewardbench": path})))
    path.write_text(json.dumps(ROW) + "\r\n\r\n", "utf-8")
    assert [one.id for one in task().samples(task_data(given={"rag-rewardbench": path}))] == ["helpful/0000"]
    with pytest.raises(suite.DataError):
        scenario_at(TOTAL)


def test_the_kind_decides_who_is_needed() -> None:
    assert asking.roles("")["candidate"].needs == (
        frozenset({"rate"}),
        frozenset({"chat"}),
        frozenset({"prompt_logprobs"}),
    )
    assert task(kind="classifier").roles()["candidate"].needs == (frozenset({"rate"}),)
    assert task(kind="rating").roles()["candidate"].needs == (frozenset({"chat"}),)


# What a paper prints: Table 2's rows that follow from their own figures; two of them by heart.
PRINTED = {
    "Skywork-Critic-Llama-3.1-70B": ((85.9, 77.1, 68.1, 91.6, 74.2, 83.2), (76.1, 82.0, 78.3)),
    "Skywork-Reward-Gemma-2-27B-v0.2": ((80.9, 74.5, 67.9, 75.5, 82.9, 67.9), (73.7, 75.9, 74.5)),
}
INCONSISTENT = {
    "URM-LLaMa-3.1-8B",
    "Llama-3.1-Tulu-3-70B",
    "Qwen2.5-32B-Instruct",
    "GPM-Llama-3.1-8B-Instruct",
    "GRM-Llama3.2-3B-rewardmodel-ft",
    "Qwen2.5-72B-Instruct",
    "Llama-3.1-Nemotron-70B-Instruct-HF",
    "Llama-3.3-70B-Instruct",
    "Llama-3.1-70B-Instruct",
}


def off(figures: tuple[float, ...], printed: tuple[float, ...]) -> float:
    found = composed(dict(zip(SCENARIOS, figures, strict=True)))
    return max(abs(a - b) for a, b in zip(found.values(), printed, strict=True))


@pytest.mark.parametrize("name", PRINTED)
def test_averages_are_composed_as_the_paper_prints_them(name: str) -> None:
    assert off(*PRINTED[name]) < 0.11


def test_all_consistent_rows_of_the_paper(shared: Path) -> None:
    columns = ("helpful_general", "reason", "citation", "harmless_general", "abstain", "conflict")
    sums = ("helpful_avg", "harmless_avg", "overall")
    checked = 0
    for name in ("published_rm_scores.csv", "published_ralm_scores.csv"):
        for row in csv.DictReader((shared / name).read_text("utf-8").splitlines()):
            error = off(tuple(float(row[one]) for one in columns), tuple(float(row[one]) for one in sums))
            assert (error < 0.11) == (row["model"] not in INCONSISTENT), row["model"]
            checked += error < 0.11
    assert checked == 36 + 9
