"""Servers asked by name, each in its own dialect on loopback, and llama.cpp's real one."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from route_server import RouteServer

from suite.chat import Options, Reply, Request, user
from suite.errors import EngineError
from suite.models.embedded import LlamaEngine, LlamaOptions
from suite.models.engine import Asking, Engine, Surroundings
from suite.models.named_servers import SERVERS, base_url
from suite.models.named_servers import provider as named
from suite.models.openai import provider as openai
from suite.models.spec import parse_spec
from suite.plugins import catalogue

Served = dict[str, Any]
CARD = {"id": "qwen3:4b", "object": "model", "owned_by": "library"}
OLLAMA: Served = {
    "/v1/models": {"object": "list", "data": [CARD, {"id": "tiny:latest", "owned_by": "library"}]},
    "/api/version": {"version": "0.12.9"},
    "/api/tags": {"models": [
        {"name": "tiny:latest", "digest": "aaaa"},
        {"name": "qwen3:4b", "digest": "359d7dd4bcda", "details": {"quantization_level": "Q4_K_M"}},
    ]},
    "/api/ps": {"models": []},
    "/api/show": {"parameters": "temperature 0.6\nnum_ctx 4096", "capabilities": ["completion", "tools"]},
    "/api/generate": {"model": "qwen3:4b", "done": True, "done_reason": "load"},
}  # fmt: skip
LOADED = {"models": [{"name": "qwen3:4b", "context_length": 4096}]}
LMSTUDIO: Served = {
    "/v1/models": {"data": [{"id": "qwen3-4b", "owned_by": "organization_owner"}]},
    "/api/v0/models": {"data": [{
        "id": "qwen3-4b", "quantization": "Q4_K_M", "compatibility_type": "gguf", "state": "loaded",
        "max_context_length": 40960, "loaded_context_length": 4096,
    }]},
}  # fmt: skip
SGLANG: Served = {
    "/v1/models": {"data": [{"id": "m", "owned_by": "sglang", "root": "Qwen/m", "max_model_len": 32768}]},
    "/get_model_info": {"model_path": "/home/me/weights/m", "weight_version": "default"},
    "/get_server_info": {"version": "0.5.6", "dtype": "auto", "kv_cache_dtype": "fp8_e5m2"},
}


def said(usage: dict[str, int] | None = None) -> Served:
    """A chat's answer, with what was counted."""
    usage = {"prompt_tokens": 9, "completion_tokens": 3} if usage is None else usage
    choice = {"message": {"content": "fine"}, "finish_reason": "stop"}
    return {"/v1/chat/completions": {"model": "m", "choices": [choice], "usage": usage}}


def engine(spec: str, **options: object) -> Engine:
    return named.engine(parse_spec(spec, [(name, json.dumps(one)) for name, one in options.items()]))


async def ask(one: Engine, text: str = "Hi") -> Reply:
    await one.start(Surroundings())
    try:
        return await one.call(Request("chat", (user(text),), options=Options(max_tokens=100)), Asking(seed=1))
    finally:
        await one.close()


async def test_ollama_loads_the_model_and_tells_window_and_digest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load(body: Any) -> Served:
        server.routes["/api/ps"] = {"models": [{"name": body["model"], "context_length": 4096}]}
        return {"done": True, "done_reason": "load"}

    async with RouteServer({**OLLAMA, **said(), "/api/generate": load}) as server:
        url = server.url
        monkeypatch.setenv("OLLAMA_HOST", url.removeprefix("http://"))
        one = engine("ollama/qwen3:4b")
        assert (await ask(one)).text == "fine"
    assert one.limits() == {"window": 4096}
    told = one.identity()
    assert (told["provider"], told["engine_version"], told["url"]) == ("ollama", "0.12.9", f"{url}/v1")
    assert told["told"] == {
        "owned_by": "library", "digest": "359d7dd4bcda", "quantization": "Q4_K_M",
        "modelfile_parameters": "temperature 0.6\nnum_ctx 4096",
    }  # fmt: skip


async def test_a_name_without_a_tag_is_the_latest() -> None:
    async with RouteServer({**OLLAMA, **said(), "/api/ps": LOADED}) as server:
        await ask(engine("ollama/tiny", base_url=server.url))
    assert server.asked[-1][2]["model"] == "tiny:latest"


async def test_a_model_that_was_not_fetched_is_named_with_the_command() -> None:
    async with RouteServer(OLLAMA) as server:
        with pytest.raises(EngineError, match=r"`ollama pull qwen3:8b` brings it; "):
            await ask(engine("ollama/qwen3:8b", base_url=server.url))


@pytest.mark.parametrize("name", sorted(SERVERS))
async def test_a_server_that_does_not_run_is_named_with_the_command_that_starts_it(name: str) -> None:
    with pytest.raises(EngineError) as told:
        await ask(engine(f"{name}/m", base_url="http://127.0.0.1:9/v1"))
    text = str(told.value)
    assert text.startswith(f"no {SERVERS[name]['title']} answers at http://127.0.0.1:9/v1")
    assert SERVERS[name]["start"] in text
    assert SERVERS[name]["url_env"] in text


