"""Each check passes a task that keeps the contract and fails one that breaks it in that place."""

import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ConfigDict

import suite
from suite.testing import conformance
from suite.testing.answers import finishing, plausible
from suite.testing.bench import Bench, differences

Make = Callable[..., Bench]
Sampled = Iterable[suite.Sample[dict[str, Any]]]


def problems(check: str, bench: Bench) -> str:
    return "\n".join(conformance.one(check, bench).problems)


@pytest.mark.parametrize("check", conformance.WITHOUT_MODEL)
def test_a_task_that_keeps_the_contract_passes(bench: Make, good: Any, check: str) -> None:
    result = conformance.one(check, bench(good))
    assert result.problems == ()
    nothing_to_tell = ("lazy", "light", "data")  # few samples, nothing installed, no data
    assert result.status == ("skipped" if check in nothing_to_tell else "passed")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"headline": "fame"}, "the headline 'fame' is no metric's row"),
        ({"version": 0}, "version 0"),
        ({"roles": {}}, "no role"),
        ({"replay": "none"}, "replay_reason"),
        ({"mini": {"x": "nowhere"}}, "no dataset of the task"),
    ],
)
def test_metadata_that_is_wrong_is_named(bench: Make, good: Any, changed: Any, message: str) -> None:
    class Task(good):  # type: ignore[misc]
        info = replace(good.info, **changed)

    assert message in problems("metadata", bench(Task))


def test_parameters_without_default_or_with_unknown_keys_are_named(bench: Make, good: Any) -> None:
    class NoDefault(suite.Parameters):
        loud: bool = False
        needed: int

    class Open(suite.Parameters):
        model_config = ConfigDict(extra="ignore", frozen=False)
        loud: bool = False

    for kind, message in ((NoDefault, "'needed' has no default"), (Open, "not refused"), (Open, "frozen")):

        class Task(good):  # type: ignore[misc]
            @classmethod
            def parameters_type(cls, kind: Any = kind) -> Any:
                return kind

        assert message in problems("parameters", bench(Task))


def test_a_preset_that_is_no_cell_is_named(bench: Make, good: Any) -> None:
    class Task(good):  # type: ignore[misc]
        info = replace(good.info, presets={"odd": [{"quiet": 1}]})

    assert "preset 'odd'" in problems("parameters", bench(Task))


def test_samples_that_change_or_repeat_are_named(bench: Make, good: Any) -> None:
    count = itertools.count()

    class Changing(good):  # type: ignore[misc]
        def samples(self, data: suite.Data) -> Sampled:
            for n in range(3):
                yield suite.Sample(id=f"w{n}", payload={"n": next(count)})

    class Twice(good):  # type: ignore[misc]
        def samples(self, data: suite.Data) -> Sampled:
            for n in (0, 1, 0):
                yield suite.Sample(id=f"w{n}", payload={"n": n}, group=f"g{next(count)}")

    class Apart(good):  # type: ignore[misc]
        def samples(self, data: suite.Data) -> Sampled:
            for n in range(6):
                yield suite.Sample(id=f"w{n}", payload={"n": n}, group=f"g{n % 3}")

    assert "are others from number 0" in problems("samples", bench(Changing))
    assert "'w0' comes twice" in problems("samples", bench(Twice))
    assert "group 'g0' comes back" in problems("samples", bench(Apart))


@pytest.mark.parametrize("given", ["one text, which is no list of them", [7]])
def test_references_that_are_no_texts_are_named(bench: Make, good: Any, given: Any) -> None:
    class Wrong(good):  # type: ignore[misc]
        def references(self, sample: Any) -> Any:
            return given

    assert "references of sample 'w0' are no texts" in problems("samples", bench(Wrong))


def test_an_id_with_a_parameter_is_named(bench: Make, good: Any) -> None:
    class Task(good):  # type: ignore[misc]
        def samples(self, data: suite.Data) -> Sampled:
            for n in range(3):
                yield suite.Sample(id=f"w{n}-{self.parameters.loud}", payload={"n": n})

    assert "contain the parameter 'loud'" in problems("stable-ids", bench(Task))


def test_samples_read_at_once_are_named(bench: Make, good: Any) -> None:
    class Task(good):  # type: ignore[misc]
        def samples(self, data: suite.Data) -> Sampled:
            return list(super().samples(data))

    assert "returns a list" in problems("lazy", bench(Task))


