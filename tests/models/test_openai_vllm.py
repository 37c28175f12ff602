"""What vLLM's dialect can do besides: ratings, log-probabilities, rankings."""

import itertools
from typing import Any

import pytest
from named_server import NamedServer
from openai_server import OpenAIServer
from openai_shapes import BOS, EOT, hash_reward, render_ids, token_ids, token_logprob

from suite.chat import Options, Request, Tool, user
from suite.errors import CallFailed
from suite.models.engine import Surroundings
from suite.models.settings import NEUTRAL, SENT
from tests.models.endpoints import ASKING, asked, engine

VLLM = {"dialect": "vllm", "capabilities": "+rate,+rank"}
QUESTION = (user("Which is best?"),)


async def test_answers_are_rated_raw_and_in_order(server: OpenAIServer) -> None:
    texts = ("one fine answer", "another")
    reply = await asked(server.url, Request("rate", QUESTION, texts=texts), **VLLM)
    wanted = [
        hash_reward(
            [{"role": "user", "content": QUESTION[0].content}, {"role": "assistant", "content": text}]
        )
        for text in texts
    ]
    assert list(reply.scores) == wanted
    assert reply.details == {"tokens": [13, 11]}
    assert [body["use_activation"] for body in server.bodies if "use_activation" in body] == [False] * 2


async def test_a_high_logit_does_not_tie() -> None:
    async with OpenAIServer(reward=lambda messages: 40.0 + len(messages[-1]["content"])) as server:
        reply = await asked(server.url, Request("rate", QUESTION, texts=("a", "bb")), **VLLM)
    assert reply.scores == (41.0, 42.0)


@pytest.mark.parametrize(
    ("options", "rewards", "score", "reason"),
    [
        ({}, [1.0, 2.0], None, "labels-2"),
        ({"label": 1}, [1.0, 2.0], 2.0, ""),
        ({"weights": [0.5, 0.25]}, [1.0, 2.0], 1.0, ""),
        ({"weights": [0.5]}, [1.0, 2.0], None, "labels-2"),
        ({"per_token": True}, [3.0], 3.0, ""),
        ({}, [], None, "no-score"),
    ],
)
async def test_several_labels_need_a_reduction(
    options: dict[str, object], rewards: list[float], score: float | None, reason: str
) -> None:
    async with OpenAIServer(reward=lambda messages: rewards) as server:
        reply = await asked(server.url, Request("rate", QUESTION, texts=("a",)), **VLLM, **options)
    assert reply.scores == (score,)
    assert (reply.details.get("reasons", [""]), reply.finish) == (
        [reason],
        "stop" if not reason else "invalid",
    )


async def test_what_cannot_be_rated_has_no_score_and_a_reason(server: OpenAIServer) -> None:
    reply = await asked(server.url, Request("rate", QUESTION, texts=("[[fault:nan]]", "fine")), **VLLM)
    assert (reply.scores[0], reply.details["reasons"], reply.finish) == (None, ["not-finite", ""], "stop")
    async with OpenAIServer(window=5) as small:
        long = await asked(small.url, Request("rate", QUESTION, texts=("a", "b")), **VLLM)
    assert (long.scores, long.finish) == ((None, None), "overflow")


async def test_one_failed_sibling_fails_the_call(server: OpenAIServer) -> None:
    with pytest.raises(CallFailed, match="status-503"):
        await asked(server.url, Request("rate", QUESTION, texts=("[[fault:503]]", "fine")), **VLLM)


async def test_a_server_that_cannot_rate_is_named() -> None:
    async with OpenAIServer(missing=["/classify"]) as server:
        with pytest.raises(CallFailed, match="no-rating") as caught:
            await asked(server.url, Request("rate", QUESTION, texts=("a",)), **VLLM)
    assert not caught.value.retryable


