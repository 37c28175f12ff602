"""What a reward model's config says before anything starts, the same for both providers that serve them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from suite.errors import CapabilityError, ConfigError
from suite.models.engine import Engine
from suite.models.spec import parse_spec
from suite.plugins import catalogue
from suite.roles import Role

CLASSIFIER = "LlamaForSequenceClassification"
CHAT = "LlamaForCausalLM"
PREFERS = Role(needs=[{"rate"}, {"chat"}, {"prompt_logprobs"}])

Make = Callable[..., Engine]


@pytest.fixture(params=["vllm", "transformers"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    provider = catalogue().load("provider", request.param)

    def engine(config: dict[str, Any], **options: object) -> Engine:
        (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
        given = [(name, json.dumps(value)) for name, value in options.items()]
        made: Engine = provider.engine(parse_spec(f"{request.param}/{tmp_path}", given))
        return made

    return engine


@pytest.mark.parametrize("labels", [{"num_labels": 1}, {"id2label": {"0": "LABEL_0"}}])
def test_a_reward_model_needs_no_flag(make: Make, labels: dict[str, Any]) -> None:
    engine = make({"architectures": [CLASSIFIER], **labels})
    assert engine.capabilities() == {"rate"}
    assert PREFERS.choose(engine.capabilities()) == frozenset({"rate"})


def test_a_chat_model_compares_unless_asked_for_likelihoods(make: Make) -> None:
    can = make({"architectures": [CHAT]}).capabilities()
    assert PREFERS.choose(can) == frozenset({"chat"})
    assert Role(needs={"prompt_logprobs"}).choose(can) == frozenset({"prompt_logprobs"})


def test_a_base_model_is_no_classifier(make: Make) -> None:
    can = make({"architectures": [CHAT]}).capabilities()
    assert Role(needs={"rate"}).choose(can) is None  # the plan refuses it


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"num_labels": 2}, "has 2 labels"),
        ({"id2label": {"0": "a", "1": "b", "2": "c"}}, "has 3 labels"),
        ({}, "has 2 labels"),  # transformers' own default
        ({"num_labels": 0}, "with no label"),
        ({"id2label": {}}, "with no label"),
    ],
)
def test_two_labels_or_none_are_refused(make: Make, labels: dict[str, Any], message: str) -> None:
    with pytest.raises(CapabilityError, match=message):
        make({"architectures": [CLASSIFIER], **labels}).capabilities()


@pytest.mark.parametrize("options", [{"label": 1}, {"weights": [0.5, 0.5]}])
def test_a_choice_among_labels_is_enough(make: Make, options: dict[str, Any]) -> None:
    assert make({"architectures": [CLASSIFIER], "num_labels": 2}, **options).capabilities() == {"rate"}
    with pytest.raises(CapabilityError, match="with no label"):
        make({"architectures": [CLASSIFIER], "num_labels": 0}, **options).capabilities()


@pytest.mark.parametrize("architecture", ["LlamaForRewardModelWithGating", "Qwen2ForProcessRewardModel"])
def test_heads_that_give_no_scalar_are_refused(make: Make, architecture: str) -> None:
    with pytest.raises(CapabilityError, match="reward model that"):
        make({"architectures": [architecture], "num_labels": 1}).capabilities()


def test_a_config_that_cannot_be_read_is_named(make: Make, tmp_path: Path) -> None:
    engine = make({})
    (tmp_path / "config.json").write_text("[", "utf-8")
    with pytest.raises(ConfigError, match="cannot be read"):
        engine.capabilities()
