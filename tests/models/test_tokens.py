"""The beginning-of-text token of rated conversations, over HTTP; in memory: test_transformers.py."""

from collections.abc import Iterator

import pytest
from openai_server import OpenAIServer
from openai_shapes import BOS

from suite.chat import Request, user
from suite.models.peer import missing_beginning
from tests.models.endpoints import asked

VLLM = {"dialect": "vllm", "capabilities": "+rate,+rank"}
QUESTION = (user("Which is best?"),)


@pytest.mark.parametrize(
    ("plain", "special", "missing"),
    [
        ([5, 6], [1, 5, 6], [1]),  # the tokenizer has one, the template lacks it
        ([1, 5, 6], [1, 1, 5, 6], []),  # both have it
        ([1, 5, 6], [1, 5, 6], []),  # the template alone
        ([5, 6], [5, 6], []),  # neither
        ([5, 6], [1, 5, 6, 2], []),  # an end as well: adding it would change more than the beginning
        ([5, 6], [5, 6, 2], []),
        ([], [1], [1]),
    ],
)
def test_it_is_missing_where_only_the_tokenizer_has_it(
    plain: list[int], special: list[int], missing: list[int]
) -> None:
    assert missing_beginning(plain, special) == missing


@pytest.fixture
def without_beginning(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server whose template lacks the token that its tokenizer puts before every text."""
    import openai_shapes

    whole = openai_shapes.render_ids
    monkeypatch.setattr(openai_shapes, "render_ids", lambda *given: whole(*given)[1:])
    assert whole([], False) == [BOS]
    return iter(())


async def test_a_server_is_told_to_add_it_where_it_lacks(without_beginning: None) -> None:
    async with OpenAIServer(keep_bodies=True) as server:
        await asked(server.url, Request("rate", QUESTION, texts=("fine", "bad")), **VLLM)
        rated = [body for body in server.bodies if "use_activation" in body]
        assert [body.get("add_special_tokens") for body in rated] == [True, True]
        assert sum("use_activation" not in body for body in server.bodies) == 2  # asked once for both
        await asked(server.url, Request("logprobs", QUESTION, texts=("fine",)), **VLLM)
        assert [body["prompt"][:2].count(BOS) for body in server.bodies if "prompt_logprobs" in body] == [1]


async def test_and_not_where_the_template_has_it(server: OpenAIServer) -> None:
    await asked(server.url, Request("rate", QUESTION, texts=("fine",)), **VLLM)
    await asked(server.url, Request("logprobs", QUESTION, texts=("fine",)), **VLLM)
    assert all("add_special_tokens" not in body for body in server.bodies if "use_activation" in body)
    assert [body["prompt"][:2].count(BOS) for body in server.bodies if "prompt_logprobs" in body] == [1]


async def test_nor_where_the_server_does_not_tokenize() -> None:
    async with OpenAIServer(missing=["/tokenize"], keep_bodies=True) as server:
        reply = await asked(server.url, Request("rate", QUESTION, texts=("fine",)), **VLLM)
        assert reply.scores[0] is not None
        assert "add_special_tokens" not in server.bodies[-1]
