"""The real vLLM server, where one is installed: see tests/vllm/README.md. About two minutes on two cores."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from suite.chat import Message, Options, Reply, Request, Tool, assistant, tool_result, user
from suite.models.engine import Asking, Engine, Surroundings
from suite.models.settings import NEUTRAL, settled
from suite.models.spec import parse_spec
from suite.models.vllm import provider

PYTHON = os.environ.get("SUITE_VLLM_PYTHON", "")
MODELS = Path(os.environ.get("SUITE_VLLM_MODELS", "/nowhere"))

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        not PYTHON or not MODELS.is_dir(), reason="SUITE_VLLM_PYTHON, SUITE_VLLM_MODELS not set"
    ),
]
OPTIONS = {
    "dtype": os.environ.get("SUITE_VLLM_DTYPE", "float32"),
    "enforce_eager": "true",
    "max_model_len": "2048",
    "env": '{"VLLM_CPU_KVCACHE_SPACE": "1"}',
}
QUESTION = (user("Which city is the capital of France?"),)


def engine(name: str, **options: str) -> Engine:
    return provider.engine(parse_spec(f"vllm/{MODELS / name}", {**OPTIONS, **options}.items()))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def smol(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    one = engine("smollm2-135m", tool_call_parser="hermes")
    await one.start(Surroundings(logs=tmp_path_factory.mktemp("logs")))
    yield one
    await one.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reward(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    one = engine("tiny-reward")
    assert one.capabilities() == {"rate"}
    await one.start(Surroundings(logs=tmp_path_factory.mktemp("logs"), wants=frozenset({"rate"})))
    yield one
    await one.close()


def chat(*messages: Message, **options: object) -> Request:
    settings = {"temperature": 0.0, "max_tokens": 8, **options}
    return Request("chat", messages, options=Options(**settings))  # type: ignore[arg-type]


def tokens(reply: Reply) -> Any:
    """How many tokens each rated text has."""
    assert isinstance(reply.details, dict)
    return reply.details["tokens"]


async def test_it_answers_many_at_once_as_it_answers_one(smol: Engine) -> None:
    asks = [chat(user(f"Write about the number {i}.")) for i in range(8)]
    alone = [(await smol.call(ask, Asking(seed=1))).text for ask in asks]
    together = await asyncio.gather(*(smol.call(ask, Asking(seed=1)) for ask in asks))
    assert [reply.text for reply in together] == alone


async def test_log_probabilities_of_an_answer_agree_with_generating_it(smol: Engine) -> None:
    said = await smol.call(chat(*QUESTION, max_tokens=200, logprobs=0), Asking())
    assert said.finish == "stop"
    rated = await smol.call(Request("logprobs", QUESTION, texts=(said.text,)), Asking())
    generated = sum(
        one.logprob for one in said.logprobs
    )  # the end of turn, taken greedily, is not among them
    assert rated.scores[0] is not None
    assert tokens(rated)[0] - len(said.logprobs) in (0, 1)
    assert rated.scores[0] == pytest.approx(generated, abs=1.0)
    mean = Request("logprobs", QUESTION, texts=(said.text,), options=Options(normalise="mean"))
    assert (await smol.call(mean, Asking())).scores[0] == pytest.approx(
        rated.scores[0] / tokens(rated)[0], rel=1e-3
    )


async def test_a_schema_is_kept_and_an_answer_continued(smol: Engine) -> None:
    schema = {"type": "object", "properties": {"v": {"enum": ["yes", "no"]}}, "required": ["v"]}
    kept = await smol.call(chat(user("Yes or no?"), json_schema=schema, max_tokens=40), Asking())
    assert msgspec.json.decode(kept.text)["v"] in ("yes", "no")
    more = await smol.call(
        chat(user("Count to six."), assistant("1, 2, 3, 4,"), continue_final=True, max_tokens=4), Asking()
    )
    assert more.text.strip().startswith("5")


async def test_a_required_tool_is_called_with_arguments_of_its_schema(smol: Engine) -> None:
    city = {"enum": ["Paris", "Rome"]}
    schema: dict[str, Any] = {"type": "object", "properties": {"city": city}, "required": ["city"]}
    tools = (Tool("look_up", "Look up the weather", {**schema, "additionalProperties": False}),)
    options = Options(temperature=0.0, max_tokens=80, tool_choice="required")
    for question in ("What is the weather in Paris?", "Write a poem."):
        reply = await smol.call(Request("chat", (user(question),), tools=tools, options=options), Asking())
        call = reply.tool_calls[0]
        assert (call.name, bool(call.id)) == ("look_up", True)
        assert msgspec.json.decode(call.arguments)["city"] in city["enum"]
        told = (user(question), assistant("", (call,)), tool_result("Sunny.", call.id))
        assert (await smol.call(chat(*told), Asking())).text


async def test_what_shapes_its_answers_is_known(smol: Engine) -> None:
    settings: Any = smol.settings()
    assert settings["sampling"] == NEUTRAL
    assert "SmolLM" in settings["template_system"]
    assert (settings["dtype"], settings["context_length"], settings["system_messages"]) == (
        OPTIONS["dtype"], 2048, "taken",
    )  # fmt: skip
    assert len(settings["chat_template_sha256"]) == 64
    assert settings["thinking"] == "no switch"
    assert settled(settings, None)["unknown"] == []


async def test_reproducible_replies_are_equal_at_any_concurrency_and_after_a_restart(tmp_path: Path) -> None:
    asks = [
        (chat(user(f"Tell of {i}. " + "word " * (i * 7 % 40)), temperature=warm, logprobs=0), i)
        for i, warm in enumerate([0.0, 0.8] * 32)
    ]

    async def answers(one: Engine, at_once: int) -> list[tuple[str, tuple[float, ...]]]:
        turn = asyncio.Semaphore(at_once)

        async def ask(request: Request, seed: int) -> tuple[str, tuple[float, ...]]:
            async with turn:
                reply = await one.call(request, Asking(seed=seed))
                return reply.text, tuple(token.logprob for token in reply.logprobs)

        return list(await asyncio.gather(*(ask(*each) for each in asks)))

    said = []
    for concurrencies in ((1, 8), (64,)):
        one = engine("smollm2-135m", reproducible="true")
        await one.start(Surroundings(logs=tmp_path))
        said += [await answers(one, at_once) for at_once in concurrencies]
        await one.close()
    assert said[0] == said[1] == said[2]


async def test_too_long_is_an_overflow(smol: Engine) -> None:
    assert (await smol.call(chat(user("word " * 3000)), Asking())).finish == "overflow"
    rated = await smol.call(Request("logprobs", (user("word " * 3000),), texts=("x",)), Asking())
    assert (rated.scores, rated.finish) == ((None,), "overflow")


async def test_shared_prefixes_are_cached_and_counted(smol: Engine) -> None:
    before = smol.counters()
    long = "The garden has a gate, a wall and a well. " * 60
    for question in ("Where is the gate?", "Where is the well?"):
        await smol.call(chat(user(long + question)), Asking())
    after = smol.counters()
    assert after["prefix_cache_queries"] > before["prefix_cache_queries"]
    assert after["prefix_cache_hits"] - before["prefix_cache_hits"] >= 384


REFERENCE = """
import json, sys, torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
folder, question, *texts = sys.argv[1:]
model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
words = AutoTokenizer.from_pretrained(folder)
found = []
for text in texts:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": text}]
    ids = words.apply_chat_template(turns, tokenize=True, return_dict=True, return_tensors="pt")
    with torch.no_grad():
        found.append([ids["input_ids"].shape[1], model(**ids).logits[0, 0].item()])
