"""Which reasoning parser vLLM is started with, by the name of the model: a table, since no config tells.

Without it the thoughts of these models stand in the text, some without any mark once special tokens are left
out. A name that could be another kind of model is left alone: a wrong parser hides the answer. Not here:
gpt-oss (vLLM sets its parser itself), Magistral (its parser needs tokenizer_mode=mistral, too).
"""

import re
from typing import NamedTuple

from suite.models.vllm_command import version_of


class Parser(NamedTuple):
    """A row. models: pattern for the last part of a Hub name, any case. since: vLLM (major, minor)."""

    name: str
    models: str
    since: tuple[int, int]


# Sources: vLLM's page on reasoning outputs (0.10.0, 0.11.2, 0.26.0), its registered parsers, models' cards
PARSERS = (
    Parser("qwen3", r"qwen3(\.\d+)?-(\d|(vl|next|omni)-.*thinking).*", (0, 10)),
    Parser("deepseek_r1", r"deepseek-r1.*|qwq-32b.*", (0, 10)),
    Parser("granite", r"granite-3\.2-\d+b-instruct.*", (0, 10)),
    Parser("hunyuan_a13b", r"hunyuan-a13b-instruct.*", (0, 10)),
    Parser("deepseek_v3", r"deepseek-v3\.1.*", (0, 11)),
    Parser("ernie45", r"ernie-4\.5-.*thinking.*", (0, 11)),
    Parser("glm45", r"glm-4\.[56].*", (0, 11)),
    Parser("minimax_m2", r"minimax-m2.*", (0, 26)),
    Parser("cohere_command3", r"command-a-reasoning-.*", (0, 26)),
    Parser("gemma4", r"gemma-4-.*-it.*", (0, 26)),
    Parser("holo2", r"holo2-.*", (0, 26)),
    Parser("kimi_k2", r"kimi-k2-thinking.*", (0, 26)),
    Parser("olmo3", r"olmo-3.*-think.*", (0, 26)),
    Parser("seed_oss", r"seed-oss-.*-instruct.*", (0, 26)),
    Parser("step3", r"step3(-fp8)?", (0, 26)),
)
_NOT = re.compile(r"(^|[-_.])(base|embedding|reranker|coder|guard)([-_.]|$)", re.IGNORECASE)
_PLAIN = re.compile(r"qwen3.*-instruct.*", re.IGNORECASE)  # the editions that do not think


def parser_of(model: str, version: str) -> str:
    """The parser for a model's name or path, "" where none is known or that vLLM is too old for it."""
    name = model.rstrip("/").rpartition("/")[2]
    if _NOT.search(name) or _PLAIN.fullmatch(name):
        return ""
    has = version_of(version)
    found = (one for one in PARSERS if re.fullmatch(one.models, name, re.IGNORECASE))
    return next((one.name for one in found if has >= one.since), "")