@pytest.mark.parametrize(
    ("text", "usage", "finish"),
    [
        ("Hi", {"prompt_tokens": 4096, "completion_tokens": 3}, "overflow"),  # all of the window, cut to fit
        ("word " * 3000, {"prompt_tokens": 1500, "completion_tokens": 3}, "overflow"),  # messages left out
        ("word " * 3000, {"prompt_tokens": 3010, "completion_tokens": 3}, "stop"),
        ("Hi", {"prompt_tokens": 4000, "completion_tokens": 97}, "length"),  # what was read first is gone
        ("Hi", {}, "stop"),
    ],
)
async def test_a_prompt_that_was_cut_without_a_word_is_an_overflow(
    text: str, usage: dict[str, int], finish: str
) -> None:
    async with RouteServer({**OLLAMA, **said(usage), "/api/ps": LOADED}) as server:
        assert (await ask(engine("ollama/qwen3:4b", base_url=server.url), text)).finish == finish


async def test_lmstudio_tells_the_window_that_was_loaded() -> None:
    async with RouteServer({**LMSTUDIO, **said()}) as server:
        one = engine("lmstudio/qwen3-4b", base_url=server.url)
        await ask(one)
    assert one.limits() == {"window": 4096}
    assert one.identity()["told"] == {
        "owned_by": "organization_owner", "quantization": "Q4_K_M", "format": "gguf",
    }  # fmt: skip


async def test_sglang_gets_neutral_values_and_tells_no_path() -> None:
    async with RouteServer({**SGLANG, **said()}) as server:
        one = engine("sglang/m", base_url=server.url)
        await ask(one)
    assert server.asked[-1][2]["top_k"] == -1
    assert one.limits() == {"window": 32768}
    told = json.dumps(one.identity())
    assert "/home/me" not in told
    assert "0.5.6" in told
    assert (one.settings() or {})["kv_cache_dtype"] == "fp8_e5m2"


async def test_the_key_of_openai_stays_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    async with RouteServer({**LMSTUDIO, **said()}) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-house")
        await ask(engine("lmstudio/qwen3-4b", base_url=server.url))
        assert not any("Authorization" in headers for _, headers, _ in server.asked)
        monkeypatch.setenv("LM_API_TOKEN", "token-of-this-house")
        await ask(engine("lmstudio/qwen3-4b", base_url=server.url))
    assert server.asked[-1][1]["Authorization"] == "Bearer token-of-this-house"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0:11435", "http://127.0.0.1:11435/v1"),
        (":1234", "http://127.0.0.1:1234/v1"),
        ("[::]:1234", "http://127.0.0.1:1234/v1"),
        ("box", "http://box:11434/v1"),
        ("http://box:99/", "http://box:99/v1"),
        ("https://box/ollama/v1", "https://box/ollama/v1"),
    ],
)
def test_an_address_is_taken_as_ollama_takes_it(given: str, url: str) -> None:
    assert base_url(SERVERS["ollama"]["address"], given) == url


async def test_lmstudio_loads_a_model_but_never_twice() -> None:
    rows = {"data": [{"id": "qwen3-4b", "state": "not-loaded", "max_context_length": 40960}]}

    def load(body: Any) -> Served:
        rows["data"][0]["state"] = "loaded"
        return {"status": "loaded", "instance_id": body["model"]}

    routes = {**LMSTUDIO, **said(), "/api/v0/models": rows, "/api/v1/models/load": load}
    async with RouteServer(routes) as server:
        for _ in range(2):
            await ask(one := engine("lmstudio/qwen3-4b", base_url=server.url))
    assert one.limits() == {"window": 40960}
    assert [path for path, _, _ in server.asked].count("/api/v1/models/load") == 1


ADDRESSES = st.tuples(
    st.sampled_from(["", "http://", "https://"]),
    st.sampled_from(["box", "0.0.0.0", "[::1]", "a.b.example"]),
    st.sampled_from(["", ":99"]),
    st.sampled_from(["", "/", "/v1", "/x/v1/"]),
).map("".join)


@given(st.sampled_from(sorted(SERVERS)), ADDRESSES)
def test_a_completed_address_needs_no_completing(name: str, given: str) -> None:
    usual = SERVERS[name]["address"]
    once = base_url(usual, given)
    assert base_url(usual, once) == once
    assert once.startswith(("http://", "https://"))
    assert once.endswith("/v1")


def test_every_server_of_the_table_is_announced() -> None:
    assert set(SERVERS) <= set(catalogue().names("provider"))


@pytest.mark.embedded
async def test_a_real_llamacpp_server_is_asked_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = LlamaEngine(parse_spec("embedded/smollm2-135m"), LlamaOptions(window=512))
    await host.start(Surroundings(logs=tmp_path))
    try:
        server = host._started(host._server)  # a server on loopback with a key, as anybody would start it
        monkeypatch.setenv("LLAMA_API_KEY", server.key)
        monkeypatch.setenv("LLAMACPP_BASE_URL", server.url)
        one = engine("llamacpp/smollm2-135m")
        assert (await ask(one)).text
        assert one.limits() == {"window": 512}
        assert (one.identity()["told"] or {})["quantization"] == "Q4_1"  # type: ignore[index, call-overload]
        assert (await ask(one, "word " * 3000)).finish == "overflow"
    finally:
        await host.close()


def test_a_dialect_alone_is_no_named_server() -> None:
    spec = parse_spec("openai/m", [("base_url", "http://127.0.0.1:9/v1"), ("dialect", "ollama")])
    assert openai.engine(spec).identity()["provider"] == "openai"
