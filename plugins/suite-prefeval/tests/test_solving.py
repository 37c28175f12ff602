"""What the candidate is asked, call by call, for every form and method: golden structures."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from suite_prefeval.classification import Classification
from suite_prefeval.generation import Generation
from suite_prefeval.parameters import ClassificationParameters, GenerationParameters

import suite

SYSTEM = ("system", Generation.prompts.system())
LENGTH = " (Please answer in at most 300 words.)"
BLOCK = "\n\n" + Classification.prompts.mcq(options="A. {0}\nB. {1}\nC. {2}\nD. {3}").replace("{{", "{")

Said = list[tuple[str, str]]


def said(request: suite.Request) -> Said:
    return [(message.role, message.content) for message in request.messages]


async def asked(
    task: Any, data: Any, scripted: Any, reply: Callable[[suite.Request], suite.Reply] | None = None
) -> tuple[Any, list[suite.Request], suite.Output]:
    """Solve the first sample; replies are "r1", "r2", … in the order asked."""
    await task.open(data, None)
    sample = next(iter(task.samples(data)))
    model = scripted("candidate", reply or (lambda _: suite.Reply(text=f"r{len(model.requests)}")))
    ranker = scripted(
        "embedder",
        lambda request: suite.Reply(
            ranking=tuple((index, 1.0) for index in range(len(request.texts)))[: request.options.top]
        ),
    )
    output = await task.solve(sample, suite.Models({"candidate": [model], "embedder": [ranker]}))
    return sample, model.requests, output


def told(sample: Any, form: str, acknowledgement: str = "r1") -> Said:
    if form == "explicit":
        return [("user", sample.payload.preference), ("assistant", acknowledgement)]
    return [tuple(one) for one in sample.payload.dialogue]


def stream(task: Any) -> Said:
    return [(message.role, message.content) for message in task._unrelated]


@pytest.mark.parametrize("turns", [0, 3])
@pytest.mark.parametrize("form", ["explicit", "implicit-choice", "implicit-persona"])
@pytest.mark.parametrize("method", ["zero-shot", "remind", "cot"])
async def test_generation_asks_once_after_the_history(
    mini: Any, scripted: Any, form: Any, method: Any, turns: int
) -> None:
    task = Generation(GenerationParameters(form=form, method=method, inter_turns=turns))
    sample, requests, output = await asked(task, mini, scripted)
    question = {
        "zero-shot": "{q}",
        "remind": "{q}\n" + task.prompts.remind(),
        "cot": task.prompts.cot() + "\n{q}",
    }[method].replace("{q}", sample.payload.question)
    last = [SYSTEM, *told(sample, form), *stream(task), ("user", question + LENGTH)]
    if form == "explicit":
        assert said(requests[0]) == [SYSTEM, ("user", sample.payload.preference)]
    assert len(requests) == (2 if form == "explicit" else 1)
    assert said(requests[-1]) == last
    assert len(last) == 1 + len(sample.payload.dialogue or "ab") + 2 * turns + 1
    assert {request.options.max_tokens for request in requests} == {300}
    assert {request.options.temperature for request in requests} == {0.0}
    assert output == suite.Output(text=f"r{len(requests)}")


@pytest.mark.parametrize(("protocol", "middle"), [("paper", ""), ("plain", LENGTH)])
async def test_self_critic_answers_criticises_and_revises(
    mini: Any, scripted: Any, protocol: Any, middle: str
) -> None:
    values: dict[str, Any] = {"method": "selfcritic", "inter_turns": 1, "protocol": protocol}
    task = Generation(GenerationParameters(**values))
    sample, requests, output = await asked(task, mini, scripted)
    question = sample.payload.question
    history = [SYSTEM, *told(sample, "explicit"), *stream(task)]
    critique = [*history, ("user", question + middle), ("assistant", "r2"), ("user", task.prompts.critique())]
    revise = [*critique, ("assistant", "r3"), ("user", task.prompts.revise(question=question))]
    assert [said(request) for request in requests[1:]] == [
        [*history, ("user", question + LENGTH)],
        critique,
        revise,
    ]
    assert [request.options.max_tokens for request in requests] == [300, 300, 300, 500]
    assert output.text == "r4"


@pytest.mark.parametrize("form", ["explicit", "implicit-choice", "implicit-persona"])
@pytest.mark.parametrize(("protocol", "tokens"), [("paper", 5), ("plain", 300)])
async def test_classification_lists_the_options(
    mini: Any, scripted: Any, form: Any, protocol: Any, tokens: int
) -> None:
    values: dict[str, Any] = {"form": form, "inter_turns": 2, "method": "remind", "protocol": protocol}
    task = Classification(ClassificationParameters(**values))
    sample, requests, _ = await asked(task, mini, scripted)
    question = f"{sample.payload.question}\n{task.prompts.remind()}" + BLOCK.format(*sample.payload.options)
    assert said(requests[-1]) == [SYSTEM, *told(sample, form), *stream(task), ("user", question)]
    assert requests[-1].options.max_tokens == 5
    if form == "explicit":
        assert requests[0].options.max_tokens == tokens


async def test_classification_self_critic_chooses_twice(mini: Any, scripted: Any) -> None:
    task = Classification(ClassificationParameters(method="selfcritic", inter_turns=0))
    sample, requests, output = await asked(task, mini, scripted)
    block = BLOCK.format(*sample.payload.options)
    first = [SYSTEM, *told(sample, "explicit"), ("user", sample.payload.question + block)]
    critique = [*first, ("assistant", "r2"), ("user", task.prompts.critique())]
    again = [*critique, ("assistant", "r3"), ("user", task.prompts.revise() + block.strip())]
    assert [said(request) for request in requests[1:]] == [first, critique, again]
    assert [request.options.max_tokens for request in requests] == [5, 5, 300, 5]
    assert output.text == "r4"


async def test_a_prefilled_choice_is_continued_and_completed(mini: Any, scripted: Any) -> None:
    task = Classification(ClassificationParameters(prefill=True, inter_turns=0))
    _, requests, output = await asked(task, mini, scripted, lambda _: suite.Reply(text="B</choice>"))
    assert said(requests[-1])[-1] == ("assistant", "<choice>")
    assert requests[-1].options.continue_final
    assert not requests[0].options.continue_final
    assert output.text == "<choice>B</choice>"


async def test_acknowledgements_are_one_request_over_turns_and_methods(mini: Any, scripted: Any) -> None:
    first = set()
    for method in ("zero-shot", "remind", "selfcritic"):
        for turns in (0, 3):
            task = Generation(GenerationParameters(method=method, inter_turns=turns))
            _, requests, _ = await asked(task, mini, scripted)
            first.add(requests[0])
    plain = Classification(ClassificationParameters(protocol="plain"))
    _, requests, _ = await asked(plain, mini, scripted)
    assert {*first, requests[0]} == first
    assert len(first) == 1


async def test_rag_quotes_the_closest_messages_before_the_question(mini: Any, scripted: Any) -> None:
    task = Generation(GenerationParameters(method="rag", inter_turns=2, rag_k=3))
    sample, requests, _ = await asked(task, mini, scripted)
    lines = [
        f"exchange 1. User: {sample.payload.preference}",
        "exchange 2. Assistant: r1",
        f"exchange 3. user: {stream(task)[0][1]}",
    ]
    quoted = task.prompts.rag(count=5, lines="\n".join(lines))
    assert said(requests[-1])[-1] == ("user", quoted + sample.payload.question + LENGTH)


def published_scores(root: Path, form: str, topic: str, index: int) -> list[float]:
    """Upstream's SimCSE score of every message: the preference's dialogue, then the unrelated ones."""

    def scores(name: str) -> list[float]:
        found: list[float] = json.loads(gzip.decompress((root / "rag" / name).read_bytes()))[topic][index]
        return found

    if form == "explicit":
        return scores("explicit_scores.json.gz")
    return scores("implicit_choice_scores.json.gz") + scores("question_inter_scores.json.gz")


@pytest.mark.parametrize(
    ("form", "topic", "index", "turns", "expected"),
    [
        ("explicit", "travel_restaurant", 0, 8, [1, 2, 3, 17, 0]),
        ("explicit", "travel_restaurant", 0, 298, [1, 463, 484, 269, 273]),
        ("explicit", "shop_home", 3, 28, [1, 27, 25, 26, 24]),
        ("implicit-choice", "travel_restaurant", 0, 8, [1, 0, 4, 5, 4 + 15]),
    ],
)
async def test_published_scores_quote_the_published_messages(
    real: Any,
    published: Path,
    scripted: Any,
    form: Any,
    topic: str,
    index: int,
    turns: int,
    expected: list[int],
) -> None:
    scores = published_scores(published, form, topic, index)
    values: dict[str, Any] = {"form": form, "method": "rag", "inter_turns": turns, "topics": (topic,)}
    task = Generation(GenerationParameters(**values))
    await task.open(real, None)  # type: ignore[arg-type]
    sample = list(task.samples(real))[index]

    def rank(request: suite.Request) -> suite.Reply:
        order = sorted(range(len(request.texts)), key=lambda place: -scores[place])[: request.options.top]
        return suite.Reply(ranking=tuple((place, scores[place]) for place in order))

    candidate = scripted("candidate", lambda _: suite.Reply(text="Noted."))
    embedder = scripted("embedder", rank)
    await task.solve(sample, suite.Models({"candidate": [candidate], "embedder": [embedder]}))
    texts = embedder.requests[0].texts
    told_first = 2 if form == "explicit" else 4
    assert (len(texts), embedder.requests[0].prompt) == (told_first + 2 * turns, sample.payload.question)
    if form == "explicit":
        assert texts[:2] == (sample.payload.preference, "Noted.")
    question = candidate.requests[-1].messages[-1].content
    places = [question.index(f"\nexchange {number}. ") for number in range(1, 6)]
    for number, place in zip(expected, places, strict=True):
        assert question[place:].split(": ", 1)[1].startswith(texts[number])


@pytest.mark.parametrize("finish", ["overflow", "refused", "invalid"])
@pytest.mark.parametrize("kind", [Generation, Classification])
@pytest.mark.parametrize("method", ["zero-shot", "selfcritic"])
async def test_a_candidate_that_fails_early_ends_the_sample(
    mini: Any, scripted: Any, kind: Any, method: Any, finish: suite.Finish
) -> None:
    task = kind(kind.parameters_type()(method=method, inter_turns=0))
    for fails_at in (1, 2):
        calls: list[suite.Request] = []

        def reply(request: suite.Request, calls: Any = calls, at: int = fails_at) -> suite.Reply:
            calls.append(request)
            return suite.Reply(finish=finish) if len(calls) == at else suite.Reply(text="ok")

        _, requests, output = await asked(task, mini, scripted, reply)
        assert output == suite.Output(finish=finish)
        assert len(requests) == fails_at


@pytest.mark.parametrize("kind", [Generation, Classification])
async def test_too_many_turns_are_refused_before_anything_is_asked(mini: Any, kind: Any) -> None:
    task = kind(kind.parameters_type()(inter_turns=35))
    with pytest.raises(suite.ConfigError, match="34 exchanges"):
        await task.open(mini, None)
    with pytest.raises(suite.ConfigError, match="34 exchanges"):
        next(iter(task.samples(mini)))


@pytest.mark.parametrize(("kind", "paper"), [(Generation, 300), (Classification, 5)])
async def test_another_answer_length_is_labelled(mini: Any, kind: Any, paper: int) -> None:
    plain = kind(kind.parameters_type()(inter_turns=3))
    assert await plain.open(mini, None) == {"inter_turns": "3", "paper_turns": "5"}
    long = kind(kind.parameters_type()(inter_turns=3, max_tokens=2000))
    assert (await long.open(mini, None))["max_tokens"] == f"2000 (paper: {paper})"


def test_the_embedder_is_needed_by_rag_alone() -> None:
    kind = GenerationParameters
    assert sorted(Generation(kind(method="rag")).roles()) == ["candidate", "embedder", "judge"]
    assert sorted(Generation(kind()).roles()) == ["candidate", "judge"]


@pytest.mark.parametrize(
    ("kind", "tokens", "protocol", "limits"),
    [
        (Generation, 2000, "paper", [2000, 2000, 2000, 500]),
        (Generation, 2000, "plain", [2000, 2000, 2000, 2000]),
        (Generation, 60, "paper", [60, 60, 60, 500]),
        (Classification, 2000, "paper", [2000, 2000, 300, 2000]),
        (Classification, 2000, "plain", [2000, 2000, 2000, 2000]),
    ],
)
async def test_other_limits_hold_where_upstreams_do(
    mini: Any, scripted: Any, kind: Any, tokens: int, protocol: str, limits: list[int]
) -> None:
    values = {"method": "selfcritic", "inter_turns": 0, "max_tokens": tokens, "protocol": protocol}
    _, requests, _ = await asked(kind(kind.parameters_type()(**values)), mini, scripted)
    assert [request.options.max_tokens for request in requests] == limits
