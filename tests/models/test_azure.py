"""Azure OpenAI: its URLs, its environment, its key and token, its refusals, on loopback."""

import json
from typing import Any

import pytest
from route_server import RouteServer

from suite.chat import Options, Reply, Request, user
from suite.errors import CallFailed, ConfigError
from suite.models.engine import Asking, Surroundings
from suite.models.openai import OpenAIEngine, provider
from suite.models.spec import parse_spec

HOST = "https://name.openai.azure.com"
VERSION = "api-version=2024-10-21"
DEPLOYED = f"{HOST}/openai/deployments/my-gpt"
MODELS = {"data": [{"id": "gpt-4o-2024-08-06", "object": "model", "status": "succeeded"}]}  # no deployments
FILTERS = {
    "hate": {"filtered": False, "severity": "safe"},
    "violence": {"filtered": True, "severity": "high"},
}
FILTERED = {  # of the prompt: status 400
    "error": {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management "
        "policy. Please modify your prompt and retry.",
        "type": None, "param": "prompt", "code": "content_filter", "status": 400,
        "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": FILTERS},
    }
}  # fmt: skip
LIMITED = {
    "error": {
        "code": "429",
        "message": "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version "
        "2024-10-21 have exceeded token rate limit of your current OpenAI S0 pricing tier.",
    }
}
MISSING = {
    "error": {
        "code": "DeploymentNotFound",
        "message": "The API deployment for this resource does not exist. If you created the deployment "
        "within the last 5 minutes, please wait a moment and try again.",
    }
}


def completion(text: str | None = "fine", finish: str = "stop") -> dict[str, Any]:
    choice = {
        "index": 0, "finish_reason": finish, "content_filter_results": FILTERS,
        "message": {"role": "assistant", "content": text, "refusal": None},
    }  # fmt: skip
    return {
        "model": "gpt-4o-2024-08-06", "choices": [choice],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3},
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": FILTERS}],
    }  # fmt: skip


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_OPENAI_ENDPOINT", "OPENAI_API_VERSION", "AZURE_OPENAI_API_VERSION", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "azure-key-1234")


def made(spec: str = "azure/my-gpt", **options: object) -> OpenAIEngine:
    one = provider.engine(parse_spec(spec, [(name, json.dumps(value)) for name, value in options.items()]))
    assert isinstance(one, OpenAIEngine)
    return one


async def ask(one: OpenAIEngine) -> Reply:
    await one.start(Surroundings())
    try:
        return await one.call(Request("chat", (user("Hi"),), options=Options(max_tokens=8)), Asking(seed=1))
    finally:
        await one.close()


@pytest.mark.parametrize(
    ("given", "version", "url"),
    [
        (HOST, "", f"{HOST}/openai/v1"),
        (f"{HOST}/openai/v1/", "2024-10-21", f"{HOST}/openai/v1"),
        (HOST, "2024-10-21", f"{DEPLOYED}?{VERSION}"),
        (f"{HOST}/?{VERSION}", "2023-05-15", f"{DEPLOYED}?{VERSION}"),
        (f"{DEPLOYED}/chat/completions?{VERSION}", "", f"{DEPLOYED}?{VERSION}"),
        (DEPLOYED, "2024-10-21", f"{DEPLOYED}?{VERSION}"),
        ("https://n.services.ai.azure.com/api/projects/p", "", "https://n.services.ai.azure.com/api/projects/p/openai/v1"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("spec", ["azure/my-gpt", "openai/my-gpt"])
def test_a_resource_is_found_as_people_write_it(
    monkeypatch: pytest.MonkeyPatch, spec: str, given: str, version: str, url: str
) -> None:
    monkeypatch.setenv("OPENAI_API_VERSION", version)
    assert made(spec, base_url=given).url == url
    assert made(spec, base_url=url).url == url  # what is recorded may be given


def test_the_url_of_a_deployment_without_a_version_says_what_to_add() -> None:
    with pytest.raises(ConfigError, match=r"add \?api-version="):
        made(base_url=DEPLOYED)


@pytest.mark.parametrize("version", ["", f"?{VERSION}"])
def test_a_url_of_another_deployment_than_is_recorded_is_refused(version: str) -> None:
    with pytest.raises(
        ConfigError, match=r"asks the deployment my-gpt.* name is dep(.|\n)*write azure/my-gpt"
    ):
        made("azure/dep", base_url=DEPLOYED + version)


def test_without_a_resource_the_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="AZURE_OPENAI_ENDPOINT"):
        made()


def test_without_a_key_its_variable_is_named_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AZURE_OPENAI_API_KEY")
    with pytest.raises(ConfigError, match="AZURE_OPENAI_API_KEY"):
        made(base_url=HOST).check()


async def test_the_environment_is_enough_and_a_deployment_needs_no_place_in_the_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    routes = {"/openai/v1/models": MODELS, "/openai/v1/chat/completions": completion()}
    async with RouteServer(routes) as server:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.url)
        assert (await ask(made())).text == "fine"
    path, headers, body = server.asked[-1]
    assert (path, body["model"]) == ("/openai/v1/chat/completions", "my-gpt")
    assert (headers["api-key"], "Authorization" in headers) == ("azure-key-1234", False)


async def test_a_version_asks_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/openai/deployments/my-gpt/chat/completions?{VERSION}"
    async with RouteServer({path: completion()}) as server:
        monkeypatch.setenv("AZURE_OPENAI_API_VERSION", "2024-10-21")
        assert (await ask(made(base_url=server.url))).text == "fine"
    assert server.asked[-1][0] == path


async def test_a_token_of_entra_is_a_bearers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_OPENAI_API_KEY")
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "eyJ0eXAi.payload.signature")
    async with RouteServer({"/openai/v1/chat/completions": completion()}) as server:
        await ask(made(base_url=server.url))
    headers = server.asked[-1][1]
    assert (headers["Authorization"], "api-key" in headers) == (
        "Bearer eyJ0eXAi.payload.signature",
        False,
    )


@pytest.mark.parametrize(
    ("answer", "finish"),
    [
        ((400, FILTERED), "refused"),
        (completion(None, "content_filter"), "refused"),
        (completion("Half of", "content_filter"), "refused"),
        (completion("Half of", "length"), "length"),
    ],
)
async def test_what_its_filter_holds_back_is_the_candidates_refusal(answer: Any, finish: str) -> None:
    async with RouteServer({"/openai/v1/chat/completions": answer}) as server:
        assert (await ask(made(base_url=server.url))).finish == finish


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        ((404, MISSING), "status-404", "the deployment. another name"),
        ((401, {"error": {"code": "401", "message": "Access denied due to invalid subscription key"}}),
         "status-401", "the key comes from AZURE_OPENAI_API_KEY"),
    ],
)  # fmt: skip
async def test_a_refusal_says_what_to_look_at(answer: Any, kind: str, says: str) -> None:
    async with RouteServer({"/openai/v1/chat/completions": answer}) as server:
        with pytest.raises(CallFailed, match=says) as failed:
            await ask(made(base_url=server.url))
    assert (failed.value.kind, failed.value.retryable) == (kind, False)


async def test_a_rate_limit_waits_as_long_as_it_says() -> None:
    async with RouteServer({"/openai/v1/chat/completions": (429, LIMITED, {"Retry-After": "7"})}) as server:
        with pytest.raises(CallFailed) as failed:
            await ask(made(base_url=server.url))
    assert (failed.value.retryable, failed.value.retry_after) == (True, 7.0)