def test_what_solving_and_showing_does_wrong_is_named(bench: Make, good: Any) -> None:
    class Raises(good):  # type: ignore[misc]
        async def solve(self, sample: Any, models: suite.Models) -> suite.Output:
            raise ValueError("lost the thread")

    class Misspelt(good):  # type: ignore[misc]
        async def score(self, sample: Any, output: Any, models: suite.Models) -> suite.Score:
            return suite.Score({"fines": True, "length": 1})

    class Untagged(good):  # type: ignore[misc]
        metrics = (suite.Rate("fine", by="halves"), suite.Mean("length"))

    class Unshown(good):  # type: ignore[misc]
        def show(self, sample: Any, output: Any, score: Any) -> Any:
            return ["<b>html</b>"]

    assert "lost the thread" in problems("solves", bench(Raises))
    assert "'fine' that a metric reads; did you mean 'fines'?" in problems("solves", bench(Misspelt))
    assert "sliced by 'halves'" in problems("solves", bench(Untagged))
    assert "gave str, which is no block" in problems("solves", bench(Unshown))


def test_a_schema_that_strict_modes_refuse_is_named(bench: Make, good: Any) -> None:
    class Guided(good):  # type: ignore[misc]
        async def solve(self, sample: Any, models: suite.Models) -> suite.Output:
            for schema in ({"type": "object"}, {"enum": ["yes", "no"]}):
                reply = await models.candidate.chat("Say yes.", json_schema=schema, max_tokens=9)
            return suite.Output(reply.text, finish=reply.finish)

    told = 'candidate is asked by a JSON Schema that says too little for strict modes: {"type":"object"}'
    assert problems("solves", bench(Guided)) == told


def test_answers_that_depend_on_the_company_are_named(bench: Make, good: Any) -> None:
    count = itertools.count()

    class Task(good):  # type: ignore[misc]
        async def solve(self, sample: Any, models: suite.Models) -> suite.Output:
            await models.candidate.chat([suite.user(f"Say {sample.id}")])
            return suite.Output(f"answer {next(count)}")

    assert "output of sample" in problems("order", bench(Task))


def test_a_clock_is_caught_by_replay_and_excused_where_it_is_declared(bench: Make, good: Any) -> None:
    class Task(good):  # type: ignore[misc]
        async def score(self, sample: Any, output: Any, models: suite.Models) -> suite.Score:
            return suite.Score({"fine": True, "length": 1 / time.monotonic_ns()})

    class Declared(Task):
        info = replace(good.info, replay="none", replay_reason="it reads a clock")

    assert "score of sample" in problems("replay", bench(Task))
    assert conformance.one("replay", bench(Declared)).skipped.endswith("it reads a clock")


def test_a_new_request_on_replay_is_named(bench: Make, good: Any) -> None:
    class Task(good):  # type: ignore[misc]
        async def solve(self, sample: Any, models: suite.Models) -> suite.Output:
            reply = await models.candidate.chat([suite.user(f"{time.monotonic_ns()}")])
            return suite.Output(reply.text)

    assert "asked for what was not recorded" in problems("replay", bench(Task))
    assert "output of sample" in problems("resume", bench(Task))


def test_an_answer_without_a_model_is_named(bench: Make, good: Any) -> None:
    kept: dict[str, suite.Output] = {}

    class Task(good):  # type: ignore[misc]
        async def solve(self, sample: Any, models: suite.Models) -> suite.Output:
            if sample.id not in kept:
                kept[sample.id] = await super().solve(sample, models)
            return kept[sample.id]

    assert "has an output, though no model answered" in problems("infrastructure", bench(Task))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (suite.Unscored("empty"), "is unscored (empty)"),
        (None, "is not applicable"),
        (True, "better than the worst answer's"),
    ],
)
def test_a_candidates_failure_that_is_dropped_or_rewarded_is_named(
    bench: Make, good: Any, value: Any, message: str
) -> None:
    class Task(good):  # type: ignore[misc]
        async def score(self, sample: Any, output: suite.Output, models: suite.Models) -> suite.Score:
            return suite.Score({"fine": value if not output.text else False, "length": 0})

    assert message in problems("candidate-failure", bench(Task))


def test_a_failure_put_to_a_judge_that_praises_everything_is_named(bench: Make, good: Any) -> None:
    class Task(good):  # type: ignore[misc]
        async def score(self, sample: Any, output: suite.Output, models: suite.Models) -> suite.Score:
            reply = await models.judge.chat(f"Is it fine, Yes or No? {output.text}")
            return suite.Score({"fine": reply.text == "Yes", "length": 1})

    praised = bench(Task, answers={"judge": lambda request, asking: suite.Reply("Yes")})
    assert "better than the worst answer's 0" in problems("candidate-failure", praised)


