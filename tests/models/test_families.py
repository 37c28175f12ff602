from pathlib import Path

import pytest

from suite.errors import ConfigError
from suite.models.checkpoints import families_of, family_of


@pytest.mark.parametrize(
    ("architecture", "name", "wanted"),
    [
        ("LlamaForSequenceClassification", "Skywork/Skywork-Reward-Llama-3.1-8B-v0.2", "classifier"),
        ("LlamaForSequenceClassification", "LxzGordon/URM-LLaMa-3.1-8B", "qrm-urm"),
        ("Gemma2ForSequenceClassification", "Skywork/Skywork-Reward-Gemma-2-27B-v0.2", "gemma2-classifier"),
        ("InternLM2ForRewardModel", "internlm/internlm2-7b-reward", "internlm2-reward"),
        ("LlamaForCausalLM", "nvidia/Llama-3.1-Nemotron-70B-Reward-HF", "nemotron-reward"),
        ("LlamaForCausalLM", "meta-llama/Llama-3.1-8B-Instruct", None),
        ("LlamaForRewardModelWithGating", "RLHFlow/ArmoRM-Llama3-8B-v0.1", "armo"),
        ("StrangeRewardModel", "a/b", "unknown-reward"),
    ],
)
def test_known_models_are_of_their_families(architecture: str, name: str, wanted: str | None) -> None:
    found = family_of([architecture], name)
    assert (found.id if found else None) == wanted


def folder(tmp_path: Path, text: str) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "reward_families.yaml").write_text(text)
    return tmp_path


ENTRY = "{id: mine, architecture: Llama.*, model: me/.*, head: sequence, label: 2, served_by: [vllm]}"


def test_a_plugins_families_come_first(tmp_path: Path) -> None:
    known = families_of((tmp_path / "none", folder(tmp_path, f"families: [{ENTRY}]")))
    found = family_of(["LlamaForSequenceClassification"], "me/rm", known)
    assert found
    assert (found.id, found.label) == ("mine", 2)
    assert family_of(["LlamaForSequenceClassification"], "you/rm", known).id == "classifier"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"families: [{ENTRY}, {ENTRY}]", "'mine' is defined twice"),
        (ENTRY.replace("head", "hed"), "is no valid table of reward families"),
        (f"families: [{ENTRY.replace('Llama.*', '(')}]", "is no valid table of reward families"),
        ("[", "reward_families.yaml can't be read: not YAML"),
    ],
)
def test_a_bad_table_names_its_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        families_of((folder(tmp_path, text),))