print(json.dumps(found))
"""


def reference(texts: tuple[str, ...]) -> list[tuple[int, float]]:
    """(tokens, logit) of each answer by transformers, in the same environment."""
    done = subprocess.run(
        [PYTHON, "-c", REFERENCE, str(MODELS / "tiny-reward"), QUESTION[0].content, *texts],
        capture_output=True,
        check=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    return msgspec.json.decode(done.stdout, type=list[tuple[int, float]])


async def test_rewards_are_the_raw_logits_of_the_model_with_its_template_once(reward: Engine) -> None:
    texts = ("Paris, of course.", "I do not know", "")
    reply = await reward.call(Request("rate", QUESTION, texts=texts), Asking())
    wanted = await asyncio.to_thread(reference, texts)
    assert tokens(reply) == [count for count, _ in wanted]  # no second beginning-of-text
    assert list(reply.scores) == pytest.approx([score for _, score in wanted], abs=1e-3)
    assert max(abs(score or 0.0) for score in reply.scores) > 20  # where a sigmoid would tie


async def test_an_answer_too_long_to_rate_has_no_score(reward: Engine) -> None:
    reply = await reward.call(Request("rate", QUESTION, texts=("word " * 3000, "short")), Asking())
    assert isinstance(reply.details, dict)
    assert (reply.scores[0], reply.details["reasons"]) == (None, ["overflow", ""])
    assert reply.scores[1] is not None


async def test_several_labels_are_reduced_as_told(tmp_path: Path) -> None:
    one = engine("tiny-two-labels", weights="[1.0, -1.0]")
    await one.start(Surroundings(logs=tmp_path))
    reply = await one.call(Request("rate", QUESTION, texts=("a", "b")), Asking())
    await one.close()
    assert len(set(reply.scores)) == 2