def test_where_no_direction_is_better_a_failure_may_be_unscored(bench: Make, good: Any) -> None:
    class Task(good):  # type: ignore[misc]
        metrics = (suite.Rate("fine", direction="neither"),)

        async def score(self, sample: Any, output: suite.Output, models: suite.Models) -> suite.Score:
            return suite.Score({"fine": True if output.text else suite.Unscored("empty")})

    class Rater(good):  # type: ignore[misc]
        info = replace(good.info, roles={"candidate": suite.Role(needs=[{"rate"}, {"chat"}])})

        async def score(self, sample: Any, output: suite.Output, models: suite.Models) -> suite.Score:
            return suite.Score({"fine": True if output.text else suite.Unscored("empty"), "length": 1})

    assert problems("candidate-failure", bench(Task)) == ""
    assert problems("candidate-failure", bench(Rater)) == ""


def test_a_candidates_failure_that_raises_is_named(bench: Make, good: Any) -> None:
    class Task(good):  # type: ignore[misc]
        async def score(self, sample: Any, output: suite.Output, models: suite.Models) -> suite.Score:
            return suite.Score({"fine": output.text[0].islower(), "length": 1})

    assert "left pending instead of scored" in problems("candidate-failure", bench(Task))


@pytest.mark.parametrize(
    ("back", "named"),
    [(lambda reply: suite.assistant(reply.text), "use suite.replied"), (suite.replied, "")],
)
def test_an_empty_turn_that_is_put_back_is_named(bench: Make, good: Any, back: Any, named: str) -> None:
    class Task(good):  # type: ignore[misc]
        async def solve(self, sample: Any, models: suite.Models) -> suite.Output:
            first = await models.candidate.chat("Think.")
            reply = await models.candidate.chat([suite.user("Think."), back(first), suite.user("Well?")])
            return suite.Output(reply.text, finish=reply.finish)

        async def score(self, sample: Any, output: suite.Output, models: suite.Models) -> suite.Score:
            return suite.Score({"fine": bool(output.text), "length": len(output.text)})

    found = problems("candidate-failure", bench(Task))
    assert named in found
    assert bool(found) is bool(named)


def test_a_judges_failure_that_counts_as_zero_is_named(bench: Make, good: Any) -> None:
    class Task(good):  # type: ignore[misc]
        async def score(self, sample: Any, output: suite.Output, models: suite.Models) -> suite.Score:
            reply = await models.judge.chat([suite.user("Yes or No?")])
            return suite.Score({"fine": reply.text == "Yes", "length": 1})

    assert "has no unscored value" in problems("judge-failure", bench(Task))


def test_authors_may_say_what_their_judge_answers(bench: Make, good: Any) -> None:
    always = bench(good, answers={"judge": lambda request, asking: suite.Reply("Yes")})
    assert {score.values["fine"] for score in always.base.scores.values()} == {True}


def test_differences_between_runs_are_listed_by_sample(bench: Make, good: Any) -> None:
    tried = bench(good)
    ran = tried.run({"candidate": finishing("refused")})
    found = differences(tried.base, ran, most=2)
    assert found[0].startswith("output of sample 'w")
    assert found[-1].endswith("more differences")
    assert differences(tried.base, tried.run()) == []


def test_a_report_lists_what_failed(bench: Make, good: Any) -> None:
    failed = conformance.Result("tried/task", "samples", ("no samples",))
    with pytest.raises(conformance.Broken, match="no samples"):
        conformance.Report((failed,)).require()
    conformance.Report((conformance.Result("tried/task", "samples"),)).require()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Answer in this form:\n<quote>words</quote>\n<answer>Yes or No</answer>",
            ("<answer>Yes", "<answer>No"),
        ),
        ("Say [[A]] or [[B]].", ("[[A]]", "[[B]]")),
        ("Pick one:\nA. tea\nB. milk", ("A", "B")),
    ],
)
def test_plausible_answers_take_the_form_asked_for(text: str, expected: tuple[str, str]) -> None:
    from suite.models.engine import Asking

    request = suite.Request("chat", (suite.user(text),))
    answer = plausible(request, Asking())
    assert any(one in answer.text for one in expected)
    assert answer == plausible(request, Asking(seed=3))
