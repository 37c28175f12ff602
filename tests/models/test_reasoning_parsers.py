"""The reasoning parser that vLLM is started with, by the model's name."""

import re

import pytest

from suite.models.vllm_command import parser_of, parsers


@pytest.mark.parametrize(
    ("model", "parser"),
    [
        ("Qwen/Qwen3-8B", "qwen3"),
        ("Qwen/Qwen3-30B-A3B-Thinking-2507", "qwen3"),
        ("Qwen/Qwen3.5-27B", "qwen3"),
        ("Qwen/Qwen3-VL-8B-Thinking", "qwen3"),
        ("/models/qwen3-8b-awq/", "qwen3"),
        ("Qwen/Qwen3-4B-Instruct-2507", ""),
        ("Qwen/Qwen3-8B-Base", ""),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", ""),
        ("Qwen/Qwen3-Embedding-0.6B", ""),
        ("Qwen/Qwen2.5-7B-Instruct", ""),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", "deepseek_r1"),
        ("deepseek-ai/DeepSeek-V3-0324", ""),
        ("deepseek-ai/DeepSeek-V3.1", "deepseek_v3"),
        ("Qwen/QwQ-32B", "deepseek_r1"),
        ("zai-org/GLM-4.5-Air", "glm45"),
        ("google/gemma-4-26B-A4B-it", "gemma4"),
        ("google/gemma-3-4b-it", ""),
        ("allenai/Olmo-3-7B-Think", "olmo3"),
        ("allenai/Olmo-3-7B-Instruct", ""),
        ("openai/gpt-oss-20b", ""),
    ],
)
def test_the_family_is_told_by_the_name(model: str, parser: str) -> None:
    assert parser_of(model, "0.33.0+cpu") == parser


@pytest.mark.parametrize(
    ("version", "parser"), [("0.10.2", ""), ("0.11.0", "glm45"), ("1.0", "glm45"), ("", "glm45")]
)
def test_only_a_parser_that_this_vllm_has(version: str, parser: str) -> None:
    assert parser_of("zai-org/GLM-4.5", version) == parser


def test_every_row_is_a_pattern_of_its_own() -> None:
    assert (
        len({re.compile(one.models).pattern for one in parsers()})
        == len(parsers())
        == len({one.name for one in parsers()})
    )
