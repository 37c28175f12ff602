"""What `suite eval --dry-run` says of a reward model, and refuses, from its config alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import suite

CLASSIFIER = {"architectures": ["LlamaForSequenceClassification"], "num_labels": 1}
CHAT = {"architectures": ["LlamaForCausalLM"]}


Plan = Callable[..., tuple[int, str]]


@pytest.fixture
def plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Plan:
    """Exit code and output of planning for a model of which there is only the config."""

    def go(config: dict[str, Any], *flags: str, provider: str = "vllm") -> tuple[int, str]:
        (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
        command = ["eval", "--task", "rag-rewardbench", "--mini", "--dry-run", "--model"]
        code = suite.run_command(*command, f"{provider}/{tmp_path}", *flags)
        told = capsys.readouterr()
        return code, told.out + told.err

    return go


@pytest.mark.parametrize("provider", ["vllm", "transformers"])
def test_the_config_decides_how_a_model_is_asked(plan: Plan, provider: str) -> None:
    code, told = plan(CLASSIFIER, provider=provider)
    assert (code, "asked for rate" in told) == (0, True), told
    assert "about 24 calls" in told
    code, told = plan(CHAT, provider=provider)
    assert (code, "asked for chat" in told) == (0, True), told
    code, told = plan(CHAT, "-P", "kind=logp_mean", provider=provider)
    assert (code, "asked for prompt_logprobs" in told) == (0, True), told


@pytest.mark.parametrize(
    ("config", "flags", "named"),
    [
        ({**CLASSIFIER, "num_labels": 2}, (), "has 2 labels"),
        (CHAT, ("-P", "kind=classifier"), "rate"),
        (CLASSIFIER, ("-P", "kind=pairwise"), "chat"),
        (CHAT, ("-P", "kind=logp_reference"), "reference"),  # nobody is
        (CHAT, ("-P", "kind=votes"), "kind"),
    ],
)
def test_what_cannot_rate_is_refused_before_anything_starts(
    plan: Plan, config: dict[str, Any], flags: tuple[str, ...], named: str
) -> None:
    code, told = plan(config, *flags)
    assert code == 2
    assert named in told
