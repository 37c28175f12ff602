"""What shapes a served model's answers: neutral sampling, the template's own words, the server's own log."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from suite.errors import CallFailed
from suite.models.checkpoints import Checkpoint, chat_template, generation_config
from suite.models.settings import (
    NEUTRAL,
    SETTINGS,
    effective,
    follows,
    left_out,
    logged,
    own_values,
    settled,
    sha256_text,
    template_settings,
)

# What a checkpoint of Qwen2.5 has: penalties change a greedy answer, too
CONFIG: dict[str, Any] = {
    "repetition_penalty": 1.05,
    "temperature": 0.7,
    "top_p": 0.8,
    "top_k": 20,
    "eos_token_id": [1, 2],
}


def test_what_a_models_configuration_sets_is_named() -> None:
    own = own_values({**CONFIG, "min_p": 0, "presence_penalty": 0.0})
    assert own == {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05}
    assert "temperature=0.7, top_p=0.8, top_k=20, repetition_penalty=1.05 (-o gen" in left_out(own)
    assert left_out({}).endswith("configuration: nothing")


def test_neutral_values_of_other_writings_are_nothing_of_its_own() -> None:
    assert own_values({"top_k": 0, "top_p": 1, "temperature": 1.0, "repetition_penalty": 1}) == {}
    assert own_values({"max_new_tokens": 512, "temperature": None, "top_k": "20"}) == {"max_new_tokens": 512}


def test_effective_values_are_neutral_ones_changed_in_order() -> None:
    assert effective() == NEUTRAL
    assert effective(CONFIG, {"temperature": 0.1}) == {
        **NEUTRAL, "temperature": 0.1, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05,
    }  # fmt: skip


def test_what_is_not_known_is_listed() -> None:
    assert settled(None, "on") == {}
    hosted = settled({"context_length": None}, None)
    assert hosted == {"unknown": list(SETTINGS)}
    found: Any = settled({"context_length": 4096, "dtype": "bfloat16"}, "low")
    assert (found["thinking"], found["context_length"]) == ("low", 4096)
    assert set(found["unknown"]) == set(SETTINGS) - {"thinking", "context_length", "dtype"}


LINE = (
    "(EngineCore) INFO 11-30 16:19:26 [core.py:133] Initializing a V1 LLM engine (v0.32.0) with config: "
    "model='/m', dtype=torch.bfloat16, max_seq_len=8192, quantization={}, quantization_config=None, "
    "kv_cache_dtype=fp8, device_config=cuda, structured_outputs_config=X(reasoning_parser='')\n"
)


@pytest.mark.parametrize(("quantization", "read"), [("None", "none"), ("awq_marlin", "awq_marlin")])
def test_a_servers_log_says_how_it_computes(tmp_path: Path, quantization: str, read: str) -> None:
    log = tmp_path / "log"
    log.write_text("x\n" + LINE.format("gptq") + LINE.format(quantization) + "more\n")
    assert logged(log) == {
        "dtype": "bfloat16",
        "quantization": read,
        "kv_cache_dtype": "fp8",
        "context_length": 8192,
        "device": "cuda",
    }


def test_a_log_without_that_line_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("dtype=float32 quantization=None\n")
    assert logged(tmp_path / "log") == logged(tmp_path / "none") == {}


def turn(role: str, text: str) -> str:
    return f"<|im_start|>{role}\n{text}<|im_end|>\n"


def default_system(messages: Sequence[Mapping[str, str]]) -> str:
    shown = [one for one in messages if one["role"] != "system"]
    system = next((one["content"] for one in messages if one["role"] == "system"), "You are Q.\nBe kind.")
    return turn("system", system) + "".join(turn(one["role"], one["content"]) for one in shown)


def plain(messages: Sequence[Mapping[str, str]]) -> str:
    return "".join(turn(one["role"], one["content"]) for one in messages)


def dated(messages: Sequence[Mapping[str, str]]) -> str:
    system = next((one["content"] for one in messages if one["role"] == "system"), "")
    user = next(one["content"] for one in messages if one["role"] == "user")
    return f"<s>[sys]Today Date: 26 Jul 2024\n\n{system}[/sys][user]{user}"


def merged(messages: Sequence[Mapping[str, str]]) -> str:
    return "<s>[INST] " + "\n\n".join(one["content"] for one in messages) + " [/INST]"


def deaf(messages: Sequence[Mapping[str, str]]) -> str:
    return plain([one for one in messages if one["role"] != "system"])


def refusing(messages: Sequence[Mapping[str, str]]) -> str:
    if messages[0]["role"] == "system":
        raise CallFailed("template", "template: System role not supported", retryable=False)
    return plain(messages)


OPENING = "<|im_start|>user\n"
TEMPLATES = [
    (default_system, turn("system", "You are Q.\nBe kind.") + OPENING, "You are Q.\nBe kind.", "taken"),
    (plain, OPENING, "", "taken"),
    (dated, "<s>[sys]Today Date: 26 Jul 2024\n\n[/sys][user]", "", "taken"),
    (merged, "<s>[INST] ", "", "taken"),
    (deaf, OPENING, None, "left out"),
    (refusing, OPENING, None, "refused"),
]


@pytest.mark.parametrize(("template", "opening", "system", "taken"), TEMPLATES)
async def test_a_system_prompt_that_a_template_puts_in_is_seen(
    template: Any, opening: str, system: str | None, taken: str
) -> None:
    async def render(messages: Sequence[Mapping[str, str]], switches: Mapping[str, Any]) -> str:
        assert set(switches) <= {"enable_thinking", "thinking"}
        return str(template(messages))

    found = await template_settings(render)
    wanted = {"template_opening": opening, "system_messages": taken, "thinking": "no switch"}
    assert found == (wanted if system is None else {**wanted, "template_system": system})


@pytest.mark.parametrize(("usual", "wanted"), [(True, "on"), (False, "off"), (None, None)])
async def test_how_a_template_thinks_when_nobody_says_is_seen(usual: bool | None, wanted: str | None) -> None:
    async def render(messages: Sequence[Mapping[str, str]], switches: Mapping[str, Any]) -> str:
        return f"{messages}{switches.get('enable_thinking', usual)}"

    assert (await template_settings(render)).get("thinking") == wanted


async def test_a_server_that_does_not_render_leaves_it_unknown() -> None:
    async def render(messages: Sequence[Mapping[str, str]], switches: Mapping[str, Any]) -> str:
        raise CallFailed("no-tokenize", "", retryable=False)

    assert await template_settings(render) == {}
    assert await follows(render, "on") is None


@pytest.mark.parametrize(
    ("switch", "thinking", "does"),
    [
        ("enable_thinking", "off", True),
        ("thinking", 512, True),
        ("enable_thinking", "low", False),
        ("reasoning_effort", "low", True),
        ("date", "on", False),
    ],
)
async def test_whether_a_template_follows_is_seen_by_rendering(
    switch: str, thinking: str | int, does: bool
) -> None:
    async def render(messages: Sequence[Mapping[str, str]], switches: Mapping[str, Any]) -> str:
        return f"{messages}{switches.get(switch)}"

    assert await follows(render, thinking) is does


def test_a_models_files_give_template_and_configuration(tmp_path: Path) -> None:
    model = Checkpoint("m", "1", tmp_path)
    assert (chat_template(model), generation_config(model), generation_config(None)) == (None, {}, None)
    (tmp_path / "tokenizer_config.json").write_text('{"chat_template": "old {{ x }}"}')
    assert chat_template(model) == "old {{ x }}"
    (tmp_path / "chat_template.jinja").write_text("new {{ x }}")
    (tmp_path / "generation_config.json").write_text('{"top_k": 20}')
    assert (chat_template(model), generation_config(model)) == ("new {{ x }}", {"top_k": 20})
    (tmp_path / "generation_config.json").write_text("[")
    assert generation_config(model) == {}
    assert sha256_text("new {{ x }}")[:8] == "9534c12e"
