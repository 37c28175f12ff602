"""Classification by likelihood with shots on the real vLLM: see tests/vllm/README.md. Under a minute."""

import json
import os
import subprocess
from pathlib import Path

import pytest

import suite

PYTHON = os.environ.get("SUITE_VLLM_PYTHON", "")
MODELS = Path(os.environ.get("SUITE_VLLM_MODELS", "/nowhere"))
pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(
        not PYTHON or not MODELS.is_dir(), reason="SUITE_VLLM_PYTHON, SUITE_VLLM_MODELS not set"
    ),
]
OPTIONS = {
    "dtype": os.environ.get("SUITE_VLLM_DTYPE", "float32"),
    "enforce_eager": "true",
    "max_model_len": "2048",
    "env": '{"VLLM_CPU_KVCACHE_SPACE": "1"}',
}
REFERENCE = """
import json, sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
folder, asked = sys.argv[1], json.load(sys.stdin)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
words = AutoTokenizer.from_pretrained(folder)
found = []
for messages, answers in asked:
    opened = words.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    start = len(words(opened, add_special_tokens=False)["input_ids"])
    for answer in answers:
        text = opened + answer + "<|im_end|>"
        ids = words(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            logs = model(ids).logits[0, :-1].log_softmax(-1)
        own = logs[start - 1 :].gather(1, ids[0, start:, None])
        found.append([own.sum().item(), own.shape[0]])
print(json.dumps(found))
"""


Asked = tuple[list[dict[str, str]], list[str]]  # messages, answers


def reference(asked: list[Asked]) -> list[tuple[float, int]]:
    """(log-probability, tokens) of each answer with the end of its turn, by transformers."""
    done = subprocess.run(
        [PYTHON, "-c", REFERENCE, str(MODELS / "smollm2-135m")],
        input=json.dumps(asked), text=True, capture_output=True, check=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    return [(total, count) for total, count in json.loads(done.stdout)]


def test_likelihoods_are_those_of_the_model_and_shots_are_read_from_the_prefix_cache(tmp_path: Path) -> None:
    flags = [flag for key, value in OPTIONS.items() for flag in ("-o", f"{key}={value}")]
    parameters = ("answering=letter-likelihood", "shots=2", "inter_turns=0", "topics=garden_plants")
    flags += [flag for one in parameters for flag in ("-P", one)]
    model, folder = f"vllm/{MODELS / 'smollm2-135m'}", tmp_path / "run"
    command = ("eval", "--task", "prefeval/classification", "--mini", "--limit", "3", "--no-cache")
    assert suite.run_command(*command, *flags, "--model", model, "--output", str(folder)) == 0
    run = suite.load(folder)
    asked: list[Asked] = []
    told: list[tuple[float, int]] = []
    for output in run.outputs():
        found = run.call(output.calls[-1])
        assert found is not None
        request = found.blocks.request(found.call)
        messages = [{"role": one.role, "content": one.content} for one in request.messages]
        asked.append((messages, list(request.texts)))
        told += zip(output.output.data["logprobs"], output.output.data["tokens"], strict=True)
    wanted = reference(asked)
    assert [count for _, count in told] == [count for _, count in wanted]
    assert [total for total, _ in told] == pytest.approx([total for total, _ in wanted], abs=2e-3)
    assert len({json.dumps(messages[:5]) for messages, _ in asked}) == 1  # system text and shots
    # each reply to a preference reads system text and shots; a block is 128 tokens on the CPU, 16 on a GPU
    assert run.results.calls["candidate"].cached_tokens >= 2 * 256