@pytest.mark.parametrize("normalise", ["sum", "mean"])
async def test_log_probabilities_of_answers_count_the_end_of_turn(
    server: OpenAIServer, normalise: str
) -> None:
    request = Request("logprobs", QUESTION, texts=("yes it is", "no"), options=Options(normalise=normalise))
    reply = await asked(server.url, request, **VLLM)
    prompt = render_ids([{"role": "user", "content": QUESTION[0].content}], True)
    wanted, counts = [], []
    for text in request.texts:
        answer = [*token_ids(text), EOT]
        before = [prompt[-1], *answer]
        numbers = [token_logprob(a, b) for a, b in zip(before, answer, strict=False)]
        wanted.append(sum(numbers) / (len(numbers) if normalise == "mean" else 1))
        counts.append(len(numbers))
    assert list(reply.scores) == pytest.approx(wanted)
    assert reply.details == {"tokens": counts}


async def test_log_probabilities_of_a_raw_continuation(server: OpenAIServer) -> None:
    reply = await asked(server.url, Request("logprobs", prompt="Once upon", texts=(" a time",)), **VLLM)
    ids = [BOS, *token_ids("Once upon a time")]
    assert reply.scores[0] == pytest.approx(sum(token_logprob(a, b) for a, b in itertools.pairwise(ids[2:])))


async def test_texts_are_ranked_by_their_embeddings(server: OpenAIServer) -> None:
    reply = await asked(server.url, Request("rank", prompt="sea", texts=("moon", "sea", "sun")), **VLLM)
    assert reply.ranking[0] == (1, pytest.approx(1.0))
    assert sorted(index for index, _ in reply.ranking) == [0, 1, 2]


@pytest.mark.parametrize(
    ("owner", "options", "sent"),
    [
        ("vllm", {}, NEUTRAL),
        ("sglang", {}, NEUTRAL),
        ("vllm", {"generation_config": "auto"}, {}),
        ("openai", {}, {}),
        ("", {"dialect": "sglang"}, NEUTRAL),
        ("", {"dialect": "vllm", "extra_body": {"top_k": 5}}, {**NEUTRAL, "top_k": 5}),
        ("", {"dialect": "llamacpp"}, SENT["llamacpp"]),
        ("llamacpp", {}, SENT["llamacpp"]),
    ],
)
async def test_servers_that_apply_a_models_configuration_are_sent_neutral_values(
    owner: str, options: dict[str, object], sent: dict[str, float]
) -> None:
    async with NamedServer(card={"owned_by": owner}, keep_bodies=True) as server:
        one = engine(server.url, **options)
        plan = dict(one.identity())
        await one.start(Surroundings())
        await one.call(Request("chat", QUESTION, options=Options(temperature=0.3)), ASKING)
        body = server.bodies[-1]
        settings, identity = one.settings() or {}, one.identity()
        await one.close()
    assert {name: body[name] for name in {**NEUTRAL, "repeat_penalty": 1} if name in body} == {
        **sent,
        "temperature": 0.3,
    }
    taken = {**NEUTRAL, **{name: sent[name] for name in NEUTRAL if name in sent and sent is not NEUTRAL}}
    assert settings.get("sampling") == (taken if sent else None)
    assert bool(sent) is (identity.get("sent") == "neutral")
    lasting = {k: v for k, v in identity.items() if k not in ("told", "sent", "engine_version")}
    assert lasting == {k: v for k, v in plan.items() if k not in ("told", "sent", "engine_version")}


@pytest.mark.parametrize(("dialect", "strict"), [("vllm", True), ("openai", None)])
async def test_vllm_is_told_to_keep_to_a_tools_schema(
    server: OpenAIServer, dialect: str, strict: bool | None
) -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"to": {"type": "string"}}}
    tools = (Tool("move", "", schema), Tool("wait"))
    await asked(server.url, Request("chat", QUESTION, tools=tools), dialect=dialect)
    sent = [one["function"].get("strict") for one in server.bodies[-1]["tools"]]
    assert sent == [strict, None]


async def test_thinking_said_twice_is_refused(server: OpenAIServer) -> None:
    one = engine(server.url, extra_body={"reasoning_effort": "low"})
    assert one.thinks("high") == "extra_body says it, too: reasoning_effort"
